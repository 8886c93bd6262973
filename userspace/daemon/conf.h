/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: one directive per line, in chrony's words.  The same
 * parser serves the file, `ntpkd -t` and `ntpkctl upstream add`.  Process
 * context; no global state: everything is in struct conf.
 */
#ifndef NTPKD_CONF_H
#define NTPKD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <linux/ntpk.h>
#include "daemon/conf_hwts.h"
#include "daemon/conf_listen.h"

#define CONF_DEFAULT_FILE	"/etc/ntpk.conf"
#define CONF_NAME_MAX		253	/* RFC 1035 */
#define CONF_PATH_MAX		4096
#define CONF_UID_UNKNOWN	((uid_t)-1)
#define CONF_USER_MAX		32
#define CONF_DIRS_MAX		8
#define CONF_ADDRS_MAX		2	/* one of each family */
#define CONF_ACL_MAX		262144
#define CONF_ACL_NAMES_MAX	CONF_LISTEN_MAX
#define CONF_DEFAULT_SAVEDIR	"/var/lib/ntpk"
#define CONF_DEFAULT_LOGDIR	"/var/log/ntpk"
#define CONF_PRESEND_NEVER	127
#define CONF_CLIENT_BYTES	8	/* of `clientloglimit`, of each client */

/* `log ...` */
#define CONF_LOG_MEASUREMENTS	(1u << 0)
#define CONF_LOG_STATISTICS	(1u << 1)
#define CONF_LOG_TRACKING	(1u << 2)

enum conf_upstream_kind {
	CONF_SERVER,		/* one association, the first address that works */
	CONF_POOL,		/* up to maxsources associations */
};

/**
 * struct conf_upstream - one `server` or `pool` line
 * @kind: which
 * @name: host name or numeric address (v6 may carry %interface)
 * @key: of @name: hosts that are the same have the same, see conf_host_key()
 * @port: UDP, default 123
 * @minpoll_log2s: default 6
 * @maxpoll_log2s: default 10
 * @version: 1..4, default 4
 * @maxsources: pool only, 1..16, default 4
 * @flags: SOURCE_F_* of core/engine.h
 * @key_id: `key N`, 0 = none
 * @offset_ns: `offset S`
 * @max_delay_ns: `maxdelay S`, default 3 s
 * @presend_log2s: `presend N`, 127 = never
 * @family: AF_INET or AF_INET6 with `ipv4` or `ipv6`, else AF_UNSPEC
 * @drop_in: from a sourcedir: goes away when the file does
 * @shadows: from runtime.conf, in place of a line that stands in another file
 * @file: where it stands, "" = added at run time
 * @line: of that file, 0 = added at run time
 */
struct conf_upstream {
	enum conf_upstream_kind kind;
	char	 name[CONF_NAME_MAX + 1];
	uint32_t key;
	uint16_t port;
	int8_t	 minpoll_log2s;
	int8_t	 maxpoll_log2s;
	uint8_t	 version;
	uint8_t	 maxsources;
	uint32_t flags;
	uint32_t key_id;
	int64_t	 offset_ns;
	int64_t	 max_delay_ns;
	int8_t	 presend_log2s;
	int	 family;
	bool	 drop_in;
	bool	 shadows;
	char	 file[CONF_FILE_MAX];
	unsigned int line;
};

/**
 * struct conf_acl_rule - one `allow` or `deny` line; a later one of the same
 *	prefix takes the place of the earlier
 * @addr: network, the rest of the bits 0; v4 in the first four bytes
 * @family: AF_INET or AF_INET6
 * @prefix: length; 0 = all
 * @allow: or deny
 * @all: `allow all`: the rules inside the prefix that came before are void
 * @list: `acl NAME`: 1 + index in the configuration's @acl_names; 0 = the list of all
 * @line: of the file
 */
struct conf_acl_rule {
	uint8_t	 addr[16];
	int	 family;
	uint8_t	 prefix;
	bool	 allow;
	bool	 all;
	uint8_t	 list;
	unsigned int line;
};

