/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hardware time stamps: the interfaces of `hwtimestamp`, their clocks, and what a
 * stamp of theirs is on the local timescale.  Event loop only, but for the start.
 */
#ifndef NTPKD_HWTS_H
#define NTPKD_HWTS_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/conf.h"
#include "nl/ntpk_nl.h"

#define HWTS_PERIOD_NS	500000000LL	/* between two readings of a clock */

struct event_base;
struct hwts;

/**
 * struct hwts_ops - who else is to know
 * @map: what the stamps of an interface are worth from now on
 * @none: nothing
 */
struct hwts_ops {
	void (*map)(void *ctx, const struct ntpk_nl_phc *map);
	void (*none)(void *ctx, uint32_t ifindex);
};

/**
 * hwts_open() - switch the stamps on, open the clocks, begin to read them
 * @base: the loop
 * @conf: configuration; what it asks for and cannot be had is said
 * @ops: callbacks
 * @ctx: their argument
 * @out: out, NULL when no interface has stamps
 *
 * Needs root's rights.
 *
 * Return: 0 or -ENOMEM.
 */
int hwts_open(struct event_base *base, const struct conf *conf, const struct hwts_ops *ops,
	      void *ctx, struct hwts **out);

/** hwts_close() - the stamps stay switched on; NULL is fine */
void hwts_close(struct hwts *h);

/**
 * hwts_to_local() - a stamp of an interface on the local timescale
 * @h: NULL is fine
 * @ifindex: of the interface
 * @phc_ns: stamp
 * @local_ns: out
 * @err_ns: out, bound of its error
 *
 * Return: false when it cannot be told.
 */
bool hwts_to_local(const struct hwts *h, uint32_t ifindex, int64_t phc_ns, int64_t *local_ns,
		   int64_t *err_ns);

/**
 * hwts_wire_ns() - from the begin of a frame, which is stamped, to its end
 * @h: NULL is fine
 * @ifindex: of the interface by which it came
 * @frame_len: its bytes, 0 = not known
 *
 * NTP means the end of what comes in, so that the time on the wire counts for both
 * directions, whatever their speeds.
 *
 * Return: nanoseconds, 0 where it is not known.
 */
int64_t hwts_wire_ns(const struct hwts *h, uint32_t ifindex, uint32_t frame_len);

/**
 * hwts_note_sent() - a request's stamp has come, and agrees with the kernel's
 * @h: NULL is fine
 * @ifindex: of the interface
 * @later_ns: by so much it is later than that
 */
void hwts_note_sent(struct hwts *h, uint32_t ifindex, int64_t later_ns);

/**
 * struct hwts_report - an interface, for people
 * @name: of it
 * @phc: N of its clock, /dev/ptpN
 * @rx: it stamps NTP packets as they come in, too
 * @sent: requests whose stamps came, and agree with the kernel's
 * @sent_later_ns: by how much the last was later than that, valid while @sent
 * @known: what its stamps mean is known now; the rest is valid then
 * @err_ns: bound of a stamp's error
 * @rate_ppb: what its clock gains on the local timescale
 */
struct hwts_report {
	const char *name;
	int	 phc;
	bool	 rx;
	uint64_t sent;
	int64_t	 sent_later_ns;
	bool	 known;
	int64_t	 err_ns;
	double	 rate_ppb;
};

/**
 * hwts_get_report() - one interface after the other
 * @h: NULL is fine
 * @i: from 0
 * @now_ns: local time
 * @out: filled
 *
 * Return: false past the last.
 */
bool hwts_get_report(const struct hwts *h, size_t i, int64_t now_ns, struct hwts_report *out);

#endif /* NTPKD_HWTS_H */
