// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Start and end of the daemon.  Everything that can fail for a reason that an
 * operator can mend says what and where.  Order: the port is bound before the
 * module is attached, so that the module never answers beside another server.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/command.h"
#include "daemon/control.h"
#include "daemon/ev.h"
#include "daemon/hwts.h"
#include "daemon/kern.h"
#include "daemon/log.h"
#include "daemon/net.h"
#include "daemon/portowner.h"
#include "daemon/privs.h"
#include "daemon/reload.h"
#include "daemon/respond.h"
#include "daemon/saver.h"
#include "daemon/signals.h"
#include "daemon/turn.h"

#define STARTS_PER_TURN		16
/* Until the loop has run for 0.1 s simulators let the clocks read inexactly. */
#define SIMULATED_START_US	110000

static void report_conf_error(void *ctx, const char *file, unsigned int line,
			      unsigned int column, const char *text)
{
	/* for a start: people who look for errors in the journal look for its level */
	const char *level = log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM")) ? "<3>" : "";

	(void)ctx;
	if (line)
		fprintf(stderr, "%s%s:%u:%u: %s\n", level, file, line, column, text);
	else
		fprintf(stderr, "%sntpkd: cannot read the configuration %s: %s\n", level, file,
			text);
}

/* A check is not content with what a start can live with. */
static int load_conf(struct conf *conf, struct options *opt)
{
	const struct conf_diag diag = { .report = report_conf_error };
	int err;

	conf_init(conf);
	err = conf_load(conf, opt->file, &diag);
	if (!opt->check && realpath(opt->file, opt->file_buf))
		opt->file = opt->file_buf;
	return !err && opt->check && conf->skipped ? -EINVAL : err;
}

static int open_base(struct ntpkd *d)
{
	struct event_config *config = event_config_new();

	if (!config)
		return -ENOMEM;
	/*
	 * Simulators know only poll(2) and select(2); libevent's sets for the latter
	 * are shorter than fd_set, which a simulator may clear as a whole.
	 */
	if (d->bare) {
		event_config_avoid_method(config, "epoll");
		event_config_avoid_method(config, "select");
	}
	d->base = event_base_new_with_config(config);
	event_config_free(config);
	return d->base ? 0 : -ENOMEM;
}

static int open_clock(struct ntpkd *d)
{
	int err = sysclock_init(&d->sysclock, NULL, !d->opt.no_clock);

	if (err == -EPERM)
		log_err("may not set the system clock: run ntpkd as root (CAP_SYS_TIME), or with "
			"-x to leave the clock alone");
	else if (err)
		log_err_no(err, "system clock");
	if (!err)
		err = host_cold_start(d);
	if (err)
		return err;
	err = stepwatch_init(&d->stepwatch, !d->bare);
	if (err)
		log_err_no(err, "timerfd that tells of clock steps");
	return err;
}

/* In bare mode there is no thread. */
static int open_saver(struct ntpkd *d)
{
	d->saver = d->bare ? NULL : saver_open(d->base);
	return d->saver || d->bare ? 0 : -ENOMEM;
}

static int open_respond(struct ntpkd *d)
{
	struct respond_env env = {
		.clock_seq = &d->stepwatch.count,
		.stepped_local_ns = &d->stepwatch.stepped_local_ns,
		.shared_port = d->conf.acquisitionport,
		.before_turn = ntpkd_check_step,
		.ctx = d,
	};
	uint16_t port = 0;
	char owner[64];
	int err;

	if (d->conf.acquisitionport >= IPPORT_RESERVED)
		log_warn("acquisitionport %u: any user of this machine may use it as well, and get "
			 "replies that are for ntpkd: take one below %u", d->conf.acquisitionport,
			 IPPORT_RESERVED);
	listeners_init(&d->listeners, &d->conf);
	err = respond_open(d->base, &d->listeners.of, &env, &d->respond, &port);
	if (err == -EADDRINUSE)
		log_err("UDP port %u is taken by %s: stop that, or set `port 0` to serve nobody",
			port, portowner_find(port, owner, sizeof(owner)));
	else if (err)
		log_err_no(err, "cannot serve on UDP port %u", port);
	return err;
}

