/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The only contract between ntpk.ko and userspace: the generic netlink family
 * "ntpk".  Described in Documentation/netlink/specs/ntpk.yaml; a test holds
 * the two together.
 *
 * Every enum is append-only.  Compatibility is new attributes, never a new
 * NTPK_FAMILY_VERSION.  All integers are in host byte order unless the comment
 * says otherwise.  Instants: *_RAW_NS on CLOCK_MONOTONIC_RAW, *_BOOT_NS on
 * CLOCK_BOOTTIME, *_UNIX_NS since 1970 UTC, signed, leap seconds not counted.
 */
#ifndef _UAPI_LINUX_NTPK_H
#define _UAPI_LINUX_NTPK_H

#define NTPK_FAMILY_NAME	"ntpk"
#define NTPK_FAMILY_VERSION	1
#define NTPK_MCGRP_EVENTS	"events"

enum ntpk_cmd {
	NTPK_CMD_UNSPEC,
	NTPK_CMD_ATTACH,	/* do: make this namespace answer (admin) */
	NTPK_CMD_DETACH,	/* do: undo it (admin) */
	NTPK_CMD_GET_CLOCK,	/* do: NTPK_A_CLOCK of one snapshot */
	NTPK_CMD_SET_STATE,	/* do: replace the served state, NTPK_A_STATE (admin) */
	NTPK_CMD_GET_STATE,	/* do: NTPK_A_STATE with its NTPK_A_STATE_STATUS */
	NTPK_CMD_GET_STATS,	/* do: NTPK_A_STATS */
	NTPK_CMD_EVENT,		/* notify, group "events": NTPK_A_EVENT */
	NTPK_CMD_KEYS_BEGIN,	/* do: begin a new set of keys, NTPK_A_KEYS (admin) */
	NTPK_CMD_KEYS_ADD,	/* do: keys for the set, NTPK_A_KEYS (admin) */
	NTPK_CMD_KEYS_COMMIT,	/* do: the set replaces the one in use, NTPK_A_KEYS (admin) */
	NTPK_CMD_GET_KEYS,	/* do: NTPK_A_KEYS without any key (admin) */
	NTPK_CMD_ACL_BEGIN,	/* do: begin a new access list, NTPK_A_ACL (admin) */
	NTPK_CMD_ACL_ADD,	/* do: prefixes for the list, NTPK_A_ACL (admin) */
	NTPK_CMD_ACL_COMMIT,	/* do: the list replaces the one in use, NTPK_A_ACL (admin) */
	NTPK_CMD_GET_ACL,	/* do: NTPK_A_ACL without prefixes, by NAME; dump: all lists, with them (admin) */
	NTPK_CMD_ACL_CHECK,	/* do: who decides about an address, NTPK_A_ACL (admin) */
	NTPK_CMD_GET_HIST,	/* do: NTPK_A_HIST */
	NTPK_CMD_GET_CLIENTS,	/* dump: NTPK_A_CLIENTS, of those whom NTPK_A_CLIENT_FILTER means (admin) */
	NTPK_CMD_SET_PHC,	/* do: replace or drop the map of a device's clock, NTPK_A_PHC (admin) */
	NTPK_CMD_GET_PHC,	/* dump: NTPK_A_PHC of each map */

	/* private: */
	__NTPK_CMD_MAX,
	NTPK_CMD_MAX = __NTPK_CMD_MAX - 1,
};

/* Top level.  A command refuses every attribute that it does not take. */
enum ntpk_attr {
	NTPK_A_UNSPEC,
	NTPK_A_PAD,
	NTPK_A_CLOCK,		/* nest, enum ntpk_attr_clock */
	NTPK_A_STATE,		/* nest, enum ntpk_attr_state */
	NTPK_A_STATS,		/* nest, enum ntpk_attr_stats */
	NTPK_A_EVENT,		/* nest, enum ntpk_attr_event */
	NTPK_A_KEYS,		/* nest, enum ntpk_attr_keys */
	NTPK_A_ACL,		/* nest, enum ntpk_attr_acl */
	NTPK_A_HIST,		/* nest, enum ntpk_attr_hist */
	NTPK_A_CLIENTS,		/* nest, enum ntpk_attr_clients */
	NTPK_A_CLIENT_FILTER,	/* nest, enum ntpk_attr_client_filter */
	NTPK_A_PHC,		/* nest, enum ntpk_attr_phc */

	/* private: */
	__NTPK_A_MAX,
	NTPK_A_MAX = __NTPK_A_MAX - 1,
};

/* One instant, read from all clocks at once. */
enum ntpk_attr_clock {
	NTPK_A_CLOCK_UNSPEC,
	NTPK_A_CLOCK_PAD,
	NTPK_A_CLOCK_SEQ,	/* u32: changes with every step of CLOCK_REALTIME */
	NTPK_A_CLOCK_RAW_NS,	/* s64 */
	NTPK_A_CLOCK_REAL_NS,	/* s64, CLOCK_REALTIME */
	NTPK_A_CLOCK_BOOT_NS,	/* s64 */

