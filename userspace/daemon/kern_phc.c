// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps of the interfaces' clocks into the module, see kern_phc.h.  Event loop only.
 */
#include "daemon/kern_phc.h"

#include <errno.h>
#include "daemon/log.h"

void kern_phc_push(struct kern_phc *p, struct ntpk_nl *nl, const struct ntpk_nl_phc *map)
{
	int err = ntpk_nl_set_phc(nl, map);

	/* not attached, gone, or the interface has: others see to that */
	if (err == -ENOTCONN || err == -ENOENT || err == -ENODEV)
		return;
	if (err && err != p->said)
		log_warn("module ntpk: it does not use the time stamps of the hardware: %s",
			 ntpk_nl_words(nl, err));
	p->said = err;
}
