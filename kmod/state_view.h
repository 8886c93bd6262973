/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is to see of a namespace.
 */
#ifndef NTPK_STATE_VIEW_H
#define NTPK_STATE_VIEW_H

#include <linux/ntpk.h>
#include <ntpk/ntp_client.h>
#include <ntpk/ntp_reply.h>

struct net;
struct ntpk_departure_view;
struct ntpk_hist_view;
struct ntpk_inst;
struct ntpk_state;

/**
 * struct ntpk_view - a copy of everything that there is to see
 * @status: enum ntpk_status
 * @pushed: the members below are those of the last push
 * @serve: leap 3 and zeros when nothing was pushed
 * @port: of the listener that is least special
 * @state: the last push itself, good for as long as the rcu_read_lock() that was
 *	held around ntpk_state_view()
 * @pushes: since attach
 * @age_ns: since the last push
 * @disp_ns: root dispersion as served now, 16 s where that is unsynchronised
 * @unix_ns: served time now, NTP_LINE_NOWHERE when there is none
 */
struct ntpk_view {
	enum ntpk_status status;
	bool	pushed;
	struct ntp_serve serve;
	u16	port;
	const struct ntpk_state *state;
	u64	pushes;
	u64	age_ns;
	u64	disp_ns;
	s64	unix_ns;
};

enum ntpk_status ntpk_state_status(const struct ntpk_inst *inst);
void ntpk_state_view(struct net *net, struct ntpk_view *view);
void ntpk_state_read_stats(struct net *net, u64 *pkts);
void ntpk_state_read_quirks(struct net *net, u64 *pkts);
void ntpk_state_read_hist(struct net *net, struct ntpk_hist_view *view);
bool ntpk_state_view_departure(struct net *net, unsigned int i, struct ntpk_departure_view *view);

#endif /* NTPK_STATE_VIEW_H */
