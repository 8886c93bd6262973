// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The one table of clients' fingerprints, and the names of what T1 is.
 * Any context: read-only data, strings inside the tables as in ntp_reason.c.
 */
#include <ntpk/ntp_client.h>

#define ANY		0xff
#define V(n)		(1 << (n))
#define M(n)		(1 << (n))
#define T1(n)		(1 << NTP_CLIENT_T1_##n)
#define CLOCK		(0xffff & ~(T1(UNKNOWN) | T1(ZERO) | T1(CONSTANT) | T1(RANDOM)))
#define ANY_T1		0xffff
#define BARE		(NTP_CLIENT_HAS_FIELDS | NTP_CLIENT_HAS_MAC | NTP_CLIENT_HAS_MORE)
#define ANY_BYTE	(-129)		/* of the fields below that are bytes */

/**
 * struct quirk - a fingerprint; a request fits where all members do
 * @name: in statistics
 * @text: for people
 * @quirk: enum ntp_client_quirk
 * @versions: bits
 * @modes: bits
 * @leap: ANY, or this
 * @has: NTP_CLIENT_HAS_* that must be there ...
 * @has_not: ... and that must not
 * @t1: bits of enum ntp_client_t1
 * @poll_log2s: ANY_BYTE, or this
 * @precision_log2s: likewise
 */
struct quirk {
	char	name[16];
	char	text[76];
	__u8	quirk;
	__u8	versions;
	__u8	modes;
	__u8	leap;
	__u8	has;
	__u8	has_not;
	__u16	t1;
	__s16	poll_log2s;
	__s16	precision_log2s;
};

/* The first that fits counts, so that what is special comes first. */
static const struct quirk quirks[] = {
	{ "v1_mode0", "version 1, which has no modes (RFC 1059)", NTP_CLIENT_QUIRK_V1_MODE0,
	  V(1), M(0), ANY, 0, 0, ANY_T1, ANY_BYTE, ANY_BYTE },
	{ "windows", "asks as the Windows Time service does", NTP_CLIENT_QUIRK_WINDOWS,
	  V(3), M(1) | M(3), NTP_LEAP_UNSYNC, 0, NTP_CLIENT_HAS_STRATUM, ANY_T1, ANY_BYTE, -23 },
	{ "arduino", "the packet of Arduino's example, or made after it",
	  NTP_CLIENT_QUIRK_ARDUINO, V(4), M(3), NTP_LEAP_UNSYNC, NTP_CLIENT_HAS_REFID,
	  NTP_CLIENT_HAS_STRATUM | NTP_CLIENT_HAS_MORE, ANY_T1, 6, -20 },
	{ "ntpdate", "asks as ntpdate, sntp, macOS and iOS do", NTP_CLIENT_QUIRK_NTPDATE,
	  ANY, M(3), NTP_LEAP_UNSYNC, NTP_CLIENT_HAS_ROOT_DELAY | NTP_CLIENT_HAS_ROOT_DISP,
	  NTP_CLIENT_HAS_STRATUM, ANY_T1, ANY_BYTE, -6 },
	{ "extended", "extension fields: Network Time Security and the like",
	  NTP_CLIENT_QUIRK_EXTENDED, ANY, ANY, ANY, NTP_CLIENT_HAS_MORE, 0, ANY_T1, ANY_BYTE,
	  ANY_BYTE },
	{ "keyed", "a header and a MAC", NTP_CLIENT_QUIRK_KEYED,
	  ANY, ANY, ANY, NTP_CLIENT_HAS_MAC, 0, ANY_T1, ANY_BYTE, ANY_BYTE },
	{ "symmetric", "symmetric active: a peer that nobody configured here",
	  NTP_CLIENT_QUIRK_SYMMETRIC, ANY, M(1), ANY, 0, 0, ANY_T1, ANY_BYTE, ANY_BYTE },
	{ "unix_epoch", "counts from 1970 where NTP counts from 1900: cameras do so",
	  NTP_CLIENT_QUIRK_UNIX_EPOCH, ANY, ANY, ANY, 0, 0, T1(UNIX), ANY_BYTE, ANY_BYTE },
	{ "bare_zero", "nothing but zeros: the least that is answered",
	  NTP_CLIENT_QUIRK_BARE_ZERO, ANY, ANY, ANY, 0, BARE, T1(ZERO), 0, 0 },
	{ "bare_constant", "zeros and always the same T1: cannot tell answers apart",
	  NTP_CLIENT_QUIRK_BARE_CONSTANT, ANY, ANY, ANY, 0, BARE, T1(CONSTANT), 0, 0 },
	{ "bare_random", "zeros and a random T1, as busybox, OpenNTPD and timesyncd ask",
	  NTP_CLIENT_QUIRK_BARE_RANDOM, ANY, ANY, ANY, 0, BARE, T1(RANDOM), 0, 0 },
	{ "bare_clock", "zeros and its clock: SNTP of cameras and small devices",
	  NTP_CLIENT_QUIRK_BARE_CLOCK, ANY, ANY, ANY, 0, BARE, CLOCK, 0, 0 },
	{ "minimal", "poll, precision and a random T1, as chrony, NTPsec and ntpd-rs ask",
	  NTP_CLIENT_QUIRK_MINIMAL, ANY, M(3), ANY, 0,
	  NTP_CLIENT_HAS_FIELDS & ~NTP_CLIENT_HAS_ORG_TS, T1(RANDOM), ANY_BYTE, ANY_BYTE },
	{ "server", "tells its own stratum and reference: a server itself, such as ntpd",
	  NTP_CLIENT_QUIRK_SERVER, ANY, ANY, ANY, NTP_CLIENT_HAS_STRATUM | NTP_CLIENT_HAS_REFID,
	  0, ANY_T1, ANY_BYTE, ANY_BYTE },
	{ "none", "like no fingerprint that is known", NTP_CLIENT_QUIRK_NONE,
	  ANY, ANY, ANY, 0, 0, ANY_T1, ANY_BYTE, ANY_BYTE },
};

