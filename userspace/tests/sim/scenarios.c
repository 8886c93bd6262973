// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scenarios, see scenarios.h.  Data.
 */
#include "scenarios.h"

#include <string.h>

/* 2027-06-30 23:50:00 UTC, less what is simulated before */
#define LEAP_AT_S	20600
#define LEAP_START_NS	((1814399400LL - 20000) * NTP_NS_PER_S)
#define YEAR_NS		(31557600 * NTP_NS_PER_S)

/* jitter in ns, poll in log2 s, wander in ppb per square root of a second */
#define SPAN(seconds, from) .duration_s = (seconds), .from_s = (from)
#define LAN_NET(jitter, wander, minpoll, maxpoll)						\
	.delay_ns = 100000, .jitter_ns = (jitter), .wander_ppb = (wander),		\
	.minpoll_log2s = (minpoll), .maxpoll_log2s = (maxpoll)
#define LAN(jitter, minpoll, maxpoll)							\
	LAN_NET(jitter, 1, minpoll, maxpoll), SPAN(50000, 10000)
#define WAN_NET(wander, minpoll, maxpoll)						\
	.delay_ns = 10000000, .jitter_ns = 1000000, .wander_ppb = (wander),		\
	.minpoll_log2s = (minpoll), .maxpoll_log2s = (maxpoll)
#define WAN(wander, maxpoll) WAN_NET(wander, 6, maxpoll), SPAN(200000, 40000)
#define INET(wander, maxpoll)								\
	.delay_ns = 50000000, .jitter_ns = 10000000, .wander_ppb = (wander),		\
	.minpoll_log2s = 6, .maxpoll_log2s = (maxpoll), SPAN(100000, 20000)
#define SPIKES										\
	.delay_ns = 1000000, .jitter_ns = 100000, .spike_p = 0.1, .spike_ns = 5000000,	\
	.wander_ppb = 1, .minpoll_log2s = 6, .maxpoll_log2s = 10, SPAN(100000, 20000)
#define START(off, ppb)									\
	LAN_NET(10000, 1, 4, 6), SPAN(4000, 600), .offset_ns = (off), .freq_ppb = (ppb)
#define FIRST(...)	.servers = { { __VA_ARGS__ } }

