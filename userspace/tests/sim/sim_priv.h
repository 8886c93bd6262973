/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the simulator's parts share: events and the engine (sim.c), oscillator
 * and clocks (sim_clock.c), network and servers (sim_net.c), what is counted
 * (sim_stats.c).
 */
#ifndef NTPK_TESTS_SIM_PRIV_H
#define NTPK_TESTS_SIM_PRIV_H

#include "oracle.h"
#include "rfc5905.h"
#include "sim.h"

#define MAX_EVENTS	256
#define STAMP_ERR_NS	500
#define LOCAL_START_NS	(1000 * NTP_NS_PER_S)

enum sim_kind { SIM_TIMER, SIM_AT_SERVER, SIM_REPLY, SIM_SECOND, SIM_TOLD };

struct sim_event {
	int64_t	 t_ns;
	uint64_t order;
	enum sim_kind kind;
	uint32_t source;
	struct ntp_header packet;
	int64_t	 queue_ns[2];	/* out and back, over the least delay */
	int64_t	 stamp_ns[2];	/* errors of ours */
	int64_t	 out_ns;	/* least delay of the request */
	bool	 forged;
};

struct sim {
	const struct sim_conf *conf;
	struct sim_result *res;
	struct engine *engine;
	__u64	 rng;
	int64_t	 t_ns;
	/* oscillator: local timescale as of t_ns */
	double	 freq_ppb;
	double	 local_frac_ns;
	int64_t	 local_ns;
	int64_t	 asleep_ns;	/* CLOCK_BOOTTIME's lead */
	/* system clock as of local_ns */
	int64_t	 real_ns;
	double	 real_frac_ns;
	double	 set_freq_ppb;
	double	 slew_left_ns;
	uint32_t clock_seq;
	struct ntp_serve served;
	bool	 published;
	bool	 killed;
	bool	 inherited;		/* what is served is a killed daemon's */
	double	 drift_ppb;		/* drift file, if @drift_sd_ppb */
	double	 drift_sd_ppb;
	struct {
		__be64	 rec_ts;
		__be64	 xmt_ts;
	} memory[SIM_MAX_SERVERS];	/* of the servers, for interleaved mode */
	struct ntp_header replay[SIM_MAX_SERVERS];	/* seen by the attacker */
	int64_t	 asked_ns[SIM_MAX_SERVERS];	/* when each was last */
	struct sim_event ev[MAX_EVENTS];
	size_t	 ev_len;
	uint64_t order;
	int64_t	 *err_ns;
	int64_t	 *clock_err_ns;
	size_t	 err_len;
	int64_t	 *early_ns;		/* errors from the first second on, -1 = none served */
	struct oracle oracle;
	struct rfc5905 rfc;
	double	 sum2_ns2;
	double	 oracle_sum2_ns2;
	double	 rfc_sum2_ns2;
	double	 freq_sum2_ppb2;
};

/* sim_clock.c: chance, true time, the oscillator and the clocks on it */
uint64_t sim_rnd(struct sim *s);
double sim_unit(struct sim *s);
double sim_gauss(struct sim *s);
int64_t sim_utc(const struct sim *s, int64_t t_ns);
double sim_freq_ppb(const struct sim *s);
void sim_advance(struct sim *s, int64_t t_ns);
struct clocks sim_clocks(const struct sim *s);
double sim_lead_ns(const struct sim *s);
int64_t sim_stamp_ns(const struct sim *s, int64_t err_ns);

/* sim.c */
struct sim_event *sim_post(struct sim *s, int64_t t_ns, enum sim_kind kind);
void sim_feed(struct sim *s, struct event *ev);

/* sim_net.c */
void sim_send(struct sim *s, const struct action *a);
void sim_at_server(struct sim *s, struct sim_event *e);
void sim_at_client(struct sim *s, const struct sim_event *e);

/* sim_stats.c */
void sim_measure(struct sim *s);
void sim_finish(struct sim *s);

#endif /* NTPK_TESTS_SIM_PRIV_H */