	/* private: */
	__NTPK_A_CLOCK_MAX,
	NTPK_A_CLOCK_MAX = __NTPK_A_CLOCK_MAX - 1,
};

/*
 * What is served.  Time is a line on CLOCK_MONOTONIC_RAW: at raw instant r,
 * d = r - BASE_RAW_NS, UTC = BASE_UNIX_NS + d + d * RATE_Q48 / 2^48, and the
 * root dispersion is ROOT_DISP_NS + |d| * DISP_RATE_PPB / 10^9.
 */
enum ntpk_attr_state {
	NTPK_A_STATE_UNSPEC,
	NTPK_A_STATE_PAD,
	NTPK_A_STATE_CLOCK_SEQ,		/* u32: computed under; set refuses a stale one */
	NTPK_A_STATE_BASE_RAW_NS,	/* s64 */
	NTPK_A_STATE_BASE_UNIX_NS,	/* s64 */
	NTPK_A_STATE_RATE_Q48,		/* s64: (dUTC/draw - 1) * 2^48, |.| <= NTPK_RATE_Q48_MAX */
	NTPK_A_STATE_ROOT_DISP_NS,	/* u64: at BASE_RAW_NS */
	NTPK_A_STATE_DISP_RATE_PPB,	/* u32: growth of the root dispersion */
	NTPK_A_STATE_LEAP,		/* u8: 0..3; 3 = unsynchronised */
	NTPK_A_STATE_STRATUM,		/* u8: 1..15; 0 exactly when leap is 3 */
	NTPK_A_STATE_REFID,		/* binary, 4 bytes as on the wire */
	NTPK_A_STATE_REF_UNIX_NS,	/* s64: reference time, 0 = unknown */
	NTPK_A_STATE_ROOT_DELAY_NS,	/* u64 */
	NTPK_A_STATE_PRECISION_LOG2S,	/* s8: -32..0 */
	NTPK_A_STATE_DEADLINE_BOOT_NS,	/* s64: expired from here on */
	NTPK_A_STATE_MAX_DIST_NS,	/* u64: expired when root distance exceeds it */
	NTPK_A_STATE_PUSH_INTERVAL_NS,	/* u64: holdover after three of these without a push */
	NTPK_A_STATE_LISTENER,		/* nest, multi-attr 1..NTPK_LISTENERS_MAX, enum ntpk_attr_listener */
	/* get only: set refuses them */
	NTPK_A_STATE_STATUS,		/* u32, enum ntpk_status */
	NTPK_A_STATE_AGE_NS,		/* u64: since the last push, CLOCK_BOOTTIME */
	NTPK_A_STATE_PUSHES,		/* u64: accepted since attach */
	NTPK_A_STATE_NOW_DISP_NS,	/* u64: root dispersion as served now */
	NTPK_A_STATE_NOW_UNIX_NS,	/* s64: served time now; absent when nothing was pushed */
	/* set and get */
	NTPK_A_STATE_LIMIT_CLIENTS,	/* u32: clients told apart by each different LIMIT, rounded up to a power of two; absent = NTPK_LIMIT_CLIENTS_DEFAULT */
	NTPK_A_STATE_BUDGET_PER_S,	/* u32: requests that each CPU takes on in a second, 64 or more at once; absent = all */
	NTPK_A_STATE_NO_CLIENTLOG,	/* u8, 1: nothing is kept of clients, and what was is forgotten; absent = 0 */

	/* private: */
	__NTPK_A_STATE_MAX,
	NTPK_A_STATE_MAX = __NTPK_A_STATE_MAX - 1,
};

#define NTPK_RATE_Q48_MAX	2814749767106LL		/* 1 % */
#define NTPK_RATE_Q48_MIN	(-NTPK_RATE_Q48_MAX)
#define NTPK_PRECISION_LOG2S_MIN (-32)

#define NTPK_LIMIT_CLIENTS_DEFAULT	65536
#define NTPK_LIMIT_CLIENTS_MAX	8388608
#define NTPK_BUDGET_PER_S_MAX	100000000

#define NTPK_LISTENERS_MAX	16

/*
 * Where requests are accepted, and what is answered there.  Of several that a
 * request matches, the one with an address of its own counts, then the one of its
 * family, and of these the one with IFINDEX.
 */
