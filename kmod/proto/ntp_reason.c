// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one table of reasons, and the names of states.
 * Any context: read-only data.  The strings are arrays inside the table, not
 * pointers, so that it stays in .rodata of position-independent code too.
 */
#include <ntpk/ntp_reason.h>
#include <ntpk/ntp_wire.h>

struct reason {
	char	name[20];
	char	text[76];
	__u8	class;
};

static const struct reason reasons[__NTPK_REASON_MAX] = {
	[NTPK_REASON_NONE] = {
		"none", "undecided", NTPK_CLASS_DROP },
	[NTPK_REASON_REPLIED] = {
		"replied", "answered with the served time", NTPK_CLASS_ANSWER },
	[NTPK_REASON_REPLIED_UNSYNC] = {
		"replied_unsync", "answered as unsynchronised, by policy", NTPK_CLASS_ANSWER },
	[NTPK_REASON_OTHER_PORT] = {
		"other_port", "UDP for a port, or an address, without listener", NTPK_CLASS_PASS },
	[NTPK_REASON_NOT_UNICAST] = {
		"not_unicast", "broadcast, multicast, anycast or for another host",
		NTPK_CLASS_PASS },
	[NTPK_REASON_IP_OPTIONS] = {
		"ip_options", "IPv4 header with options", NTPK_CLASS_PASS },
	[NTPK_REASON_EXT_HEADERS] = {
		"ext_headers", "IPv6 extension headers or a fragment", NTPK_CLASS_PASS },
	[NTPK_REASON_GSO] = {
		"gso", "several datagrams aggregated into one packet", NTPK_CLASS_PASS },
	[NTPK_REASON_VERSION] = {
		"version", "NTP version not in 1..4", NTPK_CLASS_PASS },
	[NTPK_REASON_MODE] = {
		"mode", "NTP, but not a client's request", NTPK_CLASS_PASS },
	[NTPK_REASON_BAD_LENGTH] = {
		"bad_length", "UDP length wrong, or less than 48 bytes of NTP", NTPK_CLASS_DROP },
	[NTPK_REASON_BAD_CHECKSUM] = {
		"bad_checksum", "UDP checksum wrong", NTPK_CLASS_DROP },
	[NTPK_REASON_BAD_SOURCE] = {
		"bad_source", "source address or port that cannot be answered", NTPK_CLASS_DROP },
	[NTPK_REASON_XFRM] = {
		"xfrm", "refused by IPsec policy", NTPK_CLASS_DROP },
	[NTPK_REASON_SILENT_UNSYNC] = {
		"silent_unsync", "never synchronised yet, policy is silence", NTPK_CLASS_DROP },
	[NTPK_REASON_SILENT_EXPIRED] = {
		"silent_expired", "no longer synchronised, policy is silence", NTPK_CLASS_DROP },
	[NTPK_REASON_INSANE_TIME] = {
		"insane_time", "served time before the build date or out of range",
		NTPK_CLASS_DROP },
	[NTPK_REASON_T3_BEFORE_T2] = {
		"t3_before_t2", "time went backwards while answering", NTPK_CLASS_DROP },
	[NTPK_REASON_NO_ROUTE] = {
		"no_route", "no way back to the client", NTPK_CLASS_DROP },
	[NTPK_REASON_NO_MEMORY] = {
		"no_memory", "no memory for the reply", NTPK_CLASS_DROP },
	[NTPK_REASON_SEND_FAILED] = {
		"send_failed", "the output path (firewall, queue) refused the reply",
		NTPK_CLASS_DROP },
	[NTPK_REASON_AUTH_FAILED] = {
		"auth_failed", "its MAC is not right, or of a key that is not known",
		NTPK_CLASS_DROP },
	[NTPK_REASON_AUTH_REQUIRED] = {
		"auth_required", "no MAC, and the listener answers no request without",
		NTPK_CLASS_DROP },
	[NTPK_REASON_REPLIED_NAK] = {
		"replied_nak", "answered by a crypto-NAK, as its MAC was not right",
		NTPK_CLASS_ANSWER },
	[NTPK_REASON_ACL_DENIED] = {
		"acl_denied", "the access list does not allow its source", NTPK_CLASS_DROP },
	[NTPK_REASON_LIMITED] = {
		"limited", "its client asks more than the rate limit allows", NTPK_CLASS_DROP },
	[NTPK_REASON_REPLIED_RATE] = {
		"replied_rate", "answered by a KoD RATE, as its client asks too much",
		NTPK_CLASS_ANSWER },
	[NTPK_REASON_OVER_BUDGET] = {
		"over_budget", "more than one CPU is to answer in a second", NTPK_CLASS_DROP },
	[NTPK_REASON_REPLIED_INTERLEAVED] = {
		"replied_interleaved", "answered with when the reply before it left",
		NTPK_CLASS_ANSWER },
};

static const char status_names[__NTPK_STATUS_MAX][20] = {
	[NTPK_STATUS_DETACHED] = "detached",
	[NTPK_STATUS_EMPTY] = "empty",
	[NTPK_STATUS_UNSYNC] = "unsynchronised",
	[NTPK_STATUS_SYNC] = "synchronised",
	[NTPK_STATUS_HOLDOVER] = "holdover",
	[NTPK_STATUS_EXPIRED_DEADLINE] = "expired_deadline",
	[NTPK_STATUS_EXPIRED_DISTANCE] = "expired_distance",
	[NTPK_STATUS_EXPIRED_STEP] = "expired_step",
};

static const char unknown[] = "unknown";

const char *ntp_reason_name(unsigned int reason)
{
	return reason < __NTPK_REASON_MAX ? reasons[reason].name : unknown;
}

enum ntpk_class ntp_reason_class(unsigned int reason)
{
	if (reason >= __NTPK_REASON_MAX)
		return NTPK_CLASS_DROP;
	return (enum ntpk_class)reasons[reason].class;
}

const char *ntp_reason_text(unsigned int reason)
{
	return reason < __NTPK_REASON_MAX ? reasons[reason].text : "";
}

const char *ntp_status_name(unsigned int status)
{
	return status < __NTPK_STATUS_MAX ? status_names[status] : unknown;
}
