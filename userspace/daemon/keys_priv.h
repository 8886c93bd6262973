/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of keys, between keys.c (use), keys_file.c (reading) and kern_keys.c
 * (into the module).  Event loop only.
 */
#ifndef NTPKD_KEYS_PRIV_H
#define NTPKD_KEYS_PRIV_H

#include "daemon/keys.h"

#define KEY_LEN_MAX	512

/**
 * struct key - one
 * @id: 1..2^32-1
 * @type: of its MAC
 * @line: of the file
 * @len: of @key
 * @key: secret
 */
struct key {
	uint32_t id;
	enum mac_type type;
	unsigned int line;
	size_t	 len;
	uint8_t	 key[KEY_LEN_MAX];
};

/**
 * struct keys - all, sorted by id
 * @keys: array
 * @len: how many
 * @room: for so many
 */
struct keys {
	struct key *keys;
	size_t	 len;
	size_t	 room;
};

/** keys_sort() - for the look-up */
void keys_sort(struct keys *keys);

#endif /* NTPKD_KEYS_PRIV_H */
