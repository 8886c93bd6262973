/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reports of the control socket share.  Event loop only.
 */
#ifndef NTPKD_STATUS_H
#define NTPKD_STATUS_H

#include <json-c/json.h>
#include "daemon/ntpkd.h"

/**
 * typedef status_source_fn - one source as an object
 * @d: the daemon
 * @s: source
 * @r: what is known of it
 * @now_local_ns: when
 *
 * Return: a new object.
 */
typedef struct json_object *status_source_fn(struct ntpkd *d, const struct upstream_source *s,
					     const struct source_report *r, int64_t now_local_ns);

/* status_ntpdata.c: all about its last reply */
status_source_fn status_ntpdata_object;

/**
 * status_put_refid() - a reference id: "refid", "refid_text" and "refid_name"
 * @d: the daemon
 * @o: object
 * @refid: of a source's packets or of ours
 * @stratum: in the same packets
 *
 * The text is a word at stratum 1 ("GPS"), hex digits where it is known to be
 * the hash of an IPv6 address, else an IPv4 address.  The name is that of our
 * source with this id, if there is one.
 */
void status_put_refid(struct ntpkd *d, struct json_object *o, __be32 refid, unsigned int stratum);

/**
 * status_put_kod() - a source's last kiss code: "kod" and "kod_text"
 * @o: object
 * @r: source
 */
void status_put_kod(struct json_object *o, const struct source_report *r);

#endif /* NTPKD_STATUS_H */
