// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends prepared frames as fast as it can, past the queueing discipline:
 *
 *	blast DEVICE FILE COUNT [BATCH]
 *
 * FILE holds frames one after the other, each behind its length (two bytes, low
 * one first); they are sent in turn until COUNT are out, BATCH (16) at a time.
 * It runs below everything else (SCHED_IDLE), so that a program which answers
 * has done so before the next batch.  Prints the nanoseconds of
 * CLOCK_MONOTONIC_RAW that it took, which under `qemu -icount shift=0` are the
 * instructions that the whole machine executed meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "frames.h"

#define FRAMES_MAX	65536
#define BATCH_MAX	64

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

static void send_batch(int fd, size_t from, unsigned int n)
{
	struct mmsghdr msgs[BATCH_MAX] = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		msgs[i].msg_hdr.msg_iov = &frames[(from + i) % n_frames];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	frames_send(fd, msgs, n);
}

int main(int argc, char **argv)
{
	struct sched_param param = { 0 };
	unsigned long count, sent;
	unsigned int batch;
	long long begin;
	int fd;

	if (argc < 4)
		errx(2, "usage: blast DEVICE FILE COUNT [BATCH]");
	fd = frames_open(argv[1]);
	load(argv[2]);
	count = strtoul(argv[3], NULL, 10);
	batch = argc > 4 ? strtoul(argv[4], NULL, 10) : 16;
	if (!batch || batch > BATCH_MAX)
		errx(2, "BATCH must be 1..%d", BATCH_MAX);
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "SCHED_IDLE");
	begin = frames_now_ns();
	for (sent = 0; sent < count; sent += batch)
		send_batch(fd, sent, count - sent < batch ? count - sent : batch);
	sched_yield();
	printf("%lld\n", frames_now_ns() - begin);
	return 0;
}
