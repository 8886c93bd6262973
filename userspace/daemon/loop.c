// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events to the engine, its actions out.  Event loop only.  Actions are
 * carried out in order; what they cause (a request sent, the clock stepped)
 * waits in a queue until the last of them is done, so that the engine is never
 * entered twice.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <string.h>
#include "daemon/clockowner.h"
#include "daemon/ev.h"
#include "daemon/kern.h"
#include "daemon/keys.h"
#include "daemon/log.h"
#include "daemon/net.h"
#include "daemon/respond.h"
#include "daemon/turn.h"

#define BEAT_S			1
#define CLOCK_CHECK_BEATS	10
#define LEAP_CHECK_BEATS	60
#define SUSPEND_MIN_NS		10000000

static void enqueue(struct ntpkd *d, const struct event *ev)
{
	if (d->queue_len == NTPKD_QUEUE_LEN) {
		log_err("event %d lost: too many at once", (int)ev->type);
		return;
	}
	d->queue[(d->queue_head + d->queue_len++) % NTPKD_QUEUE_LEN] = *ev;
}

static bool dequeue(struct ntpkd *d, struct event *ev)
{
	if (!d->queue_len)
		return false;
	*ev = d->queue[d->queue_head];
	d->queue_head = (d->queue_head + 1) % NTPKD_QUEUE_LEN;
	d->queue_len--;
	return true;
}

static void set_timer(struct libevent *timer, int64_t at_local_ns)
{
	int64_t wait_ns = at_local_ns - clocks_local_ns();
	struct timeval tv;

	if (wait_ns < 0)
		wait_ns = 0;
	/* rounded up: an early event would only ask for the timer again */
	wait_ns += 999;
	tv.tv_sec = (time_t)(wait_ns / NTP_NS_PER_S);
	tv.tv_usec = (suseconds_t)(wait_ns % NTP_NS_PER_S / 1000);
	event_add(timer, &tv);
}

static void send_request(struct ntpkd *d, const struct action *a)
{
	struct upstream_source *s = upstreams_source(&d->upstreams, a->source);
	uint8_t packet[KEYS_PACKET_MAX];
	int len = sizeof(a->send.packet);
	char name[UPSTREAM_NAME_LEN];
	int err;

	if (!s)
		return;
	memcpy(packet, &a->send.packet, sizeof(a->send.packet));
	if (s->up->conf.key_id)
		len = keys_sign(d->keys, s->up->conf.key_id, packet, (size_t)len);
	err = len < 0 ? len : sock_send(&s->sock, &d->sock_env, a->source, a->send.cookie,
					&s->addr, packet, (size_t)len);
	if (!err)
		return;
	log_debug_no(err, "request to %s", upstreams_name(&d->upstreams, a->source, name));
	ntpkd_simple_event(d, EV_SEND_FAILED, a->source);
}

static void close_socket(struct ntpkd *d, uint32_t id)
{
	struct upstream_source *s = upstreams_source(&d->upstreams, id);

	if (s)
		sock_close(&s->sock);
}

static void publish(struct ntpkd *d, const struct ntp_serve *from_engine)
{
	struct ntp_serve serve = *from_engine;
	const char *wrong;
	int64_t unix_ns;

	d->ever_synced |= serve.leap != NTP_LEAP_UNSYNC;
	serve.ever_synced = d->ever_synced;
	serve.floor_unix_ns = d->engine_conf.floor_unix_ns;
	/* our own responder counts steps as we do; the module gets its own count */
	serve.clock_seq = d->stepwatch.count;
	wrong = ntp_serve_check(&serve);
	if (wrong) {
		log_err("not published: %s", wrong);
		return;
	}
	unix_ns = ntp_line_at(&serve.line, clocks_local_ns());
	/* what is smeared there has to be known first; it is published with that */
	if (serve.leap != NTP_LEAP_UNSYNC && ntpkd_leap_is_elsewhere(d, unix_ns) &&
	    ntpkd_check_leap(d))
		return;
	ntpkd_listeners_smear(d, unix_ns);
	respond_publish(d->respond, &serve);
	kern_push(d->kern, &serve);
}

