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
 * struct respond_table - the buckets of one limit
 * @kind: of struct ntp_limit
 * @lines: table, NULL = without memory: nobody is limited
 * @n_lines: of it
 * @key: of the hash of clients
 */
struct respond_table {
	uint64_t kind;
	struct ntp_limit_line *lines;
	uint32_t n_lines;
	uint8_t	 key[RESPOND_LIMIT_KEY_LEN];
};

/**
 * struct respond_limit - zeroed before the first use
 * @of: a table for each different limit
 * @len: how many
 * @budget_per_s: answers in all, 0 = as many as there are
 * @budget_at_ns: of ntp_pace()
 */
struct respond_limit {
	struct respond_table of[NTPK_LISTENERS_MAX];
	size_t	 len;
	uint32_t budget_per_s;
	__s64	 budget_at_ns;
};

/**
 * respond_limit_set() - the tables and the budget that these listeners need
 * @l: limits; a table of the right kind and size stays, with what it knows
 * @listeners: from now on
 *
 * Without memory that is said, and nobody is limited.
 */
void respond_limit_set(struct respond_limit *l, const struct ntpk_nl_listeners *listeners);

/** respond_limit_clean() - free the tables */
void respond_limit_clean(struct respond_limit *l);

/**
 * respond_limit_check() - may this request be answered?
 * @l: limits
 * @policy: of its listener
 * @from: its source
 * @bare: it is a header and nothing else: it may be told so
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
