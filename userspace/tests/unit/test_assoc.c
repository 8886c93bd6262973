// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Associations: what is sent and when, which replies are refused and why,
 * kiss codes, silence.
 */
#include <core/assoc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define MS	1000000LL
#define UTC0	(1800000000LL * S)
#define LOGS	64

struct rig {
	struct estimate line;
	struct rng rng;
	struct actions out;
	struct action room[ENGINE_MAX_ACTIONS(LOGS)];
	struct assoc a;
	struct assoc_env env;
};

static void setup(struct rig *g, uint32_t flags)
{
	const struct source_config conf = { .minpoll_log2s = 4, .maxpoll_log2s = 8, .version = 4,
					    .flags = flags };

	memset(g, 0, sizeof(*g));
	est_init(&g->line, 0, 100000);
	est_start(&g->line, 0, UTC0);
	rng_init(&g->rng, 5);
	g->out = out_to(g->room, LOGS);
	g->env = (struct assoc_env){ .line = &g->line, .rng = &g->rng, .out = &g->out,
				     .floor_unix_ns = UTC0 - 1000 * S, .precision_ns = 100 };
	assoc_init(&g->a, 3, &conf, &g->env);
}

/* Lets time pass until the source does something. */
static void next(struct rig *g)
{
	g->out.len = 0;
	g->env.now_local_ns = assoc_next_ns(&g->a);
	assoc_timer(&g->a, &g->env);
}

static const struct action *sent(const struct rig *g)
{
	size_t i;

	for (i = 0; i < g->out.len; i++)
		if (g->room[i].type == ACT_SEND)
			return &g->room[i];
	return NULL;
}

static bool did(const struct rig *g, enum action_type type)
{
	size_t i;

	for (i = 0; i < g->out.len; i++)
		if (g->room[i].type == type)
			return true;
	return false;
}

static const struct action *ask(struct rig *g)
{
	do
		next(g);
	while (!sent(g));
	assoc_sent(&g->a, sent(g)->send.cookie, g->env.now_local_ns, 0);
	return sent(g);
}

static struct ntp_header good_reply(const struct rig *g, const struct action *req)
{
	int64_t t2 = est_at(&g->line, g->env.now_local_ns) + MS;
	struct ntp_header h = {
		.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_SERVER),
		.stratum = 2,
		.refid = ntp_htobe32(0x0a000001),
		.root_disp = ntp_htobe32(ntp32_from_ns(MS)),
		.ref_ts = ntp_htobe64(ntp64_from_unix_ns(t2 - S)),
		.org_ts = req->send.packet.xmt_ts,
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(t2)),
		.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(t2 + 1000)),
	};

	return h;
}

static enum assoc_verdict receive(struct rig *g, const struct ntp_header *h, size_t len)
{
	g->env.now_local_ns += 2 * MS;
	return assoc_reply(&g->a, h, len, g->env.now_local_ns, 0, &g->env);
}

/* Of each byte, which of 64 kinds it has been. */
static void note_bytes(uint64_t value, uint64_t seen[8])
{
	for (int i = 0; i < 8; i++)
		seen[i] |= 1ull << (value >> (8 * i) & 63);
}

static int popcount(uint64_t bits)
{
	int n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static void test_request_tells_nothing(void **state)
{
	struct ntp_header expect = { .lvm = ntp_lvm(0, 4, NTP_MODE_CLIENT) };
	const struct action *req;
	uint64_t seen[8] = { 0 };
	__be64 last = 0;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	for (i = 0; i < 20; i++) {
		req = ask(&g);
		assert_true(req->send.packet.xmt_ts != 0 && req->send.packet.xmt_ts != last);
		last = req->send.packet.xmt_ts;
		expect.xmt_ts = last;
		assert_memory_equal(&req->send.packet, &expect, sizeof(expect));
		note_bytes(ntp_be64toh(last), seen);
	}
	/* neither a clock nor a counter has so many values in each of its bytes */
	for (i = 0; i < 8; i++)
		assert_true(popcount(seen[i]) > 10);
}

static void test_good_reply(void **state)
{
	struct ntp_header h;
	struct rig g;

	(void)state;
	setup(&g, 0);
	h = good_reply(&g, ask(&g));
	g.out.len = 0;
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
	assert_true(did(&g, ACT_CLOSE));
	assert_int_equal(g.a.reach, 1);
	assert_int_equal(g.a.filter.len, 1);
	assert_in_range(g.a.last.delay_ns, 2 * MS - 1002, 2 * MS - 998);
	assert_in_range(filter_offset_ns(&g.a.last, &g.line), 498, 502);
	/* once */
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_DUPLICATE);
	h.xmt_ts = ntp_htobe64(ntp_be64toh(h.xmt_ts) + 1000);
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_UNEXPECTED);
	assert_int_equal(g.a.filter.len, 1);
	assert_int_equal(g.a.bad_pkts, 2);
}

