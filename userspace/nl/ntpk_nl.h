/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libmnl client of the generic netlink family "ntpk", for ntpkd and ntpkctl.
 * Process context, blocking with a short receive timeout except for events.
 * One handle per thread; two sockets inside: requests and events.
 */
#ifndef NTPK_NL_H
#define NTPK_NL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ntpk.h>
#include <ntpk/ntp_acl.h>
#include <ntpk/ntp_client.h>
#include <ntpk/ntp_phc.h>
#include <ntpk/ntp_reply.h>

struct ntpk_nl;

/* struct ntpk_nl_clock - answer of GET_CLOCK */
struct ntpk_nl_clock {
	uint32_t seq;
	int64_t	 raw_ns;
	int64_t	 real_ns;
	int64_t	 boot_ns;
};

/**
 * struct ntpk_nl_listener - one listener
 * @port: host order
 * @addr_len: of @addr: 4, 16, or 0 = any of both families
 * @addr: network order, 0 = any of this family
 * @ifindex: 0 = any
 * @policy: what is answered there
 * @acl: name of the list of who may ask there, "" = that of all
 */
struct ntpk_nl_listener {
	uint16_t port;
	uint8_t	 addr_len;
	uint8_t	 addr[16];
	uint32_t ifindex;
	struct ntp_policy policy;
	char	 acl[NTPK_ACL_NAME_MAX + 1];
};

/**
 * struct ntpk_nl_listeners - all of them, and what they share
 * @len: of @of
 * @limit_clients: that limits are kept of, 0 = as the module wants it
 * @budget_per_s: that each CPU answers, 0 = all
 * @no_clientlog: 1: nothing is kept of clients
 * @of: from the module the most special first
 */
struct ntpk_nl_listeners {
	size_t	 len;
	uint32_t limit_clients;
	uint32_t budget_per_s;
	uint8_t	 no_clientlog;
	struct ntpk_nl_listener of[NTPK_LISTENERS_MAX];
};

/* struct ntpk_nl_state - answer of GET_STATE */
struct ntpk_nl_state {
	enum ntpk_status status;
	bool	 pushed;		/* the rest of this struct is valid */
	struct ntp_serve serve;		/* pushed_boot_ns, floor, ever_synced not filled */
	uint64_t age_ns;
	uint64_t pushes;
	uint64_t now_disp_ns;
	int64_t	 now_unix_ns;
	struct ntpk_nl_listeners listeners;
};

/* struct ntpk_nl_key - one key of a set; @secret is only read */
struct ntpk_nl_key {
	uint32_t id;
	enum ntpk_key_type type;
	const uint8_t *secret;
	size_t	 secret_len;
};

/* struct ntpk_nl_counter - one counter of GET_STATS */
struct ntpk_nl_counter {
	uint32_t reason;
	uint32_t class;
	char	 name[32];
	uint64_t pkts;
};

/**
 * struct ntpk_nl_departure - when replies leave, of one device and family
 * @ifindex: device
 * @is_v6: 0 over IPv4, 1 over IPv6
 * @correction_ns: what T3 is moved on by
 * @residual_ns: how early it is after that, on average
 * @samples: how many replies were learned from
 */
struct ntpk_nl_departure {
	uint32_t ifindex;
	uint8_t	 is_v6;
	uint32_t correction_ns;
	uint32_t residual_ns;
	uint64_t samples;
};

/* struct ntpk_nl_quirk - how often clients of a class asked */
struct ntpk_nl_quirk {
	uint32_t number;
	char	 name[32];
	uint64_t pkts;
};

/* struct ntpk_nl_t2 - how many answers have a T2, or a departure, of a kind */
struct ntpk_nl_t2 {
	uint32_t kind;
	char	 name[32];
	uint64_t pkts;
};

#define NTPK_NL_COUNTERS_MAX	256
#define NTPK_NL_QUIRKS_MAX	64
#define NTPK_NL_T2S_MAX		32

/**
 * struct ntpk_nl_stats - answer of GET_STATS
 * @counters: of packets by reason
 * @n_counters: of @counters
 * @departures: when replies leave
 * @n_departures: of @departures
 * @quirks: classes of clients
 * @n_quirks: of @quirks
 * @t2s: where T2 is from
 * @n_t2s: of @t2s; 0 = a module that does not say
 * @t3s: where it is known from when replies in interleaved mode left
 * @n_t3s: of @t3s, likewise
 */
