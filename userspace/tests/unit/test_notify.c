// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The service manager's protocol, against a socket that plays the manager: by
 * path and abstract.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/log.h"
#include "daemon/notify.h"

static char name[100];
static int manager = -1;

static void listen_at(const char *prefix)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len;

	snprintf(name, sizeof(name), "%s/ntpk-notify-%d", prefix, getpid());
	len = strlen(name);
	memcpy(addr.sun_path, name, len);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(manager >= 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&addr,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static int stop_listening(void **state)
{
	(void)state;
	close(manager);
	if (name[0] == '/')
		unlink(name);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static void expect(const char *text)
{
	char buf[256];
	ssize_t n = recv(manager, buf, sizeof(buf) - 1, 0);

	if (!text) {
		assert_int_equal(n, -1);
		return;
	}
	assert_true(n >= 0);
	buf[n] = '\0';
	assert_string_equal(buf, text);
}

static void exchange(const char *prefix)
{
	struct notify n;

	listen_at(prefix);
	assert_int_equal(notify_open(&n), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_send(&n, "READY=1");
	expect("READY=1");
	notify_status(&n, "stratum %d", 2);
	expect("STATUS=stratum 2");
	notify_status(&n, "stratum %d", 2);
	expect(NULL);
	notify_alive(&n, 1000000000);	/* no watchdog was asked for */
	expect(NULL);
	notify_close(&n);
}

static void test_path(void **state)
{
	(void)state;
	exchange("/tmp");
}

static void test_abstract(void **state)
{
	(void)state;
	exchange("@ntpk");
}

static void test_watchdog(void **state)
{
	int64_t t = 1000000000000, s = 1000000000;
	struct notify n;

	(void)state;
	listen_at("@ntpk");
	setenv("WATCHDOG_USEC", "10000000", 1);
	assert_int_equal(notify_open(&n), 0);
	notify_alive(&n, t);
	expect("WATCHDOG=1");
	notify_alive(&n, t + 4 * s);
	expect(NULL);
	notify_alive(&n, t + 5 * s);
	expect("WATCHDOG=1");
	notify_close(&n);
}

static void test_foreign_watchdog(void **state)
{
	struct notify n;

	(void)state;
	listen_at("@ntpk");
	setenv("WATCHDOG_USEC", "10000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_open(&n), 0);
	notify_alive(&n, 1000000000000);
	expect(NULL);
	notify_close(&n);
}

static void test_reloading(void **state)
{
	struct notify n;
	char buf[128];
	ssize_t len;

	(void)state;
	listen_at("@ntpk");
	assert_int_equal(notify_open(&n), 0);
	notify_reloading(&n);
	len = recv(manager, buf, sizeof(buf) - 1, 0);
	assert_true(len > 0);
	buf[len] = '\0';
	assert_int_equal(strncmp(buf, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	assert_true(strtoll(buf + 27, NULL, 10) > 0);
	notify_close(&n);
}

static void test_nobody(void **state)
{
	struct notify n;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&n), 0);
	notify_send(&n, "READY=1");
	notify_close(&n);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_open(&n), -EAFNOSUPPORT);
	setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1);
	assert_int_equal(notify_open(&n), -ENOENT);
	notify_send(&n, "READY=1");
}

static void test_journal(void **state)
{
	char text[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	assert_true(log_is_journal(STDERR_FILENO, text));
	strcat(text, "1");
	assert_false(log_is_journal(STDERR_FILENO, text));
	assert_false(log_is_journal(STDERR_FILENO, "nonsense"));
	assert_false(log_is_journal(STDERR_FILENO, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_path, stop_listening),
		cmocka_unit_test_teardown(test_abstract, stop_listening),
		cmocka_unit_test_teardown(test_watchdog, stop_listening),
		cmocka_unit_test_teardown(test_foreign_watchdog, stop_listening),
		cmocka_unit_test_teardown(test_reloading, stop_listening),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
