// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer of NTPK_CMD_GET_STATS: lists of several kinds in one nest.  Pure. */
#include <string.h>
#include "nl/nl_fields.h"
#include "nl/nl_msg.h"
#include "nl/nl_phc.h"

static const struct nl_field counter_fields[] = {
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_REASON, reason, true),
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_CLASS, class, true),
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_PKTS, pkts, true),
};

static const struct nl_field departure_fields[] = {
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_IFINDEX, ifindex, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_IS_V6, is_v6, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_CORRECTION_NS, correction_ns, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_RESIDUAL_NS, residual_ns, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_SAMPLES, samples, true),
};

static const struct nl_field quirk_fields[] = {
	NL_FIELD(ntpk_nl_quirk, NTPK_A_QUIRK_NUMBER, number, true),
	NL_FIELD(ntpk_nl_quirk, NTPK_A_QUIRK_PKTS, pkts, true),
};

const struct nl_field nl_t2_fields[NL_T2_FIELDS] = {
	NL_FIELD(ntpk_nl_t2, NTPK_A_T2_KIND, kind, true),
	NL_FIELD(ntpk_nl_t2, NTPK_A_T2_PKTS, pkts, true),
};

static const struct nl_field t3_fields[] = {
	NL_FIELD(ntpk_nl_t2, NTPK_A_T3_KIND, kind, true),
	NL_FIELD(ntpk_nl_t2, NTPK_A_T3_PKTS, pkts, true),
};

static const struct nl_list lists[] = {
	{ NL_LIST(NTPK_A_STATS_COUNTER, counter_fields, ntpk_nl_stats, counters, n_counters),
	  NL_NAMED(NTPK_A_COUNTER_NAME, ntpk_nl_counter) },
	{ NL_LIST(NTPK_A_STATS_DEPARTURE, departure_fields, ntpk_nl_stats, departures,
		  n_departures) },
	{ NL_LIST(NTPK_A_STATS_QUIRK, quirk_fields, ntpk_nl_stats, quirks, n_quirks),
	  NL_NAMED(NTPK_A_QUIRK_NAME, ntpk_nl_quirk) },
	{ NL_LIST(NTPK_A_STATS_T2, nl_t2_fields, ntpk_nl_stats, t2s, n_t2s),
	  NL_NAMED(NTPK_A_T2_NAME, ntpk_nl_t2) },
	{ NL_LIST(NTPK_A_STATS_T3, t3_fields, ntpk_nl_stats, t3s, n_t3s),
	  NL_NAMED(NTPK_A_T3_NAME, ntpk_nl_t2) },
};

int nl_msg_parse_stats(const struct nlmsghdr *nlh, struct ntpk_nl_stats *out)
{
	struct nl_walk w;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = nl_walk_top(nlh, NTPK_A_STATS, &w);
	return ret < 0 ? ret : nl_parse_lists(w, lists, NL_LEN(lists), out);
}
