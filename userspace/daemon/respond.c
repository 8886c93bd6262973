// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's own responder.  Event loop only; nothing blocks, and each turn
 * of the loop handles a bounded number of datagrams, so that a flood leaves
 * time for the daemon's own work.  Every packet ends in one counted reason.
 */
#include "daemon/respond.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reason.h>
#include "daemon/access.h"
#include "daemon/clocks.h"
#include "daemon/listeners.h"
#include "daemon/log.h"
#include "daemon/respond_auth.h"
#include "daemon/respond_limit.h"
#include "daemon/respond_sock.h"
#include "daemon/sock.h"

#define DATAGRAMS_PER_TURN	64

struct respond {
	struct respond_env env;
	struct ntp_serve serve;
	bool	 published;
	const struct access *access;
	struct respond_auth auth;
	struct respond_limit limit;
	uint64_t denied_pkts;
	uint64_t counts[NTPK_REASON_MAX + 1];
	struct ntp_answer answer;	/* to the request at hand */
	__u64 random_state;	/* of ntp_noise(): a system call each would cost more than the rest */
	struct ntpk_nl_listeners listeners;
	struct respond_socks socks;
};

/* where a datagram came from and was sent to: what the reply must mirror */
struct respond_path {
	union sock_addr from;
	union {
		struct in_pktinfo in;
		struct in6_pktinfo in6;
	} local;
	bool	 has_local;
};

union respond_control {
	char buf[512];
	struct cmsghdr align;
};

void respond_publish(struct respond *r, const struct ntp_serve *serve)
{
	struct ntp_serve next = *serve;

	if (!r)
		return;
	ntp_serve_complete(&next, r->published ? &r->serve : NULL,
			   (__u32)ntp_noise(&r->random_state));
	r->serve = next;
	r->published = true;
}

void respond_set_keys(struct respond *r, const struct keys *keys)
{
	if (r)
		r->auth.keys = keys;
}

/* Policies and corrections change often, places hardly ever. */
static bool same_places(const struct ntpk_nl_listeners *a, const struct ntpk_nl_listeners *b)
{
	size_t i;

	for (i = 0; i < a->len && i < b->len; i++)
		if (memcmp(&a->of[i], &b->of[i], offsetof(struct ntpk_nl_listener, policy)) != 0)
			return false;
	return a->len == b->len;
}

int respond_set_listeners(struct respond *r, const struct ntpk_nl_listeners *listeners,
			  uint16_t *port)
{
	bool same;

	if (!r)
		return 0;
	same = same_places(&r->listeners, listeners);
	r->listeners = *listeners;
	respond_limit_set(&r->limit, listeners);
	return same || !r->socks.base ? 0 : respond_socks_set(&r->socks, listeners, port);
}

uint64_t respond_count(const struct respond *r, unsigned int reason)
{
	return r && reason <= NTPK_REASON_MAX ? r->counts[reason] : 0;
}

void respond_set_access(struct respond *r, const struct access *access)
{
	if (r)
		r->access = access;
}

uint64_t respond_denied(const struct respond *r)
{
	return r ? r->denied_pkts : 0;
}

static bool is_answer(enum ntpk_reason reason)
{
	return ntp_reason_class(reason) == NTPK_CLASS_ANSWER;
}

uint64_t respond_answered(const struct respond *r)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; r && i <= NTPK_REASON_MAX; i++)
		sum += is_answer(i) ? r->counts[i] : 0;
	return sum;
}

static int64_t receive_age_ns(const struct respond *r, const struct clock_pair *now,
			      int64_t stamp_real_ns)
{
	int64_t local_ns, err_ns;

	if (!clocks_stamp_to_local(now, stamp_real_ns, *r->env.stepped_local_ns, &local_ns,
				   &err_ns))
		return 0;
	return now->local_ns - local_ns;
}

static enum ntpk_reason check(const struct respond_packet *packet)
{
	enum ntpk_reason reason;

	if (!packet->unicast)
		return NTPK_REASON_NOT_UNICAST;
	reason = ntp_reply_classify(packet->data, packet->len, packet->src_port, packet->policy);
	if (reason != NTPK_REASON_NONE)
		return reason;
	return packet->src_port ? NTPK_REASON_NONE : NTPK_REASON_BAD_SOURCE;
}

static enum ntpk_reason check_amount(struct respond *r, const struct respond_packet *packet,
				     int64_t now_ns, bool *rate)
{
	bool bare = packet->len == NTP_HEADER_LEN;

	*rate = false;
	if (bare && packet->policy->flags & NTPK_LISTENER_F_REQUIRE_KEY)
		return NTPK_REASON_AUTH_REQUIRED;
	return respond_limit_check(&r->limit, packet->policy, packet->from, bare, now_ns,
				   ntp_noise(&r->random_state), rate);
}