enum ntpk_attr_listener {
	NTPK_A_LISTENER_UNSPEC,
	NTPK_A_LISTENER_PORT,		/* u16, 1..65535 */
	NTPK_A_LISTENER_ADDR,		/* binary, 4 or 16 bytes; zeros = any of this family, absent = of both */
	NTPK_A_LISTENER_IFINDEX,	/* u32; absent or 0 = any */
	NTPK_A_LISTENER_NEVER_SYNCED,	/* u32, enum ntpk_policy: before the first synchronised push */
	NTPK_A_LISTENER_EXPIRED,	/* u32, enum ntpk_policy: expired, stepped, or unsynchronised again */
	NTPK_A_LISTENER_FLAGS,		/* u32, NTPK_LISTENER_F_*; absent = 0 */
	NTPK_A_LISTENER_PAD,
	NTPK_A_LISTENER_MAX_STRATUM,	/* u8, 1..15: served with a higher one = expired; absent = any */
	NTPK_A_LISTENER_VERSIONS,	/* u8, bit N: version N is answered, N = 1..4; absent = all */
	NTPK_A_LISTENER_MAX_DIST_NS,	/* u64: expired there above it; absent = as the state */
	NTPK_A_LISTENER_PIECE,		/* nest, multi-attr up to NTPK_PIECES_MAX, enum ntpk_attr_piece */
	NTPK_A_LISTENER_LIMIT,		/* nest, enum ntpk_attr_limit; absent = none */
	NTPK_A_LISTENER_ACL,		/* string: NAME of its access list; absent = that without a name */

	/* private: */
	__NTPK_A_LISTENER_MAX,
	NTPK_A_LISTENER_MAX = __NTPK_A_LISTENER_MAX - 1,
};

/* Bits of NTPK_A_LISTENER_FLAGS. */
enum ntpk_listener_flags {
	NTPK_LISTENER_F_NO_MODE1 = 1,	/* symmetric active requests are not answered */
	NTPK_LISTENER_F_REQUIRE_KEY = 2, /* requests without a MAC are not answered */
	NTPK_LISTENER_F_CRYPTO_NAK = 4,	/* a wrong MAC is answered by a crypto-NAK */
	NTPK_LISTENER_F_NO_LEAP = 8,	/* no leap second is announced: it is smeared */
};

#define NTPK_LISTENER_F_ALL	15

/*
 * A listener may serve another time than the state's: it is corrected by the last
 * piece that begins at or before it.  With d = t - FROM_UNIX_NS that is
 * OFFSET_NS + d * RATE_Q48 / 2^48 + d^2 * CURVE_Q112 / 2^112; before the first
 * piece nothing.  Pieces come in order, and the last one is constant.
 */
enum ntpk_attr_piece {
	NTPK_A_PIECE_UNSPEC,
	NTPK_A_PIECE_PAD,
	NTPK_A_PIECE_FROM_UNIX_NS,	/* s64, on the state's line */
	NTPK_A_PIECE_OFFSET_NS,		/* s64, |.| <= 2^58 */
	NTPK_A_PIECE_RATE_Q48,		/* s64 */
	NTPK_A_PIECE_CURVE_Q112,	/* s64; with it the rate stays within +-1 %, too */

	/* private: */
	__NTPK_A_PIECE_MAX,
	NTPK_A_PIECE_MAX = __NTPK_A_PIECE_MAX - 1,
};

#define NTPK_PIECES_MAX		4

/*
 * How much a client may ask: BURST requests at once, and one in 2^INTERVAL_LOG2S
 * seconds in the long run; with NAT, so much for each of so many.  A client is a prefix
 * of addresses.  Of its requests above that one in 2^LEAK_LOG2 is answered all the same,
 * so that nobody is locked out by who forges his address, and of the others one in
 * 2^KOD_LOG2 gets a KoD RATE, where it is nothing but a header and no key is required.
 * Who forges a client's address can have such KoDs sent to it, and they are believed.
 *
 * More than NTPK_LIMIT_PER_S_MAX requests a second of one client cannot be counted.
 */
enum ntpk_attr_limit {
	NTPK_A_LIMIT_UNSPEC,
	NTPK_A_LIMIT_INTERVAL_LOG2S,	/* s8, -12..12 */
	NTPK_A_LIMIT_BURST,		/* u32, 1..255 */
	NTPK_A_LIMIT_LEAK_LOG2,		/* u8, 1..16, 0 = none; absent = 2 */
	NTPK_A_LIMIT_KOD_LOG2,		/* u8, 1..16, 0 = none; absent = 0 */
	NTPK_A_LIMIT_NAT,		/* u32, 1..65535: clients that may share a prefix; absent = 1 */
	NTPK_A_LIMIT_PREFIX_V4,		/* u8, 1..32; absent = 32 */
	NTPK_A_LIMIT_PREFIX_V6,		/* u8, 1..128; absent = 64 */

	/* private: */
	__NTPK_A_LIMIT_MAX,
	NTPK_A_LIMIT_MAX = __NTPK_A_LIMIT_MAX - 1,
};

#define NTPK_LIMIT_INTERVAL_LOG2S_MIN	(-12)
#define NTPK_LIMIT_INTERVAL_LOG2S_MAX	12
#define NTPK_LIMIT_BURST_MAX		255
#define NTPK_LIMIT_NAT_MAX		65535
#define NTPK_LIMIT_ODDS_LOG2_MAX	16	/* of LEAK and KOD */
#define NTPK_LIMIT_PER_S_MAX		7629

