// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The access list: chrony's semantics by a table and against a list that is
 * walked rule by rule, and its cost with 100,000 rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "daemon/acl.h"
#include "daemon/clocks.h"

#define LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define MANY		100000
#define MS		1000000LL

/* "allow all 10.0.0.0/8": the parser's work, for addresses that are right */
static struct conf_acl_rule rule(const char *text)
{
	struct conf_acl_rule r = { .allow = text[0] == 'a' };
	char net[INET6_ADDRSTRLEN] = "";
	unsigned int prefix;

	r.all = strstr(text, " all ") != NULL;
	assert_int_equal(sscanf(strrchr(text, ' ') + 1, "%45[^/]/%u", net, &prefix), 2);
	r.family = strchr(net, ':') ? AF_INET6 : AF_INET;
	r.prefix = (uint8_t)prefix;
	assert_int_equal(inet_pton(r.family, net, r.addr), 1);
	return r;
}

static union sock_addr addr(const char *text)
{
	union sock_addr a;

	assert_true(sock_addr_parse(&a, text, 123));
	return a;
}

struct row {
	const char *rules[6];
	const char *asked;
	bool	 allow;
	int	 decided_by;	/* -1 = the default */
};

static const struct row rows[] = {
	{ { NULL }, "192.0.2.1", true, -1 },
	{ { NULL }, "2001:db8::1", true, -1 },
	/* an allow anywhere: nobody else; only denies: everybody else */
	{ { "allow 192.0.2.0/24" }, "192.0.2.255", true, 0 },
	{ { "allow 192.0.2.0/24" }, "192.0.3.0", false, -1 },
	{ { "allow 192.0.2.0/24" }, "192.0.1.255", false, -1 },
	{ { "allow 192.0.2.0/24" }, "2001:db8::1", false, -1 },
	{ { "deny 192.0.2.0/24" }, "192.0.2.7", false, 0 },
	{ { "deny 192.0.2.0/24" }, "192.0.3.7", true, -1 },
	{ { "deny 192.0.2.0/24" }, "2001:db8::1", true, -1 },
	/* the longest prefix, in any order */
	{ { "deny 10.0.0.0/8", "allow 10.1.0.0/16", "deny 10.1.2.0/24" }, "10.1.2.3", false, 2 },
	{ { "deny 10.0.0.0/8", "allow 10.1.0.0/16", "deny 10.1.2.0/24" }, "10.1.3.3", true, 1 },
	{ { "deny 10.1.2.0/24", "allow 10.1.0.0/16", "deny 10.0.0.0/8" }, "10.1.2.3", false, 0 },
	{ { "deny 10.1.2.0/24", "allow 10.1.0.0/16", "deny 10.0.0.0/8" }, "10.2.0.1", false, 2 },
	{ { "allow 0.0.0.0/0", "deny 10.1.2.3/32" }, "10.1.2.3", false, 1 },
	{ { "allow 0.0.0.0/0", "deny 10.1.2.3/32" }, "10.1.2.4", true, 0 },
	{ { "allow 255.255.255.0/24", "deny 255.255.255.255/32" }, "255.255.255.255", false, 1 },
	/* the same prefix again: the later */
	{ { "allow 10.0.0.0/8", "deny 10.0.0.0/8" }, "10.0.0.1", false, 1 },
	{ { "deny 10.0.0.0/8", "allow 10.0.0.0/8" }, "10.0.0.1", true, 1 },
	/* host bits mean nothing */
	{ { "allow 10.9.9.9/8" }, "10.0.0.1", true, 0 },
	/* all: what came before and lies inside is void, what comes later is not */
	{ { "deny 10.1.0.0/16", "allow all 10.0.0.0/8" }, "10.1.0.1", true, 1 },
	{ { "allow all 10.0.0.0/8", "deny 10.1.0.0/16" }, "10.1.0.1", false, 1 },
	{ { "deny 10.1.0.0/16", "allow 10.0.0.0/8" }, "10.1.0.1", false, 0 },
	{ { "deny 10.1.0.0/16", "allow all 10.0.0.0/8", "deny 10.0.0.0/8" }, "10.1.0.1",
	  false, 2 },
	{ { "deny 9.0.0.0/8", "allow all 10.0.0.0/8" }, "9.0.0.1", false, 0 },
	{ { "deny 10.1.0.0/16", "deny 10.1.2.0/24", "allow all 0.0.0.0/0" }, "10.1.2.3", true, 2 },
	{ { "deny 2001:db8::/32", "allow all 0.0.0.0/0" }, "2001:db8::1", false, 0 },
	/* v6, over the 64 bits' edge, and v4 in v6's clothes */
	{ { "allow 2001:db8::/33" }, "2001:db8:7fff::1", true, 0 },
	{ { "allow 2001:db8::/33" }, "2001:db8:8000::1", false, -1 },
	{ { "allow 2001:db8::/64", "deny 2001:db8::8000:0:0:0/65" }, "2001:db8::8000:0:0:1",
	  false, 1 },
	{ { "allow 2001:db8::/64", "deny 2001:db8::8000:0:0:0/65" }, "2001:db8::7fff:0:0:1",
	  true, 0 },
	{ { "allow ::/0", "deny ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128" },
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, 1 },
	{ { "allow ::/0", "deny 192.0.2.0/24" }, "::ffff:192.0.2.1", false, 1 },
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct conf_acl_rule rules[6];
		union sock_addr a = addr(rows[i].asked);
		struct acl_verdict v;
		struct acl *acl;
		size_t n = 0;
		int by;

		for (; n < LEN(rules) && rows[i].rules[n]; n++) {
			rules[n] = rule(rows[i].rules[n]);
			rules[n].line = (unsigned int)n + 1;
		}
		acl = acl_alloc(rules, n);
		assert_non_null(acl);
		v = acl_check(acl, &a);
		by = v.rule ? (int)v.rule->line - 1 : -1;
		if (v.allow != rows[i].allow || by != rows[i].decided_by)
			fail_msg("row %zu, %s: %s by %d, not %s by %d", i, rows[i].asked,
				 v.allow ? "allow" : "deny", by, rows[i].allow ? "allow" : "deny",
				 rows[i].decided_by);
		acl_release(acl);
	}
}