#define EDIT(name, body) \
	static void name(struct ntp_header *h) { body; }
EDIT(edit_mode, h->lvm = ntp_lvm(0, 4, NTP_MODE_BROADCAST))
EDIT(edit_version0, h->lvm = ntp_lvm(0, 0, NTP_MODE_SERVER))
EDIT(edit_version5, h->lvm = ntp_lvm(0, 5, NTP_MODE_SERVER))
EDIT(edit_origin, h->org_ts ^= 1)
EDIT(edit_origin0, h->org_ts = 0)
EDIT(edit_no_rec, h->rec_ts = 0)
EDIT(edit_no_xmt, h->xmt_ts = 0)
EDIT(edit_backwards, h->xmt_ts = ntp_htobe64(ntp_be64toh(h->rec_ts) - 1000000))
EDIT(edit_too_long, h->xmt_ts = ntp_htobe64(ntp_be64toh(h->rec_ts) + (1ULL << 32)))
EDIT(edit_before_floor, h->rec_ts = h->xmt_ts = ntp_htobe64(ntp64_from_unix_ns(UTC0 - 2000 * S)))
EDIT(edit_leap3, h->lvm = ntp_lvm(NTP_LEAP_UNSYNC, 4, NTP_MODE_SERVER))
EDIT(edit_stratum16, h->stratum = 16)
EDIT(edit_distance, h->root_disp = ntp_htobe32(16 << 16))
EDIT(edit_delay, h->root_delay = ntp_htobe32(32 << 16))
EDIT(edit_ref_later, h->ref_ts = ntp_htobe64(ntp_be64toh(h->xmt_ts) + (1ULL << 32)))

/* Refused without the wait being over: the true reply still counts. */
static void test_forgeries(void **state)
{
	static const struct {
		void (*edit)(struct ntp_header *h);
		size_t len;
		enum assoc_verdict verdict;
	} t[] = {
		{ NULL, 0, ASSOC_SHORT },
		{ NULL, 47, ASSOC_SHORT },
		{ edit_mode, 48, ASSOC_MODE },
		{ edit_version0, 48, ASSOC_VERSION },
		{ edit_version5, 48, ASSOC_VERSION },
		{ edit_origin, 48, ASSOC_BOGUS },
		{ edit_origin0, 48, ASSOC_BOGUS },
		{ edit_no_rec, 48, ASSOC_INVALID },
		{ edit_no_xmt, 48, ASSOC_INVALID },
		{ edit_backwards, 48, ASSOC_BAD_TIMES },
		{ edit_too_long, 48, ASSOC_BAD_TIMES },
		{ edit_before_floor, 48, ASSOC_BAD_TIMES },
	};
	struct ntp_header h, bad;
	struct rig g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		setup(&g, 0);
		h = bad = good_reply(&g, ask(&g));
		if (t[i].edit)
			t[i].edit(&bad);
		g.out.len = 0;
		assert_int_equal(receive(&g, &bad, t[i].len), t[i].verdict);
		/* it knew our stamp: that is said */
		assert_int_equal(g.out.len, t[i].edit == edit_before_floor);
		assert_int_equal(g.a.bad_pkts, 1);
		assert_int_equal(g.a.reach, 0);
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
	}
}

/* True replies of a server that has not the time. */
static void test_unusable(void **state)
{
	static void (*const edits[])(struct ntp_header *h) = {
		edit_leap3, edit_stratum16, edit_distance, edit_delay, edit_ref_later,
	};
	struct ntp_header h;
	struct rig g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		setup(&g, 0);
		h = good_reply(&g, ask(&g));
		edits[i](&h);
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_UNUSABLE);
		assert_false(g.a.usable);
		assert_false(g.a.pending);
		assert_int_equal(g.a.filter.len, 0);
		assert_int_equal(g.a.reach, 1);
	}
}

