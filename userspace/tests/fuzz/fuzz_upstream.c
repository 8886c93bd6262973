// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: what upstreams answer, and when, to the engine.  Three sources
 * (plain, interleaved, with a key) of true time; the input is a sequence of steps:
 * time passes, a reply comes as it should but for some bytes, any datagram comes,
 * clocks and operators do what they do.  Beyond what the sanitizers see: what is
 * pushed may be published, no number that is carried out is absurd, a step is
 * preceded by a push that claims nothing, and a reply to no request is no sample.
 */
#include <core/engine.h>
#include <math.h>
#include "fuzz.h"

#define S		NTP_NS_PER_S
#define UTC0		(1800000000LL * S)
#define RTT_NS		1000000LL
#define SOURCES		3
#define STEPS_MAX	64
#define ACTIONS		ENGINE_MAX_ACTIONS(SOURCES)

struct world {
	struct engine *e;
	struct clocks now;
	struct ntp_header asked[SOURCES];	/* last request to each */
	bool	 waiting[SOURCES];
	bool	 unsynced;		/* the last push claimed nothing */
	bool	 any_sample;
};

static bool sane_rate(double ppb)
{
	return isfinite(ppb) && fabs(ppb) <= 1.1e8;
}

static void carry_out(struct world *w, const struct action *a)
{
	switch (a->type) {
	case ACT_SEND:
		demand(a->source < SOURCES && ntp_lvm_mode(a->send.packet.lvm) == NTP_MODE_CLIENT);
		w->asked[a->source] = a->send.packet;
		w->waiting[a->source] = true;
		break;
	case ACT_PUSH:
		demand(!ntp_serve_check(&a->serve));
		w->unsynced = a->serve.leap == NTP_LEAP_UNSYNC;
		break;
	case ACT_FREQ:
		demand(sane_rate(a->freq_ppb));
		break;
	case ACT_STEP:
		demand(w->unsynced);
		w->now.real_ns += a->phase_ns;
		break;
	case ACT_SYNC_STATUS:
		demand(a->sync.est_error_ns >= 0 && a->sync.max_error_ns >= 0);
		break;
	case ACT_DRIFT:
		demand(sane_rate(a->drift.freq_ppb) && a->drift.freq_sd_ppb >= 0);
		break;
	case ACT_LOG:
		demand(a->log.code < LOG_CODES);
		break;
	case ACT_SAMPLE:
		w->any_sample = true;
		break;
	default:
		demand(a->type <= ACT_EXIT);
	}
}

static void hand_in(struct world *w, struct event *ev)
{
	static struct action act[ACTIONS];
	int64_t real_ns = w->now.real_ns;
	size_t len;

	ev->now = w->now;
	len = engine_event(w->e, ev, act);
	demand(len <= ACTIONS);
	for (size_t i = 0; i < len; i++)
		carry_out(w, &act[i]);
	if (w->now.real_ns != real_ns) {
		struct event stepped = { .type = EV_CLOCK_STEPPED, .source = ENGINE_NO_SOURCE };

		w->now.clock_seq++;
		hand_in(w, &stepped);
	}
}

static void pass(struct world *w, int64_t ns)
{
	w->now.local_ns += ns;
	w->now.real_ns += ns;
	w->now.boot_ns += ns;
}

static void reply(struct world *w, uint32_t source, const void *data, size_t len, bool authentic)
{
	struct event ev = { .type = EV_REPLY, .source = source };

	pass(w, RTT_NS);
	ev.reply.data = data;
	ev.reply.len = len;
	ev.reply.t4_local_ns = w->now.local_ns;
	ev.reply.t4_err_ns = 1000;
	ev.reply.authentic = authentic;
	w->any_sample = false;
	hand_in(w, &ev);
}

/* As it should be, and then some bytes otherwise. */
static void true_reply(struct world *w, struct fuzz_in *in)
{
	uint32_t source = fuzz_byte(in) % SOURCES;
	unsigned int changes = fuzz_byte(in) % 8;
	int64_t utc_ns = UTC0 + w->now.local_ns;
	struct ntp_header h = {
		.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_SERVER),
		.stratum = 2,
		.precision_log2s = -25,
		.refid = ntp_htobe32(0xc0000201),
		.root_delay = ntp_htobe32(66),
		.root_disp = ntp_htobe32(66),
		.ref_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns - S)),
		.org_ts = w->asked[source].xmt_ts,
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2)),
		.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2 + 10000)),
	};
	bool asked = w->waiting[source];

	while (changes--) {
		uint8_t at = fuzz_byte(in) % sizeof(h);

		((uint8_t *)&h)[at] = fuzz_byte(in);
	}
	reply(w, source, &h, sizeof(h), source == 2);
	/* interleaved replies name another stamp */
	if (source != 1 && (!asked || h.org_ts != w->asked[source].xmt_ts))
		demand(!w->any_sample);
}

static void any_datagram(struct world *w, struct fuzz_in *in)
{
	uint32_t source = fuzz_byte(in) % SOURCES;
	size_t len = fuzz_byte(in);
	uint8_t *data = malloc(len + 1);

	demand(data != NULL);
	fuzz_take(in, data, len);
	reply(w, source, data, len, source == 2);
	free(data);
}

