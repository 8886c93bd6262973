// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration parser: what is right is understood exactly, what is wrong
 * is refused at the right place in words of its own, and no bytes whatever
 * crash it.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "core/engine.h"
#include "daemon/conf.h"
#include "daemon/conf_word.h"
#include "conf_bad.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_S 1000000000LL

struct seen {
	unsigned int n;
	unsigned int line[8];
	unsigned int column[8];
	char text[8][1024];
};

static void note(void *ctx, const char *file, unsigned int line, unsigned int column,
		 const char *text)
{
	struct seen *s = ctx;

	assert_string_equal(file, "x.conf");
	assert_true(line >= 1);
	assert_true(column >= 1);
	assert_true(strlen(text) > 5);
	if (s->n < 8) {
		s->line[s->n] = line;
		s->column[s->n] = column;
		snprintf(s->text[s->n], sizeof(s->text[0]), "%s", text);
	}
	s->n++;
}

static int parse(struct conf *conf, const char *text, size_t len, struct seen *s)
{
	const struct conf_diag diag = { note, s };
	FILE *in = fmemopen((void *)text, len, "r");
	int ret;

	memset(s, 0, sizeof(*s));
	assert_non_null(in);
	ret = conf_parse(conf, in, "x.conf", &diag);
	fclose(in);
	assert_int_equal(ret, s->n ? -EINVAL : 0);
	return ret;
}

static void parse_ok(struct conf *conf, const char *text)
{
	struct seen s;

	conf_init(conf);
	if (parse(conf, text, strlen(text), &s) < 0)
		fail_msg("%s: %u:%u %s", text, s.line[0], s.column[0], s.text[0]);
}

static void test_defaults(void **state)
{
	struct conf c;

	(void)state;
	parse_ok(&c, "\n");
	assert_int_equal(c.upstreams_len, 0);
	assert_string_equal(c.driftfile, "");
	assert_int_equal(c.makestep_threshold_ns, NS_PER_S);
	assert_int_equal(c.makestep_limit, 3);
	assert_int_equal(c.local_stratum, 0);
	assert_int_equal(c.holdover_ns, 86400 * NS_PER_S);
	assert_int_equal(c.maxserved_ns, NS_PER_S);
	assert_int_equal(c.maxdistance_ns, 3 * NS_PER_S);
	assert_int_equal(c.minsources, 1);
	assert_int_equal(c.port, 123);
	assert_true(c.kernel);
	assert_int_equal(c.never_synced, NTPK_POLICY_SILENT);
	assert_int_equal(c.expired, NTPK_POLICY_UNSYNC);
	conf_clean(&c);
}

static void test_everything(void **state)
{
	struct conf c;

	(void)state;
	parse_ok(&c, "# all of it\n%\n!\n;\n \t # more: \x01 \xc3\xa4\n"
		 "SERVER a.Example port 1123 minpoll -7 maxpoll 24 version 3 iburst prefer trust "
		 "require\n\tserver\t2001:db8::1   noselect\t\nserver fe80::1%eth0\n"
		 "pool p_1.example. MaxSources 16\ndriftfile /var/lib/ntpk/drift\n"
		 "makestep 0.128 -1\nlocal stratum 15\nholdover 30.5\nmaxserved .000001\n"
		 "maxdistance 16.\nminsources 64\nport 0\nkernel OFF\nneversynced Unsynchronised\n"
		 "expired silent");
	assert_int_equal(c.upstreams_len, 4);
	assert_string_equal(c.upstreams[0].name, "a.Example");
	assert_int_equal(c.upstreams[0].port, 1123);
	assert_int_equal(c.upstreams[0].minpoll_log2s, -7);
	assert_int_equal(c.upstreams[0].maxpoll_log2s, 24);
	assert_int_equal(c.upstreams[0].version, 3);
	assert_int_equal(c.upstreams[0].flags, SOURCE_F_IBURST | SOURCE_F_PREFER |
			 SOURCE_F_TRUST | SOURCE_F_REQUIRE);
	assert_int_equal(c.upstreams[0].line, 6);
	assert_int_equal(c.upstreams[1].flags, SOURCE_F_NOSELECT);
	assert_int_equal(c.upstreams[1].port, 123);
	assert_int_equal(c.upstreams[3].kind, CONF_POOL);
	assert_int_equal(c.upstreams[3].maxsources, 16);
	assert_string_equal(c.driftfile, "/var/lib/ntpk/drift");
	assert_int_equal(c.makestep_threshold_ns, 128000000);
	assert_int_equal(c.makestep_limit, -1);
	assert_int_equal(c.local_stratum, 15);
	assert_int_equal(c.holdover_ns, 30500000000LL);
	assert_int_equal(c.maxserved_ns, 1000);
	assert_int_equal(c.maxdistance_ns, 16 * NS_PER_S);
	assert_int_equal(c.minsources, 64);
	assert_int_equal(c.port, 0);
	assert_false(c.kernel);
	assert_int_equal(c.never_synced, NTPK_POLICY_UNSYNC);
	assert_int_equal(c.expired, NTPK_POLICY_SILENT);
	conf_clean(&c);
}

