// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of the configuration: who may write them, includes, folders, drop-ins
 * and runtime.conf, in a folder of this test's own.
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

#define ERRORS_MAX	8

struct seen {
	unsigned int n;
	char	 text[ERRORS_MAX][1024];	/* "file:line:column: text", without the folder */
};

static char folder[64];
static struct seen seen;

static void note(void *ctx, const char *file, unsigned int line, unsigned int column,
		 const char *text)
{
	struct seen *s = ctx;
	size_t len = strlen(folder);
	char *at;

	if (s->n < ERRORS_MAX)
		snprintf(s->text[s->n], sizeof(s->text[0]), "%.400s:%u:%u: %.400s",
			 strncmp(file, folder, len) ? file : file + len + 1, line, column, text);
	while (s->n < ERRORS_MAX && (at = strstr(s->text[s->n], folder)))
		memmove(at, at + len, strlen(at + len) + 1);
	s->n++;
}

static const struct conf_diag diag = { note, &seen };

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* Writes a file; $ stands for the folder. */
static void put(const char *name, const char *text)
{
	FILE *out = fopen(path_of(name), "w");

	assert_non_null(out);
	for (; *text; text++)
		if (*text == '$')
			fputs(folder, out);
		else
			fputc(*text, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path_of(name), 0644), 0);
}

static int load(struct conf *conf)
{
	memset(&seen, 0, sizeof(seen));
	conf_init(conf);
	return conf_load(conf, path_of("main"), &diag);
}

static void expect_error(unsigned int i, const char *says)
{
	if (i >= seen.n || !strstr(seen.text[i], says))
		fail_msg("error %u of %u is '%s', not '%s'", i, seen.n, seen.text[i], says);
}

static void refuse(const char *says)
{
	struct conf c;

	assert_int_equal(load(&c), -EINVAL);
	conf_clean(&c);
	assert_int_equal(seen.n, 1);
	expect_error(0, says);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/ntpk-conf-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

static void test_include(void **state)
{
	struct conf c;

	(void)state;
	mkdir(path_of("d"), 0755);
	put("main", "port 1\ninclude $/d/*.inc\ninclude $/d/none*\nconfdir $/d $/nowhere\nminsources 2\n");
	put("d/b.inc", "server b.example\n");
	put("d/a.inc", "server a.example\ninclude $/deep\n");
	put("deep", "maxdistance 2\n");
	put("d/x.conf", "kernel off\n");
	put("d/.hidden.conf", "nonsense\n");
	put("d/x.conf~", "nonsense\n");
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.upstreams_len, 2);
	assert_string_equal(c.upstreams[0].name, "a.example");
	assert_string_equal(c.upstreams[1].file, path_of("d/b.inc"));
	assert_int_equal(c.maxdistance_ns, 2000000000);
	assert_int_equal(c.minsources, 2);
	assert_false(c.kernel);
	conf_clean(&c);
}

static void test_include_errors(void **state)
{
	(void)state;
	put("main", "port 1\n  include $/missing\n");
	refuse("main:2:11: /missing: No such file");
	put("main", "include $/inc\n");
	put("inc", "# x\nkernel maybe\n");
	refuse("inc:2:8: kernel: 'maybe' is not accepted");
	put("inc", "include $/inc\n");
	refuse("inc:1:9: /inc: includes are nested too deeply");
	put("main", "port 1\nserver a.example\ninclude $/inc\n");
	put("inc", "\nport 2\n");
	refuse("inc:2:1: port stands in /main:1 already");
	put("inc", "server A.example\n");
	refuse("inc:1:8: 'A.example' is an upstream already, /main:2");
	put("main", "confdir $/inc\n");
	refuse("main:1:9: confdir: /inc: Not a directory");
}

