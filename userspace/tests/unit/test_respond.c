// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The own responder's decisions, without a socket; and the carrying over of
 * kernel stamps to the local timescale, which its T2 rests on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ntpk/ntp_reason.h>
#include "daemon/clocks.h"
#include "daemon/respond.h"
#include "daemon/respond_auth.h"
#include "daemon/upstream.h"
#include "nl/ntpk_nl.h"

#define LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define SERVED_UNIX_NS	2000000000000000000LL	/* in 2033: not the clock's time */
#define SEQ		7

static uint32_t clock_seq = SEQ;
static int64_t stepped_local_ns = INT64_MIN;

static const struct ntp_policy usual = {
	.never_synced = NTPK_POLICY_SILENT,
	.expired = NTPK_POLICY_UNSYNC,
};

static struct ntp_policy policy;	/* of the listener that packets are sent to */
static union sock_addr from;		/* the client of all packets */

static const struct respond_env env = {
	.clock_seq = &clock_seq,
	.stepped_local_ns = &stepped_local_ns,
};

static const struct ntp_header request = { .lvm = 0x23, .poll_log2s = 6, .xmt_ts = 0x1234 };

static struct ntp_serve truth(void)
{
	struct ntp_serve s = {
		.line = { .base_raw_ns = clocks_local_ns(), .base_unix_ns = SERVED_UNIX_NS },
		.root_disp_ns = 1000,
		.max_dist_ns = NTP_NS_PER_S,
		.push_interval_ns = 16 * NTP_NS_PER_S,
		.pushed_boot_ns = clocks_boot_ns(),
		.deadline_boot_ns = clocks_boot_ns() + 3600 * NTP_NS_PER_S,
		.ref_unix_ns = SERVED_UNIX_NS - NTP_NS_PER_S,
		.clock_seq = SEQ,
		.stratum = 2,
		.precision_log2s = -20,
		.ever_synced = true,
	};

	return s;
}

static int fresh(void **state)
{
	clock_seq = SEQ;
	stepped_local_ns = INT64_MIN;
	policy = usual;
	assert_true(sock_addr_parse(&from, "192.0.2.1", 40000));
	*state = respond_new(&env);
	return *state ? 0 : -1;
}

static int done(void **state)
{
	respond_close(*state);
	return 0;
}

static struct respond_packet packet_of(const struct ntp_header *h)
{
	struct respond_packet p = {
		.data = h, .len = sizeof(*h), .from = &from, .src_port = 40000, .unicast = true,
		.policy = &policy,
	};

	return p;
}

static enum ntpk_reason decide(struct respond *r, const struct respond_packet *p,
			       struct ntp_header *header)
{
	_Alignas(8) uint8_t reply[RESPOND_REPLY_MAX] = { 0 };
	struct respond_tail tail;
	enum ntpk_reason reason;
	size_t len = 0;

	reason = respond_decide(r, p, reply, &len, &tail);
	memcpy(header, reply, sizeof(*header));
	return reason;
}

static void test_refusals(void **state)
{
	struct ntp_serve serve = truth();
	struct ntp_header reply, h = request;
	struct respond_packet p = packet_of(&h);

	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_SILENT_UNSYNC);
	respond_publish(*state, &serve);
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_REPLIED);
	p.unicast = false;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_NOT_UNICAST);
	p = packet_of(&h);
	p.src_port = 0;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_BAD_SOURCE);
	p = packet_of(&h);
	p.len = 47;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_BAD_LENGTH);
	p = packet_of(&h);
	h.lvm = 0x24;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_MODE);
	h.lvm = 0x2b;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_VERSION);
}

/* After a step nothing is true until it is published under the new count. */
static void test_step_expires(void **state)
{
	struct respond_packet p = packet_of(&request);
	struct ntp_serve serve = truth();
	struct ntp_header reply;

	respond_publish(*state, &serve);
	clock_seq++;
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_REPLIED_UNSYNC);
	assert_int_equal(ntp_lvm_leap(reply.lvm), NTP_LEAP_UNSYNC);
	serve.clock_seq = clock_seq;
	respond_publish(*state, &serve);
	assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_REPLIED);
}

static int64_t t2_ns(const struct ntp_header *reply)
{
	return ntp64_to_unix_ns(ntp_be64toh(reply->rec_ts), SERVED_UNIX_NS);
}