/* What to do with a request while there is no truth to serve. */
enum ntpk_policy {
	NTPK_POLICY_SILENT,		/* drop */
	NTPK_POLICY_UNSYNC,		/* leap 3, stratum 0, root dispersion 16 s */
};

/*
 * The keys of symmetric authentication go in as one set: BEGIN, any number of
 * ADD, COMMIT, all with the same GENERATION.  Until COMMIT the old set is used; a
 * new BEGIN, the end of the socket or DETACH drops what was not committed.
 * A secret goes in and never comes out.
 */
enum ntpk_attr_keys {
	NTPK_A_KEYS_UNSPEC,
	NTPK_A_KEYS_GENERATION,		/* u32: the sender's name for the set */
	NTPK_A_KEYS_COUNT,		/* u32: keys in the whole set, at most NTPK_KEYS_MAX */
	NTPK_A_KEYS_KEY,		/* nest, multi-attr, enum ntpk_attr_key */

	/* private: */
	__NTPK_A_KEYS_MAX,
	NTPK_A_KEYS_MAX = __NTPK_A_KEYS_MAX - 1,
};

#define NTPK_KEYS_MAX		4096
#define NTPK_SECRET_MAX		512

enum ntpk_attr_key {
	NTPK_A_KEY_UNSPEC,
	NTPK_A_KEY_ID,			/* u32, 1..2^32-1: as on the wire */
	NTPK_A_KEY_TYPE,		/* u32, enum ntpk_key_type */
	NTPK_A_KEY_SECRET,		/* binary, 1..NTPK_SECRET_MAX bytes; AES: 16 or 32 */

	/* private: */
	__NTPK_A_KEY_MAX,
	NTPK_A_KEY_MAX = __NTPK_A_KEY_MAX - 1,
};

/* Algorithm: digest of secret and message (RFC 5905), or AES-CMAC (RFC 8573). */
enum ntpk_key_type {
	NTPK_KEY_MD5,
	NTPK_KEY_SHA1,
	NTPK_KEY_SHA256,
	NTPK_KEY_SHA384,
	NTPK_KEY_SHA512,
	NTPK_KEY_AES128,
	NTPK_KEY_AES256,

	/* private: */
	__NTPK_KEY_TYPE_MAX,
	NTPK_KEY_TYPE_MAX = __NTPK_KEY_TYPE_MAX - 1,
};

/*
 * Who may ask: of all prefixes that hold the source of a request the longest
 * decides.  A list goes in as keys do, BEGIN, any number of ADD, COMMIT; without
 * any list everybody may ask.  Prefixes come sorted: IPv4 before IPv6, by ADDR,
 * then by LEN, none twice.
 *
 * A listener that names a list has that one instead; until there is one of that NAME,
 * nobody may ask there.  SET_STATE drops the lists that none of its listeners names.
 *
 * A dump gives ranges of addresses: PREFIX with the first address of each, whose
 * rule is that ADDR cut to LEN; without LEN no rule holds it.
 */
enum ntpk_attr_acl {
	NTPK_A_ACL_UNSPEC,
	NTPK_A_ACL_PAD,
	NTPK_A_ACL_GENERATION,		/* u32: the sender's name for the list */
	NTPK_A_ACL_COUNT_V4,		/* u32: IPv4 prefixes in the whole list */
	NTPK_A_ACL_COUNT_V6,		/* u32: IPv6 prefixes, with those NTPK_ACL_PREFIXES_MAX at most */
	NTPK_A_ACL_OTHERWISE,		/* u32, enum ntpk_access: of whom no prefix holds */
	NTPK_A_ACL_PREFIX,		/* nest, multi-attr, enum ntpk_attr_prefix */
	NTPK_A_ACL_ADDR,		/* binary, 4 or 16 bytes: who is meant */
	/* get only: set refuses them */
	NTPK_A_ACL_ACCESS,		/* u32, enum ntpk_access: of ADDR */
	NTPK_A_ACL_BYTES,		/* u64: memory that the list takes */
	/* set and get */
	NTPK_A_ACL_NAME,		/* string, 1..NTPK_ACL_NAME_MAX bytes: which list; absent = that of all other listeners */

	/* private: */
	__NTPK_A_ACL_MAX,
	NTPK_A_ACL_MAX = __NTPK_A_ACL_MAX - 1,
};

#define NTPK_ACL_PREFIXES_MAX	262144
#define NTPK_ACL_NAME_MAX	31
#define NTPK_ACL_NAMES_MAX	32	/* at once */

enum ntpk_attr_prefix {
	NTPK_A_PREFIX_UNSPEC,
	NTPK_A_PREFIX_ADDR,		/* binary, 4 or 16 bytes, zeros behind LEN */
	NTPK_A_PREFIX_LEN,		/* u8: 0..32 or 0..128 */
	NTPK_A_PREFIX_ACCESS,		/* u32, enum ntpk_access */