static void test_writers(void **state)
{
	(void)state;
	mkdir(path_of("open"), 0755);
	put("main", "include $/open/inc\n");
	put("open/inc", "port 1\n");
	chmod(path_of("open"), 0777);
	refuse("main:1:9: the folder of /open/inc: may be written by others than root");
	put("main", "include $/link\n");
	assert_int_equal(symlink("open/inc", path_of("link")), 0);
	refuse("main:1:9: the folder of /link: may be written by others than root");
	unlink(path_of("link"));
	unlink(path_of("open/inc"));
	rmdir(path_of("open"));
	put("main", "include $/inc\n");
	put("inc", "port 1\n");
	chmod(path_of("inc"), 0666);
	refuse("main:1:9: /inc: may be written by others than root");
	chmod(path_of("inc"), 0644);
	unlink(path_of("inc"));
	assert_int_equal(mkfifo(path_of("inc"), 0600), 0);
	refuse("/inc: is not a regular file");
	unlink(path_of("inc"));
	put("inc", "port 1\n");
	chmod(path_of("main"), 0646);
	refuse("main:0:0: may be written by others than root");
	if (getuid() == 0) {
		put("main", "include $/inc\n");
		assert_int_equal(chown(path_of("inc"), 65534, 0), 0);
		refuse("/inc: does not belong to root");
		assert_int_equal(chown(path_of("inc"), 0, 65534), 0);
		chmod(path_of("inc"), 0664);
		refuse("/inc: may be written by others than root");
		/* which is what an access list looks like */
		assert_int_equal(chown(path_of("inc"), 0, 0), 0);
		refuse("/inc: may be written by others than root");
		unlink(path_of("inc"));
	}
}

static void test_drop_ins(void **state)
{
	struct conf c;

	(void)state;
	mkdir(path_of("s"), 0755);
	put("main", "server main.example\nsourcedir $/s $/missing\nport 1\n");
	put("s/1.sources", "server one.example iburst\nport 5\nserver 300.1.1.1\npool two.example\n");
	put("s/2.sources", "\x01\n");
	put("s/3.sources", "server three.example\nserver Main.example\ninclude $/main\n");
	put("s/4.sources", "server four.example\n");
	chmod(path_of("s/4.sources"), 0666);
	put("s/readme", "not ours\n");
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.upstreams_len, 4);
	assert_false(c.upstreams[0].drop_in);
	assert_string_equal(c.upstreams[1].name, "one.example");
	assert_string_equal(c.upstreams[2].name, "two.example");
	assert_string_equal(c.upstreams[3].name, "three.example");
	assert_true(c.upstreams[3].drop_in);
	assert_int_equal(c.port, 1);
	assert_int_equal(c.skipped, 6);
	assert_int_equal(seen.n, 6);
	expect_error(0, "s/1.sources:2:1: port: a drop-in of sourcedir may only hold");
	expect_error(1, "s/1.sources:3:8: '300.1.1.1'");
	expect_error(2, "s/2.sources:1:1: byte 0x01");
	expect_error(3, "s/3.sources:2:8: 'Main.example' is an upstream already, /main:1");
	expect_error(4, "s/3.sources:3:1: include: a drop-in");
	expect_error(5, "s/4.sources:1:1: this file is left out: may be written");
	conf_clean(&c);
	chmod(path_of("s"), 0777);
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.upstreams_len, 1);
	expect_error(0, "s:1:1: sourcedir is left out: may be written");
	conf_clean(&c);
	chmod(path_of("s"), 0755);
}

/* A saved place whose list has no lines stays: a wider one would answer whoever asks. */
static void test_saved_without_lines(void **state)
{
	struct conf c;

	(void)state;
	mkdir(path_of("w"), 0755);
	put("w/runtime.conf", "listen 192.0.2.1 acl cams\n");
	put("main", "savedir $/w\nallow 10 acl cams\n");
	assert_int_equal(load(&c), 0);
	assert_int_equal(seen.n, 0);
	conf_clean(&c);
	put("main", "savedir $/w\n");
	assert_int_equal(load(&c), 0);
	expect_error(0, "w/runtime.conf:1:1: listen 192.0.2.1: nobody could ask there");
	assert_int_equal(c.listens_len, 1);
	assert_string_equal(c.listens[0].acl, "cams");
	assert_int_equal(c.skipped, 0);
	conf_clean(&c);
	/* in the file it is an error */
	unlink(path_of("w/runtime.conf"));
	put("main", "savedir $/w\nlisten 192.0.2.1 acl cams\n");
	assert_int_equal(load(&c), -EINVAL);
	expect_error(0, "main:2:1: listen 192.0.2.1: nobody could ask there");
	conf_clean(&c);
}