static void test_ratelimit(void **state)
{
	struct ntp_limit want = { .interval_log2s = 3, .burst = 16, .leak_log2 = 2, .nat = 1,
				  .prefix_v4 = 32, .prefix_v6 = 64 };
	struct conf c;

	(void)state;
	parse_ok(&c, "");
	assert_int_equal(c.limit.cost, 0);
	assert_int_equal(c.clientloglimit, 524288);
	assert_int_equal(c.maxanswers, 0);
	assert_false(c.noclientlog);
	conf_clean(&c);
	assert_true(ntp_limit_complete(&want));
	parse_ok(&c, "ratelimit\nclientloglimit 64\nnoclientlog\nmaxanswers 50000\n");
	assert_memory_equal(&c.limit, &want, offsetof(struct ntp_limit, prefix_v6) + 1);
	assert_int_equal(c.clientloglimit, 64);
	assert_int_equal(c.maxanswers, 50000);
	assert_true(c.noclientlog);
	conf_clean(&c);
	want = (struct ntp_limit){ .interval_log2s = -4, .burst = 255, .leak_log2 = 0,
				   .kod_log2 = 4, .nat = 30, .prefix_v4 = 24, .prefix_v6 = 48 };
	assert_true(ntp_limit_complete(&want));
	parse_ok(&c, "RateLimit prefix6 48 prefix4 24 nat 30 kod 4 leak 0 burst 255 interval -4\n"
		 "listen ::1 mode1 off ratelimit off\nlisten ::2 ratelimit\n"
		 "listen ::3 ratelimit kod 1\nlisten ::4\n");
	assert_memory_equal(&c.limit, &want, offsetof(struct ntp_limit, prefix_v6) + 1);
	assert_int_equal(c.listens[0].given, CONF_GIVEN_MODE1 | CONF_GIVEN_RATELIMIT);
	assert_int_equal(c.listens[0].limit.cost, 0);
	assert_int_equal(c.listens[1].limit.burst, 16);
	assert_int_equal(c.listens[2].limit.kod_log2, 1);
	assert_int_equal(c.listens[3].given, 0);
	conf_clean(&c);
	parse_ok(&c, "ratelimit off\n");
	assert_int_equal(c.limit.cost, 0);
	conf_clean(&c);
}

static void test_listen(void **state)
{
	struct conf_listen places[NTPK_LISTENERS_MAX];
	const struct conf_listen *l;
	struct conf c;

	(void)state;
	parse_ok(&c, "leapsectz right/UTC\nlisten 192.0.2.1 smear linear\n"
		 "listen ALL interface br-lan.7 port 1123 offset -3600.5 maxstratum 3 versions 1,3 "
		 "maxserved 0.05 neversynced unsynchronised expired silent mode1 off requirekey on "
		 "cryptonak on\nlisten :: smear quadratic\nbindaddress 2001:db8::1\n");
	assert_int_equal(c.listens_len, 3);
	l = &c.listens[0];
	assert_int_equal(l->addr_len, 4);
	assert_memory_equal(l->addr, "\xc0\x00\x02\x01\x00\x00", 6);
	assert_int_equal(l->smear, SMEAR_LINEAR);
	assert_int_equal(l->given, 0);
	l = &c.listens[1];
	assert_int_equal(l->addr_len, 0);
	assert_int_equal(l->port, 1123);
	assert_string_equal(l->interface, "br-lan.7");
	assert_int_equal(l->offset_ns, -3600500000000LL);
	assert_int_equal(l->max_stratum, 3);
	assert_int_equal(l->versions, 1 << 1 | 1 << 3);
	assert_int_equal(l->max_dist_ns, 50000000);
	assert_int_equal(l->given, CONF_GIVEN_NEVER_SYNCED | CONF_GIVEN_EXPIRED | CONF_GIVEN_MODE1 |
			 CONF_GIVEN_REQUIREKEY | CONF_GIVEN_CRYPTONAK);
	assert_int_equal(l->never_synced, NTPK_POLICY_UNSYNC);
	assert_int_equal(l->expired, NTPK_POLICY_SILENT);
	assert_true(!l->mode1 && l->requirekey && l->cryptonak);
	assert_int_equal(c.listens[2].smear, SMEAR_QUADRATIC);
	/* all of IPv4, and one address of IPv6; then the three */
	assert_int_equal(conf_listen_places(&c, places), 5);
	assert_int_equal(places[0].addr_len, 4);
	assert_int_equal(places[0].addr[0], 0);
	assert_int_equal(places[1].addr[15], 1);
	assert_int_equal(places[2].port, 123);
	conf_clean(&c);
}

static void test_one_poll_moves_the_other(void **state)
{
	struct conf c;

	(void)state;
	parse_ok(&c, "server a minpoll 12\nserver b maxpoll 4\nlocal\n");
	assert_int_equal(c.upstreams[0].minpoll_log2s, 12);
	assert_int_equal(c.upstreams[0].maxpoll_log2s, 12);
	assert_int_equal(c.upstreams[1].minpoll_log2s, 4);
	assert_int_equal(c.upstreams[1].maxpoll_log2s, 4);
	assert_int_equal(c.local_stratum, 10);
	conf_clean(&c);
}

