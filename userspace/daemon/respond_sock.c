// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of the own responder, see respond_sock.h.  Event loop only.
 */
#include "daemon/respond_sock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "daemon/ev.h"
#include "daemon/log.h"

/*
 * Some thousand requests, as the kernel doubles it: what comes while the module is replaced
 * and the machine is busy with that.
 */
#define RECEIVE_BYTES	(1 << 20)

/* More than anybody may have takes CAP_NET_ADMIN, which is there where the module may be told. */
static void make_room(int fd)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	if (!getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len) && bytes >= 2 * RECEIVE_BYTES)
		return;
	bytes = RECEIVE_BYTES;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)))
		log_debug_no(errno, "SO_RCVBUF");
}

/* Which address was asked has to be told: the reply comes from there. */
static int prepare(int fd, int family)
{
	int on = 1;

	if (family == AF_INET) {
		if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
			log_debug_no(errno, "IP_PKTINFO");
		return 0;
	}
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)))
		return -errno;
	return 0;
}

static uint16_t port_of(const union sock_addr *addr)
{
	return ntohs(addr->sa.sa_family == AF_INET ? addr->in.sin_port : addr->in6.sin6_port);
}

static bool is_any(const union sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? addr->in.sin_addr.s_addr == htonl(INADDR_ANY) :
	       IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

static int bind_to(const struct respond_socks *s, int fd, const union sock_addr *addr)
{
	int on = 1;

	/* an address that comes later (DHCP) is no reason not to start */
	if (!is_any(addr) && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)))
		log_debug_no(errno, "IP_FREEBIND");
	if (s->shared_port == port_of(addr) &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	return bind(fd, &addr->sa, sock_addr_len(addr)) ? -errno : 0;
}

static void close_one(struct respond_sock *sock)
{
	if (sock->ev)
		event_free(sock->ev);
	close(sock->fd);
}

static int open_one(struct respond_socks *s, const union sock_addr *addr)
{
	struct respond_sock sock = { .addr = *addr };
	int err;

	sock.fd = sock_udp(addr->sa.sa_family, false, false);
	/* a kernel without IPv6 has several words for it */
	if (sock.fd < 0)
		return addr->sa.sa_family == AF_INET6 ? -EAFNOSUPPORT : sock.fd;
	make_room(sock.fd);
	err = prepare(sock.fd, addr->sa.sa_family);
	if (!err)
		err = bind_to(s, sock.fd, addr);
	if (!err) {
		sock.ev = event_new(s->base, sock.fd, EV_READ | EV_PERSIST, s->readable, s->ctx);
		err = !sock.ev || event_add(sock.ev, NULL) ? -ENOMEM : 0;
	}
	if (err)
		close_one(&sock);
	else
		s->of[s->len++] = sock;
	return err;
}

/* struct wanted - the addresses that listeners need */
struct wanted {
	union sock_addr addr[RESPOND_SOCKS_MAX];
	size_t	 len;
};

static void want_one(struct wanted *w, const struct ntpk_nl_listener *l, int family)
{
	union sock_addr addr = { 0 };
	size_t i;

	addr.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		addr.in.sin_port = htons(l->port);
		memcpy(&addr.in.sin_addr, l->addr, sizeof(addr.in.sin_addr));
	} else {
		addr.in6.sin6_port = htons(l->port);
		memcpy(&addr.in6.sin6_addr, l->addr, sizeof(addr.in6.sin6_addr));
		if (IN6_IS_ADDR_LINKLOCAL(&addr.in6.sin6_addr))
			addr.in6.sin6_scope_id = l->ifindex;
	}
	for (i = 0; i < w->len; i++)
		if (sock_addr_equal(&w->addr[i], &addr))
			return;
	w->addr[w->len++] = addr;
}

/* A socket of all addresses takes what is sent to one: the listener is found by datagram. */
static bool covered(const struct wanted *w, const union sock_addr *addr)
{
	size_t i;

	for (i = 0; i < w->len; i++)
		if (w->addr[i].sa.sa_family == addr->sa.sa_family && is_any(&w->addr[i]) &&
		    !is_any(addr) && port_of(&w->addr[i]) == port_of(addr))
			return true;
	return false;
}

static void want_all(struct wanted *w, const struct ntpk_nl_listeners *want)
{
	size_t i;

	w->len = 0;
	for (i = 0; i < want->len; i++) {
		if (want->of[i].addr_len != 16)
			want_one(w, &want->of[i], AF_INET);
		if (want->of[i].addr_len != 4)
			want_one(w, &want->of[i], AF_INET6);
	}
	for (i = 0; i < w->len;)
		if (covered(w, &w->addr[i]))
			w->addr[i] = w->addr[--w->len];
		else
			i++;
}

static bool has(const struct respond_socks *s, const union sock_addr *addr)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (sock_addr_equal(&s->of[i].addr, addr))
			return true;
	return false;
}

static void close_unwanted(struct respond_socks *s, const struct wanted *w)
{
	size_t i, j;

	for (i = 0; i < s->len;) {
		for (j = 0; j < w->len && !sock_addr_equal(&w->addr[j], &s->of[i].addr); j++)
			;
		if (j < w->len) {
			i++;
			continue;
		}
		close_one(&s->of[i]);
		s->of[i] = s->of[--s->len];
	}
}

int respond_socks_set(struct respond_socks *s, const struct ntpk_nl_listeners *want,
		      uint16_t *port)
{
	struct wanted w;
	int err, first = 0;
	size_t i;

	want_all(&w, want);
	/* first, as all addresses and one of them exclude each other */
	close_unwanted(s, &w);
	for (i = 0; i < w.len; i++) {
		if (has(s, &w.addr[i]))
			continue;
		err = open_one(s, &w.addr[i]);
		if (err == -EAFNOSUPPORT && is_any(&w.addr[i])) {
			log_info("no IPv6 here: serving IPv4 only");
			continue;
		}
		if (!err || first)
			continue;
		first = err;
		*port = port_of(&w.addr[i]);
	}
	return first;
}

uint16_t respond_socks_port(const struct respond_socks *s, int fd)
{
	size_t i;

	for (i = 0; i < s->len; i++)
		if (s->of[i].fd == fd)
			return port_of(&s->of[i].addr);
	return 0;
}

void respond_socks_close(struct respond_socks *s)
{
	while (s->len)
		close_one(&s->of[--s->len]);
}
