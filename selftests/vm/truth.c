// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ground truth of two test machines, without NTP: both map one page of
 * shared memory (ivshmem).  The upstream publishes pairs of its TSC and its
 * CLOCK_REALTIME; the appliance reads its own clocks between two readings of
 * its TSC and interpolates.  The two TSCs run on the same counter of the host
 * with a constant difference, measured once by ping-pong over the page.
 *
 * Plain programs of two machines, one writer each per field; no locking but the
 * sequence number in each published point.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define NSEC_PER_SEC	1000000000LL
#define RING		512
#define PUBLISH_NS	4000000LL
#define PAGE_LEN	65536
#define PINGS		1000
#define TRIES		16
#define OFFSET_FILE	"/run/ntpk-truth"

/* One published point; odd seq: being written. */
struct point {
	uint64_t seq;
	uint64_t tsc;
	int64_t real_ns;
	uint64_t half_width;	/* of the bracket, in TSC ticks */
};

struct page {
	uint64_t written;	/* points so far; the newest is written - 1 */
	uint64_t ping;		/* the appliance's */
	uint64_t pong;		/* the upstream's answer to it */
	uint64_t pong_tsc;
	struct point ring[RING];
};

/* The appliance's clocks at one reading of its TSC. */
struct sample {
	uint64_t tsc;
	uint64_t half_width;
	int64_t raw_ns;
	int64_t real_ns;
};

/* What came of one sample. */
struct truth {
	int64_t raw_ns;
	int64_t real_ns;
	int64_t upstream_ns;
	int64_t uncertainty_ns;
};

/* Upstream's TSC minus ours, and half the shortest round trip. */
struct tsc_offset {
	int64_t ticks;
	uint64_t half_rtt;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "truth: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
	exit(1);
}

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static uint64_t rdtsc(void)
{
	unsigned int cpu;

	return __rdtscp(&cpu);
}

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void sleep_ns(int64_t ns)
{
	struct timespec ts = { ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

static long read_hex(const char *device, const char *name)
{
	char path[PATH_MAX], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtol(text, NULL, 16);
}

static struct page *map_device(const char *device)
{
	char path[PATH_MAX];
	void *page;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/enable", device);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(path);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2", device);
	fd = open(path, O_RDWR);
	if (fd < 0)
		die(path);
	page = mmap(NULL, PAGE_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap");
	close(fd);
	return page;
}

static struct page *map_page(void)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (read_hex(e->d_name, "vendor") != 0x1af4 ||
		    read_hex(e->d_name, "device") != 0x1110)
			continue;
		closedir(dir);
		return map_device(e->d_name);
	}
	errno = 0;
	die("no shared page here (ivshmem): not one of two machines");
	return NULL;
}

/* CLOCK_REALTIME with the narrowest bracket of a few tries. */
static void read_point(struct point *best)
{
	struct point p;
	int i;

	best->half_width = UINT64_MAX;
	for (i = 0; i < TRIES / 2; i++) {
		uint64_t before = rdtsc();

		p.real_ns = clock_ns(CLOCK_REALTIME);
		p.half_width = (rdtsc() - before + 1) / 2;
		p.tsc = before + p.half_width;
		if (p.half_width < best->half_width)
			*best = p;
	}
}

static void publish(struct page *page)
{
	uint64_t n = page->written;
	struct point *slot = &page->ring[n % RING];
	struct point p;

	read_point(&p);
	store(&slot->seq, 2 * n + 1);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slot->tsc = p.tsc;
	slot->real_ns = p.real_ns;
	slot->half_width = p.half_width;
	store(&slot->seq, 2 * n + 2);
	store(&page->written, n + 1);
}

/* Answer pings until none has come for 20 ms. */
static void answer_pings(struct page *page)
{
	int64_t quiet_since = clock_ns(CLOCK_MONOTONIC);

	do {
		uint64_t ping = load(&page->ping);

		if (ping == page->pong)
			continue;
		page->pong_tsc = rdtsc();
		store(&page->pong, ping);
		quiet_since = clock_ns(CLOCK_MONOTONIC);
	} while (clock_ns(CLOCK_MONOTONIC) - quiet_since < 20000000);
}

static int serve(void)
{
	struct page *page = map_page();

	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	page->pong = load(&page->ping);
	while (!stopped) {
		publish(page);
		if (load(&page->ping) != page->pong)
			answer_pings(page);
		sleep_ns(PUBLISH_NS);
	}
	return 0;
}