enum ntpk_reason respond_decide(struct respond *r, const struct respond_packet *packet,
				void *reply, size_t *reply_len, struct respond_tail *tail)
{
	enum ntpk_reason reason = check(packet);
	struct ntp_answer *answer = &r->answer;
	struct clock_pair pair;
	struct ntp_now now;
	int64_t age_ns;
	bool rate;

	/* in the order of the module's stages: what is cheap first */
	if (reason != NTPK_REASON_NONE)
		return reason;
	clocks_pair(&pair);
	reason = check_amount(r, packet, pair.local_ns, &rate);
	if (reason == NTPK_REASON_NONE)
		reason = respond_auth_check(&r->auth, packet->data, packet->len, packet->policy,
					    tail);
	if (reason != NTPK_REASON_NONE)
		return reason;
	now.raw_ns = pair.local_ns;
	now.boot_ns = clocks_boot_ns();
	now.clock_seq = *r->env.clock_seq;
	age_ns = receive_age_ns(r, &pair, packet->stamp_real_ns);
	reason = ntp_reply_decide(answer, r->published ? &r->serve : NULL, packet->policy, &now,
				  age_ns, ntp_t2_age_err_ns(age_ns));
	if (!is_answer(reason))
		return reason;
	if (rate)
		ntp_reply_decide_rate(answer, &packet->policy->limit);
	ntp_reply_fill(reply, packet->data, &r->serve, answer, ntp_noise(&r->random_state));
	*reply_len = NTP_HEADER_LEN;
	if (tail->ext.mono_root) {
		ntp_ext_put_mono_root((uint8_t *)reply + NTP_HEADER_LEN, reply, &r->serve,
				      answer);
		*reply_len += NTP_EXT_MONO_ROOT_LEN;
	}
	if (rate)
		return NTPK_REASON_REPLIED_RATE;
	return tail->nak ? NTPK_REASON_REPLIED_NAK : reason;
}

static void read_local(struct msghdr *msg, struct respond_path *path, bool *unicast)
{
	struct cmsghdr *c;

	*unicast = false;
	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&path->local.in, CMSG_DATA(c), sizeof(path->local.in));
			/* they differ for broadcast and multicast */
			*unicast = path->local.in.ipi_addr.s_addr ==
				   path->local.in.ipi_spec_dst.s_addr;
			path->has_local = true;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&path->local.in6, CMSG_DATA(c), sizeof(path->local.in6));
			*unicast = !IN6_IS_ADDR_MULTICAST(&path->local.in6.ipi6_addr);
			path->has_local = true;
		}
	}
}

/* A socket may have datagrams of several listeners, or of none. */
static const struct ntpk_nl_listener *listener_at(const struct respond *r, int fd,
						  const struct respond_path *path)
{
	bool v4 = path->from.sa.sa_family == AF_INET;
	const void *addr = v4 ? (const void *)&path->local.in.ipi_addr :
			   (const void *)&path->local.in6.ipi6_addr;
	uint32_t ifindex = v4 ? (uint32_t)path->local.in.ipi_ifindex :
			   path->local.in6.ipi6_ifindex;
	int i = listeners_find(&r->listeners, respond_socks_port(&r->socks, fd), addr,
			       path->has_local ? v4 ? 4 : 16 : 0, ifindex);

	return i < 0 ? NULL : &r->listeners.of[i];
}

static size_t add_local(struct respond_path *path, struct cmsghdr *c)
{
	if (path->from.sa.sa_family == AF_INET) {
		struct in_pktinfo info = { .ipi_spec_dst = path->local.in.ipi_addr };

		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	/* elsewhere the routing table chooses the interface, as the module does */
	if (!IN6_IS_ADDR_LINKLOCAL(&path->local.in6.ipi6_addr) &&
	    !IN6_IS_ADDR_LINKLOCAL(&path->from.in6.sin6_addr))
		path->local.in6.ipi6_ifindex = 0;
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(path->local.in6));
	memcpy(CMSG_DATA(c), &path->local.in6, sizeof(path->local.in6));
	return CMSG_SPACE(sizeof(path->local.in6));
}

static enum ntpk_reason send_error_reason(int err)
{
	switch (err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
		return NTPK_REASON_NO_ROUTE;
	case ENOBUFS:
	case ENOMEM:
		return NTPK_REASON_NO_MEMORY;
	default:
		return NTPK_REASON_SEND_FAILED;
	}
}