/* T2 is the stamp's instant on the served line; a stamp that lies is not used. */
static void test_receive_stamp(void **state)
{
	static const struct {
		int64_t age_ns;
		bool used;
	} rows[] = {
		{ 0, true }, { 300000000, true }, { 999000000, true },
		{ 1100000000, false }, { -5000000, false }, { INT64_C(86400000000000), false },
	};
	struct ntp_serve serve = truth();
	struct ntp_header reply;
	struct clock_pair now;

	respond_publish(*state, &serve);
	for (size_t i = 0; i < LEN(rows); i++) {
		struct respond_packet p = packet_of(&request);
		int64_t expected, before_ns, off_ns;

		clocks_pair(&now);
		p.stamp_real_ns = now.real_ns - rows[i].age_ns;
		before_ns = now.local_ns;
		assert_int_equal(decide(*state, &p, &reply), NTPK_REASON_REPLIED);
		expected = ntp_line_at(&serve.line,
				       before_ns - (rows[i].used ? rows[i].age_ns : 0));
		off_ns = t2_ns(&reply) - expected;
		/* not before it; late by the time this took, if "now" was used */
		assert_true(off_ns > -2000000);
		assert_true(off_ns < (rows[i].used ? 2000000 : 1000000000));
	}
}

static void test_stamp_to_local(void **state)
{
	const struct clock_pair now = { .local_ns = 5000000000, .real_ns = 900000000000000000,
		.width_ns = 100 };
	int64_t local_ns = 0, err_ns = 0;

	(void)state;
	assert_true(clocks_stamp_to_local(&now, now.real_ns - 1000, INT64_MIN, &local_ns, &err_ns));
	assert_true(local_ns == now.local_ns - 1000);
	assert_true(err_ns >= 100 && err_ns < 10000);
	assert_false(clocks_stamp_to_local(&now, 0, INT64_MIN, &local_ns, &err_ns));
	assert_false(clocks_stamp_to_local(&now, now.real_ns + 1, INT64_MIN, &local_ns, &err_ns));
	assert_true(clocks_stamp_to_local(&now, now.real_ns - 999999999, INT64_MIN, &local_ns,
					  &err_ns));
	assert_false(clocks_stamp_to_local(&now, now.real_ns - 1000000000, INT64_MIN, &local_ns,
					   &err_ns));
	/* taken before the clock was stepped */
	assert_false(clocks_stamp_to_local(&now, now.real_ns - 1000, now.local_ns - 500, &local_ns,
					   &err_ns));
	assert_true(clocks_stamp_to_local(&now, now.real_ns - 1000, now.local_ns - 1500, &local_ns,
					  &err_ns));
}

static void test_precision(void **state)
{
	int8_t p = clocks_precision_log2s();

	(void)state;
	assert_in_range(p + 32, 0, 26);
}

/* RFC 1321 appendix A.5, as far as one block goes. */
static void test_addresses(void **state)
{
	static const char *const good[] = { "192.0.2.1", "2001:db8::1", "::", "fe80::1%lo" };
	static const char *const bad[] = { "", "192.0.2", "192.0.2.1 ", "host", "2001:db8::g",
		"fe80::1%no-such-if", "192.0.2.1%lo" };
	char text[SOCK_ADDR_TEXT_LEN];
	union sock_addr a, b;

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		assert_true(sock_addr_parse(&a, good[i], 123));
		assert_string_equal(sock_addr_text(&a, text), good[i]);
		assert_true(sock_addr_parse(&b, good[i], 124));
		assert_false(sock_addr_equal(&a, &b));
		assert_true(sock_addr_equal(&a, &a));
	}
	for (size_t i = 0; i < LEN(bad); i++)
		assert_false(sock_addr_parse(&a, bad[i], 123));
	assert_true(sock_addr_parse(&a, "192.0.2.1", 123));
	assert_int_equal(ntp_be32toh(upstream_refid(&a)), 0xc0000201);
	/* md5 of sixteen zero bytes begins 4ae71336 */
	assert_true(sock_addr_parse(&a, "::", 123));
	assert_int_equal(ntp_be32toh(upstream_refid(&a)), 0x4ae71336);
}

static void no_report(void *ctx, const char *file, unsigned int line, unsigned int column,
		      const char *text)
{
	(void)ctx;
	fail_msg("%s:%u:%u: %s", file, line, column, text);
}

static struct keys *some_keys(void)
{
	static char text[] = "1 MD5 abc\n2 SHA1 abc\n3 SHA256 abc\n4 SHA384 abc\n5 SHA512 abc\n"
			     "6 AES128 ASCII:0123456789abcdef\n"
			     "4294967295 AES256 0123456789abcdef0123456789abcdef\n";
	const struct conf_diag diag = { .report = no_report };
	FILE *in = fmemopen(text, strlen(text), "r");
	struct keys *keys = NULL;

