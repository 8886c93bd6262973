/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What follows the header of a request: extension fields (RFC 7822) and a MAC
 * (RFC 5905 section 7.3, RFC 8573); and the one field that a reply may have.
 * Pure C.
 */
#ifndef _NTPK_NTP_EXT_H
#define _NTPK_NTP_EXT_H

#include <ntpk/ntp_reply.h>

#define NTP_MAC_ID_LEN		4
#define NTP_MAC_CODE_MIN	16	/* MD5, AES-CMAC */
#define NTP_MAC_CODE_MAX	64	/* SHA512 */
#define NTP_MAC_V4_CODE_MAX	20	/* RFC 7822 section 7.5 */
#define NTP_MAC_MAX		(NTP_MAC_ID_LEN + NTP_MAC_CODE_MAX)

#define NTP_EXT_MIN		16	/* of a field, its head included */
#define NTP_EXT_TAIL_MAX	1024	/* of all fields: in what is longer none is looked for */
#define NTP_EXT_PACKET_MAX	(NTP_HEADER_LEN + NTP_EXT_TAIL_MAX + NTP_MAC_MAX)

/* The experimental field "monotonic and root" of chrony, with its magic number. */
#define NTP_EXT_MONO_ROOT	0xf323
#define NTP_EXT_MONO_ROOT_MAGIC	0xf5bedd9aU
#define NTP_EXT_MONO_ROOT_LEN	28

/**
 * struct ntp_ext - what was found behind the header
 * @mac_off: where the key id stands, which is how much the MAC covers
 * @mac_len: key id and code, 4 for a crypto-NAK; 0 = there is no MAC
 * @key_id: host order
 * @fields: how many well-formed extension fields
 * @mono_root: NTP_EXT_MONO_ROOT was one of them
 */
struct ntp_ext {
	__u16	mac_off;
	__u16	mac_len;
	__u32	key_id;
	__u16	fields;
	bool	mono_root;
};

/**
 * ntp_ext_parse() - find extension fields and the MAC
 * @packet: the whole NTP message, any alignment
 * @len: of it, at least NTP_HEADER_LEN
 * @ext: out
 *
 * Version 4: fields of at least 16 bytes and a multiple of 4, until 20 or 24
 * bytes are left, which are a MAC, or 4 zero ones, which are a crypto-NAK; so
 * the last field without a MAC has at least 28 bytes (RFC 7822 section 7.5.1.4).
 * Before version 4 there are no fields: a MAC has the length of one of the hash
 * functions, or of an MS-SNTP authenticator.  Anything else is junk, which ends
 * the search and is ignored.  At most NTP_EXT_TAIL_MAX / NTP_EXT_MIN steps.
 */
void ntp_ext_parse(const __u8 *packet, size_t len, struct ntp_ext *ext);

/**
 * ntp_mac_code_len() - bytes of a code on the wire
 * @version: of the packet
 * @full: what the algorithm gives
 *
 * Return: @full, in version 4 at most NTP_MAC_V4_CODE_MAX: the rest is left out.
 */
size_t ntp_mac_code_len(unsigned int version, size_t full);

/**
 * ntp_ext_put_mono_root() - the reply's NTP_EXT_MONO_ROOT field
 * @out: NTP_EXT_MONO_ROOT_LEN bytes
 * @reply: header from ntp_reply_fill()
 * @serve: state that it was filled from
 * @answer: from ntp_reply_decide()
 *
 * Root delay and dispersion with 28 bits of fraction, and T2 on a scale that
 * knows the server's frequency corrections but none of its phase, nor what a
 * listener adds to time.  What the server does not know, or claims not to know, is 0,
 * as chrony has it.
 */
void ntp_ext_put_mono_root(__u8 *out, const struct ntp_header *reply,
			   const struct ntp_serve *serve, const struct ntp_answer *answer);

#endif /* _NTPK_NTP_EXT_H */
