// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections of the control socket.  Runs in the daemon's event loop and
 * never blocks it: every buffer, line, wait and number of peers is bounded.
 * A peer that does not read is not read from either, and goes when its time
 * for a line is over.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include "daemon/control.h"
#include "daemon/control_path.h"
#include "daemon/control_stream.h"
#include "daemon/turn.h"

#define CONNECTIONS_MAX	18
/* Of these for root only, whom nobody else can lock out. */
#define ROOTS_OWN	2
#define LINE_TIMEOUT_S	10
#define HELD_TIMEOUT_S	4	/* before ntpkctl gives up */
/* Unread answers beyond this stop the reading of requests. */
#define PENDING_MAX	65536
/* Pause of accept() when descriptors are out. */
#define RETRY_S		1

struct conn {
	struct control *c;
	struct bufferevent *bev;
	struct event *timer;
	bool	 may_change;
	bool	 closing;	/* free it when the last answer is out */
	uint64_t ticket;	/* of the answer that is held back, 0 = none ... */
	struct json_object *held;	/* ... and that answer, if all goes well, ... */
	const char *late;	/* ... or, when it takes too long, why */
	struct control_stream stream;	/* what is still to be sent, @next NULL = nothing */
	bool	 stream_first;
	struct event *more;	/* the stream goes on, with the next turn */
};

struct control {
	struct event_base *base;
	struct control_table table;
	struct evconnlistener *listener;
	struct event *retry;
	struct conn *conns[CONNECTIONS_MAX];
	struct conn *current;	/* whose request is being answered */
	uint64_t tickets;	/* given so far */
	struct stat id;
	char	 path[];
};

static void end_stream(struct conn *conn)
{
	if (conn->stream.next)
		conn->stream.done(conn->stream.ctx);
	conn->stream.next = NULL;
	if (conn->more)
		event_free(conn->more);
	conn->more = NULL;
}

static void conn_free(struct conn *conn)
{
	unsigned int i;

	for (i = 0; i < CONNECTIONS_MAX; i++)
		if (conn->c->conns[i] == conn)
			conn->c->conns[i] = NULL;
	if (conn->timer)
		event_free(conn->timer);
	if (conn->bev)
		bufferevent_free(conn->bev);
	end_stream(conn);
	json_object_put(conn->held);
	free(conn);
}

static void restart_timer(struct conn *conn)
{
	const struct timeval tv = { .tv_sec = conn->held ? HELD_TIMEOUT_S : LINE_TIMEOUT_S };

	event_add(conn->timer, &tv);
}

/* @obj is given away.  Return: false when memory is out. */
static bool write_answer(struct conn *conn, struct json_object *obj)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	const char *s;
	bool fine;

	s = control_json(obj);
	fine = s && evbuffer_add(out, s, strlen(s)) == 0 && evbuffer_add(out, "\n", 1) == 0;
	json_object_put(obj);
	return fine;
}

/* The next request, not from here: the caller may be in the midst of another command. */
static void go_on(struct conn *conn)
{
	restart_timer(conn);
	bufferevent_enable(conn->bev, EV_READ);
	bufferevent_trigger(conn->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS |
			    BEV_TRIG_DEFER_CALLBACKS);
}

static void on_more(evutil_socket_t fd, short what, void *arg);

static bool begin_stream(struct conn *conn, struct json_object *obj)
{
	const struct timeval now = { 0 };
	int err = control_stream_begin(&conn->stream, obj, bufferevent_get_output(conn->bev));

	json_object_put(obj);
	conn->stream_first = true;
	conn->more = err ? NULL : evtimer_new(conn->c->base, on_more, conn);
	if (!conn->more || event_add(conn->more, &now))
		return false;
	bufferevent_disable(conn->bev, EV_READ);
	return true;
}