#define QUIRKS	(sizeof(quirks) / sizeof(quirks[0]))

_Static_assert(QUIRKS == __NTP_CLIENT_QUIRK_MAX, "each class has one row");

static const char t1_names[__NTP_CLIENT_T1_MAX][16] = {
	[NTP_CLIENT_T1_UNKNOWN] = "not_known_yet",
	[NTP_CLIENT_T1_ZERO] = "zero",
	[NTP_CLIENT_T1_CONSTANT] = "constant",
	[NTP_CLIENT_T1_RANDOM] = "random",
	[NTP_CLIENT_T1_NTP] = "ntp",
	[NTP_CLIENT_T1_UNIX] = "unix_epoch",
	[NTP_CLIENT_T1_SHIFT] = "time_zone",
	[NTP_CLIENT_T1_REBOOTED] = "began_at_1970",
	[NTP_CLIENT_T1_FAR] = "far_off",
};

static const char unknown[] = "unknown";

static bool fits(const struct quirk *k, __u32 head, unsigned int t1_class)
{
	__u8 lvm = (__u8)head, has = (__u8)(head >> 24);

	return k->versions >> ntp_lvm_version(lvm) & 1 && k->modes >> ntp_lvm_mode(lvm) & 1 &&
	       (k->leap == ANY || k->leap == ntp_lvm_leap(lvm)) &&
	       (has & k->has) == k->has && !(has & k->has_not) && k->t1 >> t1_class & 1 &&
	       (k->poll_log2s == ANY_BYTE || k->poll_log2s == (__s8)(head >> 8)) &&
	       (k->precision_log2s == ANY_BYTE || k->precision_log2s == (__s8)(head >> 16));
}

enum ntp_client_quirk ntp_client_quirk_of(__u32 head, unsigned int t1_class)
{
	const struct quirk *k = quirks;

	/* the last one fits all */
	while (k < quirks + QUIRKS - 1 && !fits(k, head, t1_class))
		k++;
	return (enum ntp_client_quirk)k->quirk;
}

static const struct quirk *find(unsigned int quirk)
{
	const struct quirk *k;

	for (k = quirks; k < quirks + QUIRKS; k++)
		if (k->quirk == quirk)
			return k;
	return NULL;
}

const char *ntp_client_quirk_name(unsigned int quirk)
{
	const struct quirk *k = find(quirk);

	return k ? k->name : unknown;
}

const char *ntp_client_quirk_text(unsigned int quirk)
{
	const struct quirk *k = find(quirk);

	return k ? k->text : "";
}

const char *ntp_client_t1_name(unsigned int t1_class)
{
	return t1_class < __NTP_CLIENT_T1_MAX ? t1_names[t1_class] : unknown;
}
