/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A discrete-event simulator of one appliance: an oscillator, a system clock,
 * a network and servers, driving the engine as the daemon does.  All state is
 * in struct sim; same configuration and seed, same bytes.
 */
#ifndef NTPK_TESTS_SIM_H
#define NTPK_TESTS_SIM_H

#include <core/engine.h>

#define SIM_MAX_SERVERS	8
#define SIM_MAX_SAMPLES	200000
#define SIM_EPOCH_NS	1800000000000000000LL	/* UTC at simulated second 0 */

/**
 * struct sim_server - one upstream
 * @false_ns: its clock's error
 * @drift_ppb: growth of that error
 * @stratum: what it claims
 * @root_disp_ns: what it claims
 * @loss: probability that a packet is lost, each way
 * @leap: what it announces
 * @flags: SOURCE_F_*
 * @jump_s: the error is there in every other of periods so long only; 0 = always
 * @gone_from_s: it does not answer from here ...
 * @gone_to_s: ... to here
 * @rate_s: who asks again within so many seconds is told RATE
 * @deny_at_s: everybody is told DENY from then on, 0 = nobody
 * @lag_ns: its packets leave so long after the stamp in them; interleaved
 *	replies (RFC 9769) tell the true one
 */
struct sim_server {
	int64_t	 false_ns;
	double	 drift_ppb;
	uint8_t	 stratum;
	int64_t	 root_disp_ns;
	double	 loss;
	uint8_t	 leap;
	uint32_t flags;
	int64_t	 jump_s;
	int64_t	 gone_from_s;
	int64_t	 gone_to_s;
	int64_t	 rate_s;
	int64_t	 deny_at_s;
	int64_t	 lag_ns;
};

/**
 * struct sim_point - one second, for a plot
 * @t_s: since the start
 * @valid: time is served
 * @err_ns: served time minus UTC
 * @clock_err_ns: system clock minus UTC
 * @dist_ns: root distance as served
 * @freq_ppb: true frequency
 * @report: the engine's own
 * @sources: of each server
 */
struct sim_point {
	int64_t	 t_s;
	bool	 valid;
	double	 err_ns;
	double	 clock_err_ns;
	double	 dist_ns;
	double	 freq_ppb;
	struct engine_report report;
	struct source_report sources[SIM_MAX_SERVERS];
};

/**
 * struct sim_conf - a scenario
 * @name: of it
 * @engine: configuration of the engine, seed included
 * @offset_ns: UTC minus system clock at the start
 * @freq_ppb: UTC against the local timescale at the start
 * @wander_ppb: random walk of it per square root of a second
 * @delay_ns: each way, least
 * @jitter_ns: mean of the exponential on top
 * @jitter_back_ns: the same for replies, where it differs; 0 = @jitter_ns
 * @asymmetry_ns: the least delay of requests is longer by so much
 * @route_ns: and by so much from @route_from_s to @route_to_s
 * @route_from_s: see there
 * @route_to_s: see there
 * @busy_ns: mean of one more exponential on requests, for the first @busy_s of each hour
 * @busy_s: see there
 * @sine_ppb: amplitude of a sine of the frequency with a period of @sine_s
 * @sine_s: see there
 * @quantum_ns: of the servers' clocks
 * @spike_p: probability that another, of mean @spike_ns, comes on top of that
 * @spike_ns: see there
 * @heavy_tail: that other is of a Pareto law of 1.5 with the scale @spike_ns
 * @steal_p: probability that a virtual machine does not run when a stamp is due ...
 * @steal_ns: ... for so long, mean of an exponential
 * @tick_ns: the local clock can be read in steps of so much only
 * @attack: somebody off the path replays, forges and denies
 * @servers: upstreams, @servers_len of them
 * @minpoll_log2s: of all
 * @maxpoll_log2s: of all
 * @duration_s: simulated
 * @from_s: statistics start here
 * @outage_from_s: no packet passes from here ...
 * @outage_to_s: ... to here
 * @step_at_s: somebody steps the system clock, 0 = nobody
 * @step_ns: by so much
 * @foreign_at_s: somebody sets the clock's frequency, 0 = nobody
 * @foreign_ppb: by so much off ours
 * @kill_at_s: the daemon is killed, 0 = never ...
 * @restart_at_s: ... and started anew, knowing no more than its drift file
 * @suspend_at_s: the machine sleeps, 0 = never
 * @suspend_s: so long
 * @start_unix_ns: UTC at second 0, 0 = SIM_EPOCH_NS
 * @leap_at_s: UTC inserts a second then, 0 = never
 * @leap_deleted: it deletes one instead
 * @trace: called once per second, with @trace_ctx
 */