/* The rest of a long answer: so much as this turn, and what waits unread, allow. */
static void on_more(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0 };
	struct conn *conn = arg;
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	int more;

	(void)fd;
	(void)what;
	turn_begin();
	do
		more = control_stream_step(&conn->stream, &conn->stream_first, out);
	while (more > 0 && !turn_is_over() && evbuffer_get_length(out) < PENDING_MAX);
	if (more < 0) {
		conn_free(conn);
	} else if (!more) {
		end_stream(conn);
		go_on(conn);
	} else if (evbuffer_get_length(out) < PENDING_MAX) {
		event_add(conn->more, &now);
	}
}

/* Return: false when memory is out. */
static bool answer(struct conn *conn, const char *line, size_t len)
{
	struct control *c = conn->c;
	struct json_object *obj;

	c->current = conn;
	obj = control_handle_line(&c->table, line, len, conn->may_change);
	c->current = NULL;
	if (obj && conn->stream.next)
		return begin_stream(conn, obj);
	if (!obj || !conn->ticket)
		return write_answer(conn, obj);
	bufferevent_disable(conn->bev, EV_READ);
	conn->held = obj;
	restart_timer(conn);
	return true;
}

/* No more requests; the answers that wait still go out. */
static void finish(struct conn *conn)
{
	conn->closing = true;
	bufferevent_disable(conn->bev, EV_READ);
	if (!conn->held && !conn->more && !evbuffer_get_length(bufferevent_get_output(conn->bev)))
		conn_free(conn);
}

/* Return: true when a line was taken and the connection lives on. */
static bool take_line(struct conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);
	size_t len;
	char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	bool fine, whole = line;

	if (!whole && evbuffer_get_length(in) <= CONTROL_LINE_MAX)
		return false;
	if (!whole)
		len = CONTROL_LINE_MAX + 1;	/* refused by its length alone */
	fine = answer(conn, whole ? line : "", len);
	free(line);
	if (!fine) {
		conn_free(conn);
		return false;
	}
	if (!whole) {
		finish(conn);
		return false;
	}
	restart_timer(conn);
	return true;
}

static void take_lines(struct conn *conn)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);

	for (;;) {
		if (evbuffer_get_length(out) > PENDING_MAX) {
			bufferevent_disable(conn->bev, EV_READ);
			return;
		}
		if (!take_line(conn) || conn->held || conn->more)
			return;
	}
}

uint64_t control_hold(struct control *c, const char *late)
{
	if (!c || !c->current)
		return 0;
	c->current->late = late;
	return c->current->ticket = ++c->tickets;
}

static struct conn *find_held(struct control *c, uint64_t ticket)
{
	for (unsigned int i = 0; c && ticket && i < CONNECTIONS_MAX; i++)
		if (c->conns[i] && c->conns[i]->held && c->conns[i]->ticket == ticket)
			return c->conns[i];
	return NULL;
}

void control_release(struct control *c, uint64_t ticket, const struct control_error *failure)
{
	struct conn *conn = find_held(c, ticket);
	struct json_object *obj;

	if (!conn)
		return;
	obj = failure ? control_failure(failure) : json_object_get(conn->held);
	json_object_put(conn->held);
	conn->held = NULL;
	conn->ticket = 0;
	if (!write_answer(conn, obj)) {
		conn_free(conn);
		return;
	}
	go_on(conn);
}

int control_send(struct control *c, const struct control_stream *s, struct json_object *data)
{
	int err;

	if (c && c->current) {
		c->current->stream = *s;
		return 0;
	}
	err = control_stream_collect(s, data);
	s->done(s->ctx);
	return err;
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	(void)bev;
	turn_begin();
	take_lines(ctx);
}