/* One ping; false when nobody answers within a second. */
static bool ping_once(struct page *page, struct tsc_offset *best)
{
	uint64_t id = page->ping + 1, before, after, half;
	int64_t end = clock_ns(CLOCK_MONOTONIC) + NSEC_PER_SEC;

	before = rdtsc();
	store(&page->ping, id);
	while (load(&page->pong) != id)
		if (clock_ns(CLOCK_MONOTONIC) > end)
			return false;
	after = rdtsc();
	half = (after - before + 1) / 2;
	if (half < best->half_rtt) {
		best->half_rtt = half;
		best->ticks = (int64_t)(page->pong_tsc - (before + half));
	}
	return true;
}

static struct tsc_offset measure_offset(struct page *page)
{
	struct tsc_offset best = { 0, UINT64_MAX };
	int i;

	for (i = 0; i < PINGS; i++) {
		if (!ping_once(page, &best)) {
			errno = 0;
			die("the upstream does not answer: is `truth serve` running there?");
		}
	}
	return best;
}

/* The offset is constant while both machines run: measured once, kept in /run. */
static struct tsc_offset get_offset(struct page *page)
{
	struct tsc_offset off;
	FILE *f = fopen(OFFSET_FILE, "r");

	if (f) {
		int n = fscanf(f, "%" SCNd64 " %" SCNu64, &off.ticks, &off.half_rtt);

		fclose(f);
		if (n == 2)
			return off;
	}
	off = measure_offset(page);
	f = fopen(OFFSET_FILE ".new", "w");
	if (!f)
		die(OFFSET_FILE);
	fprintf(f, "%" PRId64 " %" PRIu64 "\n", off.ticks, off.half_rtt);
	if (fclose(f) || rename(OFFSET_FILE ".new", OFFSET_FILE))
		die(OFFSET_FILE);
	return off;
}

/* A consistent copy of point n; false when it is being or was overwritten. */
static bool read_ring(const struct page *page, uint64_t n, struct point *p)
{
	const struct point *slot = &page->ring[n % RING];

	if (load(&slot->seq) != 2 * n + 2)
		return false;
	p->tsc = slot->tsc;
	p->real_ns = slot->real_ns;
	p->half_width = slot->half_width;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return load(&slot->seq) == 2 * n + 2;
}

/*
 * The published points just before and just after an instant of the upstream's
 * TSC; waits for the second.
 */
static bool find_points(const struct page *page, uint64_t tsc, struct point *a, struct point *b)
{
	int64_t end = clock_ns(CLOCK_MONOTONIC) + 2 * NSEC_PER_SEC;
	uint64_t n;

	for (;;) {
		n = load(&page->written);
		if (n > 1 && read_ring(page, n - 1, b) && b->tsc >= tsc)
			break;
		if (clock_ns(CLOCK_MONOTONIC) > end)
			return false;
		sleep_ns(PUBLISH_NS / 2);
	}
	for (n--; n-- > 0; *b = *a) {
		if (!read_ring(page, n, a))
			return false;
		if (a->tsc < tsc)
			return true;
	}
	return false;
}

/* Our two clocks between readings of the TSC, the narrowest of a few tries. */
static void read_sample(double ns_per_tick, struct sample *best)
{
	int i;

	best->half_width = UINT64_MAX;
	for (i = 0; i < TRIES; i++) {
		uint64_t t0 = rdtsc(), t1, t2;
		int64_t raw, real;

		raw = clock_ns(CLOCK_MONOTONIC_RAW);
		t1 = rdtsc();
		real = clock_ns(CLOCK_REALTIME);
		t2 = rdtsc();
		if ((t2 - t0 + 1) / 2 >= best->half_width)
			continue;
		best->half_width = (t2 - t0 + 1) / 2;
		best->tsc = t1 + (t2 - t1) / 2;
		best->real_ns = real;
		best->raw_ns = raw + (int64_t)((double)(t2 - t0) / 2 * ns_per_tick);
	}
}

/* Nanoseconds per tick from the oldest and the newest points at hand. */
static double tick_length_ns(const struct page *page)
{
	uint64_t n = load(&page->written);
	struct point a, b;

	if (n < 20 || !read_ring(page, n - 20, &a) || !read_ring(page, n - 1, &b)) {
		errno = 0;
		die("nothing published: is `truth serve` running on the upstream?");
	}
	return (double)(b.real_ns - a.real_ns) / (double)(b.tsc - a.tsc);
}

