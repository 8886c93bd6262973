/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the configuration says about the network, carried out; by start.c and
 * when the configuration is read anew.
 */
#ifndef NTPKD_NET_H
#define NTPKD_NET_H

#include "daemon/conf.h"
#include "daemon/sock.h"

struct ntpkd;

/**
 * ntpkd_net_local() - where requests leave from
 * @conf: configuration
 * @local: filled
 */
void ntpkd_net_local(const struct conf *conf, struct sock_local *local);

#define NTPKD_WHY_LEN	480

/**
 * ntpkd_load_keys() - read the key file (anew); the module gets the same keys
 * @d: the daemon
 * @why: out, NTPKD_WHY_LEN bytes: the first error; may be NULL
 *
 * Return: 0; -errno, logged, with the keys from before still in use.
 */
int ntpkd_load_keys(struct ntpkd *d, char *why);

/**
 * ntpkd_listeners_smear() - corrections for now, before a push
 * @d: the daemon
 * @unix_ns: UTC
 */
void ntpkd_listeners_smear(struct ntpkd *d, int64_t unix_ns);

/**
 * ntpkd_listeners_apply() - where and what is served, by d->conf (anew)
 * @d: the daemon
 * @why: NTPKD_WHY_LEN bytes, filled where it is not as d->conf has it, "" = it is;
 *	may be NULL
 */
void ntpkd_listeners_apply(struct ntpkd *d, char *why);

/**
 * ntpkd_userspace_reason() - why the module may not answer
 * @d: the daemon
 *
 * Return: text, NULL when it may.
 */
const char *ntpkd_userspace_reason(const struct ntpkd *d);

/**
 * ntpkd_access_apply() - who may ask and who answers, by d->conf (anew)
 * @d: the daemon
 *
 * Return: 0 or -ENOMEM.
 */
int ntpkd_access_apply(struct ntpkd *d);

/** ntpkd_watch_network() - from now on sources without a route go offline; 0 */
int ntpkd_watch_network(struct ntpkd *d);

/**
 * ntpkd_check_leap() - tell the engine of the next leap second and the last
 * @d: the daemon
 *
 * Return: whether it had not heard of them; it pushes anew then.
 */
bool ntpkd_check_leap(struct ntpkd *d);

/**
 * ntpkd_leap_is_elsewhere() - were the lists asked for another time than this?
 * @d: the daemon
 * @unix_ns: time to be served
 *
 * So it is when a machine learns what time it is.
 *
 * Return: whether ntpkd_check_leap() has to come first.
 */
bool ntpkd_leap_is_elsewhere(const struct ntpkd *d, int64_t unix_ns);

/** ntpkd_net_close() - free what is here */
void ntpkd_net_close(struct ntpkd *d);

#endif /* NTPKD_NET_H */