/**
 * struct conf - a whole configuration, with defaults filled in
 * @upstreams: array of @upstreams_len
 * @acl: `allow` and `deny` lines in their order, @acl_len of them; without any,
 *	everybody may ask; with an `allow`, whom no line names may not; that for each list
 * @acl_names: of the other lists, @acl_names_len of them
 * @driftfile: path, "" = none
 * @makestep_threshold_ns: `makestep THRESHOLD LIMIT`, default 1 s ...
 * @makestep_limit: ... in the first 3 updates; < 0 always; 0 never
 * @local_stratum: `local stratum N`, 0 = off
 * @holdover_ns: `holdover SECONDS`, default 86400
 * @maxserved_ns: `maxserved SECONDS`, default 1
 * @maxdistance_ns: `maxdistance SECONDS`, default 3
 * @minsources: default 1
 * @port: `port N` to serve on, default 123; 0 = serve nobody
 * @kernel: `kernel on|off`: answer through the module (default on: used when
 *	it is there, else the own responder)
 * @never_synced: `neversynced silent|unsynchronised`, default silent
 * @expired: `expired unsynchronised|silent`, default unsynchronised
 * @mode1: `mode1 on|off`: answer symmetric active requests, default on
 * @requirekey: `requirekey on|off`: answer only what is signed, default off
 * @cryptonak: `cryptonak on|off`: say so to who signed wrongly, default off
 * @limit: `ratelimit ...`, all zero = none, which is the default
 * @clientloglimit: `clientloglimit BYTES` that clients are kept in, default 524288
 * @noclientlog: `noclientlog`: keep nothing about clients
 * @maxanswers: `maxanswers N` a second and CPU, default 0 = all
 * @listens: `listen ADDRESS ...`, @listens_len of them
 * @listen_at: where they stand
 * @local_distance_ns: `local distance S`, default 1 s
 * @local_orphan: `local orphan`
 * @max_slew_ppb: `maxslewrate PPM`, default 500 ppm, which is the most
 * @max_change_ns: `maxchange S START IGNORE`, 0 = off
 * @max_change_start: see there
 * @max_change_ignore: see there
 * @maxjitter_ns: `maxjitter S`, default 1
 * @leapsectz: `leapsectz NAME`, e.g. right/UTC, "" = none
 * @leapseclist: `leapseclist FILE`, in the IERS/NIST format, "" = none
 * @bindaddress: `bindaddress ADDR`: serve on this address only, by family: v4, v6;
 *	"" = all
 * @bindacqaddress: `bindacqaddress ADDR`: source address of requests, likewise
 * @bindacqdevice: `bindacqdevice IF`, "" = any
 * @acquisitionport: `acquisitionport N`, 0 = a random one per request
 * @hwts: `hwtimestamp INTERFACE ...`, @hwts_len of them
 * @keyfile: `keyfile PATH`, "" = none
 * @sourcedirs: `sourcedir DIR`, @sourcedirs_len of them
 * @user: `user NAME`: who ntpkd becomes, default "ntpk" where that user exists,
 *	else root
 * @savedir: `savedir DIR`: the saved time and runtime.conf, default /var/lib/ntpk
 * @log: CONF_LOG_*
 * @logdir: `logdir DIR`, default /var/log/ntpk
 * @logbanner: `logbanner N`, default 32 lines; 0 = none
 * @logchange_ns: `logchange S`, default 1 s
 * @metricsfile: `metricsfile PATH`: Prometheus text, written every 15 s, "" = none
 * @rtcsync: `rtcsync`: let the kernel copy the time into the RTC
 * @runtime_uid: who may own runtime.conf beside root, CONF_UID_UNKNOWN = look up @user
 * @runtime_text: what is being written to runtime.conf, to be read instead of it by
 *	the next load; NULL = the file; @runtime_len of it
 * @skipped: wrong lines of drop-ins and of runtime.conf: reported and left out,
 *	they keep no daemon from starting
 */
struct conf {
	uid_t	 runtime_uid;
	struct conf_upstream *upstreams;
	size_t	 upstreams_len;
	struct conf_acl_rule *acl;
	size_t	 acl_len;
	char	 acl_names[CONF_ACL_NAMES_MAX][CONF_ACL_NAME_MAX + 1];
	size_t	 acl_names_len;
	char	 driftfile[CONF_PATH_MAX];
	int64_t	 makestep_threshold_ns;
	int	 makestep_limit;
	uint8_t	 local_stratum;
	int64_t	 holdover_ns;
	int64_t	 maxserved_ns;
	int64_t	 maxdistance_ns;
	unsigned int minsources;
	uint16_t port;
	bool	 kernel;
	enum ntpk_policy never_synced;
	enum ntpk_policy expired;
	bool	 mode1;
	bool	 requirekey;
	bool	 cryptonak;
	struct ntp_limit limit;
	unsigned int clientloglimit;
	bool	 noclientlog;
	unsigned int maxanswers;
	struct conf_listen listens[CONF_LISTEN_MAX];
	size_t	 listens_len;
	struct conf_place listen_at[CONF_LISTEN_MAX];
	int64_t	 local_distance_ns;
	bool	 local_orphan;
	double	 max_slew_ppb;
	int64_t	 max_change_ns;
	unsigned int max_change_start;
	int	 max_change_ignore;
	int64_t	 maxjitter_ns;
	char	 leapsectz[CONF_FILE_MAX];
	char	 leapseclist[CONF_PATH_MAX];
	char	 bindaddress[CONF_ADDRS_MAX][48];
	char	 bindacqaddress[CONF_ADDRS_MAX][64];
	char	 bindacqdevice[16];
	uint16_t acquisitionport;
	struct conf_hwts hwts[CONF_HWTS_MAX];
	size_t	 hwts_len;
	char	 keyfile[CONF_PATH_MAX];
	char	 sourcedirs[CONF_DIRS_MAX][CONF_PATH_MAX];
	size_t	 sourcedirs_len;
	char	 user[CONF_USER_MAX + 1];
	char	 savedir[CONF_PATH_MAX];
	unsigned int log;
	char	 logdir[CONF_PATH_MAX];
	unsigned int logbanner;
	int64_t	 logchange_ns;
	char	 metricsfile[CONF_PATH_MAX];
	bool	 rtcsync;
	const void *runtime_text;
	size_t	 runtime_len;
	unsigned int skipped;
};

