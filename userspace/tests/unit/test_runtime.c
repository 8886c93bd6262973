// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ntpkctl --save keeps, written and read back, and the difference between
 * two configurations, in a folder of this test's own.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/conf.h"
#include "daemon/runtime.h"

static char folder[64];
static char why[RUNTIME_WHY_LEN];

static void fail_on_error(void *ctx, const char *file, unsigned int line, unsigned int column,
			  const char *text)
{
	(void)ctx;
	fail_msg("%s:%u:%u: %s", file, line, column, text);
}

static const struct conf_diag diag = { .report = fail_on_error };

static void ignore_error(void *ctx, const char *file, unsigned int line, unsigned int column,
			 const char *text)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)column;
	(void)text;
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *out = fopen(path_of(name), "w");

	assert_non_null(out);
	fputs(text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path_of(name), 0644), 0);
}

/* The lines of runtime.conf without the heading. */
static const char *saved(void)
{
	static char text[8192];
	FILE *in = fopen(path_of("runtime.conf"), "r");
	struct stat st;
	size_t n;

	assert_non_null(in);
	assert_int_equal(fstat(fileno(in), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	fclose(in);
	assert_int_equal(text[0], '#');
	return strchr(text, '\n') + 1;
}

/* So many lines of runtime.conf are left out; where there are none, nothing is reported. */
static void load_with_skipped(struct conf *conf, const char *text, unsigned int skipped)
{
	const struct conf_diag deaf = { .report = ignore_error };
	char main_text[1024];

	snprintf(main_text, sizeof(main_text), "savedir %s\n%s", folder, text);
	put("main", main_text);
	conf_init(conf);
	assert_int_equal(conf_load(conf, path_of("main"), skipped ? &deaf : &diag), 0);
	assert_int_equal(conf->skipped, skipped);
}

static void load(struct conf *conf, const char *text)
{
	load_with_skipped(conf, text, 0);
}

static void add(const struct conf *conf, const char *line)
{
	struct conf_upstream up;

	assert_int_equal(conf_parse_upstream(&up, line, "test", 1, &diag), 0);
	if (runtime_add_upstream(conf, &up, why, NULL))
		fail_msg("%s", why);
}

static void del(const struct conf *conf, const char *name)
{
	if (runtime_del_upstream(conf, name, why, NULL))
		fail_msg("%s", why);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ntpk-runtime-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

static void test_upstreams(void **state)
{
	struct conf c, again;

	(void)state;
	unlink(path_of("runtime.conf"));
	load(&c, "server a.example\nserver b.example\n");
	add(&c, "server x.example iburst");
	add(&c, "server y.example");
	add(&c, "server X.example minpoll 4 maxpoll 4");
	assert_string_equal(saved(), "server y.example\nserver X.example minpoll 4 maxpoll 4\n");
	/* only saved: the line goes; in the file: it is said to be removed */
	del(&c, "y.EXAMPLE");
	del(&c, "a.example");
	assert_string_equal(saved(), "server X.example minpoll 4 maxpoll 4\nremoved a.example\n");
	add(&c, "server a.example prefer");
	assert_string_equal(saved(), "server X.example minpoll 4 maxpoll 4\n"
			    "server a.example prefer\n");
	/* after a restart the file still has it: removing it must last */
	load(&again, "server a.example\nserver b.example\n");
	assert_int_equal(again.upstreams_len, 3);
	del(&again, "a.example");
	del(&again, "x.example");
	assert_string_equal(saved(), "removed a.example\n");
	conf_clean(&again);
	load(&again, "server a.example\nserver b.example\n");
	assert_int_equal(again.upstreams_len, 1);
	conf_clean(&again);
	conf_clean(&c);
}

static void test_settings(void **state)
{
	struct conf c, again;

	(void)state;
	unlink(path_of("runtime.conf"));
	load(&c, "makestep 1 3\n");
	assert_int_equal(runtime_set(&c, "makestep 0.1 1", why, NULL), 0);
	assert_int_equal(runtime_set(&c, "allow 10", why, NULL), 0);
	assert_int_equal(runtime_set(&c, "deny 10.1", why, NULL), 0);
	assert_int_equal(runtime_set(&c, "MakeStep 0.5 -1", why, NULL), 0);
	assert_int_equal(runtime_set(&c, "allow 10", why, NULL), 0);
	assert_string_equal(saved(), "deny 10.1\nMakeStep 0.5 -1\nallow 10\n");
	assert_int_equal(runtime_set(&c, "makestep x 1", why, NULL), -EINVAL);
	assert_string_equal(why, "save:10: makestep: 'x' is not a number of seconds such as 10 or "
			    "0.25 (accepted: 0.000001 to 1000000000)");
	assert_int_equal(runtime_set(&c, "keyfile /etc/shadow", why, NULL), -EINVAL);
	assert_non_null(strstr(why, "keyfile: belongs into the configuration file"));
	assert_int_equal(runtime_set(&c, "allow 1\nuser root", why, NULL), -EINVAL);
	assert_int_equal(runtime_set(&c, "# x", why, NULL), -EINVAL);
	assert_int_equal(runtime_set(&c, "", why, NULL), -EINVAL);
	assert_string_equal(saved(), "deny 10.1\nMakeStep 0.5 -1\nallow 10\n");
	load(&again, "makestep 1 3\n");
	assert_int_equal(again.makestep_limit, -1);
	assert_int_equal(again.acl_len, 2);
	conf_clean(&again);
	assert_int_equal(runtime_unset(&c, "Allow", why, NULL), 0);
	assert_string_equal(saved(), "deny 10.1\nMakeStep 0.5 -1\n");
	assert_int_equal(runtime_unset(&c, "allow", why, NULL), -ENOENT);
	assert_string_equal(why, "allow: none is saved");
	assert_int_equal(runtime_unset(&c, "makestep", why, NULL), 0);
	assert_string_equal(saved(), "deny 10.1\n");
	assert_int_equal(runtime_unset(&c, "server", why, NULL), -EINVAL);
	assert_int_equal(runtime_unset(&c, "keyfile", why, NULL), -EINVAL);
	assert_int_equal(runtime_unset(&c, "sever", why, NULL), -EINVAL);
	assert_string_equal(why, "sever: is no setting that can be saved");
	assert_string_equal(saved(), "deny 10.1\n");
	conf_clean(&c);
}

/* A saved `listen` takes the place of the file's; one that does not fit is left out. */
static void test_listens(void **state)
{
	struct conf c, again;

	(void)state;
	unlink(path_of("runtime.conf"));
	load(&c, "listen 192.0.2.1 offset 1\nlisten 192.0.2.2 offset 2\n");
	assert_int_equal(runtime_set(&c, "listen 192.0.2.1 offset 3 ratelimit", why, NULL), 0);
	assert_int_equal(runtime_set(&c, "listen 192.0.2.3 offset 4", why, NULL), 0);
	load(&again, "listen 192.0.2.1 offset 1\nlisten 192.0.2.2 offset 2\n");
	assert_int_equal(again.listens_len, 3);
	assert_true(again.listens[0].offset_ns == 3000000000);
	assert_int_equal(again.listens[0].limit.burst, 16);
	assert_true(again.listens[1].offset_ns == 2000000000);
	assert_true(again.listens[2].offset_ns == 4000000000);
	conf_clean(&again);
	/* the file now serves there itself: that one is left out, and no other */
	load_with_skipped(&again, "bindaddress 192.0.2.3\nlisten 192.0.2.1 offset 1\n", 1);
	assert_int_equal(again.listens_len, 1);
	assert_true(again.listens[0].offset_ns == 3000000000);
	conf_clean(&again);
	/* one that takes a place of the file and does not fit gives it back */
	assert_int_equal(runtime_set(&c, "listen 192.0.2.1 smear linear", why, NULL), 0);
	load_with_skipped(&again, "listen 192.0.2.1 offset 1\n", 1);
	assert_int_equal(again.listens_len, 2);
	assert_true(again.listens[0].offset_ns == 1000000000);
	assert_true(strstr(again.listen_at[0].file, "main") != NULL);
	assert_true(again.listens[1].offset_ns == 4000000000);
	conf_clean(&again);
	conf_clean(&c);
}

static void test_copy(void **state)
{
	struct conf_difference diff[CONF_DIFFERENCES_MAX];
	struct conf c, copy;

	(void)state;
	unlink(path_of("runtime.conf"));
	load(&c, "server a.example\nallow 10\nlocal\n");
	assert_int_equal(conf_copy(&copy, &c), 0);
	assert_int_equal(conf_diff(&c, &copy, diff), 0);
	assert_int_equal(copy.upstreams_len, 1);
	assert_int_equal(runtime_parse(&copy, "allow 11", "set", &diag), 0);
	assert_int_equal(copy.acl_len, 2);
	assert_int_equal(c.acl_len, 1);
	/* again and again is no more than once, and the last counts */
	assert_int_equal(runtime_parse(&copy, "deny 10", "set", &diag), 0);
	assert_int_equal(runtime_parse(&copy, "allow 11", "set", &diag), 0);
	assert_int_equal(copy.acl_len, 2);
	assert_false(copy.acl[0].allow);
	assert_int_equal(copy.acl[1].addr[0], 11);
	/* of another list it is another line */
	assert_int_equal(runtime_parse(&copy, "allow 11 acl cams", "set", &diag), 0);
	assert_int_equal(runtime_parse(&copy, "deny all acl cams", "set", &diag), 0);
	assert_int_equal(copy.acl_len, 5);
	conf_take(&copy, &c, "allow");
	assert_int_equal(copy.acl_len + copy.acl_names_len, 1);
	conf_clean(&copy);
	conf_clean(&c);
	load(&c, "");
	assert_int_equal(conf_copy(&copy, &c), 0);
	conf_clean(&copy);
	conf_clean(&c);
	assert_true(runtime_names_upstream("  Pool x"));
	assert_false(runtime_names_upstream("makestep 1 3"));
	assert_false(runtime_names_upstream(""));
}

static void test_no_link_is_followed(void **state)
{
	struct conf c;

	(void)state;
	unlink(path_of("runtime.conf"));
	load(&c, "");
	put("victim", "precious\n");
	assert_int_equal(symlink("victim", path_of("runtime.conf")), 0);
	assert_int_equal(runtime_set(&c, "allow 10", why, NULL), -ELOOP);
	assert_non_null(strstr(why, "runtime.conf: "));
	unlink(path_of("runtime.conf"));
	snprintf(c.savedir, sizeof(c.savedir), "%s/none", folder);
	assert_int_equal(runtime_set(&c, "allow 10", why, NULL), -ENOENT);
	conf_clean(&c);
}

static void expect_difference(const char *a, const char *b, const char *names)
{
	struct conf_difference diff[CONF_DIFFERENCES_MAX];
	char got[512] = "";
	struct conf ca, cb;
	size_t n, i;

	unlink(path_of("runtime.conf"));
	load(&ca, a);
	load(&cb, b);
	n = conf_diff(&ca, &cb, diff);
	for (i = 0; i < n; i++) {
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s ", diff[i].name);
		conf_keep(&cb, &ca, diff[i].name);
	}
	assert_string_equal(got, names);
	/* what is kept differs no more; the access list is never kept */
	n = conf_diff(&ca, &cb, diff);
	assert_int_equal(n, strstr(names, "allow") ? 1 : 0);
	conf_clean(&ca);
	conf_clean(&cb);
}

static void test_difference(void **state)
{
	(void)state;
	expect_difference("", "", "");
	expect_difference("server a.example\n", "server b.example\n", "");
	expect_difference("port 123\n", "\n\nport 124\n", "port ");
	expect_difference("", "makestep 1 3\nlocal\n", "local ");
	expect_difference("makestep 1 3\n", "makestep 1 4\nuser ntp\n", "makestep user ");
	expect_difference("allow 10\n", "\nallow 10\n", "");
	expect_difference("allow 10\ndeny 10.1\n", "deny 10.1\nallow 10\n", "allow ");
	expect_difference("sourcedir /a\n", "sourcedir /a /b\n", "sourcedir ");
	expect_difference("bindaddress 1.2.3.4\n", "bindaddress ::1\n", "bindaddress ");
}

static void test_upstream_equal(void **state)
{
	struct conf_upstream a, b;

	(void)state;
	conf_parse_upstream(&a, "server a.example minpoll 6 iburst", "x", 1, &diag);
	conf_parse_upstream(&b, "server a.example iburst", "y", 7, &diag);
	assert_true(conf_upstream_equal(&a, &b));
	conf_parse_upstream(&b, "pool a.example iburst", "y", 7, &diag);
	assert_false(conf_upstream_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upstreams),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_listens),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_no_link_is_followed),
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_upstream_equal),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("runtime", tests, setup, teardown);
}