	/* private: */
	__NTPK_A_PREFIX_MAX,
	NTPK_A_PREFIX_MAX = __NTPK_A_PREFIX_MAX - 1,
};

/*
 * Who asked.  A dump has each client once at most, and all that are there from its
 * beginning to its end.  Who is displaced and comes back meanwhile is left out.
 */
enum ntpk_attr_clients {
	NTPK_A_CLIENTS_UNSPEC,
	NTPK_A_CLIENTS_PAD,
	NTPK_A_CLIENTS_NOW_RAW_NS,	/* s64 */
	NTPK_A_CLIENTS_PREFIX_V6,	/* u8: IPv6 addresses with so many bits in common are one client */
	NTPK_A_CLIENTS_RECORD_KIND,	/* u32: another number for each kind of RECORD that there was */
	NTPK_A_CLIENTS_CLIENT,		/* nest, multi-attr, enum ntpk_attr_client */

	/* private: */
	__NTPK_A_CLIENTS_MAX,
	NTPK_A_CLIENTS_MAX = __NTPK_A_CLIENTS_MAX - 1,
};

#define NTPK_RECORD_KIND	1

enum ntpk_attr_client {
	NTPK_A_CLIENT_UNSPEC,
	NTPK_A_CLIENT_PAD,
	NTPK_A_CLIENT_ADDR,		/* binary, 4 or 16 bytes, zeros behind PREFIX_V6 */
	NTPK_A_CLIENT_REQUESTS,		/* u32: that it sent, at least */
	NTPK_A_CLIENT_DROPPED,		/* u32: of those got no answer */
	NTPK_A_CLIENT_FIRST_AGE_NS,	/* u64: since its first request */
	NTPK_A_CLIENT_LAST_AGE_NS,	/* u64: since its last request */
	NTPK_A_CLIENT_QUIRK,		/* u32: class, as in NTPK_A_QUIRK_NUMBER */
	NTPK_A_CLIENT_RECORD,		/* binary: what is known, of RECORD_KIND; see include/ntpk/ntp_client.h */

	/* private: */
	__NTPK_A_CLIENT_MAX,
	NTPK_A_CLIENT_MAX = __NTPK_A_CLIENT_MAX - 1,
};

/* Clients that are all of what is given here. */
enum ntpk_attr_client_filter {
	NTPK_A_CLIENT_FILTER_UNSPEC,
	NTPK_A_CLIENT_FILTER_PAD,
	NTPK_A_CLIENT_FILTER_ADDR,	/* binary, 4 or 16 bytes, zeros behind LEN: of this network */
	NTPK_A_CLIENT_FILTER_LEN,	/* u8, 0..32 or 0..128; absent = all of ADDR */
	NTPK_A_CLIENT_FILTER_QUIRK,	/* u32: class */
	NTPK_A_CLIENT_FILTER_REQUESTS,	/* u32: at least so many */
	NTPK_A_CLIENT_FILTER_LAST_AGE_NS, /* u64: seen no longer ago */

	/* private: */
	__NTPK_A_CLIENT_FILTER_MAX,
	NTPK_A_CLIENT_FILTER_MAX = __NTPK_A_CLIENT_FILTER_MAX - 1,
};

/*
 * What the clock of a device (PHC) has to do with CLOCK_MONOTONIC_RAW: at a stamp p of
 * it, d = p - PHC_NS, the raw instant is RAW_NS + d + d * RATE / 2^48, and that is right
 * within ERR_NS + |d| * SKEW_PPB / 10^9.  Requests that the device stamps by it get their
 * T2 from there, RX_LATER_NS later, as a stamp is of a frame's begin and T2 of its end;
 * and the departures of replies that are watched are known from there, which are of a
 * frame's begin.  Not where a stamp cannot be true.
 *
 * A push replaces the map of its device.  With IFINDEX alone it drops it, and so
 * does the device when it goes or moves to another namespace.
 */
enum ntpk_attr_phc {
	NTPK_A_PHC_UNSPEC,
	NTPK_A_PHC_PAD,
	NTPK_A_PHC_IFINDEX,		/* u32: the device by which such requests come, as IP sees it */
	NTPK_A_PHC_PHC_NS,		/* s64, the device's clock at the reference */
	NTPK_A_PHC_RAW_NS,		/* s64, at the same moment; not NTPK_PHC_SPAN_MAX_NS ago */
	NTPK_A_PHC_RATE,		/* s64: (draw/dPHC - 1) * 2^48, |.| <= NTPK_RATE_Q48_MAX */
	NTPK_A_PHC_ERR_NS,		/* u32, at most NTPK_PHC_ERR_MAX_NS: bound of the error at the reference */
	NTPK_A_PHC_SKEW_PPB,		/* u32, at most NTPK_PHC_SKEW_PPB_MAX: growth of that */
	NTPK_A_PHC_VALID_UNTIL_NS,	/* s64, CLOCK_MONOTONIC_RAW: not used after that; less than NTPK_PHC_SPAN_MAX_NS after RAW_NS */
	NTPK_A_PHC_RX_LATER_NS,		/* s32, at most NTPK_PHC_RX_LATER_MAX_NS; NTPK_PHC_NO_RX: it stamps only what leaves */
	/* get only: set refuses it */
	NTPK_A_PHC_T2,			/* nest, multi-attr, enum ntpk_attr_t2: of answers to requests that came by the device */

