// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the configuration says about the network, carried out: where requests
 * leave from, keys, who may ask and who answers, changes of routes, leap second
 * lists.  Event loop and start.
 */
#include "daemon/net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "daemon/access.h"
#include "daemon/kern.h"
#include "daemon/keys.h"
#include "daemon/log.h"
#include "daemon/netwatch.h"
#include "daemon/ntpkd.h"
#include "daemon/respond.h"

#define DAY_NS		(86400 * NTP_NS_PER_S)
#define LEAP_ASKED_NS	(300 * NTP_NS_PER_S)	/* five times the usual interval */

static void report(void *ctx, const char *file, unsigned int line, unsigned int column,
		   const char *text)
{
	char *why = ctx;

	log_err("%s:%u:%u: %s", file, line, column, text);
	if (why && !why[0])
		snprintf(why, NTPKD_WHY_LEN, "%.200s:%u:%u: %.250s", file, line, column, text);
}

/* The parser has seen that it is one; an interface that is not there yet is left out. */
static void take_address(union sock_addr out[2], const char *text, const char *word)
{
	union sock_addr addr;

	if (!text[0])
		return;
	if (sock_addr_parse(&addr, text, 0))
		out[addr.sa.sa_family == AF_INET6] = addr;
	else
		log_err("%s %s: no such address or interface here", word, text);
}

void ntpkd_net_local(const struct conf *conf, struct sock_local *local)
{
	memset(local, 0, sizeof(*local));
	for (size_t i = 0; i < CONF_ADDRS_MAX; i++)
		take_address(local->addr, conf->bindacqaddress[i], "bindacqaddress");
	snprintf(local->device, sizeof(local->device), "%s", conf->bindacqdevice);
	local->port = conf->acquisitionport;
}

static void check_key(const struct ntpkd *d, const struct conf_upstream *up)
{
	if (!up->key_id || keys_has(d->keys, up->key_id))
		return;
	log_err("%s:%u: %s: key %u is not in %s: it is not asked", up->file, up->line, up->name,
		up->key_id, d->conf.keyfile[0] ? d->conf.keyfile : "any file: `keyfile PATH` is "
		"missing");
}

int ntpkd_load_keys(struct ntpkd *d, char *why)
{
	const struct conf_diag diag = { .report = report, .ctx = why };
	struct keys *keys = NULL;
	int err = 0;

	if (why)
		why[0] = '\0';
	if (conf_listen_needs_keys(&d->conf))
		log_warn("`requirekey on` without `keyfile PATH`: nobody is answered");
	if (d->conf.keyfile[0])
		err = keys_load(d->conf.keyfile, &diag, &keys);
	if (err)
		return err;
	kern_set_keys(d->kern, keys);
	respond_set_keys(d->respond, keys);
	keys_release(d->keys);
	d->keys = keys;
	for (size_t i = 0; i < d->conf.upstreams_len; i++)
		check_key(d, &d->conf.upstreams[i]);
	return 0;
}

void ntpkd_listeners_smear(struct ntpkd *d, int64_t unix_ns)
{
	int64_t at_unix_ns;
	uint16_t port;
	bool after;
	uint8_t leap = engine_leap_near(d->engine, unix_ns, &at_unix_ns, &after);

	listeners_smear(&d->listeners, leap, at_unix_ns, after);
	/* no socket is new: nothing can fail */
	respond_set_listeners(d->respond, &d->listeners.of, &port);
	kern_set_listeners(d->kern, &d->listeners.of);
}

const char *ntpkd_userspace_reason(const struct ntpkd *d)
{
	return d->listeners.of.len ? NULL : "there is nowhere to answer";
}

static uint64_t answered(void *ctx)
{
	const struct ntpkd *d = ctx;

	return respond_answered(d->respond);
}

static int open_kern(struct ntpkd *d)
{
	static const struct kern_ops ops = {
		.turn = ntpkd_check_step,
		.stepped = ntpkd_kernel_stepped,
		.answered = answered,
	};

	d->kern = kern_open(d->base, &d->listeners.of, d->keys, d->access, &ops, d);
	return d->kern ? 0 : -ENOMEM;
}

/* Nobody is answered elsewhere because an earlier ntpkd attached the module. */
static void leave_module(struct ntpkd *d, const char *reason)
{
	bool left;

	kern_close(d->kern);
	d->kern = NULL;
	left = kern_detach();
	log_info("ntpkd answers by itself%s: %s", left ? ", the module was detached" : "", reason);
}

/* The module, where it may and there is something to answer. */
static int choose_server(struct ntpkd *d)
{
	const char *reason = ntpkd_userspace_reason(d);

	if (!d->conf.kernel || (!d->listeners.of.len && !d->kern))
		return 0;
	if (!reason)
		return d->kern ? 0 : open_kern(d);
	if (d->kern || !d->userspace_said)
		leave_module(d, reason);
	d->userspace_said = true;
	return 0;
}

