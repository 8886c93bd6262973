// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building and parsing the messages of the clocks of network devices, see nl_phc.h.
 * Pure.
 */
#include "nl/nl_phc.h"

#include <string.h>

static const struct nl_field fields[] = {
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_IFINDEX, ifindex, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_PHC_NS, map.phc_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_RAW_NS, map.raw_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_RATE, map.rate_q48, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_ERR_NS, map.err_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_SKEW_PPB, map.skew_ppb, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_VALID_UNTIL_NS, map.valid_until_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_RX_LATER_NS, map.rx_later_ns, true),
};

static void put(struct nlmsghdr *nlh, size_t n, const struct ntpk_nl_phc *map)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_PHC);

	nl_put_fields(nlh, fields, n, map);
	mnl_attr_nest_end(nlh, nest);
}

void nl_phc_put_map(struct nlmsghdr *nlh, const struct ntpk_nl_phc *map)
{
	put(nlh, NL_LEN(fields), map);
}

void nl_phc_put_none(struct nlmsghdr *nlh, uint32_t ifindex)
{
	const struct ntpk_nl_phc map = { .ifindex = ifindex };

	put(nlh, 1, &map);
}

static const struct nl_list lists[] = {
	{ NL_LIST(NTPK_A_PHC_T2, nl_t2_fields, ntpk_nl_phc_view, t2s, n_t2s),
	  NL_NAMED(NTPK_A_T2_NAME, ntpk_nl_t2) },
};

int nl_phc_parse(const struct nlmsghdr *nlh, struct ntpk_nl_phc_view *out)
{
	struct nl_walk w;
	int ret = nl_walk_top(nlh, NTPK_A_PHC, &w);

	memset(out, 0, sizeof(*out));
	if (ret == 0)
		ret = nl_parse_fields(w, fields, NL_LEN(fields), &out->phc);
	return ret < 0 ? ret : nl_parse_lists(w, lists, NL_LEN(lists), out);
}
