/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of keys on its way into the module.  Event loop only; blocks for the
 * short netlink calls alone.
 */
#ifndef NTPKD_KERN_KEYS_H
#define NTPKD_KERN_KEYS_H

#include <stdint.h>
#include "daemon/keys.h"
#include "nl/ntpk_nl.h"

/**
 * kern_keys_push() - the module's keys become these
 * @nl: handle
 * @keys: set, NULL = none
 * @generation: not that of the push before
 * @lacking: types that were left out the last time, by 1 << type, 0 = none; out: this time
 *
 * The module goes on with its old set until the new one is complete.  Keys whose
 * algorithm this kernel lacks are left out, which is said once.  It may only have had no
 * memory to find it, which it does not tell apart: worth another try.
 *
 * Return: 0, or -errno with the old set in use and ntpk_nl_error() of the refusal.
 */
int kern_keys_push(struct ntpk_nl *nl, const struct keys *keys, uint32_t generation,
		   unsigned int *lacking);

#endif /* NTPKD_KERN_KEYS_H */