struct ntpk_nl_stats {
	struct ntpk_nl_counter counters[NTPK_NL_COUNTERS_MAX];
	size_t n_counters;
	struct ntpk_nl_departure departures[NTPK_DEPARTURES_MAX];
	size_t n_departures;
	struct ntpk_nl_quirk quirks[NTPK_NL_QUIRKS_MAX];
	size_t n_quirks;
	struct ntpk_nl_t2 t2s[NTPK_NL_T2S_MAX];
	size_t n_t2s;
	struct ntpk_nl_t2 t3s[NTPK_NL_T2S_MAX];
	size_t n_t3s;
};

/**
 * struct ntpk_nl_worst - an answer that took long
 * @residence_ns: from T2 to T3
 * @t2_age_ns: of T2 when it was looked at
 * @raw_ns: when, CLOCK_MONOTONIC_RAW
 * @cpu: that answered
 * @ifindex: device that the request came by
 * @queue: of the device, from 1 on; 0 = not told
 */
struct ntpk_nl_worst {
	uint64_t residence_ns;
	uint64_t t2_age_ns;
	uint64_t raw_ns;
	uint32_t cpu;
	uint32_t ifindex;
	uint32_t queue;
};

/**
 * struct ntpk_nl_hist - answer of GET_HIST
 * @residence: answers by the logarithm to base 2 of T3 - T2 in ns
 * @t2_age: likewise by that of the age of T2 when it was looked at
 * @worst: the worst first
 * @n_worst: how many
 */
struct ntpk_nl_hist {
	uint64_t residence[NTPK_HIST_BUCKETS];
	uint64_t t2_age[NTPK_HIST_BUCKETS];
	struct ntpk_nl_worst worst[NTPK_WORST_MAX];
	size_t	 n_worst;
};

/**
 * ntpk_nl_open() - resolve the family
 * @nl: out
 *
 * Return: 0; -ENOENT when the module is not loaded; other -errno.
 */
int ntpk_nl_open(struct ntpk_nl **nl);

/** ntpk_nl_close() - NULL is fine */
void ntpk_nl_close(struct ntpk_nl *nl);

/**
 * ntpk_nl_error() - the kernel's words (extack) for the last failure
 * @nl: handle
 *
 * Return: text, "" when there was none; valid until the next call.
 */
const char *ntpk_nl_error(const struct ntpk_nl *nl);

/**
 * ntpk_nl_words() - those, or where there are none what the number says
 * @nl: handle, NULL is fine
 * @err: -errno of the call
 */
const char *ntpk_nl_words(const struct ntpk_nl *nl, int err);

/*
 * Each asks the kernel and returns 0 or -errno; ntpk_nl_error() then has the
 * kernel's words.  -ENOENT: the module has gone or was loaded anew, so close
 * the handle and open another.  -ETIMEDOUT: no answer within a second.
 * -EBADMSG: an answer that makes no sense.  ntpk_nl_set_state(): -ESTALE when
 * the clock was stepped since the GET_CLOCK that @serve was computed under.
 */
int ntpk_nl_attach(struct ntpk_nl *nl);
int ntpk_nl_detach(struct ntpk_nl *nl);
int ntpk_nl_get_clock(struct ntpk_nl *nl, struct ntpk_nl_clock *out);
int ntpk_nl_set_state(struct ntpk_nl *nl, const struct ntp_serve *serve,
		      const struct ntpk_nl_listeners *listeners);
int ntpk_nl_get_state(struct ntpk_nl *nl, struct ntpk_nl_state *out);

/**
 * ntpk_nl_keys_begin() - begin a new set of keys
 * @nl: handle; the set is lost when it is closed before the commit
 * @generation: our name for the set
 * @count: keys that will be added
 *
 * Return: 0 or -errno; -EOPNOTSUPP: a module that has no keys.
 */
int ntpk_nl_keys_begin(struct ntpk_nl *nl, uint32_t generation, uint32_t count);

/**
 * ntpk_nl_keys_add() - one key more for the set that was begun
 * @nl: handle; nothing of the secret stays in it
 * @generation: of the set
 * @key: key
 *
 * Return: 0 or -errno; -EOPNOTSUPP: the kernel has no such algorithm.
 */
