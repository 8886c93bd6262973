/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Symmetric authentication of requests and replies, in softirq.
 */
#ifndef NTPK_AUTH_H
#define NTPK_AUTH_H

#include <linux/ntpk.h>
#include <linux/types.h>

struct ntpk_key;
struct ntpk_rx;

enum ntpk_reason ntpk_auth_check(struct ntpk_rx *rx);
s64 ntpk_auth_work_ns(const struct ntpk_key *key);
void ntpk_auth_put_mac(struct ntpk_key *key, u8 *packet, size_t len, size_t mac_len);

#endif /* NTPK_AUTH_H */
