// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C library's sockets, in the world: IPv4 and UDP, twenty at a time, with
 * descriptors that the kernel does not know.  LD_PRELOAD.
 */
#include "libc_priv.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <linux/net_tstamp.h>

#define SOCKETS		20
#define FD_BASE		100
#define PORT_BASE	60000
#define NODE_MASK	0xffu

static struct endpoint {
	bool	 used;
	bool	 pktinfo;
	int	 stamping;
	uint16_t port;
	unsigned int peer;		/* node, 0 = not connected */
	uint16_t peer_port;
	size_t	 sent_len;		/* in the error queue */
	unsigned char sent[WORLD_PACKET_MAX];
} sockets[SOCKETS];

static struct endpoint *find(int fd)
{
	if (fd < FD_BASE || fd >= FD_BASE + SOCKETS || !sockets[fd - FD_BASE].used)
		return NULL;
	return &sockets[fd - FD_BASE];
}

static struct endpoint *need(int fd, const char *what)
{
	struct endpoint *s = find(fd);

	if (!s)
		world_fault("calls %s with descriptor %d, which is no UDP socket", what, fd);
	return s;
}

bool net_is_socket(int fd)
{
	return find(fd);
}

int net_receiver(const struct world_packet *p)
{
	for (int i = 0; i < SOCKETS; i++) {
		const struct endpoint *s = &sockets[i];

		if (s->used && s->port == p->dst_port && (!s->peer || s->peer == p->from) &&
		    (!s->peer_port || s->peer_port == p->src_port))
			return FD_BASE + i;
	}
	return -1;
}

static int fail(int err)
{
	errno = err;
	return -1;
}

int socket(int domain, int type, int protocol)
{
	(void)protocol;
	/* flags in the type are such a refusal, too: programs have to live with it */
	if (domain != AF_INET || type != SOCK_DGRAM)
		return fail(EINVAL);
	for (int i = 0; i < SOCKETS; i++) {
		if (sockets[i].used)
			continue;
		sockets[i] = (struct endpoint){ .used = true, .port = (uint16_t)(PORT_BASE + i) };
		return FD_BASE + i;
	}
	world_fault("has more than %d sockets open", SOCKETS);
}

int close(int fd);

int close(int fd)
{
	static int (*real)(int fd);
	struct endpoint *s = find(fd);

	if (s) {
		s->used = false;
		return 0;
	}
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "close");
	return real(fd);
}

int fcntl(int fd, int cmd, ...)
{
	static int (*real)(int fd, int cmd, ...);
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (find(fd))
		return 0;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fcntl");
	return real(fd, cmd, arg);
}

static unsigned int node_of(in_addr_t addr)
{
	uint32_t a = ntohl(addr);

	if ((a & ~NODE_MASK) != WORLD_NET)
		world_fault("sends to %s, which is in no simulated network",
			    inet_ntoa((struct in_addr){ addr }));
	return a & NODE_MASK;
}

static in_addr_t addr_of(unsigned int node)
{
	return htonl(WORLD_NET + node);
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	struct endpoint *s = need(fd, "bind");

	if (addr->sa_family != AF_INET || len < sizeof(*in))
		return fail(EINVAL);
	if (in->sin_addr.s_addr != INADDR_ANY && in->sin_addr.s_addr != addr_of(WORLD_SELF))
		world_fault("binds to an address that is not its own");
	if (in->sin_port)
		s->port = ntohs(in->sin_port);
	return 0;
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	struct endpoint *s = need(fd, "connect");

	if (addr->sa_family != AF_INET || len < sizeof(*in))
		return fail(EINVAL);
	s->peer = node_of(in->sin_addr.s_addr);
	s->peer_port = ntohs(in->sin_port);
	return 0;
}

