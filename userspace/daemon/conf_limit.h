/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directive `ratelimit`, and the option of `listen`.
 */
#ifndef NTPKD_CONF_LIMIT_H
#define NTPKD_CONF_LIMIT_H

#include <ntpk/ntp_limit.h>

struct conf_line;
struct conf_parse;
struct conf_row;

/* handler of the directive */
int conf_parse_ratelimit(struct conf_parse *p, const struct conf_row *row);

/**
 * conf_take_limit() - the rest of a line as a rate limit
 * @l: line
 * @name: of the directive or option
 * @out: filled, all zero = none
 *
 * Return: 0 or -EINVAL, reported, @out then being untouched.
 */
int conf_take_limit(struct conf_line *l, const char *name, struct ntp_limit *out);

#endif /* NTPKD_CONF_LIMIT_H */
