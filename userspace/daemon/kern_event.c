// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's events in the log, see kern_event.h.
 */
#include "daemon/kern_event.h"

#include <inttypes.h>
#include <ntpk/ntp_client.h>
#include <ntpk/ntp_reason.h>
#include "daemon/log.h"
#include "nl/ntpk_nl.h"

static void say_quirk(uint32_t quirk)
{
	const char *name = ntp_client_quirk_name(quirk);

	if (quirk < __NTP_CLIENT_QUIRK_MAX)
		log_info("the first client of the class %s: %s (ntpkctl clients --class %s)", name,
			 ntp_client_quirk_text(quirk), name);
	else
		log_info("the first client of a class that is newer than this ntpkd, number %" PRIu32
			 " (ntpkctl stats)", quirk);
}

void kern_event_say(const struct ntpk_nl_event *event)
{
	switch (event->kind) {
	case NTPK_EVENT_EXPIRED:
		log_warn("what the module serves has expired (%s)", ntp_status_name(event->status));
		break;
	case NTPK_EVENT_OVERLOAD:
		log_warn("more is asked of a CPU than maxanswers allows: what is above is not answered");
		break;
	case NTPK_EVENT_OVERLOAD_OVER:
		log_info("for ten seconds nothing was asked beyond maxanswers: %" PRIu64 " requests "
			 "were not answered before that", event->pkts);
		break;
	case NTPK_EVENT_NEW_QUIRK:
		say_quirk(event->quirk);
		break;
	}
}