struct sim_conf {
	const char *name;
	struct engine_config engine;
	int64_t	 offset_ns;
	double	 freq_ppb;
	double	 wander_ppb;
	int64_t	 delay_ns;
	int64_t	 jitter_ns;
	int64_t	 jitter_back_ns;
	int64_t	 asymmetry_ns;
	int64_t	 route_ns;
	int64_t	 route_from_s;
	int64_t	 route_to_s;
	int64_t	 busy_ns;
	int64_t	 busy_s;
	double	 sine_ppb;
	int64_t	 sine_s;
	int64_t	 quantum_ns;
	double	 spike_p;
	int64_t	 spike_ns;
	bool	 heavy_tail;
	double	 steal_p;
	int64_t	 steal_ns;
	int64_t	 tick_ns;
	bool	 attack;
	struct sim_server servers[SIM_MAX_SERVERS];
	unsigned int servers_len;
	int8_t	 minpoll_log2s;
	int8_t	 maxpoll_log2s;
	int64_t	 duration_s;
	int64_t	 from_s;
	int64_t	 outage_from_s;
	int64_t	 outage_to_s;
	int64_t	 step_at_s;
	int64_t	 step_ns;
	int64_t	 foreign_at_s;
	double	 foreign_ppb;
	int64_t	 kill_at_s;
	int64_t	 restart_at_s;
	int64_t	 suspend_at_s;
	int64_t	 suspend_s;
	int64_t	 start_unix_ns;
	int64_t	 leap_at_s;
	bool	 leap_deleted;
	void	 (*trace)(void *ctx, const struct sim_point *p);
	void	 *trace_ctx;
};

/**
 * struct sim_result - what was seen, once per simulated second
 * @sync_s: first second with valid served time, -1 = never
 * @served_s: seconds with valid served time
 * @p50_ns: median |served - UTC| from @from_s on
 * @p99_ns: exceeded in one of a hundred
 * @max_ns: worst
 * @rms_ns: root of the mean square
 * @oracle_rms_ns: the oracle's, polled as the engine polled
 * @rfc_rms_ns: the plain RFC 5905 filter's, likewise
 * @freq_rms_ppb: of the frequency
 * @settle_s: first second of a minute within three times @rms_ns, -1 = none before from_s
 * @selections: LOG_SELECTED and LOG_SELECTION_LOST seen
 * @clock_p50_ns: median |system clock - UTC| from @from_s on
 * @clock_max_ns: worst
 * @violations: seconds in which the error left the claimed root distance
 * @checked_s: seconds for which that was asked
 * @within1_s: seconds from @from_s on in which the error was within est_error ...
 * @within3_s: ... and three times that
 * @max_dist_ns: largest root distance claimed
 * @final_dist_ns: the last
 * @steps: ACT_STEP seen
 * @clock_actions: ACT_FREQ, ACT_PHASE, ACT_STEP, ACT_SYNC_STATUS seen
 * @foreign_logs: LOG_FOREIGN_STEP seen
 * @local_logs: LOG_LOCAL seen
 * @requests: packets sent
 * @interleaved: replies that were
 * @phases: ACT_PHASE seen
 * @republish_s: seconds that served time was invalid after the foreign step
 * @states: of each source at the end
 * @report: at the end
 * @freq_err_ppb: at the end
 * @hash: of all actions
 */
struct sim_result {
	int64_t	 sync_s;
	int64_t	 served_s;
	int64_t	 p50_ns;
	int64_t	 p99_ns;
	int64_t	 max_ns;
	double	 rms_ns;
	double	 oracle_rms_ns;
	double	 rfc_rms_ns;
	double	 freq_rms_ppb;
	int64_t	 settle_s;
	uint64_t selections;
	int64_t	 clock_p50_ns;
	int64_t	 clock_max_ns;
	uint64_t violations;
	uint64_t checked_s;
	uint64_t within1_s;
	uint64_t within3_s;
	int64_t	 max_dist_ns;
	int64_t	 final_dist_ns;
	uint64_t steps;
	uint64_t clock_actions;
	uint64_t foreign_logs;
	uint64_t local_logs;
	uint64_t requests;
	uint64_t interleaved;
	uint64_t phases;
	int64_t	 republish_s;
	enum source_state states[SIM_MAX_SERVERS];
	struct engine_report report;
	double	 freq_err_ppb;
	uint64_t hash;
};

/**
 * sim_defaults() - a LAN with one good server, everything else usual
 * @conf: filled
 */
void sim_defaults(struct sim_conf *conf);

/**
 * sim_run() - run a scenario
 * @conf: scenario
 * @res: filled
 */
void sim_run(const struct sim_conf *conf, struct sim_result *res);

#endif /* NTPK_TESTS_SIM_H */
