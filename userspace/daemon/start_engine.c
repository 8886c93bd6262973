// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's start: what the operator has decided, what an earlier run has
 * learnt, which addresses are ours.  Event loop only, or before it runs.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <ifaddrs.h>
#include <math.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "daemon/drift.h"
#include "daemon/log.h"

#define PUSH_INTERVAL_NS	(16 * NTP_NS_PER_S)
#define FREQ_UNKNOWN_SD_PPB	100000.0
#define SIMULATED_PHASE_MIN_NS	50

bool ntpkd_own_refids(struct engine_config *conf)
{
	const unsigned int max = sizeof(conf->own_refids) / sizeof(conf->own_refids[0]);
	__be32 refids[sizeof(conf->own_refids) / sizeof(conf->own_refids[0])];
	struct ifaddrs *list = NULL;
	unsigned int n = 0;
	bool differs;

	if (getifaddrs(&list))
		return false;
	for (struct ifaddrs *i = list; i && n < max; i = i->ifa_next) {
		/* every host's loopback is the same: it tells nothing about loops */
		if (!i->ifa_addr || (i->ifa_flags & IFF_LOOPBACK))
			continue;
		if (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6)
			refids[n++] = upstream_refid((union sock_addr *)i->ifa_addr);
	}
	freeifaddrs(list);
	differs = n != conf->own_refids_len || memcmp(refids, conf->own_refids, n * sizeof(*refids));
	memcpy(conf->own_refids, refids, n * sizeof(*refids));
	conf->own_refids_len = n;
	return differs;
}

static void read_drift(struct ntpkd *d, struct engine_config *ec)
{
	const struct conf *conf = &d->conf;
	char why[128];
	int err;

	/* what an earlier daemon left is likelier than none, unless it was slewing */
	ec->freq_ppb = fabs(d->sysclock.start_freq_ppb) <= FREQ_UNKNOWN_SD_PPB ?
		       d->sysclock.start_freq_ppb : 0;
	ec->freq_sd_ppb = FREQ_UNKNOWN_SD_PPB;
	log_debug("the kernel's frequency is %+.3f ppm", d->sysclock.start_freq_ppb / 1000);
	if (!conf->driftfile[0])
		return;
	err = drift_read(conf->driftfile, &ec->freq_ppb, &ec->freq_sd_ppb, why, sizeof(why));
	if (!err)
		log_info("driftfile %s: frequency %+.3f +- %.3f ppm", conf->driftfile,
			 ec->freq_ppb / 1000, ec->freq_sd_ppb / 1000);
	else if (err == -ENOENT)
		log_info("driftfile %s: none yet", conf->driftfile);
	else
		log_warn("driftfile %s is ignored: %s", conf->driftfile, why);
}

void ntpkd_engine_policy(const struct conf *conf, struct engine_config *ec)
{
	ec->makestep_threshold_ns = conf->makestep_threshold_ns;
	ec->makestep_limit = conf->makestep_limit;
	ec->max_distance_ns = conf->maxdistance_ns;
	ec->min_sources = conf->minsources;
	ec->max_jitter_ns = conf->maxjitter_ns;
	ec->max_slew_ppb = conf->max_slew_ppb;
	ec->max_change_ns = conf->max_change_ns;
	ec->max_change_start = conf->max_change_start;
	ec->max_change_ignore = conf->max_change_ignore;
	ec->local_stratum = conf->local_stratum;
	ec->local_distance_ns = conf->local_distance_ns;
	ec->local_orphan = conf->local_orphan;
	ec->holdover_ns = conf->holdover_ns;
	ec->max_served_ns = conf->maxserved_ns;
}

static void configure_engine(struct ntpkd *d)
{
	struct engine_config *ec = &d->engine_conf;
	const struct conf *conf = &d->conf;

	ntpkd_engine_policy(conf, ec);
	ec->push_interval_ns = PUSH_INTERVAL_NS;
	ec->precision_log2s = clocks_precision_log2s();
	ec->floor_unix_ns = d->host.cold.floor_unix_ns;
	ec->control_clock = !d->opt.no_clock;
	if (getrandom(&ec->seed, sizeof(ec->seed), 0) < 0)
		ec->seed = (uint64_t)clocks_local_ns();
	if (clocks_simulated()) {
		ec->min_phase_ns = SIMULATED_PHASE_MIN_NS;
		ec->slew_ppb = SYSCLOCK_SLEW_PPB;
	}
	read_drift(d, ec);
	ntpkd_own_refids(ec);
}

int ntpkd_engine_open(struct ntpkd *d)
{
	void *mem = malloc(engine_size(ENGINE_MAX_SOURCES));

	d->actions = malloc(sizeof(*d->actions) * ENGINE_MAX_ACTIONS(ENGINE_MAX_SOURCES));
	d->queue = malloc(sizeof(*d->queue) * NTPKD_QUEUE_LEN);
	if (!mem || !d->actions || !d->queue) {
		free(mem);
		return -ENOMEM;
	}
	configure_engine(d);
	d->engine = engine_init(mem, ENGINE_MAX_SOURCES, &d->engine_conf);
	return 0;
}