static int open_control(struct ntpkd *d)
{
	struct control_table table = command_table(d);
	int err;

	if (!d->opt.socket)
		return 0;
	err = control_open(d->base, d->opt.socket, &table, &d->control);
	if (err == -EADDRINUSE)
		log_err("control socket %s: another ntpkd is running", d->opt.socket);
	else if (err)
		log_err_no(err, "control socket %s (-s PATH for another, -s none for none)",
			   d->opt.socket);
	return err;
}

static int open_kern(struct ntpkd *d)
{
	int err = ntpkd_load_keys(d, NULL);

	return err ? err : ntpkd_access_apply(d);
}

static void on_map(void *ctx, const struct ntpk_nl_phc *map)
{
	struct ntpkd *d = ctx;

	kern_set_phc(d->kern, map);
}

static void on_no_map(void *ctx, uint32_t ifindex)
{
	struct ntpkd *d = ctx;

	kern_drop_phc(d->kern, ifindex);
}

static int open_hwts(struct ntpkd *d)
{
	static const struct hwts_ops ops = { .map = on_map, .none = on_no_map };

	return hwts_open(d->base, &d->conf, &ops, d, &d->hwts);
}

static int open_parts(struct ntpkd *d)
{
	int (*const parts[])(struct ntpkd *) = {
		host_open, open_base, open_saver, open_clock, ntpkd_engine_open, open_respond, open_control,
		open_kern, open_hwts, ntpkd_loop_open,
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(parts) / sizeof(parts[0]); i++)
		err = parts[i](d);
	if (err == -ENOMEM)
		log_err_no(err, "start");
	if (err)
		return err;
	d->sock_env.base = d->base;
	d->sock_env.ops = &ntpkd_sock_ops;
	d->sock_env.ctx = d;
	d->sock_env.stepped_local_ns = &d->stepwatch.stepped_local_ns;
	ntpkd_net_local(&d->conf, &d->sock_env.local);
	d->sock_env.hwts = d->hwts;
	sock_env_init(&d->sock_env);
	err = upstreams_init(&d->upstreams, d->base, &ntpkd_upstream_ops, d, &d->sock_env.local);
	if (!err)
		err = ntpkd_watch_network(d);
	return err ? err : signals_open(d->base, d->bare);
}

static void start_one(struct ntpkd *d, const struct conf_upstream *up)
{
	int err = upstreams_add(&d->upstreams, up, false);

	if (err)
		log_err("%s:%u: %s: %s", up->file, up->line, up->name,
			err == -EEXIST ? "is there twice" :
			err == -ENOSPC ? "no room for it" : strerror(-err));
}

/* A thousand of them are started in many turns of the loop: it has other work, too. */
static void start_some(struct ntpkd *d)
{
	const struct timeval now = { 0 };

	for (int i = 0; i < STARTS_PER_TURN && d->started < d->starting_len; i++)
		start_one(d, &d->starting[d->started++]);
	if (d->started < d->starting_len) {
		event_add(d->ev_start, &now);
		return;
	}
	free(d->starting);
	d->starting = NULL;
	d->starting_len = d->started = 0;
}

static void on_start(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_begin();
	start_some(arg);
}

int ntpkd_start_upstreams(struct ntpkd *d, const struct conf_upstream *up, size_t len)
{
	size_t left = d->starting_len - d->started;
	struct conf_upstream *queue;

	if (!d->ev_start)
		d->ev_start = event_new(d->base, -1, 0, on_start, d);
	queue = malloc((left + len) * sizeof(*queue) + 1);
	if (!d->ev_start || !queue) {
		free(queue);
		return -ENOMEM;
	}
	if (left)
		memcpy(queue, d->starting + d->started, left * sizeof(*queue));
	if (len)
		memcpy(queue + left, up, len * sizeof(*queue));
	free(d->starting);
	d->starting = queue;
	d->starting_len = left + len;
	d->started = 0;
	start_some(d);
	return 0;
}

