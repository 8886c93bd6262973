// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks at a steady pace and writes down when answers came back:
 *
 *	steady DEVICE FILE COUNT PERIOD_NS OUT	ask; PERIOD_NS 0: as fast as can be
 *	steady hog				use the processor up
 *	steady left SECONDS			as nobody else wants it, and print how often it went round
 *	steady writer FILE			write and write to a file, and wait for the disk
 *	steady timers N				N timers that go off each 0.1 to 1.1 s
 *
 * FILE holds one request, behind its length as for blast; its transmit timestamp becomes
 * the number of the request.  A paced asker runs before everything else (SCHED_FIFO), so
 * that what is late is the answer.  OUT gets for each answer four 64-bit numbers: request,
 * T2 and T3 as on the wire, and CLOCK_REALTIME in nanoseconds when the kernel handed the
 * answer to DEVICE's end of the wire.  Prints how many were sent and came.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "frames.h"

#define UDP_AT		42		/* behind Ethernet, IPv4 and UDP */
#define NTP_LEN		48
#define NTP_REC		32
#define NTP_XMT		40
#define BUFFER		(64 << 20)
#define PACKET_IGNORE	23		/* PACKET_IGNORE_OUTGOING */
/* Answers are waited for so long after the last request. */
#define LINGER_NS	200000000LL

struct answer {
	uint64_t request;
	uint64_t t2;
	uint64_t t3;
	uint64_t came_ns;
};

static struct answer *answers;
static size_t n_answers, max_answers;

static long long now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* All protocols: only such a socket is before the rule that drops what comes back. */
static int open_capture(const char *dev)
{
	struct sockaddr_ll from = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	int one = 1, size = BUFFER;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)))
		err(1, "%s", dev);
	return fd;
}

static void take(const unsigned char *frame, size_t len, struct msghdr *msg)
{
	struct answer *a = &answers[n_answers];
	const unsigned char *ntp = frame + UDP_AT;
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	struct timespec ts;

	if (len < UDP_AT + NTP_LEN || frame[12] != 8 || frame[13] || frame[23] != 17 || frame[34] || frame[35] != 123 ||
	    !c || c->cmsg_type != SCM_TIMESTAMPNS || n_answers == max_answers)
		return;
	memcpy(&ts, CMSG_DATA(c), sizeof(ts));
	memcpy(&a->request, ntp + 24, 8);
	memcpy(&a->t2, ntp + NTP_REC, 8);
	memcpy(&a->t3, ntp + NTP_XMT, 8);
	a->request = be64toh(a->request);
	a->t2 = be64toh(a->t2);
	a->t3 = be64toh(a->t3);
	a->came_ns = ts.tv_sec * 1000000000LL + ts.tv_nsec;
	n_answers++;
}

static void drain(int fd)
{
	unsigned char frame[256], control[256];
	struct iovec iov = { .iov_base = frame, .iov_len = sizeof(frame) };

	for (;;) {
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = control, .msg_controllen = sizeof(control),
		};
		ssize_t len = recvmsg(fd, &msg, 0);

		if (len < 0)
			return;
		take(frame, len, &msg);
	}
}

static void load(const char *path, unsigned char *frame, size_t max, size_t *len)
{
	int fd = open(path, O_RDONLY);
	unsigned char head[2];

	if (fd < 0 || read(fd, head, 2) != 2)
		err(1, "%s", path);
	*len = head[0] | head[1] << 8;
	if (*len > max || *len < UDP_AT + NTP_LEN || read(fd, frame, *len) != (ssize_t)*len)
		errx(1, "%s: no request", path);
	close(fd);
	/* IPv4 allows that none was computed */
	frame[UDP_AT - 2] = frame[UDP_AT - 1] = 0;
}

static void ask(int fd, unsigned char *frame, size_t len, uint64_t number)
{
	struct iovec iov = { .iov_base = frame, .iov_len = len };
	struct mmsghdr msg = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	uint64_t wire = htobe64(number);

	memcpy(frame + UDP_AT + NTP_XMT, &wire, 8);
	frames_send(fd, &msg, 1);
}