static void refuse_row(const struct bad_line *row, char *said, size_t len)
{
	char text[1200];
	struct conf c;
	struct seen s;
	int n;

	n = snprintf(text, sizeof(text), "# one\n\n%s\n", row->text);
	conf_init(&c);
	parse(&c, text, (size_t)n, &s);
	conf_clean(&c);
	snprintf(said, len, "%s", s.text[0]);
	if (s.n != 1 || s.line[0] != 3 || s.column[0] != row->column ||
	    !strstr(s.text[0], row->says))
		fail_msg("'%s': %u errors, %u:%u %s (expected 3:%u %s)", row->text, s.n,
			 s.line[0], s.column[0], s.text[0], row->column, row->says);
}

static void test_bad_lines(void **state)
{
	static char said[LEN(bad_lines)][1024];
	size_t i, j, rows = 0;

	(void)state;
	for (i = 0; i < LEN(bad_lines); i++) {
		if (!bad_lines[i].says)
			continue;
		refuse_row(&bad_lines[i], said[i], sizeof(said[i]));
		rows++;
		for (j = 0; j < i; j++)
			if (strcmp(said[i], said[j]) == 0)
				fail_msg("'%s' and '%s' are told the same: %s",
					 bad_lines[i].text, bad_lines[j].text, said[i]);
	}
	assert_true(rows >= 120);
}

static void test_all_errors(void **state)
{
	static const char text[] = "sever a\nport 99999\nport 5\npool prefer a.example\n"
		"server x minpol 4\n\nkernel maybe\nserver b.example\nserver B.EXAMPLE.\n";
	static const unsigned int line[] = { 1, 2, 3, 4, 4, 5, 7, 9 };
	static const unsigned int column[] = { 1, 6, 1, 6, 13, 10, 8, 8 };
	struct conf c;
	struct seen s;
	size_t i;

	(void)state;
	conf_init(&c);
	parse(&c, text, strlen(text), &s);
	conf_clean(&c);
	assert_int_equal(s.n, LEN(line));
	for (i = 0; i < LEN(line); i++) {
		assert_int_equal(s.line[i], line[i]);
		assert_int_equal(s.column[i], column[i]);
	}
	assert_non_null(strstr(s.text[2], "port stands in line 2 already"));
}

static void refuse_second(const char *text, unsigned int column, const char *says)
{
	struct conf c;
	struct seen s;

	conf_init(&c);
	parse(&c, text, strlen(text), &s);
	conf_clean(&c);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.line[0], 3);
	assert_int_equal(s.column[0], column);
	if (!strstr(s.text[0], says))
		fail_msg("%s: %s", text, s.text[0]);
}

/* What only the end of the text can tell, with the line that it is of. */
static void test_listen_places(void **state)
{
	(void)state;
	refuse_second("port 0\n\nlisten all\n", 1, "needs one of its own");
	refuse_second("\n\nlisten ::1 smear linear\n", 1, "leapseclist");
	refuse_second("\n\nlisten fe80::1\n", 1, "interface NAME");
	refuse_second("\n\nlisten all\n", 1, "`port` and `bindaddress`");
	refuse_second("\n\nlisten all port 123\n", 1, "`port` and `bindaddress`");
	refuse_second("bindaddress 192.0.2.1\n\nlisten ::\n", 1, "`port` and `bindaddress`");
	refuse_second("allow 10\nallow 11 acl lab\nlisten ::1 acl cams\n", 1, "`allow PREFIX acl cams`");
	refuse_second("listen ::1 port 7\n\nlisten 0::1 port 7 offset 1\n", 1, "a line before");
}

static void test_duplicates(void **state)
{
	(void)state;
	refuse_second("port 1\n\nport 1\n", 1, "port stands in line 1 already");
	refuse_second("\nkernel on\nKernel off\n", 1, "kernel stands in line 2 already");
	refuse_second("driftfile /a\n\n driftfile /b", 2, "driftfile stands in line 1 already");
	refuse_second("server a.example\n\npool A.example.", 6, "an upstream already, line 1");
	refuse_second("server ::1\n\nserver 0:0::0:1", 8, "is an upstream already, line 1");
	refuse_second("server fe80::1%a\nserver fe80::1%b\nserver fe80:0::1%a", 8, "line 1");
	refuse_second("server 192.0.2.1\n\nserver 192.0.2.1 port 5", 8, "already, line 1");
}