int ntpk_nl_keys_add(struct ntpk_nl *nl, uint32_t generation, const struct ntpk_nl_key *key);

/**
 * ntpk_nl_keys_commit() - the set replaces the one in use
 * @nl: handle
 * @generation: of the set
 *
 * Return: 0 or -errno, and then nothing has changed.
 */
int ntpk_nl_keys_commit(struct ntpk_nl *nl, uint32_t generation);

/**
 * struct ntpk_nl_acl - an access list, or what it says about an address
 * @present: there is one; else everybody may ask
 * @generation: its sender's name for it
 * @allow: of the address; without one asked for, of whom no prefix holds
 * @has_rule: a prefix decided
 * @rule: it
 */
struct ntpk_nl_acl {
	bool	 present;
	uint32_t generation;
	bool	 allow;
	bool	 has_rule;
	struct ntp_acl_prefix rule;
};

/**
 * ntpk_nl_acl_begin() - begin a new access list
 * @nl: handle; the list is lost when it is closed before the commit
 * @name: of the list, "" = that of all listeners that name none
 * @generation: our name for what is sent
 * @count: IPv4 and IPv6 prefixes that will be added
 * @otherwise: may those ask whom no prefix holds?
 *
 * Return: 0 or -errno; -EOPNOTSUPP: a module that has no access list.
 */
int ntpk_nl_acl_begin(struct ntpk_nl *nl, const char *name, uint32_t generation,
		      const uint32_t count[2], bool otherwise);

/**
 * ntpk_nl_acl_add() - prefixes for the list that was begun
 * @nl: handle
 * @generation: of the list
 * @p: prefixes, in the order of ntp_acl_add()
 * @n: how many; as many messages as it takes
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_acl_add(struct ntpk_nl *nl, uint32_t generation, const struct ntp_acl_prefix *p,
		    size_t n);

/**
 * ntpk_nl_acl_commit() - the list replaces the one in use
 * @nl: handle
 * @generation: of the list
 *
 * Return: 0 or -errno, and then nothing has changed.
 */
int ntpk_nl_acl_commit(struct ntpk_nl *nl, uint32_t generation);

/**
 * ntpk_nl_get_acl() - which list is in use?
 * @nl: handle
 * @name: of the list, "" = that of all
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_get_acl(struct ntpk_nl *nl, const char *name, struct ntpk_nl_acl *out);

/**
 * ntpk_nl_acl_check() - what does it say about an address?
 * @nl: handle
 * @name: of the list, "" = that of all
 * @addr: address
 * @v6: its family
 * @out: filled
 *
 * Return: 0 or -errno; -ENOENT: there is no list of this name.
 */
int ntpk_nl_acl_check(struct ntpk_nl *nl, const char *name, struct ntp_acl_addr addr, bool v6,
		      struct ntpk_nl_acl *out);

/**
 * ntpk_nl_get_stats() - all counters
 * @nl: handle
 * @out: filled; what a newer module has more of than fits is left out
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_get_stats(struct ntpk_nl *nl, struct ntpk_nl_stats *out);

/**
 * struct ntpk_nl_client_filter - which clients are asked for: those of all of this
 * @addr_len: of @addr: 4, 16, or 0 = any
 * @addr: network, zeros behind @len
 * @len: of its prefix
 * @by_quirk: those of the class @quirk only
 * @quirk: see there
 * @requests: at least so many
 * @last_age_ns: seen no longer ago, 0 = any time
 */
struct ntpk_nl_client_filter {
	uint8_t	 addr_len;
	uint8_t	 addr[16];
	uint8_t	 len;
	bool	 by_quirk;
	uint32_t quirk;
	uint32_t requests;
	uint64_t last_age_ns;
};

/**
 * struct ntpk_nl_client - a client of the module
 * @addr_len: of @addr: 4 or 16
 * @addr: its address, of IPv6 its network
 * @len: of its prefix
 * @requests: that it sent, at least
 * @dropped: of those got no answer
 * @quirk: number of its class
 * @first_age_ns: since its first request
 * @last_age_ns: since its last one
 * @now_raw_ns: when all this was so
 * @has_record: @record is there, and of a kind that is known here
 * @record: all that is known of it
 */
