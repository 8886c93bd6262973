// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests and their stamps over the loopback interface, which a layer here gives a
 * clock of its own: whose stamp is believed, when, and how long it is waited for.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <cmocka.h>
#include "daemon/ev.h"
#include "daemon/hwts.h"
#include "daemon/sock.h"

#define TAI_NS		37000000000LL	/* the interface's clock, less CLOCK_REALTIME */
#define APART_NS	300000LL	/* between the stamps of interface and kernel */
#define WIRE_NS		150000		/* a slow link */
#define FRAME_LEN	90
#define NEAR_NS		100000		/* this machine may be busy */

/*
 * struct card - what the interface does
 * @tx_apart_ns: it stamps so much later than the kernel what leaves
 * @rx_apart_ns: so much earlier what comes
 * @tx: it stamps what leaves
 * @late: but tells only after somebody has waited for it
 * @no_map: what its stamps mean is not known
 * @tx_soft_ns: the kernel's stamp of the last request
 * @rx_soft_ns: of the last reply
 * @told: of the last request it has told
 * @rx_once: it stamps the first reply, and there is a second
 * @polls: how often it was waited for
 * @noted: stamps of requests that were noted
 * @noted_ns: by how much the last was later than the kernel's
 */
static struct card {
	int64_t	 tx_apart_ns;
	int64_t	 rx_apart_ns;
	bool	 tx;
	bool	 late;
	bool	 no_map;
	bool	 rx_once;
	int64_t	 tx_soft_ns;
	int64_t	 rx_soft_ns;
	bool	 told;
	int	 polls;
	int	 noted;
	int64_t	 noted_ns;
} card;

/* struct heard - what the socket has reported */
static struct heard {
	struct sock_time t1[8];
	int	 sent;
	struct sock_time t4;
	int	 replies;
} heard;

static int64_t to_local(int64_t real_ns)
{
	struct clock_pair now;

	clocks_pair(&now);
	return now.local_ns - (now.real_ns - real_ns);
}

/* In place of those of hwts.c. */
bool hwts_to_local(const struct hwts *h, uint32_t ifindex, int64_t phc_ns, int64_t *local_ns,
		   int64_t *err_ns)
{
	*local_ns = to_local(phc_ns - TAI_NS);
	*err_ns = 50;
	return h && ifindex == if_nametoindex("lo") && !card.no_map;
}

int64_t hwts_wire_ns(const struct hwts *h, uint32_t ifindex, uint32_t frame_len)
{
	(void)h;
	(void)ifindex;
	return frame_len == FRAME_LEN ? WIRE_NS : 0;
}

void hwts_note_sent(struct hwts *h, uint32_t ifindex, int64_t later_ns)
{
	assert_non_null(h);
	assert_int_equal(ifindex, if_nametoindex("lo"));
	card.noted++;
	card.noted_ns = later_ns;
}

static void set_ns(struct timespec *ts, int64_t ns)
{
	ts->tv_sec = ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
}

/* Has the kernel stamped this?  @out: the place of that. */
static bool soft_ns(struct msghdr *msg, struct cmsghdr **out, int64_t *ns)
{
	struct scm_timestamping times;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_TIMESTAMPING)
			continue;
		memcpy(&times, CMSG_DATA(c), sizeof(times));
		*out = c;
		*ns = times.ts[0].tv_sec * 1000000000LL + times.ts[0].tv_nsec;
		return *ns;
	}
	return false;
}

