/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extension fields and MACs of the daemon's own responder: what kmod/auth.c is to
 * the module.  Event loop only.
 */
#ifndef NTPKD_RESPOND_AUTH_H
#define NTPKD_RESPOND_AUTH_H

#include <ntpk/ntp_ext.h>
#include "daemon/keys.h"

/* header, the one field that a reply may have, MAC */
#define RESPOND_REPLY_MAX	(NTP_HEADER_LEN + NTP_EXT_MONO_ROOT_LEN + NTP_MAC_MAX)

/**
 * struct respond_auth - who may be answered how
 * @keys: the owner's, NULL = none
 * @nak_at_ns: of ntp_pace(), for crypto-NAKs
 */
struct respond_auth {
	const struct keys *keys;
	__s64	 nak_at_ns;
};

/**
 * struct respond_tail - what follows the header of a request, and what of it counts
 * @ext: as parsed
 * @key_id: signed by this key, 0 = by none
 * @nak: the reply is a crypto-NAK
 * @work_ns: how long the MAC took, and that of the reply will
 */
struct respond_tail {
	struct ntp_ext ext;
	uint32_t key_id;
	bool	 nak;
	int64_t	 work_ns;
};

/**
 * respond_auth_check() - as ntpk_auth_check() of the module
 * @auth: keys and budget
 * @data: request, classified
 * @len: of it
 * @policy: of the listener
 * @tail: out
 *
 * Return: NTPK_REASON_NONE, AUTH_FAILED or AUTH_REQUIRED.
 */
enum ntpk_reason respond_auth_check(struct respond_auth *auth, const uint8_t *data, size_t len,
				    const struct ntp_policy *policy, struct respond_tail *tail);

/**
 * respond_auth_sign() - key id and MAC, or a crypto-NAK, behind a reply
 * @auth: keys
 * @tail: of the request
 * @reply: stamped, with room for RESPOND_REPLY_MAX
 * @len: of it
 *
 * Return: the new length.
 */
size_t respond_auth_sign(const struct respond_auth *auth, const struct respond_tail *tail,
			 uint8_t *reply, size_t len);

#endif /* NTPKD_RESPOND_AUTH_H */
