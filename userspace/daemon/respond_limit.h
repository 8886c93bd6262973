/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much a client may ask the daemon's own responder: what kmod/limit.c is to the
 * module, with the same table.  Event loop only.
 */
#ifndef NTPKD_RESPOND_LIMIT_H
#define NTPKD_RESPOND_LIMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <ntpk/ntp_limit.h>
#include "daemon/sock.h"
#include "nl/ntpk_nl.h"

#define RESPOND_LIMIT_KEY_LEN	16

/**
 * struct respond_limit - zeroed before the first use
 * @lines: table, NULL = no listener has a limit
 * @n_lines: of it
 * @key: of the hash of clients
 * @budget_per_s: answers in all, 0 = as many as there are
 * @budget_at_ns: of ntp_pace()
 */
struct respond_limit {
	struct ntp_limit_line *lines;
	uint32_t n_lines;
	uint8_t	 key[RESPOND_LIMIT_KEY_LEN];
	uint32_t budget_per_s;
	__s64	 budget_at_ns;
};

/**
 * respond_limit_set() - the table and the budget that these listeners need
 * @l: limits; a table of the right size stays, with what it knows
 * @listeners: from now on
 *
 * Without memory that is said, and nobody is limited.
 */
void respond_limit_set(struct respond_limit *l, const struct ntpk_nl_listeners *listeners);

/** respond_limit_clean() - free the table */
void respond_limit_clean(struct respond_limit *l);

/**
 * respond_limit_check() - may this request be answered?
 * @l: limits
 * @policy: of its listener
 * @from: its source
 * @bare: it is a header and nothing else, and needs no key: it may be told so
 * @now_ns: local time
 * @random: uniform bits
 * @rate: out: by a KoD RATE
 *
 * Return: NTPK_REASON_NONE, LIMITED or OVER_BUDGET.
 */
enum ntpk_reason respond_limit_check(struct respond_limit *l, const struct ntp_policy *policy,
				     const union sock_addr *from, bool bare, int64_t now_ns,
				     uint64_t random, bool *rate);

#endif /* NTPKD_RESPOND_LIMIT_H */
