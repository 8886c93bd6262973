// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a packet, to whom has keys of every kind.  The first
 * byte chooses a key.  Beyond what the sanitizers see: with its MAC the packet is
 * believed, with one bit changed it is not; and of a request a reply is signed by
 * the key that signed it alone, and is never longer than it.
 */
#include <stdio.h>
#include "daemon/keys.h"
#include "daemon/respond_auth.h"
#include "fuzz.h"

#define PACKET_MAX	(NTP_EXT_PACKET_MAX + 64)

static const char key_file[] = "1 MD5 HEX:00112233445566778899aabbccddeeff\n"
			       "2 SHA1 secretsecret\n3 SHA256 secretsecret\n"
			       "4 AES128 HEX:00112233445566778899aabbccddeeff\n"
			       "5 SHA512 secretsecret\n"
			       "6 AES256 HEX:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
static struct keys *keys;

static void report(void *ctx, const char *file, unsigned int line, unsigned int column,
		   const char *text)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)column;
	(void)text;
	abort();
}

static void set_up(void)
{
	const struct conf_diag diag = { report, NULL };
	FILE *in = fmemopen((void *)key_file, sizeof(key_file) - 1, "r");

	demand(in && !keys_parse(in, "keys", &diag, &keys));
	fclose(in);
}

/* A packet of ours, as an upstream would see it. */
static void sign(uint32_t id, const uint8_t *data, size_t size, unsigned int bit)
{
	uint8_t packet[KEYS_PACKET_MAX] = { 0 };
	int len;

	memcpy(packet, data, size < NTP_HEADER_LEN ? size : NTP_HEADER_LEN);
	len = keys_sign(keys, id, packet, NTP_HEADER_LEN);
	demand(len > NTP_HEADER_LEN && (size_t)len == NTP_HEADER_LEN +
	       keys_mac_len(keys, id, ntp_lvm_version(packet[0])));
	demand(keys_verify(keys, id, packet, (size_t)len));
	/* the version decides how much of the code is compared */
	bit %= (unsigned int)len * 8;
	if (bit / 8 && (bit / 8 < NTP_HEADER_LEN || bit / 8 >= NTP_HEADER_LEN + NTP_MAC_ID_LEN)) {
		packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
		demand(!keys_verify(keys, id, packet, (size_t)len));
	}
}

static void answer(const uint8_t *data, size_t size)
{
	static const struct ntp_policy policy = { .flags = NTPK_LISTENER_F_CRYPTO_NAK };
	struct respond_auth auth = { .keys = keys };
	uint8_t reply[RESPOND_REPLY_MAX] = { 0 };
	struct ntp_header header;
	struct respond_tail tail;
	enum ntpk_reason reason;
	size_t len = NTP_HEADER_LEN;

	if (size < sizeof(header))
		return;
	memcpy(&header, data, sizeof(header));
	if (ntp_reply_classify(&header, size, 123, &policy) != NTPK_REASON_NONE)
		return;
	reason = respond_auth_check(&auth, data, size, &policy, &tail);
	demand(reason == NTPK_REASON_NONE || reason == NTPK_REASON_AUTH_FAILED);
	if (reason != NTPK_REASON_NONE)
		return;
	demand(!(tail.nak && tail.key_id));
	demand(!tail.ext.mac_len || tail.nak || keys_has(keys, tail.key_id));
	reply[0] = data[0];
	if (tail.ext.mono_root)
		len += NTP_EXT_MONO_ROOT_LEN;
	len = respond_auth_sign(&auth, &tail, reply, len);
	demand(len <= size && len <= sizeof(reply));
	demand(!tail.nak || len == NTP_HEADER_LEN + NTP_MAC_ID_LEN);
	if (tail.key_id)
		demand(keys_verify(keys, tail.key_id, reply, len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	uint32_t id;
	uint16_t bit;
	uint8_t *copy;

	if (!keys)
		set_up();
	id = fuzz_byte(&in) % keys_count(keys) + 1;
	fuzz_take(&in, &bit, sizeof(bit));
	if (in.left > PACKET_MAX)
		return 0;
	sign(id, in.data, in.left, bit);
	/* of the packet's own size, so that a read behind it is seen */
	copy = malloc(in.left + 1);
	demand(copy);
	memcpy(copy, in.data, in.left);
	keys_verify(keys, id, copy, in.left);
	answer(copy, in.left);
	free(copy);
	return 0;
}
