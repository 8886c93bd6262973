// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message authentication codes, see mac.h: nettle does the work.  Pure; what
 * the key left on the stack is wiped.
 */
#include "daemon/mac.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <nettle/cmac.h>
#include <nettle/md5.h>
#include <nettle/nettle-meta.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

union hash_ctx {
	struct md5_ctx md5;
	struct sha1_ctx sha1;
	struct sha256_ctx sha256;
	struct sha512_ctx sha512;
};

static const struct {
	const char *name;
	const struct nettle_hash *hash;	/* NULL: AES-CMAC */
	size_t	 size;
	size_t	 key_size;
} types[MAC_TYPES] = {
	[MAC_MD5]	= { "MD5", &nettle_md5, MD5_DIGEST_SIZE, 0 },
	[MAC_SHA1]	= { "SHA1", &nettle_sha1, SHA1_DIGEST_SIZE, 0 },
	[MAC_SHA256]	= { "SHA256", &nettle_sha256, SHA256_DIGEST_SIZE, 0 },
	[MAC_SHA384]	= { "SHA384", &nettle_sha384, SHA384_DIGEST_SIZE, 0 },
	[MAC_SHA512]	= { "SHA512", &nettle_sha512, SHA512_DIGEST_SIZE, 0 },
	[MAC_AES128]	= { "AES128", NULL, CMAC128_DIGEST_SIZE, AES128_KEY_SIZE },
	[MAC_AES256]	= { "AES256", NULL, CMAC128_DIGEST_SIZE, AES256_KEY_SIZE },
};

int mac_parse_type(const char *name)
{
	for (int i = 0; i < MAC_TYPES; i++)
		if (!strcasecmp(name, types[i].name))
			return i;
	return -EINVAL;
}

const char *mac_type_name(enum mac_type type)
{
	return types[type].name;
}

size_t mac_size(enum mac_type type)
{
	return types[type].size;
}

size_t mac_key_size(enum mac_type type)
{
	return types[type].key_size;
}

static void cmac128(const uint8_t *key, const void *data, size_t len, uint8_t *out)
{
	struct cmac_aes128_ctx ctx;

	cmac_aes128_set_key(&ctx, key);
	cmac_aes128_update(&ctx, len, data);
	cmac_aes128_digest(&ctx, CMAC128_DIGEST_SIZE, out);
	explicit_bzero(&ctx, sizeof(ctx));
}

static void cmac256(const uint8_t *key, const void *data, size_t len, uint8_t *out)
{
	struct cmac_aes256_ctx ctx;

	cmac_aes256_set_key(&ctx, key);
	cmac_aes256_update(&ctx, len, data);
	cmac_aes256_digest(&ctx, CMAC128_DIGEST_SIZE, out);
	explicit_bzero(&ctx, sizeof(ctx));
}

void mac_compute(enum mac_type type, const uint8_t *key, size_t key_len, const void *data,
		 size_t len, uint8_t out[MAC_SIZE_MAX])
{
	const struct nettle_hash *hash = types[type].hash;
	union hash_ctx ctx;

	if (type == MAC_AES128) {
		cmac128(key, data, len, out);
	} else if (type == MAC_AES256) {
		cmac256(key, data, len, out);
	} else {
		hash->init(&ctx);
		hash->update(&ctx, key_len, key);
		hash->update(&ctx, len, data);
		hash->digest(&ctx, hash->digest_size, out);
		explicit_bzero(&ctx, sizeof(ctx));
	}
}
