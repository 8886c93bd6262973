// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * chrony's words (up to 4.8) that ntpkd knows and does not accept: each with its
 * reason and what to do instead.  None is ever ignored in silence; what a
 * converted chrony.conf loses without it is in the table too.  Pure.
 */
#include <string.h>
#include <strings.h>
#include "daemon/conf.h"

#define WEIGHS	"the estimator weighs each sample by its own delay; leave it out"
#define HISTORY	"how long the past counts follows from the measured noise; leave it out"
#define NO_NTS	"NTS is not available yet; use `keyfile` and `key`"
#define NO_REFCLOCK "reference clocks are not available yet; run them in another server and name " \
	"that as `server`"
#define PHC_READ "the interface's clock is read twice a second, and the last readings count; leave it out"
#define NO_COMP	"delays inside the hardware are not compensated; leave it out"
#define NO_RTC	"ntpkd does not discipline the RTC; use `rtcsync`, the kernel then keeps it right"
#define NO_CMD	"ntpkctl speaks through a Unix socket only (ntpkd -s); leave it out"
#define OLD	"chrony itself ignores it; leave it out"
#define HARMLESS	CONF_NOT_NEEDED
#define MISSING	CONF_NOT_AVAILABLE
#define DANGER	CONF_UNSAFE_WITHOUT

