/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fuzz target is: libFuzzer calls it, and so does replay.c. */
#ifndef NTPK_FUZZ_H
#define NTPK_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/**
 * LLVMFuzzerTestOneInput() - try one input
 * @data: any bytes
 * @size: how many
 *
 * Return: 0; a finding aborts.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* NTPK_FUZZ_H */