/* A directive or an option without a good and a bad example fails here. */
static const struct example {
	const char *good;
	const char *bad;
} examples[] = {
	{ "server a.example iburst", "server a.example x" }, { "pool b.example", "pool" },
	{ "removed a.example", "removed" },
	{ "bindacqaddress 192.0.2.1", "bindacqaddress x" }, { "bindacqdevice eth0", "bindacqdevice /" },
	{ "acquisitionport 1123", "acquisitionport x" },
	{ "hwtimestamp * rxfilter all nocrossts", "hwtimestamp eth0 rxfilter" }, { "keyfile /etc/ntpk.keys", "keyfile x" },
	{ "maxdistance 1.5", "maxdistance 17" }, { "maxjitter 0.1", "maxjitter 0" },
	{ "minsources 2", "minsources 0" }, { "driftfile /a", "driftfile a" },
	{ "makestep 0.1 -1", "makestep 1" }, { "maxslewrate 100.5", "maxslewrate 501" },
	{ "maxchange 1000 1 2", "maxchange 1000 1" }, { "leapsectz right/UTC", "leapsectz /x" },
	{ "leapseclist /usr/share/zoneinfo/leap-seconds.list", "leapseclist" },
	{ "rtcsync", "rtcsync on" }, { "allow 10", "allow 10.x" }, { "deny all ::/0", "deny ::/x" },
	{ "local stratum 8 distance 0.5 orphan", "local stratum 16" }, { "port 0", "port 65536" },
	{ "bindaddress ::1", "bindaddress ::g" },
	{ "listen 192.0.2.1 interface eth0 offset 3600", "listen 192.0.2.1 smear" },
	{ "kernel off", "kernel 0" },
	{ "holdover 60", "holdover 0" }, { "maxserved 0.5", "maxserved 0" },
	{ "neversynced unsynchronised", "neversynced yes" }, { "expired silent", "expired yes" },
	{ "mode1 off", "mode1 yes" }, { "requirekey on", "requirekey" },
	{ "cryptonak on", "cryptonak 1" }, { "ratelimit interval 1", "ratelimit 1" },
	{ "clientloglimit 8", "clientloglimit x" }, { "noclientlog", "noclientlog yes" }, { "maxanswers 0", "maxanswers" },
	{ "log tracking statistics", "log all" }, { "logdir /var/log/x/", "logdir x" },
	{ "logbanner 0", "logbanner x" }, { "logchange 0.1", "logchange -1" },
	{ "metricsfile /run/x.prom", "metricsfile x" }, { "savedir /var/lib/x", "savedir ." },
	{ "user ntp", "user /" }, { "include /etc/x/*.conf", "include x" },
	{ "confdir /etc/x /etc/y", "confdir x" }, { "sourcedir /run/x", "sourcedir" },
};

static const struct example options[] = {
	{ "port 124", "port 0" }, { "minpoll 4", "minpoll 25" }, { "maxpoll 12", "maxpoll x" },
	{ "presend 9", "presend" }, { "version 3", "version 5" }, { "maxsources 2", "maxsources 0" },
	{ "key 7", "key 0" }, { "offset -0.0001", "offset x" }, { "maxdelay 0.3", "maxdelay 0" },
	{ "ipv4", "ipv4 ipv4" }, { "ipv6", "ipv6 ipv4" }, { "iburst", "iburst 1" },
	{ "burst", "burst burst" }, { "xleave", "xleave 1" }, { "prefer", "prefer noselect" },
	{ "noselect", "noselect noselect" }, { "trust", "trust 1" }, { "require", "require noselect" },
	{ "offline", "offline offline" },
};

static void try_line(const char *line, bool good)
{
	char text[256];
	struct conf c;
	struct seen s;

	snprintf(text, sizeof(text), "%s\n", line);
	conf_init(&c);
	parse(&c, text, strlen(text), &s);
	conf_clean(&c);
	if (good != !s.n)
		fail_msg("'%s' is %s: %s", line, good ? "refused" : "accepted", s.text[0]);
}

static bool starts_with(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 && (!line[n] || line[n] == ' ');
}

static void test_examples_of_directives(void **state)
{
	const struct conf_directive *d;
	size_t i;

	(void)state;
	for (i = 0; (d = conf_directive(i)); i++) {
		bool runtime = strcmp(d->name, "removed") == 0;

		if (i >= LEN(examples) || !starts_with(examples[i].good, d->name) ||
		    !starts_with(examples[i].bad, d->name))
			fail_msg("%s has no examples", d->name);
		assert_non_null(d->args);
		assert_true(strlen(d->help) > 10);
		try_line(examples[i].good, !runtime);
		try_line(examples[i].bad, false);
	}
	assert_int_equal(i, LEN(examples));
}

static void test_examples_of_options(void **state)
{
	const struct conf_option *o;
	char line[128];
	size_t i;

	(void)state;
	for (i = 0; (o = conf_option(i)); i++) {
		if (i >= LEN(options) || !starts_with(options[i].good, o->name) ||
		    !starts_with(options[i].bad, o->name))
			fail_msg("the option %s has no examples", o->name);
		assert_int_equal(!o->args[0], !strchr(options[i].good, ' '));
		assert_true(strlen(o->help) > 10);
		snprintf(line, sizeof(line), "pool a.example %s", options[i].good);
		try_line(line, true);
		snprintf(line, sizeof(line), "pool a.example %s", options[i].bad);
		try_line(line, false);
	}
	assert_int_equal(i, LEN(options));
}