static struct ntp_header kiss(const struct rig *g, const struct action *req, const char *code)
{
	struct ntp_header h = good_reply(g, req);

	h.lvm = ntp_lvm(NTP_LEAP_UNSYNC, 4, NTP_MODE_SERVER);
	h.stratum = 0;
	memcpy(&h.refid, code, 4);
	return h;
}

static void test_deny_ends_it(void **state)
{
	static const char *const codes[] = { "DENY", "RSTR" };
	int64_t start_ns;
	struct ntp_header h;
	struct rig g;
	int i, k;

	(void)state;
	for (i = 0; i < 2; i++) {
		setup(&g, SOURCE_F_IBURST);
		h = kiss(&g, ask(&g), codes[i]);
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
		assert_string_equal(g.a.kod, codes[i]);
		start_ns = g.env.now_local_ns;
		assoc_burst(&g.a, &g.env);
		for (k = 0; k < 5; k++) {
			next(&g);
			assert_null(sent(&g));
			assert_true(did(&g, ACT_RESOLVE));
		}
		assert_true(g.env.now_local_ns - start_ns >= 5 * 3600 * S);
	}
}

static void test_rate_slows_down(void **state)
{
	int64_t last_ns, gap_ns, need_ns = 32 * S;
	struct ntp_header h;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	ask(&g);
	for (i = 0; i < 12; i++) {
		last_ns = g.env.now_local_ns;
		h = kiss(&g, sent(&g), "RATE");
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
		assoc_burst(&g.a, &g.env);
		ask(&g);
		gap_ns = g.env.now_local_ns - last_ns;
		assert_true(gap_ns >= need_ns * 31 / 32);
		need_ns = need_ns < 1024 * S ? need_ns * 2 : need_ns;
	}
	assert_string_equal(g.a.kod, "RATE");
}

static int good_until_unlimited(struct rig *g)
{
	int n;

	for (n = 0; n < 1000 && assoc_poll_log2s(&g->a) > g->a.conf.minpoll_log2s; n++) {
		struct ntp_header h = good_reply(g, ask(g));

		assert_int_equal(receive(g, &h, sizeof(h)), ASSOC_SAMPLE);
	}
	return n;
}

static int logged(const struct rig *g, enum log_code code)
{
	int n = 0;

	for (size_t i = 0; i < g->out.len; i++)
		n += g->out.v[i].type == ACT_LOG && g->out.v[i].log.code == code;
	return n;
}

/* What was saved may be what is wrong: who looks is told, once. */
static void test_too_early_is_said(void **state)
{
	struct ntp_header h;
	struct rig g;

	(void)state;
	setup(&g, 0);
	for (int i = 0; i < 6; i++) {
		h = good_reply(&g, ask(&g));
		if (i != 3)
			edit_before_floor(&h);
		receive(&g, &h, sizeof(h));
		assert_int_equal(logged(&g, LOG_TOO_EARLY), i == 0 || i == 4);
	}
}

/* It may have meant somebody else's requests: not for ever, but longer each time. */
static void test_rate_is_over(void **state)
{
	int n, last = 0;
	struct ntp_header h;
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	ask(&g);
	for (int i = 0; i < 5; i++) {
		/* and no longer for a fifth */
		int longer = i < 3 ? i : 3;

		h = kiss(&g, sent(&g), "RATE");
		h.poll_log2s = 8;
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
		assert_int_equal(assoc_poll_log2s(&g.a), 8);
		n = good_until_unlimited(&g);
		assert_in_range(n, 32 << longer, 40 << longer);
		assert_true(i == 4 ? n == last : n > last);
		last = n;
		ask(&g);
	}
	assoc_burst(&g.a, &g.env);
	assert_true(g.a.burst_left > 1);
}

