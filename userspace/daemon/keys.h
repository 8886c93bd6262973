/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared keys: chrony's key file, and packets with a MAC.  Event loop only.
 * No function here shows a key, not even in an error.
 */
#ifndef NTPKD_KEYS_H
#define NTPKD_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "daemon/conf.h"
#include "daemon/mac.h"

#define KEYS_PACKET_MAX	(48 + 4 + MAC_SIZE_MAX)	/* header, key id, code */

struct keys;

/**
 * keys_load() - read a key file
 * @path: file; must belong to root (or to whom ntpkd runs as), and nobody but its
 *	owner may write it, nobody but owner and group read it
 * @diag: every error of the file is reported
 * @out: filled; replaces nothing on failure
 *
 * Return: 0; -EPERM for owner or mode, -EINVAL for the contents, other -errno.
 */
int keys_load(const char *path, const struct conf_diag *diag, struct keys **out);

/**
 * keys_parse() - the same from an open file, without a look at its mode
 * @in: text: lines of "ID [TYPE] [ASCII:|HEX:]KEY"
 * @file: its name, for messages
 * @diag: errors
 * @out: filled
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int keys_parse(FILE *in, const char *file, const struct conf_diag *diag, struct keys **out);

/** keys_release() - wiped and freed; NULL is fine */
void keys_release(struct keys *keys);

/** keys_count() - how many; NULL has none */
size_t keys_count(const struct keys *keys);

/** keys_has() - is there such a key? */
bool keys_has(const struct keys *keys, uint32_t id);

/**
 * keys_mac_len() - key id and code on the wire
 * @keys: keys
 * @id: which
 * @version: of the packet
 *
 * Return: bytes, 0 = there is no such key.
 */
size_t keys_mac_len(const struct keys *keys, uint32_t id, unsigned int version);

/**
 * keys_sign() - append key id and MAC
 * @keys: keys
 * @id: which
 * @packet: room for KEYS_PACKET_MAX
 * @len: of what is there
 *
 * In version 4 a MAC has at most 24 bytes with its id, the rest of a longer
 * one is left out (RFC 7822, as chrony does).
 *
 * Return: the new length, or -ENOKEY.
 */
int keys_sign(const struct keys *keys, uint32_t id, uint8_t *packet, size_t len);

/**
 * keys_verify() - does a packet end in the MAC of this key?
 * @keys: keys
 * @id: which
 * @packet: as received
 * @len: of it
 *
 * Compared in constant time; the version is the packet's own.
 */
bool keys_verify(const struct keys *keys, uint32_t id, const uint8_t *packet, size_t len);

#endif /* NTPKD_KEYS_H */