static void add(struct msghdr *msg, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

static void stamp_reply(struct msghdr *msg)
{
	const struct scm_ts_pktinfo info = { .if_index = if_nametoindex("lo"),
					     .pkt_length = FRAME_LEN };
	struct scm_timestamping times;
	struct cmsghdr *c;

	if (!card.rx_apart_ns || !soft_ns(msg, &c, &card.rx_soft_ns))
		return;
	memcpy(&times, CMSG_DATA(c), sizeof(times));
	set_ns((struct timespec *)&times.ts[2], card.rx_soft_ns + TAI_NS - card.rx_apart_ns);
	memcpy(CMSG_DATA(c), &times, sizeof(times));
	add(msg, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, &info, sizeof(info));
	if (card.rx_once)
		card.rx_apart_ns = 0;
}

/* The stamp of what left, as the kernel gives it: by itself, and who it is from. */
static ssize_t tell(struct msghdr *msg)
{
	const struct in_pktinfo info = { .ipi_ifindex = (int)if_nametoindex("lo") };
	struct scm_timestamping times = { 0 };

	set_ns((struct timespec *)&times.ts[2], card.tx_soft_ns + TAI_NS + card.tx_apart_ns);
	msg->msg_controllen = 0;
	add(msg, SOL_SOCKET, SO_TIMESTAMPING, &times, sizeof(times));
	add(msg, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	msg->msg_flags = MSG_ERRQUEUE;
	card.told = true;
	return 1;
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, msg, flags);
	struct cmsghdr *c;

	if (n >= 0 && !(flags & MSG_ERRQUEUE))
		stamp_reply(msg);
	if (n >= 0 && (flags & MSG_ERRQUEUE))
		soft_ns(msg, &c, &card.tx_soft_ns);
	if (n >= 0 || !(flags & MSG_ERRQUEUE) || !card.tx || card.told || !card.tx_soft_ns ||
	    (card.late && !card.polls))
		return n;
	return tell(msg);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	assert_int_equal(n, 1);
	assert_int_equal(fds->events, 0);
	assert_int_equal(timeout, 1);
	card.polls++;
	return card.late;
}

static void on_turn(void *ctx)
{
	(void)ctx;
}

static void on_sent(void *ctx, uint32_t source, uint32_t cookie, const struct sock_time *t1)
{
	(void)ctx;
	assert_int_equal(source, 3);
	assert_int_equal(cookie, 4);
	assert_true(heard.replies == 0 || card.rx_once);
	heard.t1[heard.sent++ % 8] = *t1;
}

static void on_reply(void *ctx, uint32_t source, const void *data, size_t len,
		     const struct sock_time *t4)
{
	(void)ctx;
	assert_int_equal(source, 3);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "reply", 5);
	heard.t4 = *t4;
	heard.replies++;
}

/* One request and its reply. */
static void exchange(struct sock *s, struct sock_env *env)
{
	union sock_addr server, client;
	socklen_t len = sizeof(client);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[16];

	memset(&heard, 0, sizeof(heard));
	card.tx_soft_ns = card.polls = card.told = 0;
	assert_true(sock_addr_parse(&server, "127.0.0.1", 0));
	assert_int_equal(bind(fd, &server.sa, sock_addr_len(&server)), 0);
	assert_int_equal(getsockname(fd, &server.sa, &len), 0);
	assert_int_equal(sock_send(s, env, 3, 4, &server, "ask", 3), 0);
	len = sizeof(client);
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0, &client.sa, &len), 3);
	assert_int_equal(sendto(fd, "reply", 5, 0, &client.sa, len), 5);
	if (card.rx_once)
		assert_int_equal(sendto(fd, "reply", 5, 0, &client.sa, len), 5);
	while (heard.replies < 1 + card.rx_once)
		event_base_loop(env->base, EVLOOP_ONCE);
	sock_close(s);
	close(fd);
	assert_true(heard.sent > 0);
}

static const struct sock_ops ops = { .turn = on_turn, .sent = on_sent, .reply = on_reply };
static const int64_t never_stepped;
static struct sock_env env = { .ops = &ops, .stepped_local_ns = &never_stepped, .anchor_fd = -1 };

static int set_up(void **state)
{
	static int any;

	(void)state;
	memset(&card, 0, sizeof(card));
	card.tx = true;
	card.tx_apart_ns = card.rx_apart_ns = APART_NS;
	env.hwts = (struct hwts *)&any;
	return 0;
}

static void last_from(enum stamp_from t1, enum stamp_from t4)
{
	assert_int_equal(heard.t1[heard.sent - 1].from, t1);
	assert_int_equal(heard.t4.from, t4);
}

