// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The time stamps that the kernel hands out with a packet, see stamp.h.
 */
#include "daemon/stamp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "daemon/clocks.h"

/* Between the interface and the kernel lie interrupts and queues, but not more. */
#define APART_MAX_NS	10000000

int stamp_enable(int fd, int family, bool tx, bool hard)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	int on = 1;

	if (tx)
		flags |= SOF_TIMESTAMPING_TX_SOFTWARE;
	if (hard)
		flags |= SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE |
			 SOF_TIMESTAMPING_OPT_PKTINFO;
	/*
	 * The interface's number comes only with a copy of what was sent; without the
	 * need for that the stamp is enough.
	 */
	if (hard && tx)
		flags |= SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW |
			 SOF_TIMESTAMPING_OPT_CMSG;
	else
		flags |= SOF_TIMESTAMPING_OPT_TSONLY;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)))
		return -errno;
	if (hard)
		setsockopt(fd, family == AF_INET ? SOL_IP : SOL_IPV6, family == AF_INET ?
			   IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof(on));
	return 0;
}

static bool is(const struct cmsghdr *c, int level, int type, size_t len)
{
	return c->cmsg_level == level && c->cmsg_type == type && c->cmsg_len >= CMSG_LEN(len);
}

static void take_times(const struct cmsghdr *c, struct stamp *out)
{
	struct scm_timestamping stamps;

	memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
	out->soft_ns = (int64_t)stamps.ts[0].tv_sec * NTP_NS_PER_S + stamps.ts[0].tv_nsec;
	/* no clock that is set says more seconds than fit */
	if (stamps.ts[2].tv_sec >= 0 && (int64_t)stamps.ts[2].tv_sec < UINT32_MAX)
		out->hard_ns = (int64_t)stamps.ts[2].tv_sec * NTP_NS_PER_S + stamps.ts[2].tv_nsec;
}

/* The one that stamped, which may be a part of the one that IP knows. */
static void take_interface(const struct cmsghdr *c, struct stamp *out)
{
	struct scm_ts_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (info.if_index)
		out->ifindex = info.if_index;
	out->frame_len = info.pkt_length;
}

static void take_v4(const struct cmsghdr *c, struct stamp *out)
{
	struct in_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (!out->ifindex)
		out->ifindex = (uint32_t)info.ipi_ifindex;
}

static void take_v6(const struct cmsghdr *c, struct stamp *out)
{
	struct in6_pktinfo info;

	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (!out->ifindex)
		out->ifindex = info.ipi6_ifindex;
}

void stamp_read(struct msghdr *msg, struct stamp *out)
{
	struct cmsghdr *c;

	memset(out, 0, sizeof(*out));
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (is(c, SOL_SOCKET, SO_TIMESTAMPING, sizeof(struct scm_timestamping)))
			take_times(c, out);
		else if (is(c, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, sizeof(struct scm_ts_pktinfo)))
			take_interface(c, out);
		else if (is(c, SOL_IP, IP_PKTINFO, sizeof(struct in_pktinfo)))
			take_v4(c, out);
		else if (is(c, SOL_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo)))
			take_v6(c, out);
	}
}

bool stamp_tx_names_interface(const char *allow_data)
{
	FILE *f = fopen(allow_data, "re");
	int c = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return c == '1';
}

bool stamp_is_plausible(int64_t first_ns, int64_t then_ns, int64_t err_ns)
{
	int64_t apart_ns = then_ns - first_ns;

	return apart_ns >= -err_ns && apart_ns <= APART_MAX_NS + err_ns;
}

const char *stamp_from_name(enum stamp_from from)
{
	static const char *const names[] = {
		[STAMP_DAEMON] = "daemon", [STAMP_KERNEL] = "kernel", [STAMP_HARDWARE] = "hardware",
	};

	return names[from];
}