	/* private: */
	__NTPK_A_PHC_MAX,
	NTPK_A_PHC_MAX = __NTPK_A_PHC_MAX - 1,
};

#define NTPK_PHC_MAX		16	/* maps of a namespace */
#define NTPK_PHC_SPAN_MAX_NS	64000000000LL
#define NTPK_PHC_ERR_MAX_NS	10000000
#define NTPK_PHC_SKEW_PPB_MAX	10000000	/* 1 % */
#define NTPK_PHC_RX_LATER_MAX_NS	10000000
#define NTPK_PHC_NO_RX		-1

enum ntpk_access {
	NTPK_ACCESS_DENY,		/* no answer */
	NTPK_ACCESS_ALLOW,
};

/* What the served state is worth at this moment. */
enum ntpk_status {
	NTPK_STATUS_DETACHED,		/* the namespace answers nothing */
	NTPK_STATUS_EMPTY,		/* attached, nothing pushed yet */
	NTPK_STATUS_UNSYNC,		/* the last push said unsynchronised */
	NTPK_STATUS_SYNC,
	NTPK_STATUS_HOLDOVER,		/* synchronised, three pushes missing */
	NTPK_STATUS_EXPIRED_DEADLINE,	/* not renewed in time */
	NTPK_STATUS_EXPIRED_DISTANCE,	/* root distance above MAX_DIST_NS */
	NTPK_STATUS_EXPIRED_STEP,	/* CLOCK_REALTIME was stepped since the push */

	/* private: */
	__NTPK_STATUS_MAX,
	NTPK_STATUS_MAX = __NTPK_STATUS_MAX - 1,
};

enum ntpk_attr_stats {
	NTPK_A_STATS_UNSPEC,
	NTPK_A_STATS_PAD,
	NTPK_A_STATS_COUNTER,		/* nest, multi-attr, enum ntpk_attr_counter */
	NTPK_A_STATS_DEPARTURE,		/* nest, multi-attr, enum ntpk_attr_departure */
	NTPK_A_STATS_QUIRK,		/* nest, multi-attr, enum ntpk_attr_quirk */
	NTPK_A_STATS_T2,		/* nest, multi-attr, enum ntpk_attr_t2 */
	NTPK_A_STATS_T3,		/* nest, multi-attr, enum ntpk_attr_t3 */

	/* private: */
	__NTPK_A_STATS_MAX,
	NTPK_A_STATS_MAX = __NTPK_A_STATS_MAX - 1,
};

enum ntpk_attr_counter {
	NTPK_A_COUNTER_UNSPEC,
	NTPK_A_COUNTER_PAD,
	NTPK_A_COUNTER_REASON,		/* u32, enum ntpk_reason */
	NTPK_A_COUNTER_CLASS,		/* u32, enum ntpk_class */
	NTPK_A_COUNTER_NAME,		/* string, as the file in /sys/kernel/ntpk/stats */
	NTPK_A_COUNTER_PKTS,		/* u64 */

	/* private: */
	__NTPK_A_COUNTER_MAX,
	NTPK_A_COUNTER_MAX = __NTPK_A_COUNTER_MAX - 1,
};

enum ntpk_attr_departure {
	NTPK_A_DEPARTURE_UNSPEC,
	NTPK_A_DEPARTURE_PAD,
	NTPK_A_DEPARTURE_IFINDEX,	/* u32, of the device that replies leave by */
	NTPK_A_DEPARTURE_IS_V6,		/* u8, 0 = those over IPv4, 1 = over IPv6 */
	NTPK_A_DEPARTURE_CORRECTION_NS,	/* u32, what T3 is moved on by */
	NTPK_A_DEPARTURE_RESIDUAL_NS,	/* u32, how early it is after that, on average */
	NTPK_A_DEPARTURE_SAMPLES,	/* u64, how many were learned from */

	/* private: */
	__NTPK_A_DEPARTURE_MAX,
	NTPK_A_DEPARTURE_MAX = __NTPK_A_DEPARTURE_MAX - 1,
};

#define NTPK_HIST_BUCKETS	32	/* of log2 of nanoseconds; the last one has all that is longer */
#define NTPK_WORST_MAX		8
#define NTPK_DEPARTURES_MAX		64	/* at most, in an answer of GET_STATS */

enum ntpk_attr_hist {
	NTPK_A_HIST_UNSPEC,
	NTPK_A_HIST_RESIDENCE,		/* binary, NTPK_HIST_BUCKETS of u64: answers by log2 of T3 - T2 in ns */
	NTPK_A_HIST_T2_AGE,		/* binary, likewise by that of the age of T2 when it was looked at */
	NTPK_A_HIST_WORST,		/* nest, multi-attr, enum ntpk_attr_worst; the worst first */