static void save(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size_t bytes = n_answers * sizeof(*answers);

	if (fd < 0 || write(fd, answers, bytes) != (ssize_t)bytes || fsync(fd))
		err(1, "%s", path);
}

static int run(char **argv)
{
	long long period_ns = atoll(argv[4]), begin, end;
	struct sched_param param = { .sched_priority = 50 };
	int out = frames_open(argv[1]), in = open_capture(argv[1]);
	unsigned long count = strtoul(argv[3], NULL, 10), i;
	unsigned char frame[512];
	size_t len;

	load(argv[2], frame, sizeof(frame), &len);
	max_answers = count;
	answers = malloc(max_answers * sizeof(*answers));
	if (!answers)
		err(1, "memory");
	memset(answers, 0, max_answers * sizeof(*answers));
	if (period_ns && sched_setscheduler(0, SCHED_FIFO, &param))
		err(1, "SCHED_FIFO");
	begin = now_ns(CLOCK_MONOTONIC) + 1000000;
	for (i = 0; i < count; i++) {
		if (period_ns)
			frames_wait_until(begin + i * period_ns);
		ask(out, frame, len, i + 1);
		if (period_ns > 50000 || !(i % 64))
			drain(in);
	}
	end = now_ns(CLOCK_MONOTONIC);
	while (n_answers < count && now_ns(CLOCK_MONOTONIC) < end + LINGER_NS) {
		frames_wait_until(now_ns(CLOCK_MONOTONIC) + 1000000);
		drain(in);
	}
	save(argv[5]);
	printf("%lu %zu %lld\n", count, n_answers, end - begin);
	return 0;
}

static void hog(void)
{
	for (volatile unsigned long n = 0;; n++)
		;
}

/* What is left for it: the same loop goes round less often. */
static int left(unsigned int seconds)
{
	long long end = now_ns(CLOCK_MONOTONIC) + seconds * 1000000000LL;
	struct sched_param param = { 0 };
	unsigned long rounds = 0;

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "SCHED_IDLE");
	while (now_ns(CLOCK_MONOTONIC) < end) {
		for (volatile unsigned int n = 0; n < 10000; n++)
			;
		rounds++;
	}
	printf("%lu\n", rounds);
	return 0;
}

static void writer(const char *path)
{
	static char block[1 << 16];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0)
		err(1, "%s", path);
	for (unsigned int i = 0;; i++) {
		if (pwrite(fd, block, sizeof(block), (off_t)(i % 64) * sizeof(block)) < 0)
			err(1, "%s", path);
		fdatasync(fd);
	}
}

static void timers(unsigned int n)
{
	struct rlimit files = { .rlim_cur = n + 64, .rlim_max = n + 64 };

	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "RLIMIT_NOFILE");
	for (unsigned int i = 0; i < n; i++) {
		long ns = 100000000L + (long)i * 1000000000L / n;
		struct itimerspec it = {
			.it_interval = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 },
		};
		int fd = timerfd_create(CLOCK_MONOTONIC, 0);

		it.it_value = it.it_interval;
		if (fd < 0 || timerfd_settime(fd, 0, &it, NULL))
			err(1, "timer %u", i);
	}
	puts("ready");
	fflush(stdout);
	pause();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "hog"))
		hog();
	else if (argc == 3 && !strcmp(argv[1], "writer"))
		writer(argv[2]);
	else if (argc == 3 && !strcmp(argv[1], "timers"))
		timers(atoi(argv[2]));
	else if (argc == 3 && !strcmp(argv[1], "left"))
		return left(atoi(argv[2]));
	else if (argc == 6)
		return run(argv);
	errx(2, "usage: steady DEVICE FILE COUNT PERIOD_NS OUT | hog | left SECONDS | writer FILE | timers N");
}