	assert_int_equal(keys_parse(in, "keys", &diag, &keys), 0);
	fclose(in);
	return keys;
}

/* One request on its way: what became of it, and the reply with its MAC. */
struct signed_reply {
	enum ntpk_reason reason;
	struct respond_tail tail;
	_Alignas(8) uint8_t bytes[RESPOND_REPLY_MAX];
	size_t	 len;
};

static void ask(struct respond *r, const struct respond_auth *auth, const uint8_t *req, size_t len,
		struct signed_reply *out)
{
	struct respond_packet p = packet_of((const struct ntp_header *)req);

	p.len = len;
	memset(out, 0, sizeof(*out));
	out->reason = respond_decide(r, &p, out->bytes, &out->len, &out->tail);
	if (ntp_reason_class(out->reason) == NTPK_CLASS_ANSWER)
		out->len = respond_auth_sign(auth, &out->tail, out->bytes, out->len);
}

static void test_macs(void **state)
{
	static const uint32_t ids[] = { 1, 2, 3, 4, 5, 6, 4294967295u };
	struct respond_auth auth = { .keys = some_keys() };
	_Alignas(8) uint8_t req[KEYS_PACKET_MAX];
	struct ntp_serve serve = truth();
	struct signed_reply got;
	unsigned int version;
	size_t i;
	int len;

	respond_publish(*state, &serve);
	respond_set_keys(*state, auth.keys);
	for (i = 0; i < 2 * LEN(ids); i++) {
		version = i < LEN(ids) ? 4 : 3;
		memcpy(req, &request, sizeof(request));
		req[0] = (uint8_t)(version << 3 | 3);
		len = keys_sign(auth.keys, ids[i % LEN(ids)], req, sizeof(request));
		ask(*state, &auth, req, (size_t)len, &got);
		assert_int_equal(got.reason, NTPK_REASON_REPLIED);
		assert_int_equal(got.len, len);
		assert_true(keys_verify(auth.keys, ids[i % LEN(ids)], got.bytes, got.len));
		/* the code, and what it covers */
		req[len - 1] ^= 1;
		ask(*state, &auth, req, (size_t)len, &got);
		assert_int_equal(got.reason, NTPK_REASON_AUTH_FAILED);
		req[len - 1] ^= 1;
		req[8] ^= 1;
		ask(*state, &auth, req, (size_t)len, &got);
		assert_int_equal(got.reason, NTPK_REASON_AUTH_FAILED);
	}
	respond_set_keys(*state, NULL);
	keys_release((struct keys *)auth.keys);
}

static void test_auth_policy(void **state)
{
	struct respond_auth none = { .keys = NULL };
	_Alignas(8) uint8_t req[72] = { 0 };
	struct ntp_serve serve = truth();
	struct signed_reply got;
	unsigned int i, naks = 0;

	respond_publish(*state, &serve);
	memcpy(req, &request, sizeof(request));
	req[51] = 9;	/* a key that nobody has */
	ask(*state, &none, req, 68, &got);
	assert_int_equal(got.reason, NTPK_REASON_AUTH_FAILED);
	policy.flags = NTPK_LISTENER_F_REQUIRE_KEY | NTPK_LISTENER_F_CRYPTO_NAK;
	ask(*state, &none, req, 48, &got);
	assert_int_equal(got.reason, NTPK_REASON_AUTH_REQUIRED);
	ask(*state, &none, req, 56, &got);
	assert_int_equal(got.reason, NTPK_REASON_AUTH_REQUIRED);
	for (i = 0; i < 1000; i++) {
		ask(*state, &none, req, 68, &got);
		naks += got.reason == NTPK_REASON_REPLIED_NAK;
		if (got.reason == NTPK_REASON_REPLIED_NAK)
			assert_int_equal(got.len, 52);
	}
	/* a burst, and what this machine's slowness adds */
	assert_true(naks >= 10 && naks < 500);
	req[51] = 0;
	ask(*state, &none, req, 52, &got);
	assert_int_equal(got.reason, NTPK_REASON_AUTH_FAILED);
}

