/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client's record (ntpk/ntp_client.h) says, in numbers and words.  Pure.
 */
#ifndef NTPKCTL_CLIENT_VIEW_H
#define NTPKCTL_CLIENT_VIEW_H

#include <ntpk/ntp_client.h>
#include <stdint.h>

/* Delays of one way are taken to be no more than this where nothing else is known. */
#define CLIENT_VIEW_DELAY_MAX_NS	20e6
/* A drift that is known no better is not one that is known: crystals are within 100 ppm. */
#define CLIENT_VIEW_DRIFT_UNC_MAX_PPB	100e3

/**
 * struct client_path - what is known of the way to a client
 * @delay_max_ns: no way takes longer, when it is at its best
 * @rtt_ns: the least round trip, measured by whatever means, 0 = not known
 */
struct client_path {
	double	delay_max_ns;
	double	rtt_ns;
};

/**
 * struct client_view - what can be said
 * @has_error: @error_ns and @error_unc_ns are known
 * @has_drift: @drift_ppb and @drift_unc_ppb are known
 * @error_ns: of the client's clock at its last request, > 0: it is ahead; where T1
 *	counts from 1970, less that
 * @error_unc_ns: the true error is within so much of it
 * @drift_ppb: > 0: the client's clock gains
 * @drift_unc_ppb: likewise
 * @quantum_ns: T1 is a multiple of it, 0 = finer than a millisecond, < 0 = not known
 * @interval_ns: between its requests, of late; < 0 = not known, as it asked once or all
 *	at once
 * @first_ago_ns: since its first request
 * @last_ago_ns: since its last one
 * @answered: requests that were answered, with time or without
 * @t1: ntp_client_t1_name() of its class
 * @quirk: ntp_client_quirk_name() of its class
 * @clock: what its clock does, in words: "opaque" where it shows none
 * @reason: why it keeps asking fast, in words; NULL = it does not
 */
struct client_view {
	bool	has_error;
	bool	has_drift;
	double	error_ns;
	double	error_unc_ns;
	double	drift_ppb;
	double	drift_unc_ppb;
	double	quantum_ns;
	double	interval_ns;
	int64_t	first_ago_ns;
	int64_t	last_ago_ns;
	uint32_t answered;
	const char *t1;
	const char *quirk;
	const char *clock;
	const char *reason;
};

/**
 * client_view() - what a record says
 * @v: out
 * @r: record
 * @now_ns: of the clock that it was made by
 * @path: NULL = nothing is known of it
 */
void client_view(struct client_view *v, const struct ntp_client_record *r, int64_t now_ns,
		 const struct client_path *path);

#endif /* NTPKCTL_CLIENT_VIEW_H */
