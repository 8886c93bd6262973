// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys into the module, see kern_keys.h.  Event loop only.  A key is named by its
 * number in messages, never shown.
 */
#include "daemon/kern_keys.h"

#include <errno.h>
#include "daemon/keys_priv.h"
#include "daemon/log.h"

_Static_assert((int)MAC_MD5 == NTPK_KEY_MD5 && (int)MAC_SHA1 == NTPK_KEY_SHA1 &&
	       (int)MAC_SHA256 == NTPK_KEY_SHA256 && (int)MAC_SHA384 == NTPK_KEY_SHA384 &&
	       (int)MAC_SHA512 == NTPK_KEY_SHA512 && (int)MAC_AES128 == NTPK_KEY_AES128 &&
	       (int)MAC_AES256 == NTPK_KEY_AES256, "types are the same on both sides");
_Static_assert(KEY_LEN_MAX == NTPK_SECRET_MAX, "what the file may hold the module takes");

/* struct upload - @lacking: types that this kernel does not have, by 1 << type; @said: those of before */
struct upload {
	struct ntpk_nl *nl;
	const struct keys *keys;
	uint32_t generation;
	unsigned int lacking;
	unsigned int said;
};

static bool is_sent(const struct upload *up, const struct key *key)
{
	return !(up->lacking & 1u << key->type);
}

static int add(struct upload *up, const struct key *key)
{
	const struct ntpk_nl_key k = {
		.id = key->id,
		.type = (enum ntpk_key_type)key->type,
		.secret = key->key,
		.secret_len = key->len,
	};
	int err = ntpk_nl_keys_add(up->nl, up->generation, &k);

	if (err != -EOPNOTSUPP)
		return err;
	if (!(up->said & 1u << key->type))
		log_warn("module ntpk: %s: its clients with a key of type %s (key %u is one) get no "
			 "answer", ntpk_nl_error(up->nl), mac_type_name(key->type), key->id);
	up->lacking |= 1u << key->type;
	return -EAGAIN;
}

static int upload(struct upload *up)
{
	size_t n = keys_count(up->keys), i;
	uint32_t count = 0;
	int err;

	for (i = 0; i < n; i++)
		count += is_sent(up, &up->keys->keys[i]);
	err = ntpk_nl_keys_begin(up->nl, up->generation, count);
	for (i = 0; !err && i < n; i++)
		if (is_sent(up, &up->keys->keys[i]))
			err = add(up, &up->keys->keys[i]);
	return err ? err : ntpk_nl_keys_commit(up->nl, up->generation);
}

int kern_keys_push(struct ntpk_nl *nl, const struct keys *keys, uint32_t generation,
		   unsigned int *lacking)
{
	struct upload up = { .nl = nl, .keys = keys, .generation = generation, .said = *lacking };
	int err;

	/* from the beginning, without the type that was refused */
	do
		err = upload(&up);
	while (err == -EAGAIN);
	*lacking = up.lacking;
	return err;
}
