/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ntpkd as a guest of its host: the time at a cold start, the user it becomes,
 * files of state and logs, the service manager.  What is done when; how, is in
 * the modules that this one calls.  Event loop only, or start-up.
 */
#ifndef NTPKD_HOST_H
#define NTPKD_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include "core/engine.h"
#include "daemon/coldstart.h"
#include "daemon/logs.h"
#include "daemon/metrics_file.h"
#include "daemon/notify.h"
#include "daemon/privs.h"

struct ntpkd;

/**
 * struct host - state of this module
 * @notify: service manager
 * @logs: logs of numbers
 * @cold: what was known of the time at start
 * @user: who the daemon becomes
 * @drift_err: errno of the drift file that was said last
 * @saved_err: likewise of the saved time
 * @metrics: the metrics file
 * @saved_local_ns: when that was written last, 0 = never
 */
struct host {
	struct notify notify;
	struct logs logs;
	struct coldstart cold;
	struct privs_user user;
	int	 drift_err;
	int	 saved_err;
	struct metrics_file metrics;
	int64_t	 saved_local_ns;
};

/**
 * host_cold_start() - know the time's floor, move the clock to it if need be
 * @d: the daemon; its clock's controls are open, its engine is not
 *
 * Return: 0 or -errno of the clock's controls.
 */
int host_cold_start(struct ntpkd *d);

/**
 * host_open() - find the user and the service manager, make missing folders
 * @d: the daemon, still with root's rights
 *
 * Return: 0, or -errno that was reported.
 */
int host_open(struct ntpkd *d);

/**
 * host_drop() - let go of root's rights, all at once
 * @d: the daemon, everything open that needs them
 *
 * Return: 0, or -errno that was reported.
 */
int host_drop(struct ntpkd *d);

/**
 * host_ready() - at work: system call filter, logs, READY=1
 * @d: the daemon
 *
 * Return: 0, or -errno that was reported.
 */
int host_ready(struct ntpkd *d);

/** host_open_logs() - as the configuration says, anew */
void host_open_logs(struct ntpkd *d);

/** host_beat() - what is due, once a second */
void host_beat(struct ntpkd *d);

/**
 * host_sample() - ACT_SAMPLE: one exchange, for the measurements log
 * @d: the daemon
 * @source: id
 * @s: the exchange
 */
void host_sample(struct ntpkd *d, uint32_t source, const struct sample_report *s);

/** host_update() - ACT_UPDATE: statistics and tracking log, logchange */
void host_update(struct ntpkd *d);

/** host_stop() - the end: drift, saved time, logs, service manager */
void host_stop(struct ntpkd *d);

/**
 * host_save_drift() - write the drift file, if there is one
 * @d: the daemon
 * @freq_ppb: UTC against the local timescale
 * @sd_ppb: its standard deviation
 */
void host_save_drift(struct ntpkd *d, double freq_ppb, double sd_ppb);

#endif /* NTPKD_HOST_H */