	/* private: */
	__NTPK_A_HIST_MAX,
	NTPK_A_HIST_MAX = __NTPK_A_HIST_MAX - 1,
};

enum ntpk_attr_worst {
	NTPK_A_WORST_UNSPEC,
	NTPK_A_WORST_PAD,
	NTPK_A_WORST_RESIDENCE_NS,	/* u64, T3 - T2 */
	NTPK_A_WORST_T2_AGE_NS,		/* u64, of T2 when it was looked at */
	NTPK_A_WORST_RAW_NS,		/* u64, when, CLOCK_MONOTONIC_RAW */
	NTPK_A_WORST_CPU,		/* u32, that answered */
	NTPK_A_WORST_IFINDEX,		/* u32, device that the request came by */
	NTPK_A_WORST_QUEUE,		/* u32, of the device, from 1 on; 0 = not told */

	/* private: */
	__NTPK_A_WORST_MAX,
	NTPK_A_WORST_MAX = __NTPK_A_WORST_MAX - 1,
};

/* How often clients of a class asked, while it was kept who asks. */
enum ntpk_attr_quirk {
	NTPK_A_QUIRK_UNSPEC,
	NTPK_A_QUIRK_PAD,
	NTPK_A_QUIRK_NUMBER,		/* u32: of the class */
	NTPK_A_QUIRK_NAME,		/* string, as the file in /sys/kernel/ntpk/quirks */
	NTPK_A_QUIRK_PKTS,		/* u64 */

	/* private: */
	__NTPK_A_QUIRK_MAX,
	NTPK_A_QUIRK_MAX = __NTPK_A_QUIRK_MAX - 1,
};

/* How many answers have a T2 of a kind. */
enum ntpk_attr_t2 {
	NTPK_A_T2_UNSPEC,
	NTPK_A_T2_PAD,
	NTPK_A_T2_KIND,			/* u32, enum ntpk_t2 */
	NTPK_A_T2_NAME,			/* string, as the file in /sys/kernel/ntpk/t2 */
	NTPK_A_T2_PKTS,			/* u64 */

	/* private: */
	__NTPK_A_T2_MAX,
	NTPK_A_T2_MAX = __NTPK_A_T2_MAX - 1,
};

/*
 * Where T2 is from; of some that are not from the device why not.  Each answer is of one
 * of the first two.  Those of the others, which are counted while there is any map, are
 * of NTPK_T2_SOFTWARE as well.
 */
enum ntpk_t2 {
	NTPK_T2_HARDWARE,		/* the device's stamp, by the map of its clock */
	NTPK_T2_SOFTWARE,		/* the kernel's stamp, or no stamp at all */
	NTPK_T2_HW_MISSING,		/* there is a map, but no stamp of the device */
	NTPK_T2_HW_NO_MAP,		/* there is a stamp of the device, but no map */
	NTPK_T2_HW_STALE,		/* the map is not valid any more */
	NTPK_T2_HW_FUTURE,		/* by the map it came after the kernel had it */
	NTPK_T2_HW_FAR,			/* by the map it came more than 10 ms before that */

	/* private: */
	__NTPK_T2_MAX,
	NTPK_T2_MAX = __NTPK_T2_MAX - 1,
};

/* How many replies have a departure of a kind. */
enum ntpk_attr_t3 {
	NTPK_A_T3_UNSPEC,
	NTPK_A_T3_PAD,
	NTPK_A_T3_KIND,			/* u32, enum ntpk_t3 */
	NTPK_A_T3_NAME,			/* string, as the file in /sys/kernel/ntpk/t3 */
	NTPK_A_T3_PKTS,			/* u64 */

	/* private: */
	__NTPK_A_T3_MAX,
	NTPK_A_T3_MAX = __NTPK_A_T3_MAX - 1,
};

/*
 * Where it is known from when a reply left, of those to clients in interleaved mode.  Each
 * is of one of the first two.  Those of the others, of devices with a map, are of
 * NTPK_T3_SOFTWARE as well.
 */
enum ntpk_t3 {
	NTPK_T3_HARDWARE,		/* the device's stamp, by the map of its clock */
	NTPK_T3_SOFTWARE,		/* the kernel's stamp, or no stamp at all */
	NTPK_T3_HW_MISSING,		/* there is a map, but no stamp of the device within a second */
	NTPK_T3_HW_STALE,		/* the map is not valid any more */
	NTPK_T3_HW_FUTURE,		/* by the map it leaves after that was reported */
	NTPK_T3_HW_EARLY,		/* by the map it left before the device had it */
	NTPK_T3_HW_FAR,			/* by the map it left more than 10 ms after that */
	NTPK_T3_HW_VAGUE,		/* the device's stamp is less exact than the kernel's */

