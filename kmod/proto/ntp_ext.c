// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Extension fields and MAC trailers, see ntp_ext.h.
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_ext.h>
#include <ntpk/ntp_math.h>

#define MS_SNTP_LEN	72	/* the extended authenticator: two words and 64 bytes */

/* ntp32 with 28 bits of fraction */
#define F28_PER_S	(1U << 28)
#define F28_MAX_NS	(16 * NTP_NS_PER_S)

static __u32 get16(const __u8 *p)
{
	return (__u32)p[0] << 8 | p[1];
}

static __u32 get32(const __u8 *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static __u8 *put32(__u8 *p, __u32 v)
{
	p[0] = (__u8)(v >> 24);
	p[1] = (__u8)(v >> 16);
	p[2] = (__u8)(v >> 8);
	p[3] = (__u8)v;
	return p + 4;
}

static void found_mac(struct ntp_ext *ext, const __u8 *packet, size_t off, size_t len)
{
	ext->mac_off = (__u16)off;
	ext->mac_len = (__u16)len;
	ext->key_id = get32(packet + off);
}

static bool is_nak(const __u8 *p, size_t len)
{
	return len == NTP_MAC_ID_LEN && !get32(p);
}

/* Before version 4 a MAC is told by its length alone. */
static bool is_old_mac(const __u8 *p, size_t len)
{
	switch (len) {
	case NTP_MAC_ID_LEN + 16:	/* MD5, AES-CMAC, MS-SNTP */
	case NTP_MAC_ID_LEN + 20:	/* SHA1 */
	case NTP_MAC_ID_LEN + 32:	/* SHA256 */
	case NTP_MAC_ID_LEN + 48:	/* SHA384 */
	case NTP_MAC_ID_LEN + 64:	/* SHA512 */
	case MS_SNTP_LEN:
		return true;
	default:
		return is_nak(p, len);
	}
}

static bool is_mac(const __u8 *p, size_t len)
{
	return len == NTP_MAC_ID_LEN + NTP_MAC_CODE_MIN ||
	       len == NTP_MAC_ID_LEN + NTP_MAC_V4_CODE_MAX || is_nak(p, len);
}

/* Length of the field at the front of what is left; 0 = that is none. */
static size_t field_len(const __u8 *p, size_t left)
{
	size_t len;

	/* as little could only be a MAC (RFC 7822 section 7.5.1.4) */
	if (left <= NTP_MAC_ID_LEN + NTP_MAC_V4_CODE_MAX)
		return 0;
	len = get16(p + 2);
	return len >= NTP_EXT_MIN && len % 4 == 0 && len <= left ? len : 0;
}

static void note_field(struct ntp_ext *ext, const __u8 *p, size_t len)
{
	ext->fields++;
	if (get16(p) == NTP_EXT_MONO_ROOT && len == NTP_EXT_MONO_ROOT_LEN &&
	    get32(p + 4) == NTP_EXT_MONO_ROOT_MAGIC)
		ext->mono_root = true;
}

static void parse_v4(const __u8 *packet, size_t len, struct ntp_ext *ext)
{
	size_t off = NTP_HEADER_LEN;
	size_t n;

	while (off < len) {
		if (is_mac(packet + off, len - off)) {
			found_mac(ext, packet, off, len - off);
			return;
		}
		n = field_len(packet + off, len - off);
		if (!n)
			return;
		note_field(ext, packet + off, n);
		off += n;
	}
}

void ntp_ext_parse(const __u8 *packet, size_t len, struct ntp_ext *ext)
{
	static const struct ntp_ext nothing;
	size_t left = len - NTP_HEADER_LEN;

	*ext = nothing;
	if (len <= NTP_HEADER_LEN || len > NTP_EXT_PACKET_MAX)
		return;
	if (ntp_lvm_version(packet[0]) == 4)
		parse_v4(packet, len, ext);
	else if (is_old_mac(packet + NTP_HEADER_LEN, left))
		found_mac(ext, packet, NTP_HEADER_LEN, left);
}

size_t ntp_mac_code_len(unsigned int version, size_t full)
{
	return version == 4 && full > NTP_MAC_V4_CODE_MAX ? NTP_MAC_V4_CODE_MAX : full;
}

/* Rounded up, as a bound must not become smaller. */
static __u32 f28_from_ns(__u64 ns)
{
	__u32 rem_ns;
	__u64 s, frac;

	if (ns >= F28_MAX_NS)
		return ~0U;
	s = ntp_div_ns_per_s(ns, &rem_ns);
	frac = s * F28_PER_S + ntp_div_ns_up((__u64)rem_ns * F28_PER_S);
	return frac > ~0U ? ~0U : (__u32)frac;
}

void ntp_ext_put_mono_root(__u8 *out, const struct ntp_header *reply,
			   const struct ntp_serve *serve, const struct ntp_answer *answer)
{
	bool synced = ntp_lvm_leap(reply->lvm) != NTP_LEAP_UNSYNC;
	ntp64_t mono = 0;

	if (synced && serve->mono_epoch)
		mono = ntp_be64toh(reply->rec_ts) + ntp64_from_unix_ns(serve->mono_offset_ns) -
		       ntp64_from_unix_ns(answer->t2_correction_ns);
	out = put32(out, (__u32)NTP_EXT_MONO_ROOT << 16 | NTP_EXT_MONO_ROOT_LEN);
	out = put32(out, NTP_EXT_MONO_ROOT_MAGIC);
	out = put32(out, synced ? f28_from_ns(serve->root_delay_ns) : 0);
	out = put32(out, f28_from_ns(synced ? answer->disp_ns : F28_MAX_NS));
	out = put32(out, (__u32)(mono >> 32));
	out = put32(out, (__u32)mono);
	put32(out, mono ? serve->mono_epoch : 0);
}
