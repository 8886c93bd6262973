// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Stamps of a device on CLOCK_MONOTONIC_RAW, and the one table each of what T2 and
 * departures can be of.  Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_phc.h>
#include <ntpk/ntp_reply.h>

/* struct kind - strings inside the table, as in ntp_reason.c */
struct kind {
	char	name[16];
	char	text[64];
};

static const struct kind t2s[__NTPK_T2_MAX] = {
	[NTPK_T2_HARDWARE] = {
		"hardware", "the device's stamp, by the map of its clock" },
	[NTPK_T2_SOFTWARE] = {
		"software", "the kernel's stamp, or no stamp at all" },
	[NTPK_T2_HW_MISSING] = {
		"hw_missing", "there is a map, but no stamp of the device" },
	[NTPK_T2_HW_NO_MAP] = {
		"hw_no_map", "there is a stamp of the device, but no map" },
	[NTPK_T2_HW_STALE] = {
		"hw_stale", "the map is not valid any more" },
	[NTPK_T2_HW_FUTURE] = {
		"hw_future", "by the map it came after the kernel had it" },
	[NTPK_T2_HW_FAR] = {
		"hw_far", "by the map it came more than 10 ms before that" },
};

static const struct kind t3s[__NTPK_T3_MAX] = {
	[NTPK_T3_HARDWARE] = {
		"hardware", "the device's stamp, by the map of its clock" },
	[NTPK_T3_SOFTWARE] = {
		"software", "the kernel's stamp, or no stamp at all" },
	[NTPK_T3_HW_MISSING] = {
		"hw_missing", "there is a map, but no stamp of the device within a second" },
	[NTPK_T3_HW_STALE] = {
		"hw_stale", "the map is not valid any more" },
	[NTPK_T3_HW_FUTURE] = {
		"hw_future", "by the map it leaves after that was reported" },
	[NTPK_T3_HW_EARLY] = {
		"hw_early", "by the map it left before the device had it" },
	[NTPK_T3_HW_FAR] = {
		"hw_far", "by the map it left more than 10 ms after that" },
	[NTPK_T3_HW_VAGUE] = {
		"hw_vague", "the device's stamp is less exact than the kernel's" },
};

static const char unknown[] = "unknown";

const char *ntp_t2_name(unsigned int kind)
{
	return kind < __NTPK_T2_MAX ? t2s[kind].name : unknown;
}

const char *ntp_t2_text(unsigned int kind)
{
	return kind < __NTPK_T2_MAX ? t2s[kind].text : "";
}

const char *ntp_t3_name(unsigned int kind)
{
	return kind < __NTPK_T3_MAX ? t3s[kind].name : unknown;
}

const char *ntp_t3_text(unsigned int kind)
{
	return kind < __NTPK_T3_MAX ? t3s[kind].text : "";
}

const char *ntp_phc_check(const struct ntp_phc *map, __s64 now_raw_ns)
{
	if (map->raw_ns < 0 || map->raw_ns > now_raw_ns + NTP_PHC_AHEAD_MAX_NS)
		return "RAW_NS must not be ahead of CLOCK_MONOTONIC_RAW";
	if (now_raw_ns - map->raw_ns >= NTPK_PHC_SPAN_MAX_NS)
		return "RAW_NS must be less than 64 s ago";
	if (map->rate_q48 < NTPK_RATE_Q48_MIN || map->rate_q48 > NTPK_RATE_Q48_MAX)
		return "RATE must be within +-1 %";
	if (map->err_ns > NTPK_PHC_ERR_MAX_NS)
		return "ERR_NS must be at most 10 ms";
	if (map->skew_ppb > NTPK_PHC_SKEW_PPB_MAX)
		return "SKEW_PPB must be at most 1 %";
	if (map->rx_later_ns < NTPK_PHC_NO_RX || map->rx_later_ns > NTPK_PHC_RX_LATER_MAX_NS)
		return "RX_LATER_NS must be -1 to 10 ms";
	if (map->valid_until_ns <= now_raw_ns)
		return "VALID_UNTIL_NS has passed";
	if (map->valid_until_ns - map->raw_ns >= NTPK_PHC_SPAN_MAX_NS)
		return "VALID_UNTIL_NS must be less than 64 s after RAW_NS";
	return NULL;
}

