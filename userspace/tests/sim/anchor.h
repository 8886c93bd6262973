/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The simulator's anchor: the oracle alone at fixed polls, whose figures are
 * known from elsewhere.
 */
#ifndef NTPK_TESTS_ANCHOR_H
#define NTPK_TESTS_ANCHOR_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct anchor - a row
 * @name: of the scenario
 * @jitter_s: mean of each direction's exponential
 * @spike_p: probability of another, of mean @spike_s
 * @spike_s: see there
 * @wander: of the frequency per square root of a second
 * @poll_s: fixed
 * @servers: good ones, asked in turn
 * @span_s: how long
 * @from_s: counted from here
 * @want_s: RMS of the oracle's error
 */
struct anchor {
	const char *name;
	double	 jitter_s;
	double	 spike_p;
	double	 spike_s;
	double	 wander;
	unsigned int poll_s;
	unsigned int servers;
	unsigned int span_s;
	unsigned int from_s;
	double	 want_s;
};

extern const struct anchor anchors[];
extern const size_t anchors_len;

/**
 * anchor_rms_s() - one run
 * @a: row
 * @seed: of it
 *
 * Return: RMS of the time error, seconds.
 */
double anchor_rms_s(const struct anchor *a, uint64_t seed);

#endif /* NTPK_TESTS_ANCHOR_H */
