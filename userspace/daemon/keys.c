// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared keys, see keys.h: the set and its use.  The file is read by
 * keys_file.c.  Event loop only; all memory that held a key is wiped.
 */
#include "daemon/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <nettle/memops.h>
#include <ntpk/ntp_ext.h>
#include "daemon/keys_priv.h"

#define ID_SIZE		NTP_MAC_ID_LEN

static int by_id(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static struct key *find(const struct keys *keys, uint32_t id)
{
	const struct key want = { .id = id };

	if (!keys || !keys->len)
		return NULL;
	return bsearch(&want, keys->keys, keys->len, sizeof(want), by_id);
}

void keys_sort(struct keys *keys)
{
	if (keys->len)
		qsort(keys->keys, keys->len, sizeof(*keys->keys), by_id);
}

void keys_release(struct keys *keys)
{
	if (!keys)
		return;
	if (keys->keys)
		explicit_bzero(keys->keys, keys->room * sizeof(*keys->keys));
	free(keys->keys);
	free(keys);
}

size_t keys_count(const struct keys *keys)
{
	return keys ? keys->len : 0;
}

bool keys_has(const struct keys *keys, uint32_t id)
{
	return find(keys, id);
}

static size_t code_size(const struct key *k, unsigned int version)
{
	return ntp_mac_code_len(version, mac_size(k->type));
}

size_t keys_mac_len(const struct keys *keys, uint32_t id, unsigned int version)
{
	const struct key *k = find(keys, id);

	return k ? ID_SIZE + code_size(k, version) : 0;
}

int keys_sign(const struct keys *keys, uint32_t id, uint8_t *packet, size_t len)
{
	const struct key *k = find(keys, id);
	__be32 wire_id = ntp_htobe32(id);
	uint8_t code[MAC_SIZE_MAX];
	size_t size;

	if (!k)
		return -ENOKEY;
	size = code_size(k, ntp_lvm_version(packet[0]));
	mac_compute(k->type, k->key, k->len, packet, len, code);
	memcpy(packet + len, &wire_id, ID_SIZE);
	memcpy(packet + len + ID_SIZE, code, size);
	return (int)(len + ID_SIZE + size);
}

bool keys_verify(const struct keys *keys, uint32_t id, const uint8_t *packet, size_t len)
{
	const struct key *k = find(keys, id);
	__be32 wire_id = ntp_htobe32(id);
	uint8_t code[MAC_SIZE_MAX];
	size_t size, signed_len;

	if (!k || len < sizeof(struct ntp_header) + ID_SIZE)
		return false;
	size = code_size(k, ntp_lvm_version(packet[0]));
	if (len < sizeof(struct ntp_header) + ID_SIZE + size)
		return false;
	signed_len = len - ID_SIZE - size;
	if (memcmp(packet + signed_len, &wire_id, ID_SIZE))
		return false;
	mac_compute(k->type, k->key, k->len, packet, signed_len, code);
	return memeql_sec(packet + signed_len + ID_SIZE, code, size);
}
