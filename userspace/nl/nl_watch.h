/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module comes and goes: the kernel says so of each family of generic
 * netlink, in every namespace, to whoever asks.  Process context; one per
 * thread, no locking.
 */
#ifndef NTPK_NL_WATCH_H
#define NTPK_NL_WATCH_H

struct ntpk_nl_watch;

/* enum ntpk_nl_change - of the family */
enum ntpk_nl_change {
	NTPK_NL_NO_CHANGE,
	NTPK_NL_CAME,		/* it can be asked from now on */
	NTPK_NL_WENT,
};

/**
 * ntpk_nl_watch_open() - hear of it from now on
 * @watch: out
 *
 * Return: a non-blocking descriptor to poll, or -errno.
 */
int ntpk_nl_watch_open(struct ntpk_nl_watch **watch);

/**
 * ntpk_nl_watch_read() - next change
 * @watch: handle
 * @change: out
 *
 * Return: 1 when there was one, 0 when none is left, -ENOBUFS when some may have
 * been lost (look whether the module is there), other -errno.
 */
int ntpk_nl_watch_read(struct ntpk_nl_watch *watch, enum ntpk_nl_change *change);

/** ntpk_nl_watch_close() - NULL is fine */
void ntpk_nl_watch_close(struct ntpk_nl_watch *watch);

#endif /* NTPK_NL_WATCH_H */