/* The operator knows better, and it begins anew. */
static void test_online_again(void **state)
{
	static const char *const codes[] = { "DENY", "RATE" };
	struct ntp_header h;
	struct rig g;

	(void)state;
	for (int i = 0; i < 2; i++) {
		setup(&g, SOURCE_F_IBURST);
		h = kiss(&g, ask(&g), codes[i]);
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
		assert_true(assoc_next_ns(&g.a) - g.env.now_local_ns > 16 * S);
		assoc_online(&g.a, true, &g.env);
		assert_true(assoc_next_ns(&g.a) - g.env.now_local_ns < S);
		h = good_reply(&g, ask(&g));
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
		assert_int_equal(assoc_poll_log2s(&g.a), g.a.conf.minpoll_log2s);
		ask(&g);
		h = kiss(&g, sent(&g), "RATE");
		assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
		assert_int_equal(good_until_unlimited(&g), 8);
	}
	/* one that nothing keeps from it is left alone */
	g.a.burst_left = 0;
	assoc_online(&g.a, true, &g.env);
	assert_int_equal(g.a.burst_left, 0);
}

/* A kiss that does not know our stamp is a forgery. */
static void test_forged_kiss(void **state)
{
	struct ntp_header h, k;
	struct rig g;

	(void)state;
	setup(&g, 0);
	h = good_reply(&g, ask(&g));
	k = kiss(&g, sent(&g), "DENY");
	k.org_ts ^= 1;
	assert_int_equal(receive(&g, &k, sizeof(k)), ASSOC_BOGUS);
	assert_false(g.a.denied);
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
}

static void test_iburst_timing(void **state)
{
	int64_t at_ns[8];
	struct ntp_header h;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	for (i = 0; i < 6; i++) {
		h = good_reply(&g, ask(&g));
		at_ns[i] = g.env.now_local_ns;
		receive(&g, &h, sizeof(h));
		assoc_adapt(&g.a, 0, &g.env);
	}
	assert_true(at_ns[0] <= 100 * MS);
	for (i = 1; i < 4; i++)
		assert_int_equal(at_ns[i] - at_ns[i - 1], 2 * S);
	assert_in_range(at_ns[4] - at_ns[3], 15 * S, 17 * S);
	assert_in_range(at_ns[5] - at_ns[4], 15 * S, 17 * S);
	assert_false(assoc_starting(&g.a));
}

static void test_silence(void **state)
{
	int sends = 0, resolves = 0;
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	assert_true(assoc_starting(&g.a));
	while (g.env.now_local_ns < 86400 * S) {
		next(&g);
		sends += !!sent(&g);
		resolves += did(&g, ACT_RESOLVE);
		if (sends == 8)
			assert_false(g.a.unreachable);
	}
	assert_true(g.a.unreachable);
	assert_false(assoc_starting(&g.a));
	/* at the longest interval, 256 s, after the first minutes */
	assert_in_range(sends, 320, 400);
	assert_in_range(resolves, sends / 8 - 2, sends / 8 + 1);
}

static void test_comes_back(void **state)
{
	struct ntp_header h;
	int64_t t_ns;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	for (i = 0; i < 30; i++)
		ask(&g);
	h = good_reply(&g, sent(&g));
	g.out.len = g.out.logs = 0;
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
	assert_true(did(&g, ACT_LOG));
	assoc_adapt(&g.a, 0, &g.env);
	t_ns = g.env.now_local_ns;
	ask(&g);
	assert_int_equal(g.env.now_local_ns - t_ns, 2 * S);
	assert_int_equal(g.a.poll.log2s, 4);
}

static void test_send_failures_back_off(void **state)
{
	int64_t last_ns;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_IBURST);
	for (i = 0; i < 20; i++) {
		last_ns = g.env.now_local_ns;
		next(&g);
		if (!sent(&g))
			continue;
		if (i)
			assert_true(g.env.now_local_ns - last_ns >= 2 * S);
		assoc_send_failed(&g.a, &g.env);
		assert_false(g.a.pending);
	}
	assert_true(g.env.now_local_ns > 200 * S);
}

static void test_offline(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 0);
	ask(&g);
	g.out.len = 0;
	assoc_online(&g.a, false, &g.env);
	assert_true(did(&g, ACT_CLOSE));
	assert_true(assoc_next_ns(&g.a) == INT64_MAX);
	assoc_online(&g.a, true, &g.env);
	assert_true(assoc_next_ns(&g.a) <= g.env.now_local_ns + S);
}

