// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Client sockets.  Event loop only; no call here blocks.  The transmit error
 * queue is drained before each reply is handled, not only when the loop says
 * so: poll(2) shows it as POLLPRI or POLLERR, and libevent does not offer the
 * first.  A datagram is never trusted here; the engine checks it.
 */
#include "daemon/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include "daemon/ev.h"
#include "daemon/hwts.h"
#include "daemon/log.h"

/* So many datagrams of one socket per turn of the loop, so that none starves others. */
#define DATAGRAMS_PER_TURN	8
#define FILES_WANTED		(2 * ENGINE_MAX_SOURCES + 256)
/* Without a kernel stamp: the loop may have kept us waiting so long ... */
#define T4_USER_ERR_NS		1000000
/* ... and the stack may hold a request back so long after send() returned. */
#define T1_USER_ERR_NS		100000
/* How long a reply waits for the interface's stamp of its request ... */
#define HARD_WAIT_MS	1
/* ... unless so many before did so in vain. */
#define HARD_MISSED_MAX	4
/* In a simulator no time passes meanwhile. */
#define SIMULATED_ERR_NS	100

int sock_udp(int family, bool tx, bool hard)
{
	int fd = socket(family, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		err = -errno;
		close(fd);
		return err;
	}
	/* without stamps it works too, less precisely */
	stamp_enable(fd, family, tx, hard);
	return fd;
}

void sock_env_init(struct sock_env *env)
{
	struct rlimit files;

	if (env->hwts && !stamp_tx_names_interface(STAMP_ALLOW_DATA)) {
		log_warn("net.core.tstamp_allow_data is 0, or not to be seen in this network namespace: "
			 "requests to upstreams have the kernel's stamps, not the hardware's");
		env->hwts = NULL;
	}
	env->anchor_fd = clocks_simulated() ? -1 : sock_udp(AF_INET, false, false);
	/* the usual 1024 are fewer than the requests that may be under way */
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_WANTED)
		return;
	files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &files))
		log_debug_no(errno, "RLIMIT_NOFILE");
}

void sock_env_clean(struct sock_env *env)
{
	if (env->anchor_fd >= 0)
		close(env->anchor_fd);
	env->anchor_fd = -1;
}