struct ntpk_nl_client {
	uint8_t	 addr_len;
	uint8_t	 addr[16];
	uint8_t	 len;
	uint32_t requests;
	uint32_t dropped;
	uint32_t quirk;
	uint64_t first_age_ns;
	uint64_t last_age_ns;
	int64_t	 now_raw_ns;
	bool	 has_record;
	struct ntp_client_record record;
};

/**
 * ntpk_nl_get_clients() - who asked
 * @nl: handle
 * @filter: NULL = all
 * @each: called for each client; a negative number ends it
 * @ctx: for @each
 *
 * Return: 0; what @each returned; -errno; -EOPNOTSUPP: a module that keeps none;
 * -ENODATA: it shall not; -EINTR: it was attached anew meanwhile, ask again.
 */
int ntpk_nl_get_clients(struct ntpk_nl *nl, const struct ntpk_nl_client_filter *filter,
			int (*each)(void *ctx, const struct ntpk_nl_client *client), void *ctx);

/**
 * struct ntpk_nl_phc - what the clock of a device has to do with CLOCK_MONOTONIC_RAW
 * @ifindex: the device at which requests with its stamps arrive
 * @map: that
 */
struct ntpk_nl_phc {
	uint32_t ifindex;
	struct ntp_phc map;
};

/**
 * ntpk_nl_set_phc() - in place of the map that the device had
 * @nl: handle
 * @map: a map
 *
 * Return: 0 or -errno; -ENODEV: there is no such device; -E2BIG: NTPK_PHC_MAX others
 * have one; -ENOTCONN: not attached; -EOPNOTSUPP: a module that knows no such clocks.
 */
int ntpk_nl_set_phc(struct ntpk_nl *nl, const struct ntpk_nl_phc *map);

/**
 * ntpk_nl_drop_phc() - a device's stamps are not to be used
 * @nl: handle
 * @ifindex: of the device
 *
 * Return: 0 or -errno; -ENOENT: it had no map.
 */
int ntpk_nl_drop_phc(struct ntpk_nl *nl, uint32_t ifindex);

/**
 * struct ntpk_nl_phc_view - a map, with what became of the stamps of its device
 * @phc: it
 * @t2s: where T2 of answers to requests that came by the device is from
 * @n_t2s: of @t2s
 */
struct ntpk_nl_phc_view {
	struct ntpk_nl_phc phc;
	struct ntpk_nl_t2 t2s[NTPK_NL_T2S_MAX];
	size_t	 n_t2s;
};

/**
 * ntpk_nl_get_phcs() - all maps
 * @nl: handle
 * @each: called for each; a negative number ends it
 * @ctx: for @each
 *
 * Return: 0; what @each returned; -errno; -EOPNOTSUPP: a module that has none.
 */
int ntpk_nl_get_phcs(struct ntpk_nl *nl,
		     int (*each)(void *ctx, const struct ntpk_nl_phc_view *view), void *ctx);

/**
 * ntpk_nl_get_hist() - what answers take
 * @nl: handle
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_get_hist(struct ntpk_nl *nl, struct ntpk_nl_hist *out);

/**
 * ntpk_nl_events_open() - join the group "events"
 * @nl: handle
 *
 * Return: a non-blocking descriptor to poll, or -errno.
 */
int ntpk_nl_events_open(struct ntpk_nl *nl);

/**
 * struct ntpk_nl_event - what has happened
 * @kind: enum ntpk_event; a newer module may know more
 * @status: enum ntpk_status at that moment
 * @quirk: of NEW_QUIRK: enum ntp_client_quirk
 * @pkts: of OVERLOAD_OVER: requests that were not answered
 */
struct ntpk_nl_event {
	uint32_t kind;
	uint32_t status;
	uint32_t quirk;
	uint64_t pkts;
};

/**
 * ntpk_nl_events_read() - next event
 * @nl: handle
 * @out: filled
 *
 * Return: 1 when one was read, 0 when none is left, -ENOBUFS when some were
 * lost (ask for the state), other -errno.
 */
int ntpk_nl_events_read(struct ntpk_nl *nl, struct ntpk_nl_event *out);

#endif /* NTPK_NL_H */