static bool inside(const uint8_t *a, const struct conf_acl_rule *r, unsigned int prefix)
{
	for (unsigned int bit = 0; bit < prefix; bit++)
		if ((a[bit / 8] ^ r->addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

/* What the words say, rule by rule. */
static int by_hand(const struct conf_acl_rule *rules, size_t n, const uint8_t *a)
{
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		bool is_void = false;

		if (!inside(a, &rules[i], rules[i].prefix))
			continue;
		for (size_t j = i + 1; j < n; j++)
			is_void |= rules[j].all && rules[j].prefix <= rules[i].prefix &&
				   inside(rules[i].addr, &rules[j], rules[j].prefix);
		if (!is_void && (best < 0 || rules[i].prefix >= rules[best].prefix))
			best = (int)i;
	}
	return best;
}

static void test_random(void **state)
{
	struct conf_acl_rule rules[40];
	union sock_addr a = addr("0.0.0.0");

	(void)state;
	srand(20);
	for (int round = 0; round < 500; round++) {
		size_t n = (size_t)rand() % LEN(rules);
		struct acl *acl;

		/* few distinct bits, so that rules nest and meet */
		for (size_t i = 0; i < n; i++) {
			rules[i] = (struct conf_acl_rule){ .family = AF_INET, .line = i,
				.prefix = (uint8_t)(rand() % 10), .allow = rand() % 2,
				.all = rand() % 6 == 0 };
			rules[i].addr[0] = (uint8_t)(rand() % 8 << 5 | rand() % 2);
			rules[i].addr[1] = (uint8_t)(rand() % 2 << 7);
		}
		acl = acl_alloc(rules, n);
		for (int v = 0; v < 1024; v++) {
			uint8_t bytes[4] = { (uint8_t)(v >> 2), (uint8_t)(v << 6), 1, 2 };
			const struct conf_acl_rule *got;
			int want = by_hand(rules, n, bytes);

			memcpy(&a.in.sin_addr, bytes, 4);
			got = acl_check(acl, &a).rule;
			assert_int_equal(got ? (int)got->line : -1, want);
		}
		acl_release(acl);
	}
}

static void test_many(void **state)
{
	struct conf_acl_rule *rules = calloc(MANY, sizeof(*rules));
	union sock_addr a = addr("0.0.0.0");
	int64_t start_ns, load_ns, ask_ns;
	unsigned int allowed = 0;
	struct acl *acl;

	(void)state;
	srand(21);
	for (size_t i = 0; i < MANY; i++) {
		rules[i].family = i % 3 ? AF_INET : AF_INET6;
		rules[i].prefix = (uint8_t)(8 + rand() % 25);
		rules[i].allow = i % 2;
		for (int b = 0; b < 4; b++)
			rules[i].addr[b] = (uint8_t)rand();
	}
	start_ns = clocks_local_ns();
	acl = acl_alloc(rules, MANY);
	load_ns = clocks_local_ns() - start_ns;
	start_ns = clocks_local_ns();
	for (uint32_t i = 0; i < MANY; i++) {
		a.in.sin_addr.s_addr = i * 2654435761u;
		allowed += acl_check(acl, &a).allow;
	}
	ask_ns = clocks_local_ns() - start_ns;
	print_message("# %d rules: compiled in %lld ms, %lld ns each look-up, %u allowed\n", MANY,
		      (long long)load_ns / MS, (long long)ask_ns / MANY, allowed);
	/* tens of milliseconds without the sanitizers and other tests beside it */
	assert_true(load_ns < 1500 * MS);
	assert_true(ask_ns / MANY < 20000);
	assert_true(allowed > 0 && allowed < MANY);
	acl_release(acl);
	free(rules);
}

static void test_text(void **state)
{
	static const char *const texts[] = {
		"allow 192.0.2.0/24", "deny 2001:db8::/32", "allow all 0.0.0.0/0",
	};
	char buf[ACL_RULE_TEXT_LEN];

	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		struct conf_acl_rule r = rule(texts[i]);

		assert_string_equal(acl_rule_text(&r, buf), texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_text),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