/* The field of the module's code, where it was asked for. */
static void test_mono_root(void **state)
{
	static const uint8_t head[] = { 0xf3, 0x23, 0, 28, 0xf5, 0xbe, 0xdd, 0x9a };
	struct respond_auth none = { .keys = NULL };
	_Alignas(8) uint8_t req[96] = { 0 };
	struct ntp_serve serve = truth();
	struct signed_reply got;

	respond_publish(*state, &serve);
	memcpy(req, &request, sizeof(request));
	memcpy(req + 48, head, sizeof(head));
	ask(*state, &none, req, 76, &got);
	assert_int_equal(got.reason, NTPK_REASON_REPLIED);
	assert_int_equal(got.len, 76);
	assert_memory_equal(got.bytes + 48, head, sizeof(head));
	/* to be told that the key is not known, too: not beside that */
	policy.flags = NTPK_LISTENER_F_CRYPTO_NAK;
	req[79] = 9;
	ask(*state, &none, req, sizeof(req), &got);
	assert_int_equal(got.reason, NTPK_REASON_REPLIED_NAK);
	assert_int_equal(got.len, 52);
	req[48] ^= 1;
	ask(*state, &none, req, 76, &got);
	assert_int_equal(got.len, 48);
}

/* Symmetric active is answered in mode 2, or not at all. */
static void test_mode_1(void **state)
{
	struct respond_auth none = { .keys = NULL };
	struct ntp_serve serve = truth();
	struct ntp_header h = request;
	struct signed_reply got;

	respond_publish(*state, &serve);
	h.lvm = 0xd9;
	ask(*state, &none, (const uint8_t *)&h, sizeof(h), &got);
	assert_int_equal(got.reason, NTPK_REASON_REPLIED);
	assert_int_equal(got.bytes[0] & 0x3f, 3 << 3 | 2);
	policy.flags = NTPK_LISTENER_F_NO_MODE1;
	ask(*state, &none, (const uint8_t *)&h, sizeof(h), &got);
	assert_int_equal(got.reason, NTPK_REASON_MODE);
}

/* One listener with this policy, which is what packets are sent to. */
static void limit_to(struct respond *r, unsigned int burst, unsigned int kod_log2, uint32_t budget)
{
	struct ntpk_nl_listeners listeners = { .len = 1, .budget_per_s = budget };
	struct ntp_limit l = { .interval_log2s = 12, .burst = burst, .nat = 1,
			       .kod_log2 = (__u8)kod_log2, .prefix_v4 = 32, .prefix_v6 = 64 };
	uint16_t port;

	if (burst)
		assert_true(ntp_limit_complete(&l));
	else
		memset(&l, 0, sizeof(l));
	policy.limit = l;
	listeners.of[0].policy = policy;
	assert_int_equal(respond_set_listeners(r, &listeners, &port), 0);
}

/* How often each reason is given of n requests of one client. */
static void ask_from(struct respond *r, const char *client, size_t len, unsigned int n,
		     unsigned int counts[NTPK_REASON_MAX + 1])
{
	struct respond_auth none = { .keys = NULL };
	_Alignas(8) uint8_t req[72] = { 0 };
	struct signed_reply got;

	assert_true(sock_addr_parse(&from, client, 40000));
	memcpy(req, &request, sizeof(request));
	req[51] = 9;	/* of what is behind the header: a MAC of a key that nobody has */
	memset(counts, 0, (NTPK_REASON_MAX + 1) * sizeof(*counts));
	while (n--) {
		ask(r, &none, req, len, &got);
		counts[got.reason]++;
		if (got.reason != NTPK_REASON_REPLIED_RATE)
			continue;
		assert_int_equal(got.len, NTP_HEADER_LEN);
		assert_int_equal(got.bytes[1], 0);
		assert_int_equal(got.bytes[2], 12);
		assert_memory_equal(got.bytes + 12, "RATE", 4);
	}
}