static void test_hardware(void **state)
{
	struct sock s = { 0 };
	int64_t t1, t4;

	(void)state;
	exchange(&s, &env);
	last_from(STAMP_HARDWARE, STAMP_HARDWARE);
	t1 = heard.t1[heard.sent - 1].local_ns - to_local(card.tx_soft_ns);
	assert_true(t1 > APART_NS - NEAR_NS && t1 < APART_NS + NEAR_NS);
	t4 = to_local(card.rx_soft_ns) - heard.t4.local_ns;
	/* the frame's end */
	t4 += WIRE_NS;
	assert_true(t4 > APART_NS - NEAR_NS && t4 < APART_NS + NEAR_NS);
	assert_int_equal(heard.t1[heard.sent - 1].err_ns, 50);
	assert_int_equal(heard.t4.err_ns, 50);
	/* it was there already */
	assert_int_equal(card.polls, 0);
	assert_int_equal(card.noted, 1);
	assert_true(card.noted_ns > APART_NS - NEAR_NS && card.noted_ns < APART_NS + NEAR_NS);
}

static void test_implausible(void **state)
{
	const int64_t apart[] = { 20000000, -1000000, 3600000000000LL, -3600000000000LL };
	struct sock s = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++) {
		card.tx_apart_ns = card.rx_apart_ns = apart[i];
		exchange(&s, &env);
		last_from(STAMP_KERNEL, STAMP_KERNEL);
	}
	card.tx_apart_ns = card.rx_apart_ns = APART_NS;
	card.no_map = true;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
}

static void test_late(void **state)
{
	struct sock s = { 0 };

	(void)state;
	card.late = true;
	for (int i = 0; i < 10; i++) {
		exchange(&s, &env);
		last_from(STAMP_HARDWARE, STAMP_HARDWARE);
		assert_int_equal(card.polls, 1);
	}
}

/* Over another interface, say: after some requests nobody waits any more. */
static void test_never(void **state)
{
	struct sock s = { 0 };
	int polls = 0;

	(void)state;
	card.tx = false;
	for (int i = 0; i < 10; i++) {
		exchange(&s, &env);
		/* not one by the hardware alone */
		last_from(STAMP_KERNEL, STAMP_KERNEL);
		polls += card.polls;
	}
	assert_int_equal(polls, 4);
	/* one that comes in time counts all the same, and is waited for again */
	card.tx = true;
	exchange(&s, &env);
	last_from(STAMP_HARDWARE, STAMP_HARDWARE);
	card.late = true;
	exchange(&s, &env);
	last_from(STAMP_HARDWARE, STAMP_HARDWARE);
	assert_int_equal(card.polls, 1);
}

/* A card that stamps only PTP as it comes: what it says of requests is noted, not used. */
static void test_tx_only(void **state)
{
	struct sock s = { 0 };

	(void)state;
	card.rx_apart_ns = 0;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
	assert_int_equal(card.noted, 1);
	/* and not waited for */
	card.late = true;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
	assert_int_equal(card.polls, 0);
	/* the other way round */
	card.late = false;
	card.rx_apart_ns = APART_NS;
	card.tx_apart_ns = 20000000;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
}

/* Each datagram goes with the request's stamp that is of its kind. */
static void test_two(void **state)
{
	struct sock s = { 0 };

	(void)state;
	card.rx_once = true;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
	assert_int_equal(heard.t1[heard.sent - 2].from, STAMP_HARDWARE);
}

static void test_none(void **state)
{
	struct sock s = { 0 };

	(void)state;
	env.hwts = NULL;
	card.tx = false;
	exchange(&s, &env);
	last_from(STAMP_KERNEL, STAMP_KERNEL);
	assert_int_equal(card.polls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hardware, set_up),
		cmocka_unit_test_setup(test_implausible, set_up),
		cmocka_unit_test_setup(test_late, set_up),
		cmocka_unit_test_setup(test_never, set_up),
		cmocka_unit_test_setup(test_tx_only, set_up),
		cmocka_unit_test_setup(test_two, set_up),
		cmocka_unit_test_setup(test_none, set_up),
	};
	int anchor, failed;

	env.base = event_base_new();
	/* so that the first reply is stamped, too */
	anchor = sock_udp(AF_INET, false, false);
	usleep(100000);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("sock", tests, NULL, NULL);
	event_base_free(env.base);
	close(anchor);
	return failed;
}
