/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Message authentication codes of NTP with a shared key: hash(key || packet)
 * for MD5 and SHA (RFC 5905 7.3), AES-CMAC (RFC 8573, RFC 4493).  Pure.
 */
#ifndef NTPKD_MAC_H
#define NTPKD_MAC_H

#include <stddef.h>
#include <stdint.h>

#define MAC_SIZE_MAX	64	/* SHA512 */

enum mac_type {
	MAC_MD5,
	MAC_SHA1,
	MAC_SHA256,
	MAC_SHA384,
	MAC_SHA512,
	MAC_AES128,
	MAC_AES256,
	MAC_TYPES
};

/**
 * mac_parse_type() - a type by its name
 * @name: as in chrony's key file, any case
 *
 * Return: enum mac_type, or -EINVAL.
 */
int mac_parse_type(const char *name);

/** mac_type_name() - its name */
const char *mac_type_name(enum mac_type type);

/** mac_size() - bytes of the code, before anything is cut off */
size_t mac_size(enum mac_type type);

/**
 * mac_key_size() - bytes that the key has to have
 * @type: type
 *
 * Return: bytes, 0 = any.
 */
size_t mac_key_size(enum mac_type type);

/**
 * mac_compute() - the code of some data
 * @type: type
 * @key: of mac_key_size() bytes, where that is not 0
 * @key_len: of it
 * @data: what is authenticated
 * @len: of it
 * @out: mac_size() bytes are written
 */
void mac_compute(enum mac_type type, const uint8_t *key, size_t key_len, const void *data,
		 size_t len, uint8_t out[MAC_SIZE_MAX]);

#endif /* NTPKD_MAC_H */