/* No bytes, however wild, upset it. */
static void test_random_bytes(void **state)
{
	uint64_t bytes[16];
	struct rig g;
	int i, k;

	(void)state;
	setup(&g, 0);
	ask(&g);
	for (i = 0; i < 20000; i++) {
		struct ntp_header *h = (struct ntp_header *)bytes;

		for (k = 0; k < 16; k++)
			bytes[k] = rng_u64(&g.rng);
		if (i % 2) {
			h->lvm = (h->lvm & 0xc0) | ntp_lvm(0, 4, NTP_MODE_SERVER);
			h->org_ts = g.a.xmt_ts;
		}
		if (!g.a.pending && !g.a.denied)
			ask(&g);
		g.out.len = g.out.logs = 0;
		receive(&g, h, i % sizeof(bytes));
		assert_true(g.a.last.delay_ns >= 0);
	}
}

/* chrony's `burst`: more requests only while a poll has no sample, and not too many. */
static void test_burst_at_each_poll(void **state)
{
	struct ntp_header h;
	int64_t first_ns;
	struct rig g;
	int i, n;

	(void)state;
	setup(&g, SOURCE_F_BURST);
	h = good_reply(&g, ask(&g));
	receive(&g, &h, sizeof(h));
	for (i = 0; i < 3; i++) {
		g.a.poll.log2s = (int8_t)(4 + i);
		g.a.next_local_ns = g.env.now_local_ns + S;
		g.a.reach = 1;
		ask(&g);
		first_ns = g.env.now_local_ns;
		n = 0;
		while (g.a.next_local_ns - first_ns < 12 * S) {
			ask(&g);
			n++;
			assert_int_equal(g.env.now_local_ns, first_ns + n * 2 * S);
		}
		assert_int_equal(n + 1, 1 << i);
	}
	/* one that is answered is enough */
	g.a.next_local_ns = g.env.now_local_ns + S;
	h = good_reply(&g, ask(&g));
	g.env.settled = true;
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_SAMPLE);
	assoc_adapt(&g.a, 0, &g.env);
	assert_true(g.a.next_local_ns - g.env.now_local_ns >= 64 * S);
	/* a server that had enough gets no bursts */
	g.a.floor_log2s = 6;
	g.a.next_local_ns = g.env.now_local_ns + S;
	ask(&g);
	assert_true(g.a.next_local_ns - g.env.now_local_ns >= 64 * S);
}

/* RATE and DENY to a request without use count, too: nobody is asked against his will. */
static void test_kiss_to_a_presend(void **state)
{
	struct source_config conf = { .minpoll_log2s = 4, .maxpoll_log2s = 4, .version = 4,
				      .presend_log2s = 4 };
	struct ntp_header h;
	struct rig g;

	(void)state;
	setup(&g, 0);
	assoc_init(&g.a, 3, &conf, &g.env);
	h = good_reply(&g, ask(&g));
	receive(&g, &h, sizeof(h));
	h = good_reply(&g, ask(&g));
	assert_false(g.a.pending);
	h.stratum = 0;
	memcpy(&h.refid, "DENY", 4);
	h.org_ts ^= 1;
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_BOGUS);
	assert_false(g.a.denied);
	h.org_ts ^= 1;
	assert_int_equal(receive(&g, &h, sizeof(h)), ASSOC_KOD);
	assert_true(g.a.denied);
	assert_true(assoc_next_ns(&g.a) - g.env.now_local_ns > 3600 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_tells_nothing),
		cmocka_unit_test(test_good_reply),
		cmocka_unit_test(test_forgeries),
		cmocka_unit_test(test_unusable),
		cmocka_unit_test(test_deny_ends_it),
		cmocka_unit_test(test_rate_slows_down),
		cmocka_unit_test(test_too_early_is_said),
		cmocka_unit_test(test_rate_is_over),
		cmocka_unit_test(test_online_again),
		cmocka_unit_test(test_forged_kiss),
		cmocka_unit_test(test_iburst_timing),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_comes_back),
		cmocka_unit_test(test_send_failures_back_off),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_burst_at_each_poll),
		cmocka_unit_test(test_kiss_to_a_presend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
