/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon as a whole: one struct, owned by the event loop.  start.c makes
 * and ends it, loop.c carries events to the engine and its actions out,
 * command*.c and status*.c answer the control socket.
 */
#ifndef NTPKD_NTPKD_H
#define NTPKD_NTPKD_H

#include <stdbool.h>
#include <stdint.h>
#include "core/engine.h"
#include "daemon/conf.h"
#include "daemon/host.h"
#include "daemon/listeners.h"
#include "daemon/options.h"
#include "daemon/sock.h"
#include "daemon/stepwatch.h"
#include "daemon/sysclock.h"
#include "daemon/leapwatch.h"
#include "daemon/tracking.h"
#include "daemon/upstream.h"

/* Events that wait while the actions of the one before them are carried out. */
#define NTPKD_QUEUE_LEN	((size_t)4 * ENGINE_MAX_SOURCES)

struct control;
struct event_base;
struct hwts;
struct kern;
struct access;
struct keys;
struct libevent;
struct netwatch;
struct respond;
struct saver;

/**
 * struct ntpkd - everything
 * @opt: command line
 * @conf: configuration file
 * @bare: poll nothing but UDP sockets and timers: no control socket, no
 *	module, messages to stderr
 * @base: the loop
 * @engine: the core
 * @engine_conf: as given to it
 * @actions: of the event in hand, room for ENGINE_MAX_ACTIONS()
 * @queue: ring of events in waiting, NTPKD_QUEUE_LEN
 * @queue_head: first of them
 * @queue_len: how many
 * @busy: an event is in hand
 * @ev_timer: ACT_TIMER
 * @ev_beat: every second
 * @ev_slew: the end of a slew by rate
 * @ev_step: timerfd of @stepwatch
 * @beats: seconds of @ev_beat
 * @suspended_ns: time spent in suspend, as last seen
 * @sysclock: controls of the clock
 * @stepwatch: its steps
 * @sock_env: of the client sockets
 * @upstreams: and their sources
 * @starting: upstreams of the file that are still to be started ...
 * @starting_len: ... so many in all
 * @started: ... and so many done
 * @ev_start: the next of them
 * @hwts: interfaces with stamps of their own, or NULL
 * @keys: shared with upstreams, or NULL
 * @access: who may ask, for the module and @respond
 * @netwatch: changes of the network, or NULL
 * @leapwatch: lists of leap seconds
 * @leap_told_unix_ns: the next leap second as the engine was told, 0 = none
 * @leap_told: and what kind
 * @leap_told_local_ns: when it was told, 0 = never
 * @leap_asked_unix_ns: for which time the lists were asked last
 * @userspace_said: why the module is not used was logged
 * @listeners: where and what is served
 * @respond: own responder or NULL
 * @kern: link to the module or NULL
 * @control: socket or NULL
 * @tracking: what updates of the line found
 * @ever_synced: a synchronised state was published
 * @gave_up: the engine asked to end with an error
 * @saver: writes files of state; NULL: they are written at once
 * @host: user, state files, logs, service manager
 * @clock_error: the last errno of the system clock's controls, said once
 */
struct ntpkd {
	struct options opt;
	struct conf conf;
	bool	 bare;
	struct event_base *base;
	struct engine *engine;
	struct engine_config engine_conf;
	struct action *actions;
	struct event *queue;
	size_t	 queue_head;
	size_t	 queue_len;
	bool	 busy;
	struct libevent *ev_timer;
	struct libevent *ev_beat;
	struct libevent *ev_slew;
	struct libevent *ev_step;
	uint64_t beats;
	int64_t	 suspended_ns;
	struct sysclock sysclock;
	struct stepwatch stepwatch;
	struct sock_env sock_env;
	struct upstreams upstreams;
	struct conf_upstream *starting;
	size_t	 starting_len;
	size_t	 started;
	struct libevent *ev_start;
	struct hwts *hwts;
	struct keys *keys;
	struct access *access;
	struct netwatch *netwatch;
	struct leapwatch leapwatch;
	int64_t	 leap_told_unix_ns;
	uint8_t	 leap_told;
	int64_t	 leap_told_local_ns;
	int64_t	 leap_asked_unix_ns;
	bool	 userspace_said;
	struct listeners listeners;
	struct respond *respond;
	struct kern *kern;
	struct control *control;
	struct tracking tracking;
	bool	 ever_synced;
	bool	 gave_up;
	struct saver *saver;
	struct host host;
	int	 clock_error;
};

/* start.c */

/**
 * ntpkd_main() - main()
 * @argc: of main()
 * @argv: of main()
 *
 * Return: exit status: 0, 1 for a failure, 2 for a wrong command line.
 */
int ntpkd_main(int argc, char **argv);

/**
 * ntpkd_own_refids() - reference ids of this host's addresses
 * @conf: own_refids and their number are filled
 *
 * Return: true when they differ from what was there.
 */
bool ntpkd_own_refids(struct engine_config *conf);

/**
 * ntpkd_engine_policy() - what the operator decided, for the engine
 * @conf: configuration
 * @ec: its policies are filled, the rest is left alone
 */
void ntpkd_engine_policy(const struct conf *conf, struct engine_config *ec);

/**
 * ntpkd_engine_open() - the engine, and room for its actions
 * @d: daemon, with its configuration and clock
 *
 * Return: 0 or -ENOMEM.
 */
int ntpkd_engine_open(struct ntpkd *d);

/* loop.c */

extern const struct sock_ops ntpkd_sock_ops;
extern const struct upstream_ops ntpkd_upstream_ops;

/**
 * ntpkd_event() - hand an event to the engine and carry its actions out
 * @d: the daemon
 * @ev: the event; its clocks are filled in here
 *
 * Within the actions of another event it waits for its turn; an EV_REPLY must
 * not come then, its data would be gone.
 */
void ntpkd_event(struct ntpkd *d, struct event *ev);

/**
 * ntpkd_report() - what the engine believes now
 * @d: the daemon
 * @now: filled: the clocks it was asked at
 * @out: filled
 */
void ntpkd_report(const struct ntpkd *d, struct clocks *now, struct engine_report *out);

/**
 * ntpkd_simple_event() - an event without data
 * @d: the daemon
 * @type: enum event_type
 * @source: id or ENGINE_NO_SOURCE
 */
void ntpkd_simple_event(struct ntpkd *d, enum event_type type, uint32_t source);

/**
 * ntpkd_check_step() - notice a step of the clock before anything else is done
 * @arg: struct ntpkd
 */
void ntpkd_check_step(void *arg);

/**
 * ntpkd_kernel_stepped() - the module saw a step
 * @arg: struct ntpkd
 */
void ntpkd_kernel_stepped(void *arg);

/**
 * ntpkd_loop_open() - the timers and the timerfd of the loop
 * @d: the daemon
 *
 * Return: 0 or -ENOMEM.
 */
int ntpkd_loop_open(struct ntpkd *d);

/** ntpkd_loop_close() - free them */
void ntpkd_loop_close(struct ntpkd *d);

/**
 * ntpkd_start_upstreams() - begin to ask more upstreams, some per turn of the loop
 * @d: the daemon
 * @up: copied
 * @len: of them
 *
 * What cannot be started is reported.
 *
 * Return: 0 or -ENOMEM.
 */
int ntpkd_start_upstreams(struct ntpkd *d, const struct conf_upstream *up, size_t len);

#endif /* NTPKD_NTPKD_H */