void ntpkd_listeners_apply(struct ntpkd *d, char *why)
{
	struct engine_report r;
	struct clocks now;
	uint16_t port = 0;
	struct ntpk_nl_listeners before = d->listeners.of;
	bool limits;
	int err;

	listeners_init(&d->listeners, &d->conf);
	limits = !kern_same_limits(&before, &d->listeners.of);
	if (why)
		why[0] = '\0';
	err = respond_set_listeners(d->respond, &d->listeners.of, &port);
	if (err)
		log_err_no(err, "cannot serve on UDP port %u", port);
	if (err && why)
		snprintf(why, NTPKD_WHY_LEN, "cannot serve on UDP port %u: %s", port, strerror(-err));
	log_info("served in %zu places", d->listeners.of.len);
	ntpkd_report(d, &now, &r);
	ntpkd_listeners_smear(d, ntp_line_at(&r.line, now.local_ns));
	err = kern_repush(d->kern);
	if (err && why && !why[0])
		snprintf(why, NTPKD_WHY_LEN, "%s", kern_attached(d->kern) ? kern_error(d->kern) :
			 strerror(-err));
	if (limits && kern_no_limits(d->kern) && why && !why[0])
		snprintf(why, NTPKD_WHY_LEN, "%s", kern_no_limits(d->kern));
	if (choose_server(d))
		log_err("the module is not told: out of memory");
}

int ntpkd_access_apply(struct ntpkd *d)
{
	struct access *access = access_alloc(&d->conf), *old = d->access;

	if (!access)
		return -ENOMEM;
	respond_set_access(d->respond, access);
	kern_set_access(d->kern, access);
	d->access = access;
	access_release(old);
	return choose_server(d);
}

static void on_changed(void *ctx)
{
	struct ntpkd *d = ctx;

	log_debug("the network has changed");
	if (ntpkd_own_refids(&d->engine_conf))
		engine_reconfigure(d->engine, &d->engine_conf);
	upstreams_network_changed(&d->upstreams);
	if (listeners_moved(&d->listeners, &d->conf))
		ntpkd_listeners_apply(d, NULL);
}

int ntpkd_watch_network(struct ntpkd *d)
{
	int err;

	if (d->bare)
		return 0;
	err = netwatch_open(d->base, on_changed, d, &d->netwatch);
	if (err)
		log_warn_no(err, "changes of the network are not seen");
	else
		upstreams_network_changed(&d->upstreams);
	return 0;
}

static bool has_leap_list(const struct ntpkd *d)
{
	return d->conf.leapseclist[0] || d->conf.leapsectz[0] || d->leap_told_local_ns;
}

bool ntpkd_check_leap(struct ntpkd *d)
{
	struct event ev = { .type = EV_LEAP, .source = ENGINE_NO_SOURCE };
	struct leaplist_entry next, last;
	struct engine_report r;
	struct clocks now;

	if (!has_leap_list(d))
		return false;
	ntpkd_report(d, &now, &r);
	d->leap_asked_unix_ns = ntp_line_at(&r.line, now.local_ns);
	switch (leapwatch_next(&d->leapwatch, &d->conf, d->leap_asked_unix_ns / NTP_NS_PER_S,
			       &next, &last)) {
	case LEAPWATCH_NEXT:
		ev.leap.at_unix_ns = next.at_unix_s * NTP_NS_PER_S;
		ev.leap.leap = next.leap;
		break;
	case LEAPWATCH_NONE:
		ev.leap.leap = NTP_LEAP_NONE;
		break;
	case LEAPWATCH_UNKNOWN:
		ev.leap.leap = NTP_LEAP_UNSYNC;
		break;
	}
	if (d->leap_told_local_ns && ev.leap.at_unix_ns == d->leap_told_unix_ns &&
	    ev.leap.leap == d->leap_told && now.local_ns - d->leap_told_local_ns < DAY_NS)
		return false;
	ev.leap.past = last.leap;
	ev.leap.past_unix_ns = last.leap == NTP_LEAP_NONE ? 0 : last.at_unix_s * NTP_NS_PER_S;
	d->leap_told_unix_ns = ev.leap.at_unix_ns;
	d->leap_told = ev.leap.leap;
	d->leap_told_local_ns = now.local_ns;
	ntpkd_event(d, &ev);
	return true;
}

bool ntpkd_leap_is_elsewhere(const struct ntpkd *d, int64_t unix_ns)
{
	__s64 moved_ns;

	if (!has_leap_list(d))
		return false;
	return !ntp_span_ns(unix_ns, d->leap_asked_unix_ns, &moved_ns) ||
	       moved_ns > LEAP_ASKED_NS || moved_ns < -LEAP_ASKED_NS;
}

void ntpkd_net_close(struct ntpkd *d)
{
	netwatch_close(d->netwatch);
	keys_release(d->keys);
	access_release(d->access);
}