static ssize_t receive(struct sock *s, void *buf, size_t len, int flags, struct stamp *stamp)
{
	union {
		char buf[512];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(s->fd, &msg, flags);

	memset(stamp, 0, sizeof(*stamp));
	if (n < 0)
		return -errno;
	/* the error queue also carries ICMP; and a simulator may return data for it */
	if ((flags & MSG_ERRQUEUE) && !(msg.msg_flags & MSG_ERRQUEUE))
		return n;
	stamp_read(&msg, stamp);
	return n;
}

static bool by_kernel(struct sock *s, const struct stamp *stamp, struct sock_time *t)
{
	struct clock_pair now;

	if (!stamp->soft_ns)
		return false;
	t->from = STAMP_KERNEL;
	clocks_pair(&now);
	return clocks_stamp_to_local(&now, stamp->soft_ns, *s->env->stepped_local_ns,
				     &t->local_ns, &t->err_ns);
}

static bool by_hardware(struct sock *s, const struct stamp *stamp, struct sock_time *t)
{
	t->from = STAMP_HARDWARE;
	return stamp->hard_ns && hwts_to_local(s->env->hwts, stamp->ifindex, stamp->hard_ns,
					       &t->local_ns, &t->err_ns);
}

static void take_hard(struct sock *s, const struct stamp *stamp)
{
	struct sock_time t;

	s->awaited &= ~SOCK_AWAIT_HARD;
	s->hard_missed = 0;
	if (!by_hardware(s, stamp, &t) ||
	    !stamp_is_plausible(s->t1.local_ns, t.local_ns, s->t1.err_ns + t.err_ns))
		return;
	s->hard_t1 = t;
	if (s->t1.from == STAMP_KERNEL)
		hwts_note_sent(s->env->hwts, stamp->ifindex, t.local_ns - s->t1.local_ns);
}

/* Return: true when the time of the request, as it is without hardware, is better known now. */
static bool take_sent(struct sock *s, const struct stamp *stamp)
{
	struct sock_time t;
	bool better;

	if (stamp->hard_ns) {
		take_hard(s, stamp);
		return false;
	}
	if (!by_kernel(s, stamp, &t))
		return false;
	s->awaited &= ~SOCK_AWAIT_SOFT;
	better = s->t1.from < STAMP_KERNEL;
	if (better)
		s->t1 = t;
	return better;
}

/* Transmit stamps that have come.  Return: as of take_sent(). */
static bool drain_errors(struct sock *s)
{
	char buf[SOCK_DATAGRAM_MAX];
	bool better = false;
	struct stamp stamp;

	for (int i = 0; s->awaited && i < DATAGRAMS_PER_TURN; i++) {
		if (receive(s, buf, sizeof(buf), MSG_ERRQUEUE, &stamp) < 0)
			break;
		better |= take_sent(s, &stamp);
	}
	return better;
}

static void report_sent(struct sock *s, const struct sock_time *t1)
{
	s->told_t1 = *t1;
	s->env->ops->sent(s->env->ctx, s->source, s->cookie, t1);
}

/*
 * A reply from near may be faster than the interface's stamp of its request, which
 * comes by another interrupt.  Where it never comes it is not waited for again and again.
 */
static void await_hardware(struct sock *s, const struct stamp *reply)
{
	struct pollfd p = { .fd = s->fd };	/* POLLERR needs no asking */

	if (!reply->hard_ns || !(s->awaited & SOCK_AWAIT_HARD) || s->hard_missed >= HARD_MISSED_MAX)
		return;
	/* until it has come */
	s->hard_missed++;
	if (poll(&p, 1, HARD_WAIT_MS) > 0 && drain_errors(s))
		report_sent(s, &s->t1);
}

/* The engine may have closed this socket, or sent anew from another. */
static bool is_open(const struct sock *s, int fd)
{
	return s->ev && s->fd == fd;
}

/* The interface's stamp of a reply, where it is the truth. */
static bool reply_by_hardware(struct sock *s, const struct stamp *stamp,
			      const struct sock_time *soft, struct sock_time *t4)
{
	if (!by_hardware(s, stamp, t4))
		return false;
	t4->local_ns += hwts_wire_ns(s->env->hwts, stamp->ifindex, stamp->frame_len);
	return stamp_is_plausible(t4->local_ns, soft->local_ns, t4->err_ns + soft->err_ns);
}

/*
 * The kernel's stamps of request and reply are late and early by much the same, which
 * cancels: so the interface's count where both are there, and not one of them.
 */
static void report_reply(struct sock *s, const void *data, size_t len, const struct stamp *stamp)
{
	const struct sock_time *t1 = &s->t1;
	struct sock_time t4, hard;
	int fd = s->fd;

	if (!by_kernel(s, stamp, &t4)) {
		t4.local_ns = clocks_local_ns();
		t4.err_ns = clocks_simulated() ? SIMULATED_ERR_NS : T4_USER_ERR_NS;
		t4.from = STAMP_DAEMON;
	}
	if (s->hard_t1.from == STAMP_HARDWARE && reply_by_hardware(s, stamp, &t4, &hard)) {
		t1 = &s->hard_t1;
		t4 = hard;
	}
	/* an earlier datagram, perhaps of another sender, may have had the other pair */
	if (t1->from != s->told_t1.from)
		report_sent(s, t1);
	if (is_open(s, fd))
		s->env->ops->reply(s->env->ctx, s->source, data, len, &t4);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(8) char buf[SOCK_DATAGRAM_MAX];
	struct sock *s = arg;
	struct stamp stamp;
	int turns = clocks_simulated() ? 1 : DATAGRAMS_PER_TURN;

	(void)what;
	s->env->ops->turn(s->env->ctx);
	if (!is_open(s, fd))
		return;
	if (drain_errors(s))
		report_sent(s, &s->t1);
	for (int i = 0; i < turns && is_open(s, fd); i++) {
		ssize_t n = receive(s, buf, sizeof(buf), 0, &stamp);

		if (n == -EAGAIN || n == -EWOULDBLOCK)
			return;
		/* ECONNREFUSED and the like: ICMP, cleared by this call; no answer, no more */
		if (n < 0)
			continue;
		await_hardware(s, &stamp);
		if (is_open(s, fd))
			report_reply(s, buf, (size_t)n, &stamp);
	}
}

/* Where the configuration wants requests to leave from; a random port is connect()'s. */
static int bind_local(int fd, const struct sock_local *local, int family)
{
	union sock_addr from = local->addr[family == AF_INET6];
	int on = 1;

	if (local->device[0] && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, local->device,
					   (socklen_t)strlen(local->device) + 1))
		return -errno;
	if (from.sa.sa_family == AF_UNSPEC && !local->port)
		return 0;
	/* one port for requests that are under way together; replies find theirs by peer */
	if (local->port && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	from.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		from.in.sin_port = htons(local->port);
	else
		from.in6.sin6_port = htons(local->port);
	return bind(fd, &from.sa, sock_addr_len(&from)) ? -errno : 0;
}

static int connect_from(int fd, const struct sock_local *local, const union sock_addr *to)
{
	int err = bind_local(fd, local, to->sa.sa_family);

	if (err)
		return err;
	return connect(fd, &to->sa, sock_addr_len(to)) ? -errno : 0;
}

int sock_route(const struct sock_local *local, const union sock_addr *to)
{
	int fd = socket(to->sa.sa_family, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return -errno;
	err = fcntl(fd, F_SETFD, FD_CLOEXEC) ? -errno : connect_from(fd, local, to);
	close(fd);
	return err;
}

/*
 * A simulator may have one queue for all sockets: to read one of them a second
 * time takes what is another's.  It may also make a transmit stamp at the moment
 * that it is read, and hand out ordinary data for the error queue: our own T1 is
 * as good, as no time passes.
 */
static unsigned int stamps_of_requests(const struct sock_env *env)
{
	if (clocks_simulated())
		return 0;
	return env->hwts ? SOCK_AWAIT_SOFT | SOCK_AWAIT_HARD : SOCK_AWAIT_SOFT;
}

static int open_connected(struct sock *s, const union sock_addr *to)
{
	int err;

	s->awaited = stamps_of_requests(s->env);
	s->fd = sock_udp(to->sa.sa_family, s->awaited, s->env->hwts);
	if (s->fd < 0)
		return s->fd;
	err = connect_from(s->fd, &s->env->local, to);
	if (err) {
		close(s->fd);
		return err;
	}
	s->ev = event_new(s->env->base, s->fd, EV_READ | EV_PERSIST, on_readable, s);
	if (!s->ev || event_add(s->ev, NULL)) {
		if (s->ev)
			event_free(s->ev);
		s->ev = NULL;
		close(s->fd);
		return -ENOMEM;
	}
	return 0;
}

int sock_send(struct sock *s, struct sock_env *env, uint32_t source, uint32_t cookie,
	      const union sock_addr *to, const void *packet, size_t len)
{
	int64_t before_ns, after_ns;
	ssize_t n;
	int err;

	sock_close(s);
	s->env = env;
	s->source = source;
	s->cookie = cookie;
	err = open_connected(s, to);
	if (err)
		return err;
	before_ns = clocks_local_ns();
	n = send(s->fd, packet, len, 0);
	err = n < 0 ? -errno : 0;
	after_ns = clocks_local_ns();
	if (err) {
		sock_close(s);
		return err;
	}
	s->t1.local_ns = before_ns + (after_ns - before_ns) / 2;
	s->t1.err_ns = clocks_simulated() ? SIMULATED_ERR_NS : after_ns - before_ns + T1_USER_ERR_NS;
	s->t1.from = STAMP_DAEMON;
	s->hard_t1.from = STAMP_DAEMON;
	/* most drivers stamp within send(): then the kernel's is there already */
	drain_errors(s);
	report_sent(s, &s->t1);
	return 0;
}

void sock_close(struct sock *s)
{
	if (!s->ev)
		return;
	event_free(s->ev);
	s->ev = NULL;
	close(s->fd);
	s->fd = -1;
}
