/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sending of frames past the queueing discipline, for the small programs of the
 * test machines.  Every error ends the program.
 */
#ifndef NTPK_FRAMES_H
#define NTPK_FRAMES_H

#include <err.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>

/** frames_open() - a socket that sends by a device */
static inline int frames_open(const char *dev)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int one = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "%s", dev);
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		err(1, "PACKET_QDISC_BYPASS");
	return fd;
}

/** frames_send() - all of them, in their order */
static inline void frames_send(int fd, struct mmsghdr *msgs, unsigned int n)
{
	unsigned int done = 0;

	while (done < n) {
		int sent = sendmmsg(fd, msgs + done, n - done, 0);

		if (sent < 0)
			err(1, "sendmmsg");
		done += sent;
	}
}

/** frames_now_ns() - CLOCK_MONOTONIC_RAW */
static inline long long frames_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/** frames_wait_until() - a time of CLOCK_MONOTONIC */
static inline void frames_wait_until(long long ns)
{
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

#endif /* NTPK_FRAMES_H */