/* Failures of the clock's controls are said when they change, not each time. */
static void note_clock_error(struct ntpkd *d, const char *what, int err)
{
	if (err && err != d->clock_error)
		log_err_no(err, "cannot %s the system clock", what);
	d->clock_error = err;
}

static void step_clock(struct ntpkd *d, int64_t phase_ns)
{
	int err = sysclock_step(&d->sysclock, phase_ns);

	note_clock_error(d, "step", err);
	/* the engine gives it up after a while, and tries again with its next update */
	if (err)
		return;
	if (!d->opt.no_clock) {
		stepwatch_own(&d->stepwatch);
		kern_repush(d->kern);
	}
	ntpkd_simple_event(d, EV_CLOCK_STEPPED, ENGINE_NO_SOURCE);
}

static void slew_clock(struct ntpkd *d, int64_t phase_ns)
{
	note_clock_error(d, "slew", sysclock_slew(&d->sysclock, phase_ns));
	if (sysclock_slew_due(&d->sysclock))
		set_timer(d->ev_slew, sysclock_slew_due(&d->sysclock));
}

static void on_slew(evutil_socket_t fd, short what, void *arg)
{
	struct ntpkd *d = arg;

	(void)fd;
	(void)what;
	note_clock_error(d, "slew", sysclock_slew_end(&d->sysclock));
	if (sysclock_slew_due(&d->sysclock))
		set_timer(d->ev_slew, sysclock_slew_due(&d->sysclock));
}

static void say(struct ntpkd *d, const struct action *a)
{
	char name[UPSTREAM_NAME_LEN];
	char text[512];
	enum log_level level;

	upstreams_name(&d->upstreams, a->source, name);
	level = log_format_code(text, sizeof(text), a->log.code, name, a->log.value_ns,
				a->log.refid);
	log_write(level, 0, "%s", text);
}

static void note_update(struct ntpkd *d)
{
	struct engine_report r;
	struct clocks now;

	ntpkd_report(d, &now, &r);
	tracking_note(&d->tracking, &r);
}

/* A true reply: whose stamps it and its request had, for who asks. */
static void note_stamps(struct ntpkd *d, uint32_t source)
{
	struct upstream_source *s = upstreams_source(&d->upstreams, source);

	if (!s)
		return;
	s->last_tx = s->sock.told_t1.from;
	s->last_rx = s->rx_from;
}

static void act(struct ntpkd *d, const struct action *a)
{
	switch (a->type) {
	case ACT_TIMER:
		set_timer(d->ev_timer, a->at_local_ns);
		break;
	case ACT_SEND:
		send_request(d, a);
		break;
	case ACT_CLOSE:
		close_socket(d, a->source);
		break;
	case ACT_RESOLVE:
		upstreams_resolve_again(&d->upstreams, a->source);
		break;
	case ACT_PUSH:
		publish(d, &a->serve);
		break;
	case ACT_FREQ:
		note_clock_error(d, "set the frequency of",
				 sysclock_set_freq(&d->sysclock, a->freq_ppb));
		break;
	case ACT_PHASE:
		slew_clock(d, a->phase_ns);
		break;
	case ACT_STEP:
		step_clock(d, a->phase_ns);
		break;
	case ACT_SYNC_STATUS:
		d->sysclock.rtcsync = d->conf.rtcsync;
		note_clock_error(d, "set the status of",
				 sysclock_set_status(&d->sysclock, a->sync.synchronised,
						     a->sync.leap, a->sync.est_error_ns,
						     a->sync.max_error_ns));
		break;
	case ACT_DRIFT:
		host_save_drift(d, a->drift.freq_ppb, a->drift.freq_sd_ppb);
		break;
	case ACT_LOG:
		say(d, a);
		break;
	case ACT_SAMPLE:
		note_stamps(d, a->source);
		host_sample(d, a->source, &a->sample);
		break;
	case ACT_UPDATE:
		note_update(d);
		host_update(d);
		break;
	case ACT_EXIT:
		d->gave_up = true;
		event_base_loopbreak(d->base);
		break;
	}
}