static void test_sources_anew(void **state)
{
	struct conf c, fresh;

	(void)state;
	mkdir(path_of("r"), 0755);
	mkdir(path_of("v"), 0755);
	put("main", "server main.example\nsourcedir $/r\nsavedir $/v\nallow 10\nlisten ::1 acl a\n"
	    "allow 11 acl a\n");
	put("v/runtime.conf", "maxdistance 2\n");
	put("r/1.sources", "server one.example\n");
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.upstreams_len, 2);
	/* the file itself is not looked at */
	put("main", "nonsense\n");
	put("r/1.sources", "server uno.example\n");
	put("r/2.sources", "pool due.example\n");
	assert_int_equal(conf_load_sources(&fresh, &c, &diag), 0);
	assert_int_equal(seen.n, 0);
	assert_int_equal(fresh.skipped, 0);
	assert_int_equal(fresh.upstreams_len, 3);
	assert_string_equal(fresh.upstreams[0].name, "main.example");
	assert_string_equal(fresh.upstreams[1].name, "uno.example");
	assert_true(fresh.upstreams[2].drop_in);
	conf_clean(&fresh);
	conf_clean(&c);
}

static void test_runtime(void **state)
{
	struct conf c;

	(void)state;
	mkdir(path_of("v"), 0755);
	put("main", "savedir $/v\nserver a.example\nserver b.example prefer\nserver c.example\n"
	    "makestep 1 3\nallow 10\n");
	put("v/runtime.conf", "removed A.example\nserver b.example noselect\nserver d.example\n"
	    "makestep 0.1 -1\ndeny 10.1\nuser root\ninclude /etc/passwd\nmakestep 5 5\n");
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.upstreams_len, 3);
	assert_string_equal(c.upstreams[0].name, "c.example");
	assert_string_equal(c.upstreams[1].name, "b.example");
	assert_string_equal(c.upstreams[2].name, "d.example");
	assert_string_equal(c.upstreams[2].file, path_of("v/runtime.conf"));
	assert_int_equal(c.acl_len, 2);
	assert_string_equal(c.user, "");
	assert_int_equal(c.makestep_limit, -1);
	assert_int_equal(seen.n, 3);
	expect_error(0, "v/runtime.conf:6:1: user: belongs into the configuration file");
	expect_error(1, "v/runtime.conf:7:1: include: belongs into");
	expect_error(2, "v/runtime.conf:8:1: makestep stands in line 4 already");
	conf_clean(&c);
}

/* Whoever may write there must not choose what root reads. */
static void test_runtime_is_no_link(void **state)
{
	char other[128];
	struct conf c;

	(void)state;
	mkdir(path_of("w"), 0755);
	put("main", "savedir $/w\nmaxjitter 0.5\n");
	put("w/other", "maxjitter 0.25\n");
	assert_int_equal(symlink("other", path_of("w/runtime.conf")), 0);
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.maxjitter_ns, 500000000);
	assert_int_equal(c.skipped, 1);
	expect_error(0, "w/runtime.conf:1:1: this file is left out: Too many levels");
	conf_clean(&c);
	unlink(path_of("w/runtime.conf"));
	snprintf(other, sizeof(other), "%s", path_of("w/other"));
	assert_int_equal(link(other, path_of("w/runtime.conf")), 0);
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.maxjitter_ns, 500000000);
	expect_error(0, "w/runtime.conf:1:1: this file is left out: has more than one name");
	conf_clean(&c);
	unlink(other);
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.maxjitter_ns, 250000000);
	conf_clean(&c);
	chmod(path_of("w/runtime.conf"), 0646);
	assert_int_equal(load(&c), 0);
	assert_int_equal(c.maxjitter_ns, 500000000);
	expect_error(0, "w/runtime.conf:1:1: this file is left out: may be written");
	conf_clean(&c);
	if (getuid() == 0) {
		chmod(path_of("w/runtime.conf"), 0644);
		assert_int_equal(chown(path_of("w/runtime.conf"), 12345, 0), 0);
		assert_int_equal(load(&c), 0);
		assert_int_equal(c.maxjitter_ns, 500000000);
		expect_error(0, "w/runtime.conf:1:1: this file is left out: does not belong");
		conf_clean(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_include_errors),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_drop_ins),
		cmocka_unit_test(test_saved_without_lines),
		cmocka_unit_test(test_sources_anew),
		cmocka_unit_test(test_runtime),
		cmocka_unit_test(test_runtime_is_no_link),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("conf_file", tests, setup, teardown);
}
