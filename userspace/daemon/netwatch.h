/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells when the network is other than before: addresses, routes, links of
 * this network namespace, by rtnetlink.  Event loop only.
 */
#ifndef NTPKD_NETWATCH_H
#define NTPKD_NETWATCH_H

struct event_base;
struct netwatch;

/**
 * netwatch_open() - watch
 * @base: the loop
 * @changed: called a second after the first of some changes, however many follow
 *	meanwhile
 * @ctx: its argument
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int netwatch_open(struct event_base *base, void (*changed)(void *ctx), void *ctx,
		  struct netwatch **out);

/** netwatch_close() - NULL is fine */
void netwatch_close(struct netwatch *w);

#endif /* NTPKD_NETWATCH_H */
