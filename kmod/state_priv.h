/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the files of an attached namespace's state.
 */
#ifndef NTPK_STATE_PRIV_H
#define NTPK_STATE_PRIV_H

struct ntp_now;
struct ntp_serve;
struct ntpk_inst;

/* state_events.c */
void ntpk_state_events_init(struct ntpk_inst *inst);
void ntpk_state_events_stop(struct ntpk_inst *inst);
void ntpk_state_events_arm(struct ntpk_inst *inst, const struct ntp_serve *serve,
			   const struct ntp_now *now);

#endif /* NTPK_STATE_PRIV_H */