static const struct conf_refused refused[] = {
	/* options of server and pool */
	{ "server", "asymmetry", 1, MISSING, WEIGHS },
	{ "server", "auto_offline", 0, MISSING, "a source that does not answer is asked less "
	  "often by itself; use `ntpkctl offline` when a link goes down" },
	{ "server", "certset", 1, DANGER, NO_NTS },
	{ "server", "copy", 0, MISSING, "stratum and reference id are always our own; leave it out" },
	{ "server", "extfield", 1, MISSING, "extension fields are not available; leave it out" },
	{ "server", "filter", 1, HARMLESS, WEIGHS },
	{ "server", "maxdelaydevratio", 1, HARMLESS, WEIGHS },
	{ "server", "maxdelayquant", 1, HARMLESS, WEIGHS },
	{ "server", "maxdelayratio", 1, HARMLESS, WEIGHS },
	{ "server", "maxsamples", 1, HARMLESS, HISTORY },
	{ "server", "maxunreach", 1, HARMLESS, "an unreachable source is left out after eight polls "
	  "without a reply; leave it out" },
	{ "server", "mindelay", 1, HARMLESS, WEIGHS },
	{ "server", "minsamples", 1, HARMLESS, HISTORY },
	{ "server", "minstratum", 1, MISSING, "a source counts with the stratum that it states; use "
	  "`prefer` for the others, or `noselect`" },
	{ "server", "nts", 0, DANGER, NO_NTS },
	{ "server", "ntsport", 1, DANGER, NO_NTS },
	{ "server", "polltarget", 1, HARMLESS, "the poll interval follows from the expected growth of "
	  "the error; bound it by `minpoll` and `maxpoll`" },
	/* options of others */
	{ "local", "activate", 1, MISSING, "`local` is at work as soon as there is no source; leave "
	  "it out, or see `neversynced`" },
	{ "local", "waitsynced", 1, MISSING, "use `holdover`: so long the time is served without sources" },
	{ "local", "waitunsynced", 1, MISSING, "leave it out, or see `neversynced`" },
	{ "hwtimestamp", "minpoll", 1, HARMLESS, PHC_READ },
	{ "hwtimestamp", "maxpoll", 1, HARMLESS, PHC_READ },
	{ "hwtimestamp", "minsamples", 1, HARMLESS, PHC_READ },
	{ "hwtimestamp", "maxsamples", 1, HARMLESS, PHC_READ },
	{ "hwtimestamp", "precision", 1, HARMLESS, "the error of each reading is measured; leave it out" },
	{ "hwtimestamp", "rxcomp", 1, MISSING, NO_COMP },
	{ "hwtimestamp", "txcomp", 1, MISSING, NO_COMP },
	{ "log", "rawmeasurements", 0, MISSING, "use `measurements`: it has every true reply" },
	{ "log", "selection", 0, MISSING, "use `statistics`, or `ntpkctl sources`" },
	{ "log", "refclocks", 0, MISSING, NO_REFCLOCK },
	{ "log", "rtc", 0, HARMLESS, NO_RTC },
	{ "log", "tempcomp", 0, MISSING, "temperature is not compensated; leave it out" },
	{ "driftfile", "interval", 1, HARMLESS, "the file is written when the frequency has changed by "
	  "more than its uncertainty; leave it out" },
	/* sources */
	{ NULL, "peer", 0, MISSING, "symmetric associations are not available; write `server` on both" },
	{ NULL, "broadcast", 0, MISSING, "broadcast mode is neither secure nor accurate and not "
	  "available; name this server on the clients" },
	{ NULL, "refclock", 0, MISSING, NO_REFCLOCK },
	{ NULL, "manual", 0, MISSING, "time cannot be typed in; use `local` to serve the own time" },
	{ NULL, "initstepslew", 0, MISSING, "use `makestep` and the option `iburst` of `server`" },
	{ NULL, "refresh", 0, HARMLESS, "names are resolved again when their address stops working; "
	  "leave it out" },
	{ NULL, "dscp", 0, MISSING, "marking of packets is not available yet; use a firewall" },
	{ NULL, "dumpdir", 0, HARMLESS, "there is no history to keep: `driftfile` holds the frequency "
	  "and `savedir` the time; leave it out" },
	{ NULL, "dumponexit", 0, HARMLESS, OLD },
	{ NULL, "maxsamples", 0, HARMLESS, HISTORY },
	{ NULL, "minsamples", 0, HARMLESS, HISTORY },
	{ NULL, "maxunreach", 0, HARMLESS, "an unreachable source is left out after eight polls "
	  "without a reply; leave it out" },
	/* NTS */
	{ NULL, "authselectmode", 0, DANGER, "use the options `trust` and `require` of `server`" },
	{ NULL, "nocerttimecheck", 0, HARMLESS, NO_NTS },
	{ NULL, "nosystemcert", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsaeads", 0, HARMLESS, NO_NTS },
	{ NULL, "ntscachedir", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsdumpdir", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsntpserver", 0, MISSING, NO_NTS },
	{ NULL, "ntsport", 0, MISSING, NO_NTS },
	{ NULL, "ntsprocesses", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsratelimit", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsrefresh", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsrotate", 0, HARMLESS, NO_NTS },
	{ NULL, "ntsservercert", 0, MISSING, NO_NTS },
	{ NULL, "ntsserverkey", 0, MISSING, NO_NTS },
	{ NULL, "ntstrustedcerts", 0, HARMLESS, NO_NTS },
	{ NULL, "maxntsconnections", 0, HARMLESS, NO_NTS },
	/* selection and the clock */
	{ NULL, "combinelimit", 0, HARMLESS, "all truechimers that survive clustering are combined, "
	  "each by its variance; leave it out" },
	{ NULL, "reselectdist", 0, HARMLESS, "sources are combined, so which is named first changes "
	  "little; leave it out, or use `prefer`" },
	{ NULL, "stratumweight", 0, HARMLESS, "sources are weighed by their error, not by their "
	  "stratum; leave it out, or use `prefer`" },
	{ NULL, "clockprecision", 0, HARMLESS, "the precision is measured at start; leave it out" },
	{ NULL, "corrtimeratio", 0, HARMLESS, "the phase is removed as fast as `maxslewrate` allows; "
	  "leave it out" },
	{ NULL, "fallbackdrift", 0, HARMLESS, "in holdover the estimated frequency is kept; leave it out" },
	{ NULL, "leapsecmode", 0, MISSING, "the kernel inserts leap seconds, which is chrony's "
	  "`system`; leave it out" },
	{ NULL, "maxclockerror", 0, HARMLESS, "the wander of the clock is measured; leave it out" },
	{ NULL, "maxdrift", 0, HARMLESS, "the kernel's own limit holds, 500 ppm; leave it out" },
	{ NULL, "maxupdateskew", 0, HARMLESS, "an uncertain frequency counts for less by itself; "
	  "leave it out" },
	{ NULL, "tempcomp", 0, MISSING, "temperature is not compensated; leave it out" },
	{ NULL, "smoothtime", 0, MISSING, "the served time is not smoothed: it is a line on a free-"
	  "running counter already; leave it out" },
	/* serving */
	{ NULL, "binddevice", 0, DANGER, "use `bindaddress`, or a firewall" },
	{ NULL, "ntpsigndsocket", 0, MISSING, "MS-SNTP is not available; use chrony for domain members" },
	{ NULL, "ptpport", 0, MISSING, "NTP over PTP is not available yet; leave it out" },
	{ NULL, "ptpdomain", 0, MISSING, "NTP over PTP is not available yet; leave it out" },
	/* commands */
	{ NULL, "bindcmdaddress", 0, HARMLESS, NO_CMD },
	{ NULL, "bindcmddevice", 0, HARMLESS, NO_CMD },
	{ NULL, "cmdallow", 0, MISSING, NO_CMD },
	{ NULL, "cmddeny", 0, HARMLESS, NO_CMD },
	{ NULL, "cmdport", 0, HARMLESS, NO_CMD },
	{ NULL, "cmdratelimit", 0, HARMLESS, NO_CMD },
	{ NULL, "opencommands", 0, MISSING, NO_CMD },
	{ NULL, "commandkey", 0, HARMLESS, OLD },
	{ NULL, "generatecommandkey", 0, HARMLESS, OLD },
	/* RTC */
	{ NULL, "hwclockfile", 0, HARMLESS, NO_RTC },
	{ NULL, "rtcautotrim", 0, MISSING, NO_RTC },
	{ NULL, "rtcdevice", 0, HARMLESS, NO_RTC },
	{ NULL, "rtcfile", 0, MISSING, NO_RTC },
	{ NULL, "rtconutc", 0, HARMLESS, "the kernel knows what the RTC keeps (timedatectl "
	  "set-local-rtc); leave it out" },
	/* the rest */
	{ NULL, "hwtstimeout", 0, HARMLESS, "a reply waits for up to 1 ms for the stamp of its "
	  "request, where that came before; leave it out" },
	{ NULL, "mailonchange", 0, MISSING, "use `logchange` and a watch on the log, or `metricsfile`" },
	{ NULL, "lock_all", 0, MISSING, "use LockPersonality= and MemoryMin= of the service manager; the "
	  "module answers without the daemon's memory" },
	{ NULL, "sched_priority", 0, MISSING, "the module answers in the kernel, and time stamps are "
	  "the kernel's; use CPUSchedulingPolicy= of the service manager" },
	{ NULL, "pidfile", 0, HARMLESS, "the service manager knows the process; leave it out" },
	{ NULL, "linux_freq_scale", 0, HARMLESS, OLD },
	{ NULL, "linux_hz", 0, HARMLESS, OLD },
};

const struct conf_refused *conf_refused_words(size_t *len)
{
	*len = sizeof(refused) / sizeof(refused[0]);
	return refused;
}

const struct conf_refused *conf_refused_find(const char *of, const char *name)
{
	size_t i;

	if (of && strcasecmp(of, "pool") == 0)
		of = "server";
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct conf_refused *r = &refused[i];

		if (strcasecmp(r->name, name) == 0 && !r->of == !of &&
		    (!of || strcasecmp(r->of, of) == 0))
			return r;
	}
	return NULL;
}
