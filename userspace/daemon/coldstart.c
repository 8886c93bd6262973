// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What time it is at least, before any source has answered.  Start-up only.
 */
#include "daemon/coldstart.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <ntpk/ntp_wire.h>

void coldstart_decide(struct coldstart *cs, int64_t real_unix_ns)
{
	cs->from = COLDSTART_BUILD;
	cs->floor_unix_ns = cs->build_unix_ns;
	if (cs->saved_unix_ns > cs->floor_unix_ns) {
		cs->from = COLDSTART_SAVED;
		cs->floor_unix_ns = cs->saved_unix_ns;
	}
	cs->start_unix_ns = cs->floor_unix_ns;
	if (real_unix_ns >= cs->floor_unix_ns) {
		/* a clock that may be right is not moved to an RTC that may be fast */
		cs->from = COLDSTART_CLOCK;
		cs->start_unix_ns = real_unix_ns;
	} else if (cs->rtc_unix_ns > cs->floor_unix_ns) {
		cs->from = COLDSTART_RTC;
		cs->start_unix_ns = cs->rtc_unix_ns;
	}
}

const char *coldstart_from_name(enum coldstart_from from)
{
	switch (from) {
	case COLDSTART_CLOCK:
		return "system clock";
	case COLDSTART_RTC:
		return "RTC";
	case COLDSTART_SAVED:
		return "saved time";
	default:
		return "build date";
	}
}

int coldstart_read_rtc(const char *path, int64_t *unix_ns)
{
	struct rtc_time rtc;
	struct tm tm = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int err;
	time_t s;

	if (fd < 0)
		return -errno;
	memset(&rtc, 0, sizeof(rtc));
	err = ioctl(fd, RTC_RD_TIME, &rtc) ? -errno : 0;
	close(fd);
	/* the kernel says EINVAL for a date that cannot be: the battery was flat */
	if (err)
		return err == -EINVAL ? -ERANGE : err;
	tm.tm_year = rtc.tm_year;
	tm.tm_mon = rtc.tm_mon;
	tm.tm_mday = rtc.tm_mday;
	tm.tm_hour = rtc.tm_hour;
	tm.tm_min = rtc.tm_min;
	tm.tm_sec = rtc.tm_sec;
	s = timegm(&tm);
	if (s <= 0)
		return -ERANGE;
	*unix_ns = (int64_t)s * NTP_NS_PER_S;
	return 0;
}