static void run_event(struct ntpkd *d, struct event *ev)
{
	size_t n;

	clocks_read(&ev->now, d->stepwatch.count);
	n = engine_event(d->engine, ev, d->actions);
	for (size_t i = 0; i < n; i++)
		act(d, &d->actions[i]);
}

void ntpkd_event(struct ntpkd *d, struct event *ev)
{
	struct event next;

	if (d->busy) {
		enqueue(d, ev);
		return;
	}
	d->busy = true;
	run_event(d, ev);
	while (dequeue(d, &next))
		run_event(d, &next);
	d->busy = false;
}

void ntpkd_report(const struct ntpkd *d, struct clocks *now, struct engine_report *out)
{
	clocks_read(now, d->stepwatch.count);
	engine_get_report(d->engine, now, out);
}

void ntpkd_simple_event(struct ntpkd *d, enum event_type type, uint32_t source)
{
	struct event ev = { .type = type, .source = source };

	ntpkd_event(d, &ev);
}

/* The local timescale stood still meanwhile: nothing computed before is true. */
static void check_suspend(struct ntpkd *d)
{
	int64_t suspended_ns = clocks_suspended_ns();
	struct event ev = { .type = EV_SUSPENDED, .source = ENGINE_NO_SOURCE };

	ev.suspended_ns = suspended_ns - d->suspended_ns;
	if (ev.suspended_ns < SUSPEND_MIN_NS)
		return;
	d->suspended_ns = suspended_ns;
	kern_forget(d->kern);
	ntpkd_event(d, &ev);
}

void ntpkd_check_step(void *arg)
{
	struct ntpkd *d = arg;

	turn_begin();
	if (turn_is_over())
		event_base_loopbreak(d->base);
	/* a resume counts as a step too, and must not bring back the old line */
	check_suspend(d);
	if (!stepwatch_check(&d->stepwatch))
		return;
	kern_repush(d->kern);
	ntpkd_simple_event(d, EV_CLOCK_STEPPED, ENGINE_NO_SOURCE);
}

void ntpkd_kernel_stepped(void *arg)
{
	struct ntpkd *d = arg;

	check_suspend(d);
	/* its count also moves without a step (TAI offset): then only push anew */
	if (stepwatch_check(&d->stepwatch))
		ntpkd_simple_event(d, EV_CLOCK_STEPPED, ENGINE_NO_SOURCE);
	kern_repush(d->kern);
}

/* Our address towards a source, which in orphan mode decides who leads. */
static __be32 own_refid(struct ntpkd *d, uint32_t source)
{
	struct upstream_source *s = upstreams_source(&d->upstreams, source);
	union sock_addr addr;
	socklen_t len = sizeof(addr);

	if (!d->engine_conf.local_orphan || !s || !s->sock.ev ||
	    getsockname(s->sock.fd, &addr.sa, &len))
		return 0;
	return upstream_refid(&addr);
}

static void on_sent(void *ctx, uint32_t source, uint32_t cookie, const struct sock_time *t1)
{
	struct event ev = { .type = EV_SENT, .source = source };

	ev.sent.own_refid = own_refid(ctx, source);
	ev.sent.cookie = cookie;
	ev.sent.t1_local_ns = t1->local_ns;
	ev.sent.t1_err_ns = t1->err_ns;
	ntpkd_event(ctx, &ev);
}

