// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extension fields and MACs of the own responder, see respond_auth.h.  Event loop
 * only.  What is a field and what a MAC is decided by the module's code.
 */
#include "daemon/respond_auth.h"

#include <string.h>
#include <ntpk/ntp_limit.h>
#include "daemon/clocks.h"

/* Crypto-NAKs: one in this time, and so many at once, as of the module. */
#define NAK_NS		(NTP_NS_PER_S / 10)
#define NAKS_BURST	10

/* What is no measurement any more. */
#define WORK_MAX_NS	1000000

static bool mac_right(const struct respond_auth *auth, const uint8_t *data,
		      struct respond_tail *tail)
{
	const struct ntp_ext *ext = &tail->ext;
	int64_t begin_ns = clocks_local_ns();
	bool right;

	if (ext->mac_len != keys_mac_len(auth->keys, ext->key_id, ntp_lvm_version(data[0])))
		return false;
	right = keys_verify(auth->keys, ext->key_id, data, (size_t)ext->mac_off + ext->mac_len);
	tail->work_ns = clocks_local_ns() - begin_ns;
	if (tail->work_ns < 0 || tail->work_ns > WORK_MAX_NS)
		tail->work_ns = 0;
	return right;
}

enum ntpk_reason respond_auth_check(struct respond_auth *auth, const uint8_t *data, size_t len,
				    const struct ntp_policy *policy, struct respond_tail *tail)
{
	memset(tail, 0, sizeof(*tail));
	if (len > NTP_HEADER_LEN && len <= NTP_EXT_PACKET_MAX)
		ntp_ext_parse(data, len, &tail->ext);
	if (!tail->ext.mac_len)
		return policy->flags & NTPK_LISTENER_F_REQUIRE_KEY ? NTPK_REASON_AUTH_REQUIRED :
		       NTPK_REASON_NONE;
	if (mac_right(auth, data, tail)) {
		tail->key_id = tail->ext.key_id;
		return NTPK_REASON_NONE;
	}
	/* never longer than the request: a MAC that was not a NAK itself has 20 bytes */
	tail->nak = policy->flags & NTPK_LISTENER_F_CRYPTO_NAK &&
		    tail->ext.mac_len > NTP_MAC_ID_LEN &&
		    ntp_pace(&auth->nak_at_ns, clocks_local_ns(), NAK_NS, NAKS_BURST);
	/* nobody vouches for who asked: header and four bytes, nothing else */
	tail->ext.mono_root &= !tail->nak;
	return tail->nak ? NTPK_REASON_NONE : NTPK_REASON_AUTH_FAILED;
}

size_t respond_auth_sign(const struct respond_auth *auth, const struct respond_tail *tail,
			 uint8_t *reply, size_t len)
{
	int signed_len;

	if (tail->nak) {
		memset(reply + len, 0, NTP_MAC_ID_LEN);
		return len + NTP_MAC_ID_LEN;
	}
	if (!tail->key_id)
		return len;
	signed_len = keys_sign(auth->keys, tail->key_id, reply, len);
	return signed_len < 0 ? len : (size_t)signed_len;
}
