// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who a client is by its fingerprint, and why it asks fast.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "client_world.h"

/* Sixteen soon after valid answers are too many; a burst is not. */
static void test_fast(void **state)
{
	struct ntp_client_req q;
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 200; i++) {
		q = request(i / 8 * 64 + i % 8 * 2);
		feed(&r, &q);
		assert_false(ntp_client_is_fast(&r.client));
	}
	for (int i = 0; i < 40; i++) {
		q = request(2000 + i * 2);
		feed(&r, &q);
	}
	assert_true(ntp_client_is_fast(&r.client));
	for (int i = 0; i < 40; i++) {
		q = request(3000 + i * 64);
		feed(&r, &q);
	}
	assert_false(ntp_client_is_fast(&r.client));
	/* who is not answered has reason to ask again */
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 400; i++) {
		q = request(i * 0.5);
		q.verdict = i % 2 ? NTP_CLIENT_LIMITED : NTP_CLIENT_DENIED;
		feed(&r, &q);
	}
	assert_false(ntp_client_is_fast(&r.client));
}

static const char *reason_of(void (*change)(struct ntp_client_req *q, int i))
{
	static struct ntp_client_record r;

	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 60; i++) {
		struct ntp_client_req q = request(i * 2);

		change(&q, i);
		feed(&r, &q);
	}
	return view_at(&r, 120, NULL).reason;
}

static void is_right(struct ntp_client_req *q, int i)
{
	(void)q;
	(void)i;
}

static void was_far(struct ntp_client_req *q, int i)
{
	q->t1 += i ? 0 : 500ULL << 32;
}

static void stays_far(struct ntp_client_req *q, int i)
{
	(void)i;
	q->t1 += 500ULL << 32;
}

static void repeats(struct ntp_client_req *q, int i)
{
	q->t1 -= (uint64_t)(i % 8 * 2) << 32;
}

static void is_zero(struct ntp_client_req *q, int i)
{
	(void)i;
	q->t1 = 0;
}

static void are_two(struct ntp_client_req *q, int i)
{
	q->head = i % 2 ? 0x1b : 0x23;
}

static void was_replaced(struct ntp_client_req *q, int i)
{
	q->head = i < 30 ? 0x1b : 0x23;
}

static void are_two_clocks(struct ntp_client_req *q, int i)
{
	if (i % 2)
		q->t1 -= NTP_UNIX_EPOCH_S << 32;
}

static void some_hide(struct ntp_client_req *q, int i)
{
	__u64 noise = (uint64_t)i;

	if (i % 3)
		q->t1 = ntp_noise(&noise);
}

static void is_unsync(struct ntp_client_req *q, int i)
{
	(void)i;
	q->verdict = NTP_CLIENT_UNSYNC;
}

static void is_told(struct ntp_client_req *q, int i)
{
	q->verdict = i < 59 ? NTP_CLIENT_ANSWERED : NTP_CLIENT_TOLD;
}

static void was_told(struct ntp_client_req *q, int i)
{
	q->verdict = i != 30 ? NTP_CLIENT_ANSWERED : NTP_CLIENT_TOLD;
}

static void is_slow(struct ntp_client_req *q, int i)
{
	*q = request(i * 64);
}