static void test_limits(void **state)
{
	unsigned int n[NTPK_REASON_MAX + 1];
	struct ntp_serve serve = truth();

	respond_publish(*state, &serve);
	limit_to(*state, 16, 0, 0);
	ask_from(*state, "192.0.2.1", 48, 40, n);
	assert_int_equal(n[NTPK_REASON_REPLIED], 16);
	assert_int_equal(n[NTPK_REASON_LIMITED], 24);
	ask_from(*state, "192.0.2.2", 48, 40, n);
	assert_int_equal(n[NTPK_REASON_REPLIED], 16);
	ask_from(*state, "2001:db8::1", 48, 40, n);
	assert_int_equal(n[NTPK_REASON_REPLIED], 16);
	ask_from(*state, "2001:db8::2", 48, 40, n);
	assert_int_equal(n[NTPK_REASON_LIMITED], 40);
	/* set again it keeps what it knows */
	limit_to(*state, 16, 1, 0);
	ask_from(*state, "192.0.2.1", 48, 64, n);
	assert_in_range(n[NTPK_REASON_REPLIED_RATE], 8, 56);
	assert_int_equal(n[NTPK_REASON_LIMITED] + n[NTPK_REASON_REPLIED_RATE], 64);
	/* nobody is told so behind whose header there is more, nor where keys are required */
	ask_from(*state, "192.0.2.1", 68, 64, n);
	assert_int_equal(n[NTPK_REASON_LIMITED], 64);
	policy.flags = NTPK_LISTENER_F_REQUIRE_KEY;
	limit_to(*state, 16, 1, 0);
	/* nor does it cost a share to ask without one */
	ask_from(*state, "192.0.2.4", 48, 64, n);
	assert_int_equal(n[NTPK_REASON_AUTH_REQUIRED], 64);
	ask_from(*state, "192.0.2.4", 68, 64, n);
	assert_int_equal(n[NTPK_REASON_AUTH_FAILED], 16);
	assert_int_equal(n[NTPK_REASON_LIMITED], 48);
	/* a MAC is looked at within the limit only */
	policy.flags = 0;
	limit_to(*state, 16, 0, 0);
	ask_from(*state, "192.0.2.3", 68, 64, n);
	assert_int_equal(n[NTPK_REASON_AUTH_FAILED], 16);
	assert_int_equal(n[NTPK_REASON_LIMITED], 48);
	limit_to(*state, 0, 0, 0);
	ask_from(*state, "192.0.2.1", 48, 64, n);
	assert_int_equal(n[NTPK_REASON_REPLIED], 64);
}

static void test_budget(void **state)
{
	unsigned int n[NTPK_REASON_MAX + 1];
	struct ntp_serve serve = truth();

	respond_publish(*state, &serve);
	limit_to(*state, 0, 0, 1);
	ask_from(*state, "192.0.2.1", 48, 200, n);
	/* and one for each second that this takes */
	assert_in_range(n[NTPK_REASON_REPLIED], 64, 80);
	assert_int_equal(n[NTPK_REASON_OVER_BUDGET], 200 - n[NTPK_REASON_REPLIED]);
	limit_to(*state, 0, 0, 0);
	ask_from(*state, "192.0.2.1", 48, 200, n);
	assert_int_equal(n[NTPK_REASON_REPLIED], 200);
}

/* T2 and T3 of 2036-02-07 06:28:16, a second before it, on it and after it. */
static void test_era(void **state)
{
	const int64_t rollover_ns = 2085978496LL * NTP_NS_PER_S;
	struct respond_auth none = { .keys = NULL };
	struct ntp_serve serve;
	struct signed_reply got;
	int i;

	for (i = -1; i <= 1; i++) {
		struct ntp_header reply;
		int64_t t2, t3;

		serve = truth();
		serve.line.base_unix_ns = rollover_ns + i * NTP_NS_PER_S;
		respond_publish(*state, &serve);
		ask(*state, &none, (const uint8_t *)&request, sizeof(request), &got);
		assert_int_equal(got.reason, NTPK_REASON_REPLIED);
		memcpy(&reply, got.bytes, sizeof(reply));
		assert_int_equal(ntp_reply_stamp(&reply, &serve, clocks_local_ns(), 0, 0),
				 NTPK_REASON_NONE);
		t2 = ntp64_to_unix_ns(ntp_be64toh(reply.rec_ts), rollover_ns);
		t3 = ntp64_to_unix_ns(ntp_be64toh(reply.xmt_ts), rollover_ns);
		assert_true(t2 - serve.line.base_unix_ns > -2000 &&
			    t2 - serve.line.base_unix_ns < NTP_NS_PER_S);
		assert_true(t3 >= t2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refusals, fresh, done),
		cmocka_unit_test_setup_teardown(test_macs, fresh, done),
		cmocka_unit_test_setup_teardown(test_auth_policy, fresh, done),
		cmocka_unit_test_setup_teardown(test_mono_root, fresh, done),
		cmocka_unit_test_setup_teardown(test_mode_1, fresh, done),
		cmocka_unit_test_setup_teardown(test_limits, fresh, done),
		cmocka_unit_test_setup_teardown(test_budget, fresh, done),
		cmocka_unit_test_setup_teardown(test_era, fresh, done),
		cmocka_unit_test_setup_teardown(test_step_expires, fresh, done),
		cmocka_unit_test_setup_teardown(test_receive_stamp, fresh, done),
		cmocka_unit_test(test_stamp_to_local),
		cmocka_unit_test(test_precision),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