/**
 * struct conf_diag - where the errors go
 * @report: called once per error; @text says what is wrong and what is accepted
 * @ctx: handed to @report
 */
struct conf_diag {
	void (*report)(void *ctx, const char *file, unsigned int line, unsigned int column,
		       const char *text);
	void *ctx;
};

/**
 * conf_init() - the defaults
 * @conf: filled
 */
void conf_init(struct conf *conf);

/**
 * conf_copy() - another one that says the same
 * @out: filled; to be cleaned also when this fails
 * @from: configuration
 *
 * Return: 0 or -ENOMEM.
 */
int conf_copy(struct conf *out, const struct conf *from);

/**
 * conf_clean() - free what it holds
 * @conf: from conf_init()
 */
void conf_clean(struct conf *conf);

/**
 * conf_parse() - read one text on top of what @conf holds
 *
 * Other files are not touched: `include`, `confdir` and `sourcedir` are checked
 * and their files left alone; conf_load() follows them.
 *
 * @conf: from conf_init()
 * @in: text
 * @file: its name, for messages
 * @diag: every error of the whole text is reported, not only the first
 *
 * Return: 0, or -EINVAL with @conf unspecified but safe to clean.
 */
int conf_parse(struct conf *conf, FILE *in, const char *file, const struct conf_diag *diag);

/**
 * conf_load() - read a configuration with all that belongs to it
 * @conf: from conf_init()
 * @path: file; `include` and `confdir` are followed, then come the drop-ins of
 *	`sourcedir`, then runtime.conf
 * @diag: every error; line 0 when the file as a whole cannot be used
 *
 * Files must belong to root or to us and be writable by nobody else.  What is
 * wrong in drop-ins and in runtime.conf is reported, counted in @skipped, and
 * left out.
 *
 * Return: 0, or -EINVAL with @conf unspecified but safe to clean.
 */
int conf_load(struct conf *conf, const char *path, const struct conf_diag *diag);

/**
 * conf_load_sources() - read only the drop-ins anew
 * @fresh: out, @running with the drop-ins as they are now; without an ACL
 * @running: configuration
 * @diag: errors
 *
 * Return: 0 or -ENOMEM; @fresh is safe to clean.
 */
int conf_load_sources(struct conf *fresh, const struct conf *running,
		      const struct conf_diag *diag);

/**
 * conf_runtime_path() - where `ntpkctl --save` writes
 * @conf: configuration
 * @buf: out
 * @len: of @buf
 *
 * Return: @buf.
 */
const char *conf_runtime_path(const struct conf *conf, char *buf, size_t len);

/* What a change of a setting needs, when the configuration is read anew. */
enum conf_change {
	CONF_CHANGE_NOW,	/* the daemon looks at struct conf whenever it needs it */
	CONF_CHANGE_ENGINE,	/* engine_reconfigure() */
	CONF_CHANGE_SOURCES,	/* upstreams come and go */
	CONF_CHANGE_ACL,	/* the list goes to the responders */
	CONF_CHANGE_KEYS,	/* the file of keys is read anew */
	CONF_CHANGE_LOGS,	/* the logs are opened anew */
	CONF_CHANGE_LEAP,	/* the list of leap seconds is read anew */
	CONF_CHANGE_LISTENERS,	/* the responders are told */
	CONF_CHANGE_RESTART,	/* nothing less than a restart */
};

/* struct conf_difference - a directive whose values differ */
struct conf_difference {
	const char *name;
	enum conf_change change;
};

/* As many as there can be. */
#define CONF_DIFFERENCES_MAX	64