/* All answers are out. */
static void on_written(struct bufferevent *bev, void *ctx)
{
	struct conn *conn = ctx;

	turn_begin();
	if (conn->held)
		return;
	if (conn->more) {
		restart_timer(conn);
		on_more(-1, 0, conn);
		return;
	}
	if (conn->closing) {
		conn_free(conn);
		return;
	}
	if (!(bufferevent_get_enabled(bev) & EV_READ)) {
		bufferevent_enable(bev, EV_READ);
		take_lines(conn);
	}
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	(void)bev;
	turn_begin();
	/* The end of its requests is not the end of our answers. */
	if ((what & BEV_EVENT_EOF) && !(what & BEV_EVENT_ERROR))
		finish(ctx);
	else
		conn_free(ctx);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	struct control_error late = { .code = "late" };
	struct conn *conn = ctx;

	(void)fd;
	(void)what;
	turn_begin();
	if (!conn->held) {
		conn_free(conn);
		return;
	}
	snprintf(late.text, sizeof(late.text), "%s", conn->late);
	control_release(conn->c, conn->ticket, &late);
}

static bool peer_is_root(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 && cred.uid == 0;
}

static void refuse_conn(int fd)
{
	static const char text[] = "{\"schema\":1,\"ok\":false,\"error\":{\"code\":\"too-many\","
		"\"text\":\"too many connections: close one or try again later\"}}\n";

	/* A fresh socket has room for it. */
	if (send(fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;
	close(fd);
}

static struct conn *conn_new(struct control *c, int fd, bool is_root)
{
	struct conn *conn = calloc(1, sizeof(*conn));

	if (!conn) {
		close(fd);
		return NULL;
	}
	conn->c = c;
	conn->may_change = is_root;
	conn->bev = bufferevent_socket_new(c->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!conn->bev)
		close(fd);
	conn->timer = evtimer_new(c->base, on_timeout, conn);
	if (!conn->bev || !conn->timer) {
		conn_free(conn);
		return NULL;
	}
	return conn;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr,
		      int len, void *ctx)
{
	bool is_root = peer_is_root(fd);
	unsigned int i, places = is_root ? CONNECTIONS_MAX : CONNECTIONS_MAX - ROOTS_OWN;
	struct control *c = ctx;
	struct conn *conn;

	(void)listener;
	(void)addr;
	(void)len;
	turn_begin();
	for (i = 0; i < places && c->conns[i]; i++)
		;
	if (i == places) {
		refuse_conn(fd);
		return;
	}
	conn = conn_new(c, fd, is_root);
	if (!conn)
		return;
	c->conns[i] = conn;
	bufferevent_setcb(conn->bev, on_read, on_written, on_event, conn);
	/* One byte more than a line: enough to see that one is too long. */
	bufferevent_setwatermark(conn->bev, EV_READ, 0, CONTROL_LINE_MAX + 1);
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	restart_timer(conn);
}

/* Descriptors or memory are out: the listener would be ready again at once. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	const struct timeval tv = { .tv_sec = RETRY_S };
	struct control *c = ctx;

	evconnlistener_disable(listener);
	event_add(c->retry, &tv);
}

static void on_retry(evutil_socket_t fd, short what, void *ctx)
{
	struct control *c = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(c->listener);
}

int control_open(struct event_base *base, const char *path, const struct control_table *table,
		 struct control **out)
{
	struct control *c = calloc(1, sizeof(*c) + strlen(path) + 1);
	int fd;

	*out = NULL;
	if (!c)
		return -ENOMEM;
	c->base = base;
	c->table = *table;
	memcpy(c->path, path, strlen(path) + 1);
	fd = control_path_listen(path, &c->id);
	if (fd < 0) {
		free(c);
		return fd;
	}
	c->retry = evtimer_new(base, on_retry, c);
	c->listener = evconnlistener_new(base, on_accept, c, LEV_OPT_CLOSE_ON_FREE |
					 LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!c->listener)
		close(fd);
	if (!c->retry || !c->listener) {
		control_close(c);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(c->listener, on_accept_error);
	*out = c;
	return 0;
}

void control_close(struct control *c)
{
	unsigned int i;

	if (!c)
		return;
	for (i = 0; i < CONNECTIONS_MAX; i++)
		if (c->conns[i])
			conn_free(c->conns[i]);
	if (c->listener)
		evconnlistener_free(c->listener);
	if (c->retry)
		event_free(c->retry);
	control_path_remove(c->path, &c->id);
	free(c);
}