static void test_every_directive_twice(void **state)
{
	/* these may; a name or an address of theirs may not */
	static const char *const many[] = { "server", "pool", "removed", "bindacqaddress", "allow",
		"deny", "bindaddress", "hwtimestamp", "listen", "include", "confdir", "sourcedir" };
	const struct conf_directive *d;
	size_t i, j;

	(void)state;
	for (i = 0; (d = conf_directive(i)); i++) {
		char text[256];

		for (j = 0; j < LEN(many) && strcmp(many[j], d->name) != 0; j++)
			;
		snprintf(text, sizeof(text), "%s\n\n%s\n", examples[i].good, examples[i].good);
		if (j == LEN(many))
			refuse_second(text, 1, "line 1 already");
	}
	try_line("allow 10\nallow 10\ndeny\ndeny", true);
}

/* Every word of chrony's that is refused is told its reason, never ignored. */
static void test_refused_words(void **state)
{
	const struct conf_refused *r;
	size_t len, i, j;
	char line[200];
	struct conf c;
	struct seen s;

	(void)state;
	r = conf_refused_words(&len);
	assert_true(len > 80);
	for (i = 0; i < len; i++) {
		for (j = 0; j < i; j++)
			assert_false(strcmp(r[i].name, r[j].name) == 0 && !r[i].of == !r[j].of &&
				     (!r[i].of || strcmp(r[i].of, r[j].of) == 0));
		snprintf(line, sizeof(line), "%s %s%s %s\n", r[i].of ? r[i].of : "",
			 r[i].of && strcmp(r[i].of, "server") == 0 ? "a.example " :
			 r[i].of && strcmp(r[i].of, "driftfile") == 0 ? "/a " :
			 r[i].of && strcmp(r[i].of, "hwtimestamp") == 0 ? "eth0 " : "", r[i].name,
			 r[i].values ? "1" : "");
		conf_init(&c);
		parse(&c, line, strlen(line), &s);
		conf_clean(&c);
		if (s.n != 1 || !starts_with(s.text[0], r[i].name) ||
		    !strstr(s.text[0], " is not accepted: ") || strlen(r[i].why) < 20)
			fail_msg("'%s' is told %u: %s", line, s.n, s.text[0]);
		assert_true(strlen(s.text[0]) < sizeof(s.text[0]) - 1);
	}
}

static void check_rule(const struct conf_acl_rule *r, int family, const char *addr,
		       unsigned int prefix, bool allow, bool all)
{
	uint8_t want[16] = { 0 };

	assert_int_equal(inet_pton(family, addr, want), 1);
	assert_memory_equal(r->addr, want, sizeof(want));
	assert_int_equal(r->family, family);
	assert_int_equal(r->prefix, prefix);
	assert_int_equal(r->allow, allow);
	assert_int_equal(r->all, all);
}

static void test_acl(void **state)
{
	struct conf c;

	(void)state;
	parse_ok(&c, "allow\ndeny all 192.168\nallow 10\nallow 192.0.2.77/24\ndeny 1.2.3.4\n"
		 "allow 2001:db8:ffff::/33\ndeny ::1\nallow all\nallow 192.0.3/22\nallow 0/0\n");
	assert_int_equal(c.acl_len, 12);
	check_rule(&c.acl[0], AF_INET, "0.0.0.0", 0, true, false);
	check_rule(&c.acl[1], AF_INET6, "::", 0, true, false);
	check_rule(&c.acl[2], AF_INET, "192.168.0.0", 16, false, true);
	check_rule(&c.acl[3], AF_INET, "10.0.0.0", 8, true, false);
	check_rule(&c.acl[4], AF_INET, "192.0.2.0", 24, true, false);
	check_rule(&c.acl[5], AF_INET, "1.2.3.4", 32, false, false);
	check_rule(&c.acl[6], AF_INET6, "2001:db8:8000::", 33, true, false);
	check_rule(&c.acl[7], AF_INET6, "::1", 128, false, false);
	check_rule(&c.acl[8], AF_INET, "0.0.0.0", 0, true, true);
	check_rule(&c.acl[9], AF_INET6, "::", 0, true, true);
	check_rule(&c.acl[10], AF_INET, "192.0.0.0", 22, true, false);
	check_rule(&c.acl[11], AF_INET, "0.0.0.0", 0, true, false);
	assert_int_equal(c.acl[2].line, 2);
	conf_clean(&c);
}