bool ntp_phc_to_raw(const struct ntp_phc *map, __s64 phc_ns, __s64 *raw_ns, __u32 *err_ns)
{
	__s64 d, corr;

	if (__builtin_sub_overflow(phc_ns, map->phc_ns, &d) || d > NTPK_PHC_SPAN_MAX_NS ||
	    d < -NTPK_PHC_SPAN_MAX_NS || !ntp_scale(d, map->rate_q48, &corr))
		return false;
	*raw_ns = map->raw_ns + d + corr;
	/* 64 s at 1 % and 10 ms: far below 2^32, as the product is below 2^64 */
	*err_ns = map->err_ns +
		  (__u32)ntp_div_ns_up((d < 0 ? -(__u64)d : (__u64)d) * map->skew_ppb);
	return true;
}

enum ntpk_t2 ntp_phc_judge(const struct ntp_phc *map, __s64 phc_ns, __s64 now_raw_ns,
			   __s64 soft_age_ns, struct ntp_phc_stamp *stamp)
{
	__s64 raw_ns, ahead_ns;
	__u32 err_ns;

	if (!phc_ns)
		return NTPK_T2_HW_MISSING;
	if (now_raw_ns > map->valid_until_ns)
		return NTPK_T2_HW_STALE;
	if (!ntp_phc_to_raw(map, phc_ns, &raw_ns, &err_ns))
		return phc_ns > map->phc_ns ? NTPK_T2_HW_FUTURE : NTPK_T2_HW_FAR;
	ahead_ns = raw_ns + map->rx_later_ns - (now_raw_ns - soft_age_ns);
	if (ahead_ns > NTP_PHC_FAR_NS ||
	    (ahead_ns > 0 && (__u64)ahead_ns > err_ns + ntp_t2_age_err_ns(soft_age_ns)))
		return NTPK_T2_HW_FUTURE;
	if (ahead_ns < -NTP_PHC_FAR_NS)
		return NTPK_T2_HW_FAR;
	/* it came before the kernel had it, whatever the error makes of that */
	stamp->age_ns = soft_age_ns - (ahead_ns < 0 ? ahead_ns : 0);
	stamp->err_ns = err_ns;
	/* and then one of the two is further off than the map says */
	if (ahead_ns > err_ns)
		stamp->err_ns += (__u32)ahead_ns;
	return NTPK_T2_HARDWARE;
}

enum ntpk_t3 ntp_phc_judge_left(const struct ntp_phc *map, __s64 phc_ns, __s64 had_raw_ns,
				__s64 now_raw_ns, struct ntp_phc_left *left)
{
	__s64 raw_ns;
	__u32 err_ns;

	if (now_raw_ns > map->valid_until_ns)
		return NTPK_T3_HW_STALE;
	if (!ntp_phc_to_raw(map, phc_ns, &raw_ns, &err_ns))
		return phc_ns > map->phc_ns ? NTPK_T3_HW_FUTURE : NTPK_T3_HW_EARLY;
	if (raw_ns - now_raw_ns > err_ns)
		return NTPK_T3_HW_FUTURE;
	if (had_raw_ns - raw_ns > err_ns)
		return NTPK_T3_HW_EARLY;
	if (raw_ns - had_raw_ns > NTP_PHC_FAR_NS)
		return NTPK_T3_HW_FAR;
	/* after the device had it and before that was reported, whatever the error makes of it */
	if (raw_ns > now_raw_ns)
		raw_ns = now_raw_ns;
	left->raw_ns = raw_ns < had_raw_ns ? had_raw_ns : raw_ns;
	left->err_ns = err_ns;
	return NTPK_T3_HARDWARE;
}
