/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maps of the interfaces' clocks on their way into the module.  Event loop only;
 * blocks for the short netlink calls alone.
 */
#ifndef NTPKD_KERN_PHC_H
#define NTPKD_KERN_PHC_H

#include "nl/ntpk_nl.h"

/* struct kern_phc - @said: errno of the module's that was said last, 0 = it takes them */
struct kern_phc {
	int	 said;
};

/**
 * kern_phc_push() - an interface's clock is so
 * @p: state
 * @nl: handle
 * @map: map; the next one comes soon, so that none is kept
 */
void kern_phc_push(struct kern_phc *p, struct ntpk_nl *nl, const struct ntpk_nl_phc *map);

#endif /* NTPKD_KERN_PHC_H */
