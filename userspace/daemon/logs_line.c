// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of the logs of numbers, as chrony.conf(5) describes them.  Pure.
 * Signs: in measurements an offset > 0 means that our clock is slow; in
 * statistics and tracking offset and frequency > 0 mean that it is fast; the
 * remaining correction > 0 again means slow.
 */
#include "daemon/logs.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <arpa/inet.h>

#define DATE_LEN	32
/* Kernel stamps are surer than this, those of the daemon are not. */
#define KERNEL_STAMP_NS	50000

const char *logs_banner(enum logs_kind kind)
{
	static const char *const banners[LOGS_KINDS] = {
		"   Date (UTC) Time     IP Address   L St 123 567 ABCD  LP RP Score    Offset"
		"  Peer del. Peer disp.  Root del. Root disp. Refid     MTxRx",
		"   Date (UTC) Time     IP Address    Std dev'n Est offset  Offset sd  Diff freq"
		"   Est skew  Stress  Ns  Bs  Nr  Asym",
		"   Date (UTC) Time     IP Address   St   Freq ppm   Skew ppm     Offset L Co"
		"  Offset sd Rem. corr. Root delay Root disp. Max. error",
	};

	return banners[kind];
}

static const char *format_date(char buf[DATE_LEN], int64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / NTP_NS_PER_S);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(buf, DATE_LEN, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, DATE_LEN, "INVALID     INVALID");
	return buf;
}

static char leap_char(uint8_t leap)
{
	return "N+-?"[leap & 3];
}

static double seconds(int64_t ns)
{
	return (double)ns * 1e-9;
}

static int passed(const struct sample_report *s, uint32_t test)
{
	return !!(s->tests & test);
}

void logs_line_measurement(char *buf, const char *address, const struct sample_report *s)
{
	char stamps = s->disp_ns < KERNEL_STAMP_NS ? 'K' : 'D';
	char date[DATE_LEN], tests[32];

	snprintf(tests, sizeof(tests), "%d%d%d %d%d%d %d%d%d%d", passed(s, SAMPLE_T_1),
		 passed(s, SAMPLE_T_2), passed(s, SAMPLE_T_3), passed(s, SAMPLE_T_5),
		 passed(s, SAMPLE_T_6), passed(s, SAMPLE_T_7), passed(s, SAMPLE_T_A),
		 passed(s, SAMPLE_T_B), passed(s, SAMPLE_T_C), passed(s, SAMPLE_T_D));
	snprintf(buf, LOGS_LINE_MAX,
		 "%s %-15s %1c %2d %s  %2d %2d %4.2f %10.3e %10.3e %10.3e %10.3e %10.3e %08X "
		 "4%c %c %c",
		 format_date(date, s->t4_unix_ns), address, leap_char(s->leap), s->stratum, tests,
		 s->poll_log2s, s->poll_log2s, 0.0, seconds(s->offset_ns), seconds(s->delay_ns),
		 seconds(s->disp_ns), seconds(s->root_delay_ns), seconds(s->root_disp_ns),
		 ntohl(s->refid), s->interleaved ? 'I' : 'B', stamps, stamps);
}

void logs_line_statistics(char *buf, const char *address, const struct source_report *s,
			  int64_t unix_ns)
{
	double n = s->samples ? s->samples : 1;
	char date[DATE_LEN];

	snprintf(buf, LOGS_LINE_MAX,
		 "%s %-15s %10.3e %10.3e %10.3e %10.3e %10.3e %7.1e %3d %3d %3d %5.2f",
		 format_date(date, unix_ns), address, s->sd_ns * 1e-9, -seconds(s->offset_ns),
		 s->sd_ns * 1e-9 / sqrt(n), -s->freq_ppb * 1e-9, s->freq_sd_ppb * 1e-9, 0.0,
		 (int)s->samples, 0, 0, 0.0);
}

void logs_line_tracking(char *buf, const char *address, const struct engine_report *r,
			int64_t unix_ns)
{
	double root = seconds(r->root_delay_ns) / 2 + seconds(r->root_disp_ns);
	double worst = fabs(seconds(r->last_offset_ns)) + fabs(seconds(r->clock_offset_ns)) + root;
	uint8_t leap = r->synchronised ? r->leap : 3;
	char date[DATE_LEN];

	if (!address)
		address = r->local ? "127.127.1.1" : "0.0.0.0";
	snprintf(buf, LOGS_LINE_MAX,
		 "%s %-15s %2d %10.3f %10.3f %10.3e %1c %2d %10.3e %10.3e %10.3e %10.3e %10.3e",
		 format_date(date, unix_ns), address, r->stratum, -r->freq_ppb * 1e-3,
		 r->freq_sd_ppb * 1e-3, -seconds(r->last_offset_ns), leap_char(leap),
		 (int)r->survivors, seconds(r->est_error_ns), seconds(r->clock_offset_ns),
		 seconds(r->root_delay_ns), seconds(r->root_disp_ns), worst);
}