static enum ntpk_reason stamp_and_send(struct respond *r, int fd, struct respond_path *path,
				       uint8_t *reply, size_t len,
				       const struct respond_tail *tail)
{
	struct iovec iov = { .iov_base = reply };
	union respond_control control = { .buf = { 0 } };
	struct msghdr msg = {
		.msg_name = &path->from,
		.msg_namelen = sock_addr_len(&path->from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	enum ntpk_reason reason;

	if (path->has_local) {
		msg.msg_control = &control;
		msg.msg_controllen = add_local(path, &control.align);
	}
	/* the last act before the send, but for the MAC over it, which takes as long again */
	reason = ntp_reply_stamp((struct ntp_header *)reply, &r->serve,
				 clocks_local_ns() + tail->work_ns, r->answer.correction_ns,
				 ntp_noise(&r->random_state));
	if (reason != NTPK_REASON_NONE)
		return reason;
	iov.iov_len = respond_auth_sign(&r->auth, tail, reply, len);
	if (sendmsg(fd, &msg, 0) < 0)
		return send_error_reason(errno);
	return NTPK_REASON_NONE;
}

static void answer(struct respond *r, int fd, struct msghdr *msg, const void *data, size_t len,
		   struct respond_path *path)
{
	struct stamp stamp;
	struct respond_packet packet = {
		.data = data,
		.len = len,
		.from = &path->from,
		.src_port = ntohs(path->from.sa.sa_family == AF_INET ? path->from.in.sin_port :
				  path->from.in6.sin6_port),
	};
	_Alignas(8) uint8_t reply[RESPOND_REPLY_MAX];
	const struct ntpk_nl_listener *listener;
	enum ntpk_reason reason, failed;
	struct respond_tail tail;
	size_t reply_len = 0;

	stamp_read(msg, &stamp);
	packet.stamp_real_ns = stamp.soft_ns;
	read_local(msg, path, &packet.unicast);
	/* where the address asked is not told (a simulator), there is one only */
	if (!path->has_local)
		packet.unicast = true;
	listener = listener_at(r, fd, path);
	if (!listener) {
		r->counts[NTPK_REASON_OTHER_PORT]++;
		return;
	}
	if (!access_check(r->access, listener->acl, &path->from).allow) {
		r->denied_pkts++;
		return;
	}
	packet.policy = &listener->policy;
	reason = respond_decide(r, &packet, reply, &reply_len, &tail);
	if (is_answer(reason)) {
		failed = stamp_and_send(r, fd, path, reply, reply_len, &tail);
		if (failed != NTPK_REASON_NONE)
			reason = failed;
	}
	r->counts[reason]++;
}

static void on_readable(int fd, short what, void *arg)
{
	_Alignas(8) char buf[SOCK_DATAGRAM_MAX];
	union respond_control control;
	struct respond_path path;
	struct respond *r = arg;
	int turns = clocks_simulated() ? 1 : DATAGRAMS_PER_TURN;

	(void)what;
	if (r->env.before_turn)
		r->env.before_turn(r->env.ctx);
	for (int i = 0; i < turns; i++) {
		struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
		struct msghdr msg = {
			.msg_name = &path.from,
			.msg_namelen = sizeof(path.from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n;

		memset(&path, 0, sizeof(path));
		n = recvmsg(fd, &msg, 0);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		/* an ICMP error of an earlier reply: this call cleared it */
		if (n < 0)
			continue;
		answer(r, fd, &msg, buf, (size_t)n, &path);
	}
}

struct respond *respond_new(const struct respond_env *env)
{
	struct respond *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->env = *env;
	r->limit.budget_at_ns = INT64_MIN;
	r->socks.readable = on_readable;
	r->socks.ctx = r;
	r->socks.shared_port = env->shared_port;
	if (getrandom(&r->random_state, sizeof(r->random_state), GRND_NONBLOCK) < 0)
		r->random_state = (uint64_t)clocks_local_ns();
	return r;
}

int respond_open(struct event_base *base, const struct ntpk_nl_listeners *listeners,
		 const struct respond_env *env, struct respond **out, uint16_t *port)
{
	struct respond *r = respond_new(env);
	int err;

	if (!r)
		return -ENOMEM;
	r->socks.base = base;
	err = respond_set_listeners(r, listeners, port);
	if (err) {
		respond_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void respond_close(struct respond *r)
{
	if (!r)
		return;
	respond_socks_close(&r->socks);
	respond_limit_clean(&r->limit);
	free(r);
}