static bool take(const struct page *page, const struct tsc_offset *off, struct truth *out)
{
	double per_tick = tick_length_ns(page), slope;
	struct point a, b;
	struct sample s;
	uint64_t tsc;

	read_sample(per_tick, &s);
	tsc = s.tsc + (uint64_t)off->ticks;
	if (!find_points(page, tsc, &a, &b))
		return false;
	slope = (double)(b.real_ns - a.real_ns) / (double)(b.tsc - a.tsc);
	out->raw_ns = s.raw_ns;
	out->real_ns = s.real_ns;
	out->upstream_ns = a.real_ns + (int64_t)((double)(tsc - a.tsc) * slope);
	out->uncertainty_ns = (int64_t)((double)(s.half_width + off->half_rtt +
		(a.half_width > b.half_width ? a.half_width : b.half_width)) * per_tick);
	return true;
}

/* A reading disturbed by the upstream's being away is taken again. */
static struct truth take_good(const struct page *page, const struct tsc_offset *off)
{
	struct truth t;
	int i;

	for (i = 0; i < 5; i++)
		if (take(page, off, &t))
			return t;
	errno = 0;
	die("the upstream has stopped publishing");
	return t;
}

static void print_fields(const struct truth *t)
{
	printf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", t->raw_ns,
	       t->real_ns, t->upstream_ns, t->upstream_ns - t->real_ns, t->uncertainty_ns);
	fflush(stdout);
}

static int log_series(struct page *page, double seconds, double interval)
{
	struct tsc_offset off = get_offset(page);
	int64_t start = clock_ns(CLOCK_MONOTONIC_RAW), due = start;
	int64_t step = (int64_t)(interval * 1e9);

	puts("# mono_raw_ns real_ns upstream_real_ns offset_ns uncertainty_ns");
	while (due - start <= (int64_t)(seconds * 1e9)) {
		int64_t now = clock_ns(CLOCK_MONOTONIC_RAW);
		struct truth t;

		if (now < due)
			sleep_ns(due - now);
		t = take_good(page, &off);
		print_fields(&t);
		due += step;
	}
	return 0;
}

static int align(struct page *page, double offset_ms)
{
	struct tsc_offset off = get_offset(page);
	struct truth t = take_good(page, &off);
	int64_t ns = t.upstream_ns - t.real_ns - (int64_t)(offset_ms * 1e6);
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };

	tx.time.tv_sec = ns / NSEC_PER_SEC;
	tx.time.tv_usec = ns % NSEC_PER_SEC;
	if (tx.time.tv_usec < 0) {
		tx.time.tv_usec += NSEC_PER_SEC;
		tx.time.tv_sec--;
	}
	if (clock_adjtime(CLOCK_REALTIME, &tx) < 0)
		die("clock_adjtime");
	return 0;
}

static int once(struct page *page)
{
	struct tsc_offset off = get_offset(page);
	struct truth t = take_good(page, &off);

	printf("offset_ns=%" PRId64 " uncertainty_ns=%" PRId64 "\n", t.upstream_ns - t.real_ns,
	       t.uncertainty_ns);
	return 0;
}

static int raw(struct page *page)
{
	struct tsc_offset off = get_offset(page);
	struct truth t = take_good(page, &off);

	print_fields(&t);
	return 0;
}

static int usage(FILE *to)
{
	fputs("usage: truth serve                  on the upstream, until SIGTERM\n"
	      "       truth once                   offset_ns=N uncertainty_ns=N\n"
	      "       truth raw                    one line of the fields of log\n"
	      "       truth log SECONDS INTERVAL_S a series: mono_raw_ns real_ns\n"
	      "                                    upstream_real_ns offset_ns uncertainty_ns\n"
	      "       truth align OFFSET_MS        step our clock so that offset is OFFSET_MS\n"
	      "offset = upstream's CLOCK_REALTIME - ours at the same instant\n", to);
	return to == stderr ? 2 : 0;
}

static double number(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end)
		exit(usage(stderr));
	return v;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!strcmp(verb, "--help"))
		return usage(stdout);
	if (!strcmp(verb, "serve") && argc == 2)
		return serve();
	if (!strcmp(verb, "once") && argc == 2)
		return once(map_page());
	if (!strcmp(verb, "raw") && argc == 2)
		return raw(map_page());
	if (!strcmp(verb, "log") && argc == 4)
		return log_series(map_page(), number(argv[2]), number(argv[3]));
	if (!strcmp(verb, "align") && argc == 3)
		return align(map_page(), number(argv[2]));
	return usage(stderr);
}
