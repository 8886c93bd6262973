/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fuzz target is: libFuzzer calls it, and so does replay.c. */
#ifndef NTPK_FUZZ_H
#define NTPK_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/**
 * LLVMFuzzerTestOneInput() - try one input
 * @data: any bytes
 * @size: how many
 *
 * Return: 0; a finding aborts.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* demand() - what must hold of every input */
static inline void demand(bool condition)
{
	if (!condition)
		abort();
}

/* struct fuzz_in - an input being read */
struct fuzz_in {
	const uint8_t *data;
	size_t	 left;
};

/**
 * fuzz_take() - the next bytes, zeros where the input has ended
 * @in: input
 * @out: @len bytes
 * @len: how many
 */
static inline void fuzz_take(struct fuzz_in *in, void *out, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(out, 0, len);
	memcpy(out, in->data, n);
	in->data += n;
	in->left -= n;
}

/** fuzz_byte() - the next byte, 0 where the input has ended */
static inline uint8_t fuzz_byte(struct fuzz_in *in)
{
	uint8_t b;

	fuzz_take(in, &b, sizeof(b));
	return b;
}

#endif /* NTPK_FUZZ_H */
