// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time stamps among control messages: which is whose, which interface took it, what is
 * cut short; and what the kernel here makes of a packet over the loopback interface.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <cmocka.h>
#include "daemon/sock.h"
#include "daemon/stamp.h"

#define S_NS	1000000000LL

/* struct control - messages being put together */
struct control {
	_Alignas(8) char buf[512];
	size_t	 len;
};

static void add(struct control *c, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *h = (struct cmsghdr *)(c->buf + c->len);

	h->cmsg_level = level;
	h->cmsg_type = type;
	h->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(h), data, len);
	c->len += CMSG_SPACE(len);
}

static struct stamp read_all(struct control *c)
{
	struct msghdr msg = { .msg_control = c->buf, .msg_controllen = c->len };
	struct stamp out;

	stamp_read(&msg, &out);
	return out;
}

static void test_read(void **state)
{
	const struct scm_timestamping times = { .ts = { { 17, 5 }, { 99, 9 }, { 1700000037, 3 } } };
	const struct scm_ts_pktinfo info = { .if_index = 4, .pkt_length = 90 }, unknown = { 0 };
	const struct in_pktinfo v4 = { .ipi_ifindex = 7 };
	const struct in6_pktinfo v6 = { .ipi6_ifindex = 8 };
	struct control c = { .len = 0 };
	struct stamp s;

	(void)state;
	s = read_all(&c);
	assert_true(!s.soft_ns && !s.hard_ns && !s.ifindex);
	add(&c, SOL_SOCKET, SO_TIMESTAMPING, &times, sizeof(times));
	s = read_all(&c);
	assert_int_equal(s.soft_ns, 17 * S_NS + 5);
	assert_int_equal(s.hard_ns, 1700000037 * S_NS + 3);
	assert_int_equal(s.ifindex, 0);
	/* the interface that stamped, whatever IP says before or after */
	add(&c, SOL_IP, IP_PKTINFO, &v4, sizeof(v4));
	assert_int_equal(read_all(&c).ifindex, 7);
	add(&c, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, &unknown, sizeof(unknown));
	assert_int_equal(read_all(&c).ifindex, 7);
	add(&c, SOL_SOCKET, SCM_TIMESTAMPING_PKTINFO, &info, sizeof(info));
	assert_int_equal(read_all(&c).ifindex, 4);
	assert_int_equal(read_all(&c).frame_len, 90);
	add(&c, SOL_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	assert_int_equal(read_all(&c).ifindex, 4);
	c.len = 0;
	add(&c, SOL_IPV6, IPV6_PKTINFO, &v6, sizeof(v6));
	assert_int_equal(read_all(&c).ifindex, 8);
}

static void test_odd(void **state)
{
	struct scm_timestamping times = { .ts = { { 17, 5 }, { 0, 0 }, { INT64_MAX, 3 } } };
	struct control c = { .len = 0 };

	(void)state;
	add(&c, SOL_SOCKET, SO_TIMESTAMPING, &times, sizeof(times) - 1);
	assert_int_equal(read_all(&c).soft_ns, 0);
	c.len = 0;
	/* a clock of an interface may have been set to anything */
	add(&c, SOL_SOCKET, SO_TIMESTAMPING, &times, sizeof(times));
	assert_int_equal(read_all(&c).soft_ns, 17 * S_NS + 5);
	assert_int_equal(read_all(&c).hard_ns, 0);
	times.ts[2].tv_sec = -1;
	c.len = 0;
	add(&c, SOL_SOCKET, SO_TIMESTAMPING, &times, sizeof(times));
	assert_int_equal(read_all(&c).hard_ns, 0);
}

static void test_plausible(void **state)
{
	(void)state;
	assert_true(stamp_is_plausible(1000, 1000, 0));
	assert_true(stamp_is_plausible(1000, 900, 100));
	assert_false(stamp_is_plausible(1000, 899, 100));
	assert_true(stamp_is_plausible(1000, 1000 + 10000000 + 100, 100));
	assert_false(stamp_is_plausible(1000, 1000 + 10000000 + 101, 100));
	assert_true(STAMP_DAEMON < STAMP_KERNEL && STAMP_KERNEL < STAMP_HARDWARE);
	assert_string_equal(stamp_from_name(STAMP_DAEMON), "daemon");
	assert_string_equal(stamp_from_name(STAMP_KERNEL), "kernel");
	assert_string_equal(stamp_from_name(STAMP_HARDWARE), "hardware");
}

static bool allowed_by(const char *text)
{
	char path[] = "/tmp/ntpk-stamp-XXXXXX";
	int fd = mkstemp(path);
	bool is;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	is = stamp_tx_names_interface(path);
	unlink(path);
	/* a file that is not there, as in a container, says nothing of the machine */
	assert_false(stamp_tx_names_interface(path));
	return is;
}

static void test_allow_data(void **state)
{
	(void)state;
	assert_true(allowed_by("1\n"));
	assert_false(allowed_by("0\n"));
	assert_false(allowed_by(""));
}

static void take(int fd, int flags, struct stamp *out)
{
	struct control c;
	char data[512];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = c.buf,
			      .msg_controllen = sizeof(c.buf) };
	struct pollfd p = { .fd = fd, .events = flags ? 0 : POLLIN };

	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_true(recvmsg(fd, &msg, flags) >= 0);
	stamp_read(&msg, out);
}

/* To itself: where there is no hardware, the kernel stamps, and names the interface. */
static void over_loopback(const char *text, bool hard)
{
	union sock_addr a;
	socklen_t len = sizeof(a);
	struct stamp tx, rx;
	int fd;

	assert_true(sock_addr_parse(&a, text, 0));
	fd = sock_udp(a.sa.sa_family, true, hard);
	assert_true(fd >= 0);
	if (bind(fd, &a.sa, sock_addr_len(&a))) {
		close(fd);
		return;
	}
	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	assert_int_equal(sendto(fd, "x", 1, 0, &a.sa, len), 1);
	take(fd, MSG_ERRQUEUE, &tx);
	take(fd, 0, &rx);
	close(fd);
	assert_true(tx.soft_ns && !tx.hard_ns && !rx.hard_ns);
	assert_int_equal(tx.ifindex, hard ? if_nametoindex("lo") : 0);
	assert_true(!rx.soft_ns || rx.soft_ns >= tx.soft_ns);
}

static void test_loopback(void **state)
{
	(void)state;
	over_loopback("127.0.0.1", false);
	over_loopback("127.0.0.1", true);
	over_loopback("::1", false);
	over_loopback("::1", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_plausible),
		cmocka_unit_test(test_allow_data),
		cmocka_unit_test(test_loopback),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
