/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and parsing the messages of the clocks of network devices.  Pure.
 */
#ifndef NTPK_NL_PHC_H
#define NTPK_NL_PHC_H

#include "nl/nl_fields.h"
#include "nl/nl_msg.h"

#define NL_T2_FIELDS	2

/* Of struct ntpk_nl_t2, but for its name. */
extern const struct nl_field nl_t2_fields[NL_T2_FIELDS];

/**
 * nl_phc_put_map() - the argument of NTPK_CMD_SET_PHC
 * @nlh: from nl_msg_begin()
 * @map: a map
 */
void nl_phc_put_map(struct nlmsghdr *nlh, const struct ntpk_nl_phc *map);

/**
 * nl_phc_put_none() - the argument of NTPK_CMD_SET_PHC that drops a map
 * @nlh: from nl_msg_begin()
 * @ifindex: of the device
 */
void nl_phc_put_none(struct nlmsghdr *nlh, uint32_t ifindex);

/**
 * nl_phc_parse() - a message of NTPK_CMD_GET_PHC
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_phc_parse(const struct nlmsghdr *nlh, struct ntpk_nl_phc_view *out);

#endif /* NTPK_NL_PHC_H */
