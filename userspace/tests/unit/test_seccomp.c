// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system call filter: what the daemon needs works, what it does not need
 * ends the process, in any thread.  Each case in a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <linux/netlink.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <cmocka.h>
#include "daemon/seccomp.h"

#define CHILD_NO_SECCOMP	77

static int run(void (*what)(void), bool cards)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int err = seccomp_apply(cards);

		if (err)
			_exit(err == -ENOSYS ? CHILD_NO_SECCOMP : 76);
		what();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NO_SECCOMP)
		skip();
	return status;
}

static void do_execve(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void do_mount(void)
{
	mount("none", "/nonexistent", "tmpfs", 0, NULL);
}

static void do_packet_socket(void)
{
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void do_ioctl(void)
{
	ioctl(0, TIOCSTI, "x");
}

/* As CAP_NET_ADMIN would let it: firewall, IPsec. */
static void do_netfilter(void)
{
	socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
}

static void do_xfrm(void)
{
	socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
}

static void do_iptables(void)
{
	setsockopt(0, IPPROTO_IP, IPT_SO_SET_REPLACE, "", 0);
}

static void do_ip6tables(void)
{
	setsockopt(0, IPPROTO_IPV6, IP6T_SO_SET_REPLACE, "", 0);
}

static void do_pins(void)
{
	ioctl(0, PTP_PIN_SETFUNC, NULL);
}

static void do_ethtool(void)
{
	ioctl(0, SIOCETHTOOL, NULL);
}

static void do_setuid(void)
{
	syscall(SYS_setuid, 0);
}

static void do_unshare(void)
{
	unshare(CLONE_NEWNS);
}

static void do_module(void)
{
	syscall(SYS_init_module, NULL, 0UL, "");
}

static void *in_thread(void *arg)
{
	(void)arg;
	do_mount();
	return NULL;
}

static void do_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, in_thread, NULL);
	pthread_join(thread, NULL);
}

static void test_forbidden(void **state)
{
	void (*const calls[])(void) = {
		do_execve, do_mount, do_packet_socket, do_ioctl, do_setuid, do_unshare, do_module,
		do_in_thread, do_netfilter, do_xfrm, do_iptables, do_ip6tables, do_pins,
	};
	int status = run(do_ethtool, false);

	(void)state;
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	for (size_t i = 0; i < 2 * sizeof(calls) / sizeof(calls[0]); i++) {
		status = run(calls[i / 2], i % 2);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("call %zu: status %#x", i, (unsigned int)status);
	}
}

static void must(int ok, int code)
{
	if (!ok)
		_exit(code);
}

static void *resolve(void *arg)
{
	struct addrinfo *list = NULL;

	/* whether they are found depends on the machine; that it lives does not */
	if (!getaddrinfo("localhost", NULL, NULL, &list))
		freeaddrinfo(list);
	if (!getaddrinfo("name.invalid", NULL, NULL, &list))
		freeaddrinfo(list);
	*(int *)arg = 1;
	return NULL;
}

static void do_allowed(void)
{
	struct timex tx = { .modes = 0 };
	pthread_t thread;
	int found = 0;
	FILE *f;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd >= 0, 2);
	close(fd);
	must(clock_adjtime(CLOCK_REALTIME, &tx) >= 0, 3);
	f = fopen("/proc/self/status", "re");
	must(f && fgetc(f) != EOF, 4);
	fclose(f);
	must(!pthread_create(&thread, NULL, resolve, &found), 5);
	must(!pthread_join(thread, NULL), 6);
	must(found, 7);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	must(fd >= 0, 12);
	must(!setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &found, sizeof(found)), 13);
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd < 0 || !setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &found, sizeof(found)), 14);
	close(fd);
	/* the clocks of interfaces; this is none, and says so */
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	must(fd >= 0, 8);
	must(ioctl(fd, PTP_SYS_OFFSET_PRECISE, NULL) && errno == ENOTTY, 9);
	must(ioctl(fd, PTP_SYS_OFFSET_EXTENDED, NULL) && errno == ENOTTY, 10);
	must(ioctl(fd, PTP_SYS_OFFSET, NULL) && errno == ENOTTY, 11);
	must(ioctl(fd, SIOCETHTOOL, NULL) && errno == ENOTTY, 15);
	close(fd);
}

static void test_allowed(void **state)
{
	int status = run(do_allowed, true);

	(void)state;
	if (status)
		fail_msg("status %#x", (unsigned int)status);
}

static void do_privileges(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");
	int seen = 0;

	while (f && fgets(line, sizeof(line), f))
		seen |= !strcmp(line, "NoNewPrivs:\t1\n");
	must(seen, 2);
}

static void test_no_new_privs(void **state)
{
	int status = run(do_privileges, false);

	(void)state;
	assert_int_equal(status, 0);
}

/* A kernel without filters, as far as whoever asks it can tell. */
static int hide_filters(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int err = ctx ? 0 : -ENOMEM;

	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
				       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

static void test_none(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (hide_filters())
			_exit(CHILD_NO_SECCOMP);
		must(seccomp_apply(true) == -ENOSYS, 2);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_NO_SECCOMP)
		skip();
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_no_new_privs),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