static void on_reply(void *ctx, uint32_t source, const void *data, size_t len,
		     const struct sock_time *t4)
{
	struct event ev = { .type = EV_REPLY, .source = source };
	struct ntpkd *d = ctx;
	struct upstream_source *s = upstreams_source(&d->upstreams, source);

	if (!s)
		return;
	ev.reply.authentic = s->up->conf.key_id &&
			     keys_verify(d->keys, s->up->conf.key_id, data, len);
	ev.reply.data = data;
	ev.reply.len = len;
	ev.reply.t4_local_ns = t4->local_ns;
	ev.reply.t4_err_ns = t4->err_ns;
	s->rx_from = t4->from;
	ntpkd_event(ctx, &ev);
}

static void on_turn(void *ctx)
{
	ntpkd_check_step(ctx);
}

const struct sock_ops ntpkd_sock_ops = {
	.turn = on_turn,
	.sent = on_sent,
	.reply = on_reply,
};

static void on_added(void *ctx, uint32_t id, const struct source_config *conf)
{
	struct event ev = { .type = EV_SOURCE_ADD, .source = id, .add = *conf };

	ntpkd_event(ctx, &ev);
}

static void on_removed(void *ctx, uint32_t id)
{
	ntpkd_simple_event(ctx, EV_SOURCE_DEL, id);
}

static void on_online(void *ctx, uint32_t id, bool online)
{
	ntpkd_simple_event(ctx, online ? EV_ONLINE : EV_OFFLINE, id);
}

const struct upstream_ops ntpkd_upstream_ops = {
	.added = on_added,
	.removed = on_removed,
	.online = on_online,
};

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ntpkd_check_step(arg);
	ntpkd_simple_event(arg, EV_TIMER, ENGINE_NO_SOURCE);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	ntpkd_check_step(arg);
}

static void check_clock(struct ntpkd *d)
{
	const char *who = "another program";
	double freq_ppb = 0;
	char owner[64];
	enum sysclock_foreign what = sysclock_check(&d->sysclock, &freq_ppb);

	if (what == SYSCLOCK_OURS)
		return;
	if (clockowner_find("/proc", owner, sizeof(owner)))
		who = owner;
	if (what == SYSCLOCK_FREQ)
		log_warn("%s controls the clock: its frequency was changed to %+.3f ppm; it will be "
			 "set again", who, freq_ppb / 1000);
	else if (what == SYSCLOCK_PLL)
		log_warn("%s controls the clock: the kernel's own loop was on, and is off again",
			 who);
	else
		log_warn("%s controls the clock: it is being slewed, and not by us", who);
}

static void on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct ntpkd *d = arg;

	(void)fd;
	(void)what;
	d->beats++;
	ntpkd_check_step(d);
	host_beat(d);
	if (d->beats % CLOCK_CHECK_BEATS == 0)
		check_clock(d);
	if (d->beats % LEAP_CHECK_BEATS == 0)
		ntpkd_check_leap(d);
}

int ntpkd_loop_open(struct ntpkd *d)
{
	const struct timeval beat = { .tv_sec = BEAT_S };

	d->suspended_ns = clocks_suspended_ns();
	d->ev_timer = event_new(d->base, -1, 0, on_timer, d);
	d->ev_beat = event_new(d->base, -1, EV_PERSIST, on_beat, d);
	d->ev_slew = event_new(d->base, -1, 0, on_slew, d);
	if (!d->ev_timer || !d->ev_slew || !d->ev_beat || event_add(d->ev_beat, &beat))
		return -ENOMEM;
	if (d->stepwatch.fd < 0)
		return 0;
	d->ev_step = event_new(d->base, d->stepwatch.fd, EV_READ | EV_PERSIST, on_step, d);
	return d->ev_step && !event_add(d->ev_step, NULL) ? 0 : -ENOMEM;
}

void ntpkd_loop_close(struct ntpkd *d)
{
	if (d->ev_timer)
		event_free(d->ev_timer);
	if (d->ev_beat)
		event_free(d->ev_beat);
	if (d->ev_slew)
		event_free(d->ev_slew);
	if (d->ev_step)
		event_free(d->ev_step);
}
