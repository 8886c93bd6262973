/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building the messages of the clocks of network devices.  Pure.
 */
#ifndef NTPK_NL_PHC_H
#define NTPK_NL_PHC_H

#include "nl/nl_msg.h"

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

#endif /* NTPK_NL_PHC_H */