static void test_acl_names(void **state)
{
	struct conf_difference diff[CONF_DIFFERENCES_MAX];
	struct conf c, other;

	(void)state;
	parse_ok(&c, "listen ::1 acl cams\nallow 10 acl cams\ndeny all acl lab.2\nallow 11\n"
		 "deny all 10.1 ACL cams\n");
	assert_int_equal(c.acl_len, 5);
	assert_int_equal(c.acl_names_len, 2);
	assert_string_equal(c.listens[0].acl, "cams");
	check_rule(&c.acl[0], AF_INET, "10.0.0.0", 8, true, false);
	assert_string_equal(conf_acl_name(&c, &c.acl[0]), "cams");
	check_rule(&c.acl[2], AF_INET6, "::", 0, false, true);
	assert_string_equal(conf_acl_name(&c, &c.acl[2]), "lab.2");
	assert_string_equal(conf_acl_name(&c, &c.acl[3]), "");
	check_rule(&c.acl[4], AF_INET, "10.1.0.0", 16, false, true);
	assert_true(conf_acl_has(&c, "lab.2") && !conf_acl_has(&c, "lab") && !conf_acl_has(&c, ""));
	/* names count, not their numbers */
	parse_ok(&other, "deny all acl lab.2\nlisten ::1 acl cams\nallow 10 acl cams\nallow 11\n"
		 "deny all 10.1 acl cams\n");
	assert_int_equal(conf_diff(&c, &other, diff), 1);
	conf_clean(&other);
	parse_ok(&other, "listen ::1 acl cams\nallow 10 acl cams\ndeny all acl lab.3\nallow 11\n"
		 "deny all 10.1 acl cams\n");
	assert_int_equal(conf_diff(&c, &other, diff), 1);
	assert_string_equal(diff[0].name, "allow");
	memcpy(other.acl_names[1], "lab.2", 6);
	assert_int_equal(conf_diff(&c, &other, diff), 0);
	conf_clean(&other);
	conf_clean(&c);
}

static void test_acl_names_many(void **state)
{
	char text[2048] = "";
	struct conf c;
	struct seen s;

	(void)state;
	for (int i = 0; i <= CONF_ACL_NAMES_MAX; i++)
		sprintf(text + strlen(text), "allow acl n%d\nallow 10 acl n%d\n", i, i);
	conf_init(&c);
	parse(&c, text, strlen(text), &s);
	conf_clean(&c);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.line[0], 2 * CONF_ACL_NAMES_MAX + 1);
	assert_int_equal(s.column[0], 7);
	assert_non_null(strstr(s.text[0], "more than 14 names of acl"));
}

static void test_new_values(void **state)
{
	const struct conf_upstream *up;
	struct conf c;

	(void)state;
	parse_ok(&c, "server a.example key 4294967295 offset -0.00012 maxdelay 0.3 presend 9 burst "
		 "xleave offline ipv6\nmaxslewrate 100.5\nmaxchange 1000 1 -1\nmaxjitter 0.01\n"
		 "local stratum 8 distance 0.25 orphan\nlog tracking measurements\nlogdir /l//\n"
		 "logbanner 7\nlogchange 0.5\nmetricsfile /m\nsavedir /\nrtcsync\nuser ntp\n"
		 "leapsectz right/UTC\nleapseclist /leap\nbindaddress 192.0.2.1\nbindaddress ::\n"
		 "bindacqaddress fe80::1%eth0\nbindacqdevice vrf-red\nacquisitionport 123\n"
		 "keyfile /k\nsourcedir /s1 /s2\nsourcedir /s3\ninclude /nowhere\n");
	up = &c.upstreams[0];
	assert_int_equal(up->key_id, UINT32_MAX);
	assert_int_equal(up->offset_ns, -120000);
	assert_int_equal(up->max_delay_ns, 300000000);
	assert_int_equal(up->presend_log2s, 9);
	assert_int_equal(up->flags, SOURCE_F_BURST | SOURCE_F_XLEAVE | SOURCE_F_OFFLINE);
	assert_int_equal(up->family, AF_INET6);
	assert_string_equal(up->file, "x.conf");
	assert_true(c.max_slew_ppb > 100499.999 && c.max_slew_ppb < 100500.001);
	assert_int_equal(c.max_change_ns, 1000 * NS_PER_S);
	assert_int_equal(c.max_change_start, 1);
	assert_int_equal(c.max_change_ignore, -1);
	assert_int_equal(c.maxjitter_ns, 10000000);
	assert_int_equal(c.local_stratum, 8);
	assert_int_equal(c.local_distance_ns, 250000000);
	assert_true(c.local_orphan);
	assert_int_equal(c.log, CONF_LOG_TRACKING | CONF_LOG_MEASUREMENTS);
	assert_string_equal(c.logdir, "/l");
	assert_int_equal(c.logbanner, 7);
	assert_int_equal(c.logchange_ns, 500000000);
	assert_string_equal(c.metricsfile, "/m");
	assert_string_equal(c.savedir, "/");
	assert_true(c.rtcsync);
	assert_string_equal(c.user, "ntp");
	assert_string_equal(c.leapsectz, "right/UTC");
	assert_string_equal(c.leapseclist, "/leap");
	assert_string_equal(c.bindaddress[0], "192.0.2.1");
	assert_string_equal(c.bindaddress[1], "::");
	assert_string_equal(c.bindacqaddress[0], "");
	assert_string_equal(c.bindacqaddress[1], "fe80::1%eth0");
	assert_string_equal(c.bindacqdevice, "vrf-red");
	assert_int_equal(c.acquisitionport, 123);
	assert_string_equal(c.keyfile, "/k");
	assert_int_equal(c.sourcedirs_len, 3);
	assert_string_equal(c.sourcedirs[2], "/s3");
	conf_clean(&c);
}

