// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of directives: name, synopsis, help, how often, where, and who
 * parses it.  A new directive is a new row, its text in ntpk.conf(5) and two
 * examples in the unit test; tests hold the three together.
 */
#include <stddef.h>
#include "core/engine.h"
#include "daemon/conf_hwts.h"
#include "daemon/conf_limit.h"
#include "daemon/conf_priv.h"

#define NS_PER_S	1000000000LL
#define NS_PER_US	1000LL
#define YEAR_S		(365LL * 86400)
#define PPB_PER_PPM	1000LL

#define F(member)	{ offsetof(struct conf, member), sizeof(((struct conf *)0)->member) }
#define SECONDS(min, max)	conf_parse_seconds, min, max
#define NUMBER(min, max)	conf_parse_number, min, max
#define PARSE(name)		conf_parse_##name, 0, 0

/* name, synopsis, help; flags, change; handler, least, most; fields */
static const struct conf_row rows[] = {
	{ { "server", "NAME [OPTION]...", "one upstream server, by name or address" },
	  CONF_MANY | CONF_RUNTIME | CONF_SOURCES, CONF_CHANGE_SOURCES, PARSE(source), { { 0 } } },
	{ { "pool", "NAME [OPTION]...",
	    "a name with many addresses: up to maxsources of them (default 4)" },
	  CONF_MANY | CONF_RUNTIME | CONF_SOURCES, CONF_CHANGE_SOURCES, PARSE(source), { { 0 } } },
	{ { "removed", "NAME", "an upstream that `ntpkctl upstream del --save` took away; "
	    "in runtime.conf only" },
	  CONF_MANY | CONF_RUNTIME, CONF_CHANGE_SOURCES, PARSE(removed), { { 0 } } },
	{ { "bindacqaddress", "ADDRESS", "source address of requests to upstreams, one per family" },
	  CONF_MANY, CONF_CHANGE_RESTART, PARSE(address), { F(bindacqaddress) } },
	{ { "bindacqdevice", "INTERFACE", "interface (or VRF) of requests to upstreams" },
	  0, CONF_CHANGE_RESTART, PARSE(name), { F(bindacqdevice) } },
	{ { "acquisitionport", "N", "source port of requests (default 0: a random one for each)" },
	  0, CONF_CHANGE_RESTART, NUMBER(0, 65535), { F(acquisitionport) } },
	{ { "hwtimestamp", "INTERFACE|PREFIX*|* [rxfilter all|ntp|ptp|none] [nocrossts]",
	    "use the time stamps of these interfaces, where they have any" },
	  CONF_MANY, CONF_CHANGE_RESTART, PARSE(hwtimestamp), { F(hwts), F(hwts_len) } },
	{ { "keyfile", "PATH", "symmetric keys: of clients, and for the option `key N`" },
	  0, CONF_CHANGE_KEYS, PARSE(file), { F(keyfile) } },

	{ { "maxdistance", "SECONDS", "do not use sources with a larger root distance (default 3)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, SECONDS(NS_PER_US, CONF_DISTANCE_MAX_NS),
	  { F(maxdistance_ns) } },
	{ { "maxjitter", "SECONDS", "do not use sources with more jitter (default 1)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, SECONDS(NS_PER_US, CONF_DISTANCE_MAX_NS), { F(maxjitter_ns) } },
	{ { "minsources", "N", "sources that must agree before the clock is touched (default 1)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, NUMBER(1, ENGINE_MAX_SOURCES), { F(minsources) } },

	{ { "driftfile", "PATH", "where the clock's frequency is kept" },
	  0, CONF_CHANGE_NOW, PARSE(driftfile), { F(driftfile) } },
	{ { "makestep", "THRESHOLD LIMIT", "step instead of slewing when off by more than THRESHOLD "
	    "seconds, in the first LIMIT updates (-1: always, 0: never; default 1 3)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, PARSE(makestep),
	  { F(makestep_threshold_ns), F(makestep_limit) } },
	{ { "maxslewrate", "PPM", "fastest slew of the system clock (default 500, which is the most)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, conf_parse_ppm, PPB_PER_PPM, 500 * PPB_PER_PPM,
	  { F(max_slew_ppb) } },
	{ { "maxchange", "SECONDS START IGNORE", "end the daemon when an update after the first START "
	    "is off by more than SECONDS, and it happened more often than IGNORE (-1: only ignore "
	    "such updates)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, PARSE(maxchange),
	  { F(max_change_ns), F(max_change_start), F(max_change_ignore) } },
	{ { "leapsectz", "ZONE", "time zone that tells of leap seconds, as right/UTC" },
	  0, CONF_CHANGE_LEAP, PARSE(name), { F(leapsectz) } },
	{ { "leapseclist", "PATH", "list of leap seconds in the format of IERS and NIST" },
	  0, CONF_CHANGE_LEAP, PARSE(file), { F(leapseclist) } },
	{ { "rtcsync", "", "let the kernel copy the time into the RTC every 11 minutes" },
	  0, CONF_CHANGE_RESTART, PARSE(yes), { F(rtcsync) } },

	{ { "allow", "[all] [PREFIX] [acl NAME]", "answer these clients (an address, 192.0.2.0/24, "
	    "192.0.2, 2001:db8::/32; none: everybody); with a name: where a listen has this acl" },
	  CONF_MANY | CONF_RUNTIME, CONF_CHANGE_ACL, PARSE(allow), { F(acl), F(acl_len) } },
	{ { "deny", "[all] [PREFIX] [acl NAME]", "do not answer these clients; likewise" },
	  CONF_MANY | CONF_RUNTIME, CONF_CHANGE_ACL, PARSE(deny), { F(acl), F(acl_len) } },
	{ { "local", "[stratum N] [distance SECONDS] [orphan]",
	    "serve the own time at this stratum when there is no source (default 10)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, PARSE(local),
	  { F(local_stratum), F(local_distance_ns), F(local_orphan) } },
	{ { "port", "N", "UDP port to serve on (default 123, 0: serve nobody)" },
	  0, CONF_CHANGE_RESTART, NUMBER(0, 65535), { F(port) } },
	{ { "bindaddress", "ADDRESS", "serve on this address only, one per family" },
	  CONF_MANY, CONF_CHANGE_LISTENERS, PARSE(address), { F(bindaddress) } },
	{ { "listen", "all|ADDRESS [port N] [interface NAME] [OPTION]...",
	    "serve there as well, with a time and a policy of its own" },
	  CONF_MANY | CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(listen),
	  { F(listens), F(listens_len) } },
	{ { "kernel", "on|off", "answer through the kernel module when it is there (default on)" },
	  0, CONF_CHANGE_RESTART, PARSE(on_off), { F(kernel) } },
	{ { "holdover", "SECONDS", "how long to serve without upstreams or daemon (default 86400)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, SECONDS(NS_PER_S, YEAR_S *NS_PER_S), { F(holdover_ns) } },
	{ { "maxserved", "SECONDS", "stop serving when the root distance exceeds this (default 1)" },
	  CONF_RUNTIME, CONF_CHANGE_ENGINE, SECONDS(NS_PER_US, CONF_DISTANCE_MAX_NS), { F(maxserved_ns) } },
	{ { "neversynced", "silent|unsynchronised",
	    "what clients get before the first synchronisation (default silent)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(policy), { F(never_synced) } },
	{ { "expired", "unsynchronised|silent",
	    "what clients get when the time is too old to serve (default unsynchronised)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(policy), { F(expired) } },
	{ { "mode1", "on|off", "answer symmetric active requests, as of Windows (default on)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(on_off), { F(mode1) } },
	{ { "requirekey", "on|off", "answer only requests signed with a key of keyfile (default off)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(on_off), { F(requirekey) } },
	{ { "cryptonak", "on|off", "answer a wrong signature by a crypto-NAK (default off)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(on_off), { F(cryptonak) } },
	{ { "ratelimit", "off|[interval N] [burst N] [leak N] [kod N] [nat N] [prefix4 N] [prefix6 N]",
	    "how much one client may ask (default off; interval 3 burst 16 leak 2)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(ratelimit), { F(limit) } },
	{ { "clientloglimit", "BYTES", "memory for the clients that ratelimit tells apart, 8 bytes "
	    "each (default 524288)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS,
	  NUMBER(CONF_CLIENT_BYTES, NTPK_LIMIT_CLIENTS_MAX *CONF_CLIENT_BYTES), { F(clientloglimit) } },
	{ { "noclientlog", "", "keep nothing about clients (ntpkctl clients shows none)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, PARSE(yes), { F(noclientlog) } },
	{ { "maxanswers", "N", "requests that each CPU answers in a second (default 0: all)" },
	  CONF_RUNTIME, CONF_CHANGE_LISTENERS, NUMBER(0, NTPK_BUDGET_PER_S_MAX), { F(maxanswers) } },

	{ { "log", "[measurements] [statistics] [tracking]", "which logs to write" },
	  0, CONF_CHANGE_LOGS, PARSE(log), { F(log) } },
	{ { "logdir", "DIR", "folder of the logs (default " CONF_DEFAULT_LOGDIR ")" },
	  0, CONF_CHANGE_LOGS, PARSE(folder), { F(logdir) } },
	{ { "logbanner", "N", "lines of a log between its headings (default 32, 0: none)" },
	  0, CONF_CHANGE_LOGS, NUMBER(0, 1000000), { F(logbanner) } },
	{ { "logchange", "SECONDS", "report changes of the clock above this (default 1)" },
	  CONF_RUNTIME, CONF_CHANGE_NOW, SECONDS(0, 1000000 * NS_PER_S), { F(logchange_ns) } },
	{ { "metricsfile", "PATH", "Prometheus text, written every 15 seconds" },
	  0, CONF_CHANGE_NOW, PARSE(file), { F(metricsfile) } },
	{ { "savedir", "DIR", "folder of the saved time and of runtime.conf (default "
	    CONF_DEFAULT_SAVEDIR ")" },
	  0, CONF_CHANGE_RESTART, PARSE(folder), { F(savedir) } },
	{ { "user", "NAME", "whom ntpkd becomes (default ntpk where that user exists, else root)" },
	  0, CONF_CHANGE_RESTART, PARSE(name), { F(user) } },

	{ { "include", "PATTERN", "read these files here; * ? [ ] are wildcards" },
	  CONF_MANY | CONF_FOLLOWS, CONF_CHANGE_NOW, PARSE(include), { { 0 } } },
	{ { "confdir", "DIR...", "read the files *.conf of these folders here" },
	  CONF_MANY | CONF_FOLLOWS, CONF_CHANGE_NOW, PARSE(confdir), { { 0 } } },
	{ { "sourcedir", "DIR...", "read server and pool lines from the files *.sources of these "
	    "folders; `ntpkctl reload sources` reads them anew" },
	  CONF_MANY, CONF_CHANGE_SOURCES, PARSE(sourcedir), { F(sourcedirs), F(sourcedirs_len) } },
};

#define ROWS	(sizeof(rows) / sizeof(rows[0]))

_Static_assert(ROWS == CONF_ROWS, "CONF_ROWS in conf_priv.h is the length of the table");

const struct conf_row *conf_rows(size_t *len)
{
	*len = ROWS;
	return rows;
}

const struct conf_directive *conf_directive(size_t i)
{
	return i < ROWS ? &rows[i].d : NULL;
}