static void test_reasons(void **state)
{
	static const struct {
		void	   (*change)(struct ntp_client_req *q, int i);
		const char *says;
	} rows[] = {
		{ is_right, "its interval" },
		{ was_far, "takes the answers" },
		{ stays_far, "ignores the answers" },
		{ repeats, "one request again" },
		{ is_zero, "T1 is zero" },
		{ are_two, "several hosts" },
		{ was_replaced, "its interval" },
		{ are_two_clocks, "several hosts" },
		{ some_hide, "several hosts" },
		{ is_unsync, "unsynchronised" },
		{ is_told, "told to ask less" },
		{ was_told, "its interval" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *reason = reason_of(rows[i].change);

		assert_non_null(reason);
		if (!strstr(reason, rows[i].says))
			print_message("row %zu says: %s\n", i, reason);
		assert_non_null(strstr(reason, rows[i].says));
	}
	assert_null(reason_of(is_slow));
}

/* What is on the wire: first byte, poll, precision, and four bytes of root and reference. */
static void test_quirks(void **state)
{
	static const struct {
		uint8_t	lvm;
		int8_t	poll, precision;
		uint8_t	stratum, delay, disp, refid, len;
		enum ntp_client_t1 t1;
		const char *name;
	} rows[] = {
		{ 0x08, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_NTP, "v1_mode0" },
		{ 0xdb, 17, -23, 0, 0, 1, 0, 48, NTP_CLIENT_T1_NTP, "windows" },
		{ 0xd9, 10, -23, 0, 0, 1, 0, 68, NTP_CLIENT_T1_NTP, "windows" },
		{ 0xe3, 6, -20, 0, 0, 0, 1, 48, NTP_CLIENT_T1_ZERO, "arduino" },
		{ 0x23, 6, -20, 0, 0, 0, 1, 48, NTP_CLIENT_T1_NTP, "none" },
		{ 0xe3, 4, -6, 0, 1, 1, 0, 48, NTP_CLIENT_T1_NTP, "ntpdate" },
		{ 0xe3, 4, -6, 3, 1, 1, 1, 48, NTP_CLIENT_T1_NTP, "server" },
		{ 0xe3, 4, -7, 0, 1, 1, 0, 48, NTP_CLIENT_T1_NTP, "none" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 48, NTP_CLIENT_T1_RANDOM, "minimal" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 68, NTP_CLIENT_T1_RANDOM, "keyed" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 228, NTP_CLIENT_T1_RANDOM, "extended" },
		{ 0x23, 6, -24, 2, 1, 1, 1, 48, NTP_CLIENT_T1_NTP, "server" },
		{ 0x21, 6, -24, 2, 1, 1, 1, 48, NTP_CLIENT_T1_NTP, "symmetric" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_UNIX, "unix_epoch" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_ZERO, "bare_zero" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_CONSTANT, "bare_constant" },
		{ 0x23, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_RANDOM, "bare_random" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_SHIFT, "bare_clock" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_UNKNOWN, "none" },
		{ 0x1b, 3, 0, 0, 1, 0, 0, 48, NTP_CLIENT_T1_NTP, "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ntp_header h = {
			.lvm = rows[i].lvm, .stratum = rows[i].stratum,
			.poll_log2s = rows[i].poll, .precision_log2s = rows[i].precision,
			.root_delay = ntp_htobe32(rows[i].delay),
			.root_disp = ntp_htobe32(rows[i].disp),
			.refid = ntp_htobe32(rows[i].refid),
			.xmt_ts = ntp_htobe64(77),
		};
		struct ntp_client_req q;

		ntp_client_req_header(&q, &h, rows[i].len);
		assert_int_equal(q.t1, 77);
		assert_string_equal(ntp_client_quirk_name(ntp_client_quirk_of(q.head, rows[i].t1)),
				    rows[i].name);
	}
}

/* Each class has a row of its own, with a name for statistics and a text. */
static void test_quirk_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < __NTP_CLIENT_QUIRK_MAX; i++) {
		const char *name = ntp_client_quirk_name(i);

		assert_true(name[0] && ntp_client_quirk_text(i)[0]);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(name));
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(name, ntp_client_quirk_name(j));
	}
	assert_string_equal(ntp_client_quirk_name(__NTP_CLIENT_QUIRK_MAX), "unknown");
	for (unsigned int i = 0; i < __NTP_CLIENT_T1_MAX; i++)
		assert_true(ntp_client_t1_name(i)[0]);
	assert_string_equal(ntp_client_t1_name(__NTP_CLIENT_T1_MAX), "unknown");
}

/* A fingerprint counts from the second request on, and changes with what it is made of. */
static void test_quirk_follows(void **state)
{
	struct ntp_client_req q = request(0);
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	q.head = 0x1b;
	feed(&r, &q);
	assert_int_equal(r.client.quirk, NTP_CLIENT_QUIRK_NONE);
	q = request(64);
	q.head = 0x1b;
	feed(&r, &q);
	assert_int_equal(r.client.quirk, NTP_CLIENT_QUIRK_BARE_CLOCK);
	for (int i = 2; i < 4; i++) {
		q = request(i * 64);
		q.head = 0x1b;
		q.t1 -= NTP_UNIX_EPOCH_S << 32;
		feed(&r, &q);
	}
	assert_int_equal(r.client.quirk, NTP_CLIENT_QUIRK_UNIX_EPOCH);
	assert_int_equal(ntp_client_version(&r.rest), 3);
	assert_int_equal(ntp_client_mode(&r.rest), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_quirk_names),
		cmocka_unit_test(test_quirk_follows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
