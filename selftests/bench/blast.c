// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends prepared frames as fast as it can, past the queueing discipline:
 *
 *	blast DEVICE FILE COUNT [CPUS [SOURCES [PERIOD_NS]]]
 *
 * FILE holds frames one after the other, each behind its length (two bytes, low
 * one first); they are sent in turn until COUNT are out, BATCH at a time.
 * CPUS (1): so many do so at once, each on a processor of its own, COUNT together.
 * SOURCES (0): IPv4 UDP frames come in turn from so many addresses of 10.0.0.0/8.
 * Without PERIOD_NS it runs below everything else (SCHED_IDLE), so that a program
 * which answers has done so before the next batch; with it a batch begins each
 * PERIOD_NS.  Prints the nanoseconds of CLOCK_MONOTONIC_RAW that it took, which
 * under `qemu -icount shift=0` are the instructions that the whole machine executed
 * meanwhile, on all processors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <arpa/inet.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "frames.h"

#define FRAMES_MAX	65536
#define BATCH		16
#define CPUS_MAX	64
/* Behind Ethernet, of IPv4 without options and of UDP. */
#define IP_SUM_AT	24
#define IP_SRC_AT	26
#define UDP_SUM_AT	40

static struct iovec frames[FRAMES_MAX];
static size_t n_frames;

static void load(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	unsigned char *p, *end;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", path);
	p = malloc(st.st_size);
	if (!p || read(fd, p, st.st_size) != st.st_size)
		err(1, "%s", path);
	close(fd);
	for (end = p + st.st_size; end - p > 2 && n_frames < FRAMES_MAX; n_frames++) {
		size_t len = p[0] | p[1] << 8;

		if ((size_t)(end - p) < 2 + len)
			errx(1, "%s: cut off", path);
		frames[n_frames].iov_base = p + 2;
		frames[n_frames].iov_len = len;
		p += 2 + len;
	}
	if (!n_frames)
		errx(1, "%s: no frame", path);
}

/* A word of the frame becomes another one, and the sum at @sum_at knows. */
static void mend_sum(unsigned char *frame, unsigned int sum_at, uint16_t old, uint16_t new)
{
	uint16_t sum;
	uint32_t s;

	memcpy(&sum, frame + sum_at, 2);
	s = (uint16_t)~sum + (uint32_t)(uint16_t)~old + new;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	sum = ~s;
	memcpy(frame + sum_at, &sum, 2);
}

static void set_source(unsigned char *frame, uint32_t n)
{
	uint32_t src = htonl((10U << 24) + 1 + n);
	uint16_t old[2], new[2];

	memcpy(old, frame + IP_SRC_AT, 4);
	memcpy(new, &src, 4);
	memcpy(frame + IP_SRC_AT, &src, 4);
	for (int i = 0; i < 2; i++) {
		mend_sum(frame, IP_SUM_AT, old[i], new[i]);
		mend_sum(frame, UDP_SUM_AT, old[i], new[i]);
	}
}

static void send_batch(int fd, size_t from, unsigned int n, unsigned long sources)
{
	struct mmsghdr msgs[BATCH] = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		msgs[i].msg_hdr.msg_iov = &frames[(from + i) % n_frames];
		msgs[i].msg_hdr.msg_iovlen = 1;
		if (sources)
			set_source(frames[(from + i) % n_frames].iov_base, (from + i) % sources);
	}
	frames_send(fd, msgs, n);
}

static long long monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "processor %u", cpu);
}

/* The frames from..to - 1 of all. */
static void blast(int fd, unsigned long from, unsigned long to, unsigned long sources,
		  long long period_ns)
{
	long long at_ns = monotonic_ns();

	for (; from < to; from += BATCH, at_ns += period_ns) {
		if (period_ns)
			frames_wait_until(at_ns);
		send_batch(fd, from, to - from < BATCH ? to - from : BATCH, sources);
	}
	sched_yield();
}

/* Others, which begin when all are there. */
static void start(int fd, unsigned int cpus, unsigned long count, unsigned long sources,
		  long long period_ns, unsigned int *ready)
{
	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		if (fork())
			continue;
		pin(cpu);
		__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) < cpus)
			sched_yield();
		blast(fd, cpu * count / cpus, (cpu + 1) * count / cpus, sources, period_ns);
		_exit(0);
	}
	if (cpus > 1)
		pin(0);
	while (__atomic_load_n(ready, __ATOMIC_SEQ_CST) < cpus - 1)
		sched_yield();
}

int main(int argc, char **argv)
{
	struct sched_param param = { 0 };
	unsigned long count, sources;
	unsigned int cpus, *ready;
	long long begin, period_ns;
	int fd;

	if (argc < 4)
		errx(2, "usage: blast DEVICE FILE COUNT [CPUS [SOURCES [PERIOD_NS]]]");
	fd = frames_open(argv[1]);
	load(argv[2]);
	count = strtoul(argv[3], NULL, 10);
	cpus = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
	sources = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
	period_ns = argc > 6 ? atoll(argv[6]) : 0;
	if (!cpus || cpus > CPUS_MAX || (sources && n_frames < BATCH))
		errx(2, "CPUS must be 1..%d, and for SOURCES there must be %d frames", CPUS_MAX, BATCH);
	ready = mmap(NULL, sizeof(*ready), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ready == MAP_FAILED)
		err(1, "memory");
	if (!period_ns && sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "SCHED_IDLE");
	start(fd, cpus, count, sources, period_ns, ready);
	begin = frames_now_ns();
	__atomic_add_fetch(ready, 1, __ATOMIC_SEQ_CST);
	blast(fd, 0, count / cpus, sources, period_ns);
	while (wait(NULL) > 0)
		;
	printf("%lld\n", frames_now_ns() - begin);
	return 0;
}
