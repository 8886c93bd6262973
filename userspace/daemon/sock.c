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
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "daemon/ev.h"
#include "daemon/log.h"

/* So many datagrams of one socket per turn of the loop, so that none starves others. */
#define DATAGRAMS_PER_TURN	8
#define FILES_WANTED		(2 * ENGINE_MAX_SOURCES + 256)
/* Without a kernel stamp: the loop may have kept us waiting so long ... */
#define T4_USER_ERR_NS		1000000
/* ... and the stack may hold a request back so long after send() returned. */
#define T1_USER_ERR_NS		100000
/* In a simulator no time passes meanwhile. */
#define SIMULATED_ERR_NS	100

/*
 * A simulator may have one queue for all sockets: to read one of them a second
 * time takes what is another's.  It may also make a transmit stamp at the moment
 * that it is read, and hand out ordinary data for the error queue: our own T1 is
 * as good, as no time passes.
 */
int sock_udp(int family, bool *tx)
{
	int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
		    SOF_TIMESTAMPING_OPT_TSONLY;
	int fd = socket(family, SOCK_DGRAM, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (tx)
		*tx = !clocks_simulated();
	if (tx && *tx)
		flags |= SOF_TIMESTAMPING_TX_SOFTWARE;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		err = -errno;
		close(fd);
		return err;
	}
	/* without stamps it works too, less precisely */
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof(flags)) && tx)
		*tx = false;
	return fd;
}

int64_t sock_stamp_ns(struct msghdr *msg)
{
	struct scm_timestamping stamps;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPING ||
		    c->cmsg_len < CMSG_LEN(sizeof(stamps)))
			continue;
		memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
		return (int64_t)stamps.ts[0].tv_sec * NTP_NS_PER_S + stamps.ts[0].tv_nsec;
	}
	return 0;
}

void sock_env_init(struct sock_env *env)
{
	struct rlimit files;

	env->anchor_fd = clocks_simulated() ? -1 : sock_udp(AF_INET, NULL);
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

static ssize_t receive(struct sock *s, void *buf, size_t len, int flags, int64_t *stamp_ns)
{
	union {
		char buf[256];
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

	*stamp_ns = 0;
	if (n < 0)
		return -errno;
	/* the error queue also carries ICMP; and a simulator may return data for it */
	if ((flags & MSG_ERRQUEUE) && !(msg.msg_flags & MSG_ERRQUEUE))
		return n;
	*stamp_ns = sock_stamp_ns(&msg);
	return n;
}

static bool convert(struct sock *s, int64_t stamp_ns, int64_t *local_ns, int64_t *err_ns)
{
	struct clock_pair now;

	if (!stamp_ns)
		return false;
	clocks_pair(&now);
	return clocks_stamp_to_local(&now, stamp_ns, *s->env->stepped_local_ns, local_ns, err_ns);
}

/* The kernel's transmit stamp, if it has come.  Return: true when it has. */
static bool drain_errors(struct sock *s, int64_t *t1_local_ns, int64_t *t1_err_ns)
{
	char buf[SOCK_DATAGRAM_MAX];
	bool found = false;
	int64_t stamp_ns;

	for (int i = 0; s->stamp_awaited && i < DATAGRAMS_PER_TURN; i++) {
		if (receive(s, buf, sizeof(buf), MSG_ERRQUEUE, &stamp_ns) < 0)
			break;
		found |= convert(s, stamp_ns, t1_local_ns, t1_err_ns);
		s->stamp_awaited = !found;
	}
	return found;
}

static void report_reply(struct sock *s, const void *data, size_t len, int64_t stamp_ns)
{
	int64_t t4_local_ns, t4_err_ns;

	if (!convert(s, stamp_ns, &t4_local_ns, &t4_err_ns)) {
		t4_local_ns = clocks_local_ns();
		t4_err_ns = clocks_simulated() ? SIMULATED_ERR_NS : T4_USER_ERR_NS;
	}
	s->env->ops->reply(s->env->ctx, s->source, data, len, t4_local_ns, t4_err_ns);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(8) char buf[SOCK_DATAGRAM_MAX];
	int64_t t1_local_ns, t1_err_ns, stamp_ns;
	struct sock *s = arg;
	int turns = clocks_simulated() ? 1 : DATAGRAMS_PER_TURN;

	(void)what;
	s->env->ops->turn(s->env->ctx);
	/* the engine may have closed this socket, or sent anew from another */
	if (!s->ev || s->fd != fd)
		return;
	if (drain_errors(s, &t1_local_ns, &t1_err_ns))
		s->env->ops->sent(s->env->ctx, s->source, s->cookie, t1_local_ns, t1_err_ns);
	for (int i = 0; i < turns; i++) {
		ssize_t n = receive(s, buf, sizeof(buf), 0, &stamp_ns);

		if (n == -EAGAIN || n == -EWOULDBLOCK)
			return;
		/* ECONNREFUSED and the like: ICMP, cleared by this call; no answer, no more */
		if (n < 0)
			continue;
		report_reply(s, buf, (size_t)n, stamp_ns);
		if (!s->ev || s->fd != fd)
			return;
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

static int open_connected(struct sock *s, const union sock_addr *to)
{
	int err;

	s->fd = sock_udp(to->sa.sa_family, &s->stamp_awaited);
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
	int64_t before_ns, after_ns, t1_local_ns, t1_err_ns;
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
	/* most drivers stamp within send(): then the stamp is there already */
	if (!drain_errors(s, &t1_local_ns, &t1_err_ns)) {
		t1_local_ns = before_ns + (after_ns - before_ns) / 2;
		t1_err_ns = clocks_simulated() ? SIMULATED_ERR_NS :
			    after_ns - before_ns + T1_USER_ERR_NS;
	}
	env->ops->sent(env->ctx, source, cookie, t1_local_ns, t1_err_ns);
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