static void sent(struct world *w, struct fuzz_in *in)
{
	struct event ev = { .type = EV_SENT, .source = fuzz_byte(in) % SOURCES };

	ev.sent.cookie = fuzz_byte(in);
	ev.sent.t1_local_ns = w->now.local_ns;
	ev.sent.t1_err_ns = 1000;
	hand_in(w, &ev);
}

static void leap(struct world *w, struct fuzz_in *in)
{
	struct event ev = { .type = EV_LEAP, .source = ENGINE_NO_SOURCE };

	ev.leap.leap = fuzz_byte(in) & 3;
	ev.leap.at_unix_ns = UTC0 + w->now.local_ns + fuzz_byte(in) * 3600 * S;
	hand_in(w, &ev);
}

static void timer(struct world *w, struct fuzz_in *in)
{
	struct event ev = { .type = EV_TIMER, .source = ENGINE_NO_SOURCE };
	uint8_t log2ns = fuzz_byte(in) % 48;

	/* up to a year and a half in all */
	pass(w, (int64_t)(1ULL << log2ns));
	hand_in(w, &ev);
}

static void simple(struct world *w, struct fuzz_in *in)
{
	static const enum event_type kinds[] = { EV_SEND_FAILED, EV_ONLINE, EV_OFFLINE, EV_BURST,
		EV_MAKESTEP, EV_RESELECT, EV_SUSPENDED, EV_CLOCK_STEPPED };
	uint8_t which = fuzz_byte(in) % (sizeof(kinds) / sizeof(kinds[0]));
	struct event ev = { .type = kinds[which] };
	int32_t by = 0;

	ev.source = fuzz_byte(in) % (SOURCES + 1);
	if (ev.source == SOURCES)
		ev.source = ENGINE_NO_SOURCE;
	if (ev.type == EV_SUSPENDED || ev.type == EV_CLOCK_STEPPED)
		fuzz_take(in, &by, sizeof(by));
	if (ev.type == EV_SUSPENDED) {
		ev.suspended_ns = llabs((int64_t)by) * 1000000;
		w->now.boot_ns += ev.suspended_ns;
		w->now.real_ns += ev.suspended_ns;
	} else if (ev.type == EV_CLOCK_STEPPED) {
		w->now.real_ns += (int64_t)by * 1000000;
		w->now.clock_seq++;
	}
	hand_in(w, &ev);
}

static void check_report(const struct world *w)
{
	struct engine_report r;
	struct source_report s;

	engine_get_report(w->e, &w->now, &r);
	demand(sane_rate(r.freq_ppb) && r.freq_sd_ppb >= 0 && r.est_error_ns >= 0);
	demand(r.survivors <= SOURCES && r.leap <= NTP_LEAP_UNSYNC && r.stratum <= 16);
	for (uint32_t i = 0; i < SOURCES; i++) {
		demand(engine_get_source(w->e, i, &w->now, &s));
		demand((unsigned int)s.state < SRC_STATES && isfinite(s.freq_ppb) && s.jitter_ns >= 0);
	}
}

static void start(struct world *w, uint8_t how)
{
	static const uint32_t flags[SOURCES] = { SOURCE_F_IBURST, SOURCE_F_IBURST | SOURCE_F_XLEAVE,
		SOURCE_F_PREFER };
	const struct engine_config conf = { .min_sources = 1, .max_distance_ns = 3 * S,
		.makestep_threshold_ns = S, .makestep_limit = how & 1 ? -1 : 3,
		.max_served_ns = S, .precision_log2s = -25, .freq_sd_ppb = 1e5,
		.push_interval_ns = S, .holdover_ns = 86400 * S, .control_clock = !(how & 2),
		.local_stratum = how & 4 ? 10 : 0, .floor_unix_ns = UTC0 - 86400 * S,
		.max_change_ns = how & 8 ? S : 0, .max_change_start = 1, .max_change_ignore = 2,
		.seed = 1 };
	struct event ev = { .type = EV_START, .source = ENGINE_NO_SOURCE };

	w->e = engine_init(malloc(engine_size(SOURCES)), SOURCES, &conf);
	hand_in(w, &ev);
	for (uint32_t i = 0; i < SOURCES; i++) {
		struct event add = { .type = EV_SOURCE_ADD, .source = i };

		add.add.minpoll_log2s = 4;
		add.add.maxpoll_log2s = 10;
		add.add.version = 4;
		add.add.flags = flags[i];
		add.add.refid = ntp_htobe32(0xc0000200 + i);
		add.add.presend_log2s = 127;
		add.add.keyed = i == 2;
		hand_in(w, &add);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .now = { .local_ns = 100 * S, .real_ns = UTC0 + 100 * S,
				    .boot_ns = 100 * S, .clock_seq = 1 } };
	struct fuzz_in in = { data, size };

	start(&w, fuzz_byte(&in));
	for (unsigned int n = 0; n < STEPS_MAX && in.left; n++) {
		uint8_t what = fuzz_byte(&in);

		/* most of what happens is time and replies */
		if (what < 100)
			true_reply(&w, &in);
		else if (what < 200)
			timer(&w, &in);
		else if (what < 215)
			sent(&w, &in);
		else if (what < 230)
			any_datagram(&w, &in);
		else if (what < 240)
			leap(&w, &in);
		else
			simple(&w, &in);
	}
	check_report(&w);
	free(w.e);
	return 0;
}
