/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directive `listen`: a place to serve at, with a time and a policy of its own.
 */
#ifndef NTPKD_CONF_LISTEN_H
#define NTPKD_CONF_LISTEN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ntpk.h>
#include <ntpk/ntp_limit.h>
#include "core/smear.h"

/* The place of `port` and `bindaddress` takes one, or one of each family. */
#define CONF_LISTEN_MAX		(NTPK_LISTENERS_MAX - 2)
#define CONF_FILE_MAX		256
#define CONF_ACL_NAME_MAX	22	/* of a list; the module has them with a number behind */

/* struct conf_place - where a line stands */
struct conf_place {
	unsigned int line;
	char	 file[CONF_FILE_MAX];
};

/* enum conf_given - which of the settings that everybody has this one has otherwise */
enum conf_given {
	CONF_GIVEN_NEVER_SYNCED	= 1 << 0,
	CONF_GIVEN_EXPIRED	= 1 << 1,
	CONF_GIVEN_MODE1	= 1 << 2,
	CONF_GIVEN_REQUIREKEY	= 1 << 3,
	CONF_GIVEN_CRYPTONAK	= 1 << 4,
	CONF_GIVEN_RATELIMIT	= 1 << 5,
};

/**
 * struct conf_listen - one `listen` line; zeroed before it is filled, as it is compared
 * @addr: network order
 * @addr_len: 4, 16, or 0 = all addresses
 * @port: default: that of `port`, 0 = so
 * @interface: that requests come by, "" = any
 * @smear: of leap seconds
 * @offset_ns: `offset S`: added to time
 * @max_stratum: `maxstratum N`: 0 = any
 * @versions: `versions N,...`: bit N = version N, 0 = all
 * @max_dist_ns: `maxserved S`, 0 = as everybody
 * @given: CONF_GIVEN_*: which of the next are given
 * @never_synced: as of struct conf, as the rest
 * @expired: likewise
 * @mode1: likewise
 * @requirekey: likewise
 * @cryptonak: likewise
 * @limit: likewise
 * @acl: `acl NAME`: the lines of allow and deny that count there, "" = those without
 */
struct conf_listen {
	uint8_t	 addr[16];
	uint8_t	 addr_len;
	uint16_t port;
	char	 interface[IFNAMSIZ];
	enum smear_kind smear;
	int64_t	 offset_ns;
	uint8_t	 max_stratum;
	uint8_t	 versions;
	int64_t	 max_dist_ns;
	unsigned int given;
	enum ntpk_policy never_synced;
	enum ntpk_policy expired;
	bool	 mode1;
	bool	 requirekey;
	bool	 cryptonak;
	struct ntp_limit limit;
	char	 acl[CONF_ACL_NAME_MAX + 1];
};

struct conf_row;
struct conf_parse;

/* handler of the directive */
int conf_parse_listen(struct conf_parse *p, const struct conf_row *row);

struct conf;

/**
 * conf_listen_places() - all places that are served: `port` and `listen`
 * @conf: configuration
 * @out: filled, each with its port; those of `port` first
 *
 * Return: how many.
 */
size_t conf_listen_places(const struct conf *conf, struct conf_listen out[NTPK_LISTENERS_MAX]);

/**
 * conf_listen_needs_keys() - is anybody asked for a key that nobody can have?
 * @conf: configuration
 *
 * Return: whether some place has `requirekey on`, and there is no `keyfile`.
 */
bool conf_listen_needs_keys(const struct conf *conf);

/**
 * conf_listen_check() - what only the whole configuration can tell
 * @p: run, after the last line
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_listen_check(struct conf_parse *p);

/* struct conf_listens - the lines of `listen` at some moment */
struct conf_listens {
	struct conf_listen of[CONF_LISTEN_MAX];
	struct conf_place at[CONF_LISTEN_MAX];
	size_t	 len;
};

/**
 * conf_listen_check_saved() - leave out saved lines that do not go with the rest any more
 * @p: run
 * @before: those of the file
 *
 * Each is reported; the file's line for its place counts again.
 *
 * Return: how many.
 */
unsigned int conf_listen_check_saved(struct conf_parse *p, const struct conf_listens *before);

/**
 * conf_listen_name() - "192.0.2.1 interface eth0"
 * @l: listener
 * @buf: out
 * @len: of @buf
 *
 * Return: @buf.
 */
const char *conf_listen_name(const struct conf_listen *l, char *buf, size_t len);

/** conf_listen_option() - i-th option of `listen`, NULL past the last */
const char *conf_listen_option(size_t i);

#endif /* NTPKD_CONF_LISTEN_H */
