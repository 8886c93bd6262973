// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building the messages of the clocks of network devices, see nl_phc.h.  Pure.
 */
#include "nl/nl_phc.h"

#include "nl/nl_fields.h"

static const struct nl_field fields[] = {
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_IFINDEX, ifindex, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_PHC_NS, phc_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_RAW_NS, raw_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_RATE, rate_q48, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_ERR_NS, err_ns, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_SKEW_PPB, skew_ppb, true),
	NL_FIELD(ntpk_nl_phc, NTPK_A_PHC_VALID_UNTIL_NS, valid_until_ns, true),
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