int getsockname(int fd, struct sockaddr *restrict addr, socklen_t *restrict len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)addr;
	struct endpoint *s = need(fd, "getsockname");

	if (*len < sizeof(*in))
		world_fault("calls getsockname with too little room");
	*len = sizeof(*in);
	memset(in, 0, sizeof(*in));
	in->sin_family = AF_INET;
	in->sin_port = htons(s->port);
	in->sin_addr.s_addr = s->peer ? addr_of(WORLD_SELF) : INADDR_ANY;
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	struct endpoint *s = need(fd, "setsockopt");
	int on = 0;

	memcpy(&on, value, len < sizeof(on) ? len : sizeof(on));
	if (level == IPPROTO_IP && name == IP_PKTINFO) {
		s->pktinfo = on;
	} else if (level == SOL_SOCKET && name == SO_TIMESTAMPING) {
		if (world_conf()->stamps == WORLD_STAMPS_EINVAL)
			return fail(EINVAL);
		s->stamping = world_conf()->stamps == WORLD_STAMPS_ON ? on : 0;
	}
	return 0;
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
	need(fd, "getsockopt");
	if (level != SOL_SOCKET || name != SO_ERROR || *len != sizeof(int))
		return fail(EINVAL);
	memset(value, 0, sizeof(int));
	return 0;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct endpoint *s = need(fd, "sendmsg");
	const struct sockaddr_in *in = msg->msg_name;
	struct world_packet p = { .from = WORLD_SELF, .src_port = s->port };

	(void)flags;
	if (s->peer && in)
		return fail(EISCONN);
	if (!s->peer && (!in || in->sin_family != AF_INET || msg->msg_namelen < sizeof(*in)))
		world_fault("sends to nowhere");
	if (msg->msg_iovlen != 1)
		world_fault("sends a message in %zu parts", msg->msg_iovlen);
	p.to = s->peer ? s->peer : node_of(in->sin_addr.s_addr);
	p.dst_port = s->peer ? s->peer_port : ntohs(in->sin_port);
	p.len = msg->msg_iov[0].iov_len;
	if (p.len > sizeof(p.data) || !p.dst_port)
		world_fault("sends %zu bytes to port %u", p.len, p.dst_port);
	memcpy(p.data, msg->msg_iov[0].iov_base, p.len);
	world_send(&p);
	if (s->stamping & SOF_TIMESTAMPING_TX_SOFTWARE) {
		memcpy(s->sent, p.data, p.len);
		s->sent_len = p.len;
	}
	return (ssize_t)p.len;
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *addr,
	       socklen_t addr_len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_name = (void *)addr, .msg_namelen = addr_len, .msg_iov = &iov,
			      .msg_iovlen = 1 };

	return sendmsg(fd, &msg, flags);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	return sendto(fd, data, len, flags, NULL, 0);
}

static void add_control(struct msghdr *msg, size_t *used, int level, int type, const void *data,
			size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)msg->msg_control + *used);

	if (!msg->msg_control || msg->msg_controllen < *used + CMSG_SPACE(len))
		world_fault("leaves no room for control messages");
	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	*used += CMSG_SPACE(len);
}

static void add_stamp(struct msghdr *msg, size_t *used)
{
	struct timespec ts[3] = { { 0 } };

	/* of the moment of reading, that of a sent packet too */
	clock_gettime(CLOCK_REALTIME, &ts[0]);
	add_control(msg, used, SOL_SOCKET, SO_TIMESTAMPING, ts, sizeof(ts));
}

static size_t fill(struct msghdr *msg, const void *data, size_t len)
{
	if (msg->msg_iovlen != 1)
		world_fault("receives a message in %zu parts", msg->msg_iovlen);
	if (len > msg->msg_iov[0].iov_len)
		len = msg->msg_iov[0].iov_len;
	memcpy(msg->msg_iov[0].iov_base, data, len);
	return len;
}

/* A copy of what was sent, behind the headers of the frame that it left in. */
static ssize_t receive_sent(struct endpoint *s, struct msghdr *msg)
{
	unsigned char frame[42 + WORLD_PACKET_MAX] = { 0 };
	size_t used = 0, len;

	memcpy(frame + 42, s->sent, s->sent_len);
	len = fill(msg, frame, 42 + s->sent_len);
	s->sent_len = 0;
	add_stamp(msg, &used);
	msg->msg_controllen = used;
	msg->msg_flags = MSG_ERRQUEUE;
	return (ssize_t)len;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct endpoint *s = need(fd, "recvmsg");
	const struct world_packet *p = world_head();
	struct in_pktinfo info = { .ipi_ifindex = 1 };
	struct sockaddr_in *in = msg->msg_name;
	size_t used = 0, len;

	if (flags & MSG_ERRQUEUE && s->sent_len)
		return receive_sent(s, msg);
	/* MSG_ERRQUEUE or not, what comes is the packet in front, whose ever it is */
	if (!p)
		return fail(EWOULDBLOCK);
	if (net_receiver(p) != fd)
		world_fault("reads from a socket, and the packet that is there is another's");
	if (in && msg->msg_namelen < sizeof(*in))
		world_fault("leaves no room for the address");
	if (in) {
		memset(in, 0, sizeof(*in));
		in->sin_family = AF_INET;
		in->sin_port = htons(p->src_port);
		in->sin_addr.s_addr = addr_of(p->from);
		msg->msg_namelen = sizeof(*in);
	}
	len = fill(msg, p->data, p->len);
	info.ipi_spec_dst.s_addr = addr_of(WORLD_SELF);
	info.ipi_addr = info.ipi_spec_dst;
	if (s->pktinfo)
		add_control(msg, &used, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	if (s->stamping & SOF_TIMESTAMPING_RX_SOFTWARE && !(flags & MSG_ERRQUEUE))
		add_stamp(msg, &used);
	msg->msg_controllen = used;
	world_pop();
	return (ssize_t)len;
}