/**
 * conf_diff() - which settings differ; upstreams aside
 * @a: a configuration
 * @b: another
 * @out: room for CONF_DIFFERENCES_MAX
 *
 * Return: how many were written.
 */
size_t conf_diff(const struct conf *a, const struct conf *b, struct conf_difference *out);

/**
 * conf_keep() - leave a setting as it was
 * @conf: changed
 * @old: where the value comes from
 * @name: of the directive
 */
void conf_keep(struct conf *conf, const struct conf *old, const char *name);

/**
 * conf_take() - one directive as another configuration has it
 * @conf: changed
 * @other: where the value comes from; lines of allow and deny are taken out of it
 * @name: of the directive; allow and deny are one
 */
void conf_take(struct conf *conf, struct conf *other, const char *name);

/**
 * conf_check() - what only a whole configuration can tell
 * @conf: configuration
 * @diag: errors
 *
 * Return: 0 or -EINVAL.
 */
int conf_check(struct conf *conf, const struct conf_diag *diag);

/**
 * conf_upstream_equal() - same name, kind and options?
 * @a: an upstream
 * @b: another
 *
 * Return: true when they are, wherever they stand.
 */
bool conf_upstream_equal(const struct conf_upstream *a, const struct conf_upstream *b);

/**
 * conf_upstream_find() - an upstream by its name
 * @conf: configuration
 * @name: host name or address, in any spelling
 *
 * Return: it, or NULL.
 */
const struct conf_upstream *conf_upstream_find(const struct conf *conf, const char *name);

/**
 * conf_parse_upstream() - one `server ...` or `pool ...` line
 * @up: filled
 * @text: the line
 * @file: its name, for messages (e.g. "upstream add")
 * @line: its number
 * @diag: errors
 *
 * Return: 0 or -EINVAL.
 */
int conf_parse_upstream(struct conf_upstream *up, const char *text, const char *file,
			unsigned int line, const struct conf_diag *diag);

/**
 * conf_format_upstream() - the line that gives this upstream
 * @up: upstream
 * @buf: out
 * @len: of @buf
 */
void conf_format_upstream(const struct conf_upstream *up, char *buf, size_t len);

/* One row per directive: what the man page and the tests go through. */
struct conf_directive {
	const char *name;
	const char *args;	/* synopsis, "NAME [port N] [iburst] ..." */
	const char *help;
};

/* One row per option of `server` and `pool`, likewise. */
struct conf_option {
	const char *name;
	const char *args;	/* "N", "SECONDS", "" */
	const char *help;
};

/* What becomes of a chrony.conf that has a word which ntpkd does not accept. */
enum conf_loss {
	CONF_NOT_NEEDED,	/* nothing is lost: ntpkd does it by itself or has no use for it */
	CONF_NOT_AVAILABLE,	/* something is lost, the rest of the line is good */
	CONF_UNSAFE_WITHOUT,	/* without it the line would mean something dangerous */
};

/**
 * struct conf_refused - a word of chrony's that is known and not accepted
 * @of: directive that it is an option of ("server" also for pool), NULL = it is
 *	a directive itself
 * @name: the word
 * @values: how many words belong to the option; of directives: unused
 * @loss: what it means to go without
 * @why: the reason, and what to do instead
 */
struct conf_refused {
	const char *of;
	const char *name;
	unsigned int values;
	enum conf_loss loss;
	const char *why;
};

/**
 * conf_directive() - a row of the table of directives
 * @i: from 0
 *
 * Return: the row; NULL past the last.
 */
const struct conf_directive *conf_directive(size_t i);

/**
 * conf_option() - a row of the table of options of `server` and `pool`
 * @i: from 0
 *
 * Return: the row; NULL past the last.
 */
const struct conf_option *conf_option(size_t i);

/**
 * conf_refused_words() - chrony's words that are not accepted
 * @len: out, how many
 */
const struct conf_refused *conf_refused_words(size_t *len);

/**
 * conf_refused_find() - is this a word of chrony's that is not accepted?
 * @of: directive whose option it would be, NULL = none
 * @name: the word, in any case of letters
 *
 * Return: its row, or NULL.
 */
const struct conf_refused *conf_refused_find(const char *of, const char *name);

/**
 * conf_acl_name() - the name of the list that a rule is in
 * @conf: configuration
 * @rule: one of its
 *
 * Return: name, "" = that of all.
 */
const char *conf_acl_name(const struct conf *conf, const struct conf_acl_rule *rule);

/** conf_acl_has() - has any rule `acl NAME` with this name? */
bool conf_acl_has(const struct conf *conf, const char *name);

#endif /* NTPKD_CONF_H */
