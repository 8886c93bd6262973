/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time stamps that the kernel hands out with a packet: its own, and the
 * interface's.  No state.
 */
#ifndef NTPKD_STAMP_H
#define NTPKD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define STAMP_ALLOW_DATA	"/proc/sys/net/core/tstamp_allow_data"

struct msghdr;

/* enum stamp_from - who took a stamp, worst first */
enum stamp_from {
	STAMP_DAEMON,		/* we, around the call */
	STAMP_KERNEL,
	STAMP_HARDWARE,
};

/**
 * struct stamp - of one packet
 * @soft_ns: the kernel's, CLOCK_REALTIME; 0 = none
 * @hard_ns: the interface's, by its own clock; 0 = none
 * @ifindex: which interface, 0 = not known
 * @frame_len: bytes of the frame that it stamped as it came in, without its checksum; 0 =
 *	not known
 */
struct stamp {
	int64_t	 soft_ns;
	int64_t	 hard_ns;
	uint32_t ifindex;
	uint32_t frame_len;
};

/**
 * stamp_enable() - have the packets of a UDP socket stamped
 * @fd: socket
 * @family: AF_INET or AF_INET6
 * @tx: what is sent, too
 * @hard: by the interface, too
 *
 * Return: 0 or -errno: there are none then.
 */
int stamp_enable(int fd, int family, bool tx, bool hard);

/**
 * stamp_read() - the stamps among the control messages
 * @msg: as received, or as drained from the error queue
 * @out: filled
 */
void stamp_read(struct msghdr *msg, struct stamp *out);

/**
 * stamp_tx_names_interface() - does a packet that left come back to say who stamped it?
 * @allow_data: file, STAMP_ALLOW_DATA
 *
 * Where it does not, a socket that wants it to has no transmit stamps at all.
 *
 * Return: false when the file says so, or is not there, as outside the first network
 * namespace: what holds for that one is not known here.
 */
bool stamp_tx_names_interface(const char *allow_data);

/**
 * stamp_is_plausible() - does the interface's stamp go with the kernel's?
 * @first_ns: of both, that which comes first, on the local timescale
 * @then_ns: the other: an interface stamps before the kernel when a packet comes, after
 *	it when it leaves
 * @err_ns: of both together
 */
bool stamp_is_plausible(int64_t first_ns, int64_t then_ns, int64_t err_ns);

/** stamp_from_name() - "daemon", "kernel", "hardware" */
const char *stamp_from_name(enum stamp_from from);

#endif /* NTPKD_STAMP_H */