static void test_hwtimestamp(void **state)
{
	char text[CONF_HWTS_MAX * 32 + 64];
	const struct conf_hwts *h;
	struct conf c;
	struct seen s;
	size_t n = 0;

	(void)state;
	parse_ok(&c, "hwtimestamp e* rxfilter all\nhwtimestamp eth1 nocrossts rxfilter NTP\n"
		 "hwtimestamp * rxfilter none\n");
	assert_int_equal(c.hwts_len, 3);
	h = conf_hwts_find(&c, "eth0");
	assert_int_equal(h->rxfilter, CONF_RXFILTER_ALL);
	assert_false(h->nocrossts);
	h = conf_hwts_find(&c, "eth1");
	assert_int_equal(h->rxfilter, CONF_RXFILTER_NTP);
	assert_true(h->nocrossts);
	assert_int_equal(conf_hwts_find(&c, "lan0")->rxfilter, CONF_RXFILTER_NONE);
	conf_clean(&c);
	parse_ok(&c, "hwtimestamp eth\nhwtimestamp wl*");
	assert_int_equal(conf_hwts_find(&c, "eth")->rxfilter, CONF_RXFILTER_BEST);
	assert_null(conf_hwts_find(&c, "eth0"));
	assert_null(conf_hwts_find(&c, "w"));
	assert_ptr_equal(conf_hwts_find(&c, "wl"), &c.hwts[1]);
	conf_clean(&c);
	refuse_second("hwtimestamp *\n\nhwtimestamp *", 13, "hwtimestamp: '*' is given twice");
	for (int i = 0; i <= CONF_HWTS_MAX; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "hwtimestamp e%d\n", i);
	conf_init(&c);
	parse(&c, text, n, &s);
	conf_clean(&c);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.line[0], CONF_HWTS_MAX + 1);
	assert_non_null(strstr(s.text[0], "more than 16 lines"));
}

static void test_limits_of_the_text(void **state)
{
	static char text[2 * CONF_LINE_MAX + 64], many[1025 * 24];
	struct conf c;
	struct seen s;
	size_t i, n;

	(void)state;
	/* the longest path that fits is fine */
	n = (size_t)snprintf(text, sizeof(text), "driftfile /");
	memset(text + n, 'a', CONF_LINE_MAX - n);
	conf_init(&c);
	assert_int_equal(parse(&c, text, CONF_LINE_MAX, &s), 0);
	assert_int_equal(strlen(c.driftfile), CONF_LINE_MAX - 10);
	conf_clean(&c);
	/* one byte more is not; the next line is read as such */
	memset(text + n, 'a', CONF_LINE_MAX + 1 - n);
	snprintf(text + CONF_LINE_MAX + 1, 64, "\nport x\n");
	conf_init(&c);
	parse(&c, text, CONF_LINE_MAX + 1 + 8, &s);
	conf_clean(&c);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.line[0], 1);
	assert_int_equal(s.column[0], CONF_LINE_MAX + 1);
	assert_string_equal(s.text[0], "line longer than 4096 bytes");
	assert_int_equal(s.line[1], 2);
	/* NUL, also within a comment */
	conf_init(&c);
	parse(&c, "port 1\n#a\0b\npo\0rt 2", 19, &s);
	conf_clean(&c);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.column[0], 3);
	assert_int_equal(s.column[1], 3);
	assert_non_null(strstr(s.text[0], "NUL byte"));
	/* as many upstreams as the engine holds, and no more */
	for (i = 0, n = 0; i < 1025; i++)
		n += (size_t)snprintf(many + n, sizeof(many) - n, "server h%zu.example\n", i);
	conf_init(&c);
	parse(&c, many, n, &s);
	assert_int_equal(c.upstreams_len, 1024);
	conf_clean(&c);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.line[0], 1025);
}

static void test_unreadable(void **state)
{
	const struct conf_diag diag = { note, &(struct seen){ 0 } };
	FILE *in = fopen("/", "r");
	struct conf c;

	(void)state;
	assert_non_null(in);
	conf_init(&c);
	assert_int_equal(conf_parse(&c, in, "x.conf", &diag), -EINVAL);
	assert_non_null(strstr(((struct seen *)diag.ctx)->text[0], "cannot be read"));
	conf_clean(&c);
	fclose(in);
}

static void refuse_upstream(const char *text, const char *says)
{
	struct seen s = { 0 };
	const struct conf_diag diag = { note, &s };
	struct conf_upstream up;

	assert_int_equal(conf_parse_upstream(&up, text, "x.conf", 1, &diag), -EINVAL);
	assert_int_equal(s.n, 1);
	if (!strstr(s.text[0], says))
		fail_msg("'%s': %s", text, s.text[0]);
}

static void test_upstream_line(void **state)
{
	(void)state;
	refuse_upstream("", "empty");
	refuse_upstream("  # server a", "empty: write 'server NAME'");
	refuse_upstream("port 5", "'port': an upstream starts with");
	refuse_upstream("server a\nserver b", "byte 0x0a");
	refuse_upstream("server a bogus", "unknown option 'bogus'");
}

static uint64_t seed = 0x9e3779b97f4a7c15ULL;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)((seed >> 32) % below);
}