static void start_upstreams(struct ntpkd *d)
{
	const struct conf *conf = &d->conf;

	ntpkd_simple_event(d, EV_START, ENGINE_NO_SOURCE);
	ntpkd_check_leap(d);
	if (ntpkd_start_upstreams(d, conf->upstreams, conf->upstreams_len))
		log_err_no(ENOMEM, "upstreams");
	if (!conf->upstreams_len && !conf->local_stratum)
		log_warn("%s names no server and no pool, and has no `local stratum`",
			 d->opt.file);
}

static void close_parts(struct ntpkd *d)
{
	signals_close();
	metrics_file_close(d);
	saver_close(d->saver);
	logs_close(&d->host.logs);
	notify_close(&d->host.notify);
	control_close(d->control);
	if (d->upstreams.base)
		upstreams_clean(&d->upstreams);
	hwts_close(d->hwts);
	kern_close(d->kern);
	respond_close(d->respond);
	if (d->sock_env.base)
		sock_env_clean(&d->sock_env);
	ntpkd_loop_close(d);
	stepwatch_clean(&d->stepwatch);
	sysclock_clean(&d->sysclock);
	ntpkd_net_close(d);
	if (d->ev_start)
		event_free(d->ev_start);
	free(d->starting);
	free(d->queue);
	free(d->actions);
	free(d->engine);
	if (d->base)
		event_base_free(d->base);
}

static void on_first_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_upstreams(arg);
}

static int run(struct ntpkd *d, int ready_fd)
{
	const struct timeval later = { .tv_usec = SIMULATED_START_US };
	int err = open_parts(d);

	if (err)
		return err;
	err = host_drop(d);
	if (err)
		return err;
	if (ready_fd >= 0)
		privs_ready(ready_fd);
	log_open(d->opt.mode == MODE_STDERR ? LOG_DEST_STDERR : LOG_DEST_SYSLOG, d->opt.level);
	log_info("ntpkd %s: %s, clock %s", NTPK_VERSION, d->opt.file,
		 d->opt.no_clock ? "left alone (-x)" : "controlled");
	err = host_ready(d);
	if (err)
		return err;
	if (clocks_simulated())
		event_base_once(d->base, -1, EV_TIMEOUT, on_first_turn, d, &later);
	else
		start_upstreams(d);
	turn_open(!d->bare);
	while (!signals_stop() && !d->gave_up) {
		if (event_base_loop(d->base, EVLOOP_ONCE) < 0) {
			log_err("the event loop failed");
			return -EIO;
		}
		reload_on_signal(d);
		turn_end();
	}
	log_info("stopping%s", kern_attached(d->kern) ?
		 ": the module goes on serving until its holdover ends" : "");
	if (d->gave_up)
		return -ERANGE;
	host_stop(d);
	return 0;
}

int ntpkd_main(int argc, char **argv)
{
	struct ntpkd *d = calloc(1, sizeof(*d));
	bool simulated;
	int ready_fd = -1;
	int status;

	if (!d)
		return 1;
	d->stepwatch.fd = -1;
	d->host.notify.fd = -1;
	umask(027);
	status = options_parse(&d->opt, argc, argv);
	if (status >= 0)
		goto out_free;
	status = load_conf(&d->conf, &d->opt) ? 1 : 0;
	if (status || d->opt.check)
		goto out_conf;
	d->bare = d->opt.mode != MODE_DAEMON && !d->opt.socket && !d->conf.kernel;
	simulated = d->bare && clocks_simulate();
	log_open(d->opt.mode == MODE_STDERR ? LOG_DEST_STDERR : LOG_DEST_BOTH, d->opt.level);
	if (simulated)
		log_info("the clocks are a simulator's");
	if (d->opt.mode == MODE_DAEMON) {
		status = privs_background(&ready_fd);
		if (status >= 0)
			goto out_conf;
	}
	status = run(d, ready_fd) ? 1 : 0;
	close_parts(d);
out_conf:
	conf_clean(&d->conf);
out_free:
	free(d);
	return status;
}
