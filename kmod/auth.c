// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows the header of a request: extension fields and a MAC, which is
 * verified; and the MAC of the reply.  Softirq under RCU, no locks, no
 * allocation but what making a packet linear takes.  Everything that is cheaper
 * and may refuse a packet comes before.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/udp.h>

#include <ntpk/ntp_ext.h>
#include <ntpk/ntp_limit.h>

#include "auth.h"
#include "keys.h"
#include "rx_priv.h"
#include "state.h"
#include "tstamp.h"

/* Crypto-NAKs per CPU: one in this time, and so many at once. */
#define NAK_NS		(NSEC_PER_SEC / 10)
#define NAKS_BURST	10

/* Smoothing of what a MAC takes, and what is no measurement any more. */
#define WORK_SHIFT	4
#define WORK_MAX_NS	NSEC_PER_MSEC

/*
 * Of ntp_pace().  Where softirqs of one CPU preempt each other an update may be lost,
 * which costs one packet too many.
 */
static DEFINE_PER_CPU(s64, nak_at_raw_ns);

static bool may_nak(const struct ntpk_rx *rx)
{
	s64 at_ns = this_cpu_read(nak_at_raw_ns);
	bool may = ntp_pace(&at_ns, rx->now.raw_ns, NAK_NS, NAKS_BURST);

	this_cpu_write(nak_at_raw_ns, at_ns);
	return may;
}

/* An interrupt in the middle must not count for much, and a lost update may. */
static void measure(struct ntpk_key *key, s64 took_ns)
{
	s32 old_ns = READ_ONCE(key->work_ns);
	s32 ns = clamp_t(s64, took_ns, 1, WORK_MAX_NS);

	if (old_ns)
		ns = old_ns + (min(ns, 2 * old_ns) - old_ns) / (1 << WORK_SHIFT);
	if (ns != old_ns)
		WRITE_ONCE(key->work_ns, ns);
}

static int run_digest(struct shash_desc *desc, const struct ntpk_key *key, const u8 *data,
		      size_t len, u8 *out)
{
	int err;

	if (!key->secret_len)
		return crypto_shash_digest(desc, data, len, out);
	err = crypto_shash_init(desc);
	if (!err)
		err = crypto_shash_update(desc, key->secret, key->secret_len);
	return err ? err : crypto_shash_finup(desc, data, len, out);
}

/* The whole code, before anything is cut off. */
static bool digest(struct ntpk_key *key, const u8 *data, size_t len, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, key->tfm);
	s64 begin_ns = ntpk_tstamp_tx();
	int err;

	desc->tfm = key->tfm;
	err = run_digest(desc, key, data, len, out);
	shash_desc_zero(desc);
	measure(key, ntpk_tstamp_tx() - begin_ns);
	return !err;
}

static bool mac_right(struct ntpk_key *key, const u8 *packet, const struct ntp_ext *ext)
{
	size_t len = ntp_mac_code_len(ntp_lvm_version(packet[0]),
				      crypto_shash_digestsize(key->tfm));
	u8 code[NTP_MAC_CODE_MAX];

	if (ext->mac_len != NTP_MAC_ID_LEN + len)
		return false;
	return digest(key, packet, ext->mac_off, code) &&
	       !crypto_memneq(code, packet + ext->mac_off + NTP_MAC_ID_LEN, len);
}

static enum ntpk_reason check_mac(struct ntpk_rx *rx, const u8 *packet)
{
	const struct ntpk_keys *keys = rcu_dereference(rx->inst->keys);
	struct ntpk_key *key = ntpk_keys_find(keys, rx->ext.key_id);

	if (key && mac_right(key, packet, &rx->ext)) {
		rx->key = key;
		rx->mac_len = rx->ext.mac_len;
		return NTPK_REASON_NONE;
	}
	/* never longer than the request: a MAC that was not a NAK itself has 20 bytes */
	if ((rx->listener->policy.flags & NTPK_LISTENER_F_CRYPTO_NAK) &&
	    rx->ext.mac_len > NTP_MAC_ID_LEN && may_nak(rx)) {
		rx->nak = true;
		rx->mac_len = NTP_MAC_ID_LEN;
		/* nobody vouches for who asked: header and four bytes, nothing else */
		rx->ext.mono_root = false;
		return NTPK_REASON_NONE;
	}
	return NTPK_REASON_AUTH_FAILED;
}

static enum ntpk_reason check_tail(struct ntpk_rx *rx, size_t len)
{
	const u8 *packet;

	if (!pskb_may_pull(rx->skb, rx->udp_off + rx->udp_len))
		return NTPK_REASON_NO_MEMORY;
	packet = rx->skb->data + rx->udp_off + sizeof(struct udphdr);
	ntp_ext_parse(packet, len, &rx->ext);
	return rx->ext.mac_len ? check_mac(rx, packet) : NTPK_REASON_NONE;
}

/**
 * ntpk_auth_check() - what follows the header, and who vouches for all of it
 * @rx: a request that may be answered as far as everything else is concerned;
 *	what was found goes into it
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE, AUTH_FAILED, AUTH_REQUIRED or NO_MEMORY.
 */
enum ntpk_reason ntpk_auth_check(struct ntpk_rx *rx)
{
	size_t len = rx->udp_len - sizeof(struct udphdr);
	enum ntpk_reason reason = NTPK_REASON_NONE;

	if (len > NTP_HEADER_LEN && len <= NTP_EXT_PACKET_MAX)
		reason = check_tail(rx, len);
	if (reason != NTPK_REASON_NONE)
		return reason;
	if ((rx->listener->policy.flags & NTPK_LISTENER_F_REQUIRE_KEY) && !rx->key && !rx->nak)
		return NTPK_REASON_AUTH_REQUIRED;
	return NTPK_REASON_NONE;
}

/**
 * ntpk_auth_work_ns() - how long ntpk_auth_put_mac() will take
 * @key: key
 *
 * Context: any.
 * Return: smoothed, from this key's MACs so far; its request was one.
 */
s64 ntpk_auth_work_ns(const struct ntpk_key *key)
{
	return READ_ONCE(key->work_ns);
}

/**
 * ntpk_auth_put_mac() - write key id and code behind a reply
 * @key: key, NULL = a crypto-NAK
 * @packet: NTP message, with room for @mac_len behind it
 * @len: of the message
 * @mac_len: key id and code
 *
 * Context: softirq, RCU.
 */
void ntpk_auth_put_mac(struct ntpk_key *key, u8 *packet, size_t len, size_t mac_len)
{
	__be32 id = cpu_to_be32(key ? key->id : 0);
	u8 code[NTP_MAC_CODE_MAX];

	memcpy(packet + len, &id, sizeof(id));
	if (!key)
		return;
	/* nothing that a client would believe, where the algorithm fails */
	if (!digest(key, packet, len, code))
		memset(code, 0, sizeof(code));
	memcpy(packet + len + NTP_MAC_ID_LEN, code, mac_len - NTP_MAC_ID_LEN);
}