	/* private: */
	__NTPK_T3_MAX,
	NTPK_T3_MAX = __NTPK_T3_MAX - 1,
};

enum ntpk_attr_event {
	NTPK_A_EVENT_UNSPEC,
	NTPK_A_EVENT_KIND,		/* u32, enum ntpk_event */
	NTPK_A_EVENT_STATUS,		/* u32, enum ntpk_status at that moment */
	NTPK_A_EVENT_PAD,
	NTPK_A_EVENT_PKTS,		/* u64, of OVERLOAD_OVER: requests that were not answered */
	NTPK_A_EVENT_QUIRK,		/* u32, of NEW_QUIRK: number of the class */

	/* private: */
	__NTPK_A_EVENT_MAX,
	NTPK_A_EVENT_MAX = __NTPK_A_EVENT_MAX - 1,
};

enum ntpk_event {
	NTPK_EVENT_UNSPEC,
	NTPK_EVENT_EXPIRED,		/* deadline or distance; once per push */
	NTPK_EVENT_STEP,		/* seen at a reply; once per push */
	NTPK_EVENT_OVERLOAD,		/* more is asked than a CPU may answer; once per overload */
	NTPK_EVENT_OVERLOAD_OVER,	/* not for ten seconds now */
	NTPK_EVENT_NEW_QUIRK,		/* a client of a class that none was of; once per attach */

	/* private: */
	__NTPK_EVENT_MAX,
	NTPK_EVENT_MAX = __NTPK_EVENT_MAX - 1,
};

enum ntpk_class {
	NTPK_CLASS_ANSWER,		/* one reply was sent */
	NTPK_CLASS_PASS,		/* not ours: the stack goes on as if ntpk were absent */
	NTPK_CLASS_DROP,		/* silence: no reply, no ICMP */

	/* private: */
	__NTPK_CLASS_MAX,
	NTPK_CLASS_MAX = __NTPK_CLASS_MAX - 1,
};

/*
 * What became of a UDP packet at the hook.  Names and classes are in one
 * table, kmod/proto/ntp_reason.c.
 */
enum ntpk_reason {
	NTPK_REASON_NONE,		/* undecided; never counted */
	/* answered */
	NTPK_REASON_REPLIED,		/* with the served time */
	NTPK_REASON_REPLIED_UNSYNC,	/* as unsynchronised, by policy */
	/* passed */
	NTPK_REASON_OTHER_PORT,		/* UDP for a port, or an address, without listener */
	NTPK_REASON_NOT_UNICAST,	/* broadcast, multicast, anycast, not for this host */
	NTPK_REASON_IP_OPTIONS,		/* IPv4 header with options */
	NTPK_REASON_EXT_HEADERS,	/* IPv6 extension headers, fragments included */
	NTPK_REASON_GSO,		/* aggregated packet */
	NTPK_REASON_VERSION,		/* NTP version not in 1..4 */
	NTPK_REASON_MODE,		/* not a client's request */
	/* dropped */
	NTPK_REASON_BAD_LENGTH,		/* UDP length wrong, or under 48 bytes of NTP */
	NTPK_REASON_BAD_CHECKSUM,
	NTPK_REASON_BAD_SOURCE,		/* source address or port that cannot be answered */
	NTPK_REASON_XFRM,		/* refused by IPsec policy */
	NTPK_REASON_SILENT_UNSYNC,	/* no synchronised push yet, policy silent */
	NTPK_REASON_SILENT_EXPIRED,	/* expired or stepped, policy silent */
	NTPK_REASON_INSANE_TIME,	/* served time before the build date or out of range */
	NTPK_REASON_T3_BEFORE_T2,
	NTPK_REASON_NO_ROUTE,		/* no way back to the client */
	NTPK_REASON_NO_MEMORY,
	NTPK_REASON_SEND_FAILED,	/* the output path refused the reply (firewall, queue) */
	NTPK_REASON_AUTH_FAILED,	/* dropped: MAC of an unknown key, or a wrong one */
	NTPK_REASON_AUTH_REQUIRED,	/* dropped: no MAC, and the listener demands one */
	NTPK_REASON_REPLIED_NAK,	/* answered: by a crypto-NAK, as the MAC was not right */
	NTPK_REASON_ACL_DENIED,		/* dropped: the access list does not allow its source */
	NTPK_REASON_LIMITED,		/* dropped: its client asks more than its LIMIT allows */
	NTPK_REASON_REPLIED_RATE,	/* answered: by a KoD RATE, as its client asks too much */
	NTPK_REASON_OVER_BUDGET,	/* dropped: more than BUDGET_PER_S on this CPU */
	NTPK_REASON_REPLIED_INTERLEAVED, /* answered: with the departure of the reply before */

	/* private: */
	__NTPK_REASON_MAX,
	NTPK_REASON_MAX = __NTPK_REASON_MAX - 1,
};

#endif /* _UAPI_LINUX_NTPK_H */