static void random_upstream(struct conf_upstream *up)
{
	static const char *const names[] = { "a.example", "x-1._b.example.", "192.0.2.7",
					     "2001:db8::7", "fe80::2%eth0", "localhost" };

	memset(up, 0, sizeof(*up));
	up->kind = rnd(2) ? CONF_POOL : CONF_SERVER;
	snprintf(up->name, sizeof(up->name), "%s", names[rnd(LEN(names))]);
	up->key = conf_host_key(up->name);
	up->port = (uint16_t)(rnd(2) ? 123 : 1 + rnd(65535));
	up->minpoll_log2s = (int8_t)((int)rnd(32) - 7);
	up->maxpoll_log2s = (int8_t)(up->minpoll_log2s + (int)rnd(25 - (uint32_t)
				     (up->minpoll_log2s + 7) + 7));
	if (up->maxpoll_log2s > 24)
		up->maxpoll_log2s = 24;
	up->version = (uint8_t)(1 + rnd(4));
	up->maxsources = up->kind == CONF_POOL ? (uint8_t)(1 + rnd(16)) : 4;
	up->flags = rnd(256);
	up->key_id = rnd(2) ? rnd(UINT32_MAX) : 0;
	up->offset_ns = rnd(2) ? (int64_t)rnd(UINT32_MAX) - (1LL << 31) : 0;
	up->max_delay_ns = rnd(2) ? 1000 + (int64_t)rnd(UINT32_MAX) : 3 * NS_PER_S;
	up->presend_log2s = (int8_t)(rnd(2) ? (int)rnd(32) - 7 : CONF_PRESEND_NEVER);
	up->family = strpbrk(up->name, ":") ? AF_INET6 : !strncmp(up->name, "192", 3) ? AF_INET :
		     AF_UNSPEC;
	if (up->flags & SOURCE_F_NOSELECT)
		up->flags &= ~(uint32_t)(SOURCE_F_PREFER | SOURCE_F_REQUIRE);
}

static void test_round_trip(void **state)
{
	struct seen s = { 0 };
	const struct conf_diag diag = { note, &s };
	struct conf_upstream a, b;
	char text[512];
	int i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		random_upstream(&a);
		conf_format_upstream(&a, text, sizeof(text));
		if (conf_parse_upstream(&b, text, "x.conf", 0, &diag) < 0)
			fail_msg("'%s': %s", text, s.text[0]);
		b.line = 0;
		if (memcmp(&a, &b, sizeof(a)) != 0)
			fail_msg("'%s' is read as another upstream", text);
	}
	/* a buffer that is too short is cut, not overrun */
	for (i = 1; i < 40; i++) {
		conf_format_upstream(&a, text, (size_t)i);
		assert_true(strlen(text) < (size_t)i);
	}
}

/* Bytes of real configurations, shuffled: deeper than noise alone. */
static size_t random_text(char *buf, size_t size)
{
	static const char *const parts[] = { "server", "pool", " ", " ", "\n", "\n", "\t", "port",
		"minpoll", "-7", "24", "a.example", "::1", "%eth0", "local", "stratum", "makestep",
		"0.1", "-1", "driftfile", "/x", "kernel", "on", "#", "99999999999999999999", "." };
	size_t n = 0, len;
	uint32_t i;

	for (i = rnd(60); i; i--) {
		const char *p = parts[rnd(LEN(parts))];

		len = strlen(p);
		if (n + len >= size)
			break;
		memcpy(buf + n, p, len);
		n += len;
		if (!rnd(8))
			buf[n++] = (char)rnd(256);
	}
	return n;
}

static void quiet(void *ctx, const char *file, unsigned int line, unsigned int column,
		  const char *text)
{
	(void)file;
	(void)line;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			fail_msg("raw byte 0x%02x in a message", (unsigned char)*text);
	assert_true(column <= CONF_LINE_MAX + 1);
	++*(unsigned int *)ctx;
}

static void test_random_bytes(void **state)
{
	char buf[1024];
	int i;

	(void)state;
	for (i = 0; i < 60000; i++) {
		unsigned int errors = 0;
		const struct conf_diag diag = { quiet, &errors };
		struct conf c;
		size_t n, j;
		FILE *in;
		int ret;

		n = random_text(buf, sizeof(buf) - 1);
		if (i % 3 == 0)
			for (j = 0, n = rnd(200); j < n; j++)
				buf[j] = (char)rnd(256);
		if (!n)
			continue;
		in = fmemopen(buf, n, "r");
		conf_init(&c);
		ret = conf_parse(&c, in, "x", &diag);
		assert_int_equal(ret, errors ? -EINVAL : 0);
		conf_clean(&c);
		fclose(in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_ratelimit),
		cmocka_unit_test(test_one_poll_moves_the_other),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_all_errors),
		cmocka_unit_test(test_listen_places),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_every_directive_twice),
		cmocka_unit_test(test_examples_of_directives),
		cmocka_unit_test(test_examples_of_options),
		cmocka_unit_test(test_refused_words),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_acl_names),
		cmocka_unit_test(test_acl_names_many),
		cmocka_unit_test(test_new_values),
		cmocka_unit_test(test_hwtimestamp),
		cmocka_unit_test(test_limits_of_the_text),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_upstream_line),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_random_bytes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