const struct scenario scenarios[] = {
	{ .c = { .name = "a_lan", LAN(10000, 4, 6) }, .servers = 1, .chrony_rms_ns = 5600,
	  .chrony_max_ns = 22700, .chrony_pkts = 791, .want = 0.62 },
	{ .c = { .name = "c_wan", WAN(10, 10) }, .servers = 1, .chrony_rms_ns = 1.07e6,
	  .chrony_max_ns = 3.80e6, .chrony_pkts = 230, .want = 0.62 },
	{ .c = { .name = "d6_inet", INET(10, 6) }, .servers = 1, .chrony_rms_ns = 1.08e6,
	  .chrony_max_ns = 4.61e6, .chrony_pkts = 1550, .want = 0.70 },
	{ .c = { .name = "f1_spikes", SPIKES }, .servers = 1, .chrony_rms_ns = 148e3,
	  .chrony_max_ns = 443e3, .chrony_pkts = 128, .want = 0.50 },
	{ .c = { .name = "g_false2of5", WAN(10, 10), FIRST(.false_ns = 50000000) }, .servers = 5,
	  .false_servers = 2, .chrony_rms_ns = 1.29e6, .chrony_max_ns = 4.03e6,
	  .chrony_pkts = 1158, .want = 0.29 },
	{ .c = { .name = "lan_1us", LAN(1000, 4, 6) }, .servers = 1 },
	{ .c = { .name = "lan_1us_poll4", LAN(1000, 4, 4) }, .servers = 1 },
	{ .c = { .name = "lan_1us_poll0", LAN(1000, 0, 0) }, .servers = 1 },
	{ .c = { .name = "wan_poll6", WAN(10, 6) }, .servers = 1 },
	{ .c = { .name = "wan_1e-9", WAN(1, 10) }, .servers = 1 },
	{ .c = { .name = "wan_1e-9_poll6", WAN(1, 6) }, .servers = 1 },
	{ .c = { .name = "inet_poll10", INET(10, 10) }, .servers = 1 },
	{ .c = { .name = "inet_1e-9", INET(1, 6) }, .servers = 1 },
	{ .c = { .name = "inet_1e-9_poll10", INET(1, 10) }, .servers = 1 },
	{ .c = { .name = "spikes_heavy", SPIKES, .heavy_tail = true }, .servers = 1 },
	{ .c = { .name = "congestion", WAN(10, 10), .busy_ns = 20000000, .busy_s = 600 },
	  .servers = 1 },
	{ .c = { .name = "asym_jitter", LAN(1000000, 4, 6), .jitter_back_ns = 30000 }, .servers = 1 },
	{ .c = { .name = "loss_30%", WAN(10, 10), FIRST(.loss = 0.3) }, .servers = 1 },
	{ .c = { .name = "sine", LAN(10000, 4, 6), .sine_ppb = 500, .sine_s = 3600 }, .servers = 1 },
	{ .c = { .name = "route+20ms", WAN(10, 10), .route_ns = 20000000, .route_from_s = 80000,
		 .route_to_s = 140000 }, .servers = 1, .biased = true },
	{ .c = { .name = "asym_base", WAN(10, 10), .asymmetry_ns = 5000000 }, .servers = 1,
	  .biased = true },
	{ .c = { .name = "eight_servers", WAN(10, 10) }, .servers = 8 },
	{ .c = { .name = "false_drift", WAN(10, 10), FIRST(.drift_ppb = 1000) }, .servers = 5,
	  .false_servers = 2, .false_factor = -1, .biased = true },
	{ .c = { .name = "false_jump", WAN(10, 10), FIRST(.false_ns = 50000000, .jump_s = 20000) },
	  .servers = 5, .false_servers = 2, .biased = true },
	{ .c = { .name = "false3_differ", WAN(10, 10), FIRST(.false_ns = 50000000) }, .servers = 5,
	  .false_servers = 3, .false_factor = -3, .must = MUST_REFUSE },
	{ .c = { .name = "false3_alike", WAN(10, 10), FIRST(.false_ns = 50000000) }, .servers = 5,
	  .false_servers = 3, .must = MUST_FOLLOW },
	{ .c = { .name = "two_disagree", WAN(10, 10), FIRST(.false_ns = 50000000) }, .servers = 2,
	  .false_servers = 1, .must = MUST_REFUSE },
	{ .c = { .name = "lost_and_back", WAN(10, 10),
		 FIRST(.gone_from_s = 80000, .gone_to_s = 120000) }, .servers = 3, .odd = true },
	{ .c = { .name = "all_lost_a_day", WAN(10, 10), .outage_from_s = 60000,
		 .outage_to_s = 60000 + 86000 }, .servers = 3 },
	{ .c = { .name = "suspended_8h", LAN_NET(10000, 1, 4, 6), SPAN(80000, 10000),
		 .suspend_at_s = 20000, .suspend_s = 28800 }, .servers = 3 },
	{ .c = { .name = "leap_insert", LAN(10000, 4, 6), .start_unix_ns = LEAP_START_NS,
		 .leap_at_s = LEAP_AT_S, FIRST(.leap = NTP_LEAP_INSERT) }, .servers = 3 },
	{ .c = { .name = "leap_delete", LAN(10000, 4, 6), .start_unix_ns = LEAP_START_NS,
		 .leap_at_s = LEAP_AT_S, .leap_deleted = true, FIRST(.leap = NTP_LEAP_DELETE) },
	  .servers = 3 },
	{ .c = { .name = "leap_liar", LAN(10000, 4, 6), .start_unix_ns = LEAP_START_NS,
		 FIRST(.leap = NTP_LEAP_INSERT) }, .servers = 3, .odd = true },
	{ .c = { .name = "poll_-2", LAN_NET(10000, 1, -2, -2), SPAN(20000, 2000) },
	  .servers = 1 },
	{ .c = { .name = "poll_14", WAN_NET(1, 14, 14), SPAN(900000, 700000) }, .servers = 1 },
	{ .c = { .name = "kod_rate", LAN(10000, 2, 2), FIRST(.rate_s = 20) }, .servers = 1 },
	{ .c = { .name = "kod_deny", LAN(10000, 4, 6), FIRST(.deny_at_s = 20000) }, .servers = 3,
	  .odd = true },
	{ .c = { .name = "attacked", LAN(10000, 4, 6), .attack = true }, .servers = 3 },
	{ .c = { .name = "start_10ms", START(10000000, 100000) }, .servers = 1, .no_rfc = true },
	{ .c = { .name = "start_100ms", START(-100000000, 100000) }, .servers = 1, .no_rfc = true },
	{ .c = { .name = "start_10s", START(10 * NTP_NS_PER_S, 400000) }, .servers = 1,
	  .no_rfc = true },
	{ .c = { .name = "start_1y", START(YEAR_NS, -400000) }, .servers = 1, .no_rfc = true },
	{ .c = { .name = "vm_stolen", LAN_NET(20000, 30, 4, 6), SPAN(50000, 10000), .steal_p = 0.1,
		 .steal_ns = 2000000 }, .servers = 1 },
	{ .c = { .name = "quantum_1us", LAN(10000, 4, 6), .quantum_ns = 1000, .tick_ns = 1000 },
	  .servers = 1 },
	{ .c = { .name = "quantum_15ms", WAN(10, 10), .quantum_ns = 15000000 }, .servers = 1 },
};
const unsigned int scenarios_len = sizeof(scenarios) / sizeof(scenarios[0]);

void scenario_conf(const struct scenario *r, uint64_t seed, struct sim_conf *c)
{
	double factor = r->false_factor != 0 ? r->false_factor : 1;
	struct sim_server good, first = r->c.servers[0];
	struct sim_conf base;
	unsigned int i;

	sim_defaults(&base);
	good = base.servers[0];
	first.stratum = good.stratum;
	first.root_disp_ns = good.root_disp_ns;
	first.flags = good.flags;
	*c = r->c;
	c->engine = base.engine;
	c->offset_ns = c->offset_ns ? c->offset_ns : 10000000;
	c->freq_ppb = c->freq_ppb != 0 ? c->freq_ppb : 10000;
	c->servers_len = r->servers;
	for (i = 0; i < r->servers; i++) {
		bool like_first = r->false_servers ? i < r->false_servers : !r->odd || !i;

		c->servers[i] = like_first ? first : good;
		first.false_ns = (int64_t)((double)first.false_ns * factor);
		first.drift_ppb *= factor;
	}
	c->engine.seed = seed;
}

const struct scenario *scenario_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < scenarios_len; i++)
		if (!strcmp(name, scenarios[i].c.name))
			return &scenarios[i];
	return NULL;
}
