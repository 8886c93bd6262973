// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket: the protocol against a daemon of our own making, then
 * the real socket in a folder of its own, with peers that send half a line,
 * never read, or are too many.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>
#include <event2/event.h>
#include "daemon/control.h"
#include "daemon/turn.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FILLER	8000

/* What the daemon was asked last. */
static struct {
	char what[32];
	char arg[CONTROL_LINE_MAX + 1];
	unsigned int calls;
	bool refuse;
	bool big;
	struct control *control;
	uint64_t ticket;
	unsigned int pieces;	/* of a long answer */
	unsigned int given;
	unsigned int done;
	bool text;
	bool extra;
	bool gap;
} fake;

static int said(const char *what, const char *arg, struct json_object *data,
		struct control_error *err)
{
	static char filler[FILLER];

	snprintf(fake.what, sizeof(fake.what), "%s", what);
	snprintf(fake.arg, sizeof(fake.arg), "%s", arg);
	fake.calls++;
	if (fake.refuse) {
		err->code = "not-found";
		snprintf(err->text, sizeof(err->text), "no such thing");
		return -ENOENT;
	}
	if (fake.big) {
		memset(filler, 'x', sizeof(filler) - 1);
		json_object_object_add(data, "big", json_object_new_string(filler));
	}
	json_object_object_add(data, "did", json_object_new_string(what));
	return 0;
}

#define FAKE(name, arg) static int fake_##name(void *ctx, const struct control_value *args,	\
	struct json_object *data, struct control_error *err)					\
{												\
	(void)args;										\
	assert_ptr_equal(ctx, &fake);								\
	return said(#name, arg, data, err);							\
}
FAKE(version, "")
FAKE(status, "")
FAKE(sources, "")
FAKE(upstream_list, "")
FAKE(upstream_add, args[0].text)
FAKE(upstream_del, args[0].text)
FAKE(burst, args[0].text ? args[0].text : args[1].flag ? "(all, save)" : "(all)")

/* Its answer is held back, see struct fake. */
static int fake_keep(void *ctx, const struct control_value *args, struct json_object *data,
		     struct control_error *err)
{
	(void)ctx;
	(void)args;
	fake.ticket = control_hold(fake.control, "still at it");
	return said("keep", "", data, err);
}

/* A long member of @pieces objects or texts, with gaps between them. */
static bool next_piece(void *ctx, struct json_object **piece)
{
	struct json_object *o;

	assert_ptr_equal(ctx, &fake);
	if (fake.given == fake.pieces)
		return false;
	fake.gap = !fake.gap;
	if (fake.gap)
		return true;
	fake.given++;
	if (fake.text) {
		*piece = json_object_new_string("\"a\"\n");
		return true;
	}
	o = json_object_new_object();
	json_object_object_add(o, "n", json_object_new_int((int)fake.given));
	*piece = o;
	return fake.given < fake.pieces;
}

static void all_given(void *ctx)
{
	assert_ptr_equal(ctx, &fake);
	fake.done++;
}

static int fake_list(void *ctx, const struct control_value *args, struct json_object *data,
		     struct control_error *err)
{
	const struct control_stream s = { .key = "list", .text = fake.text, .next = next_piece,
					  .done = all_given, .ctx = ctx };

	(void)args;
	(void)err;
	fake.given = 0;
	if (fake.extra)
		json_object_object_add(data, "extra", json_object_new_int(1));
	return control_send(fake.control, &s, data);
}

static const struct control_command rows[] = {
	{ "version", CONTROL_READ, { { 0 } }, fake_version },
	{ "status", CONTROL_READ, { { 0 } }, fake_status },
	{ "sources", CONTROL_READ, { { 0 } }, fake_sources },
	{ "upstream-list", CONTROL_READ, { { 0 } }, fake_upstream_list },
	{ "burst", CONTROL_READ, { { "name", CONTROL_TEXT, false },
				   { "save", CONTROL_FLAG, false } }, fake_burst },
	{ "upstream-add", CONTROL_CHANGE, { { "line", CONTROL_TEXT, true } }, fake_upstream_add },
	{ "upstream-del", CONTROL_CHANGE, { { "name", CONTROL_TEXT, true } }, fake_upstream_del },
	{ "keep", CONTROL_READ, { { 0 } }, fake_keep },
	{ "list", CONTROL_READ, { { 0 } }, fake_list },
};
static const struct control_table table = { rows, LEN(rows), &fake };

/* The answer to a line; checks the envelope.  @code: NULL when fine. */
static void ask(const char *line, size_t len, bool root, const char **code, const char **text)
{
	static struct json_object *answer;
	struct json_object *v, *error;
	char *copy = malloc(len ? len : 1);	/* without a NUL behind it */

	assert_non_null(copy);
	memcpy(copy, line, len);
	json_object_put(answer);
	answer = control_handle_line(&table, copy, len, root);
	free(copy);
	*code = *text = NULL;
	if (!answer)
		return;
	assert_true(json_object_object_get_ex(answer, "schema", &v));
	assert_int_equal(json_object_get_int(v), CONTROL_SCHEMA);
	assert_true(json_object_object_get_ex(answer, "ok", &v));
	assert_null(strchr(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN), '\n'));
	if (json_object_get_boolean(v)) {
		assert_true(json_object_object_get_ex(answer, "data", &v));
		assert_true(json_object_is_type(v, json_type_object));
		return;
	}
	assert_true(json_object_object_get_ex(answer, "error", &error));
	assert_true(json_object_object_get_ex(error, "code", &v));
	*code = json_object_get_string(v);
	assert_true(json_object_object_get_ex(error, "text", &v));
	*text = json_object_get_string(v);
	assert_true(strlen(*text) > 5);
}

static void ask_ok(const char *line, bool root, const char *what, const char *arg)
{
	const char *code, *text;

	memset(&fake, 0, sizeof(fake));
	ask(line, strlen(line), root, &code, &text);
	if (code)
		fail_msg("%s: %s", line, text);
	assert_int_equal(fake.calls, 1);
	assert_string_equal(fake.what, what);
	assert_string_equal(fake.arg, arg);
}

static void test_commands(void **state)
{
	(void)state;
	ask_ok("{\"cmd\":\"version\"}", false, "version", "");
	ask_ok(" { \"cmd\" : \"status\" } \r", false, "status", "");
	ask_ok("{\"cmd\":\"sources\",\"verbose\":true}", false, "sources", "");
	ask_ok("{\"cmd\":\"upstream-list\",\"x\":[{}]}", false, "upstream_list", "");
	ask_ok("{\"cmd\":\"upstream-add\",\"line\":\"server a \\u00e4\"}", true, "upstream_add",
	       "server a \xc3\xa4");
	ask_ok("{\"name\":\"a\",\"cmd\":\"upstream-del\"}", true, "upstream_del", "a");
	ask_ok("{\"cmd\":\"burst\"}", false, "burst", "(all)");
	ask_ok("{\"cmd\":\"burst\",\"save\":true}", false, "burst", "(all, save)");
	ask_ok("{\"cmd\":\"burst\",\"name\":\"x\"}", false, "burst", "x");
}

static void refuse(const char *line, size_t len, bool root, const char *code, const char *says)
{
	const char *got, *text;

	memset(&fake, 0, sizeof(fake));
	ask(line, len, root, &got, &text);
	assert_non_null(got);
	assert_int_equal(fake.calls, 0);
	if (strcmp(got, code) != 0 || !strstr(text, says))
		fail_msg("%.60s: %s: %s (expected %s: %s)", line, got, text, code, says);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line;
		bool root;
		const char *code;
		const char *says;
	} t[] = {
		{ "", true, "bad-request", "an empty line" },
		{ "   ", true, "bad-request", "not a JSON object" },
		{ "status", true, "bad-request", "not a JSON object" },
		{ "[]", true, "bad-request", "not a JSON object" },
		{ "[{\"cmd\":\"status\"}]", true, "bad-request", "not a JSON object" },
		{ "42", true, "bad-request", "not a JSON object" },
		{ "null", true, "bad-request", "not a JSON object" },
		{ "\"status\"", true, "bad-request", "not a JSON object" },
		{ "{", true, "bad-request", "not complete" },
		{ "{\"cmd\":\"sta", true, "bad-request", "not complete" },
		{ "{\"cmd\":\"status\"", true, "bad-request", "not complete" },
		{ "{\"cmd\":\"status\"} x", true, "bad-request", "not valid JSON near byte" },
		{ "{\"cmd\":\"status\"}{}", true, "bad-request", "not valid JSON near byte" },
		{ "{'cmd':'status'}", true, "bad-request", "not valid JSON" },
		{ "{cmd:1}", true, "bad-request", "not valid JSON" },
		{ "{\"cmd\":\"status\",}", true, "bad-request", "not valid JSON" },
		{ "{\"cmd\":\"status\" /* x */}", true, "bad-request", "not valid JSON" },
		{ "{\"cmd\":\"\xff\"}", true, "bad-request", "not valid JSON" },
		{ "{\"cmd\":nan}", true, "bad-request", "not valid JSON" },
		{ "{\"a\":[[[[[[[[1]]]]]]]]}", true, "bad-request", "nested too deeply" },
		{ "{}", true, "bad-request", "a request needs \"cmd\"" },
		{ "{\"CMD\":\"status\"}", true, "bad-request", "a request needs \"cmd\"" },
		{ "{\"cmd\":1}", true, "bad-request", "\"cmd\" must be a string" },
		{ "{\"cmd\":null}", true, "bad-request", "\"cmd\" must be a string" },
		{ "{\"cmd\":\"status\\u0000\"}", true, "bad-request", "\"cmd\" holds a NUL" },
		{ "{\"cmd\":\"\"}", true, "unknown-command", "accepted: version, status" },
		{ "{\"cmd\":\"Status\"}", true, "unknown-command", "\"Status\"" },
		{ "{\"cmd\":\"reload\"}", true, "unknown-command", "upstream-del, keep, list)" },
		{ "{\"cmd\":\"upstream-add\"}", true, "bad-request", "needs \"line\"" },
		{ "{\"cmd\":\"upstream-add\",\"line\":5}", true, "bad-request",
		  "\"line\" must be a string" },
		{ "{\"cmd\":\"upstream-add\",\"line\":\"server a\\u0000b\"}", true, "bad-request",
		  "\"line\" holds a NUL" },
		{ "{\"cmd\":\"upstream-add\",\"line\":\"server a\",\"save\":true}", true,
		  "bad-request", "does not take \"save\", only \"line\"" },
		{ "{\"cmd\":\"burst\",\"save\":1}", true, "bad-request",
		  "\"save\" must be true or false" },
		{ "{\"cmd\":\"burst\",\"name\":null}", true, "bad-request",
		  "\"name\" must be a string" },
		{ "{\"cmd\":\"upstream-del\",\"line\":\"a\"}", true, "bad-request",
		  "does not take \"line\", only \"name\"" },
		{ "{\"cmd\":\"upstream-del\"}", true, "bad-request", "needs \"name\"" },
		{ "{\"cmd\":\"upstream-add\",\"line\":\"server a\"}", false, "denied",
		  "only root" },
		{ "{\"cmd\":\"upstream-del\",\"name\":\"a\"}", false, "denied", "only root" },
		{ "{\"cmd\":\"upstream-del\",\"nonsense\":1}", false, "denied", "only root" },
	};
	static char deep[CONTROL_LINE_MAX + 1];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(t); i++)
		refuse(t[i].line, strlen(t[i].line), t[i].root, t[i].code, t[i].says);
	refuse("{\"cmd\":\"status\"}\0", 17, true, "bad-request", "NUL byte");
	memset(deep, '[', sizeof(deep));
	memcpy(deep, "{\"a\":", 5);
	refuse(deep, CONTROL_LINE_MAX, true, "bad-request", "nested too deeply");
	refuse(deep, CONTROL_LINE_MAX + 1, true, "bad-request", "longer than 4096 bytes");
}

static void test_daemon_refuses(void **state)
{
	const char *code, *text;

	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.refuse = true;
	ask("{\"cmd\":\"status\"}", 16, false, &code, &text);
	assert_string_equal(code, "not-found");
	assert_string_equal(text, "no such thing");
}

static void test_noise(void **state)
{
	static const char alphabet[] = "{}[]\",:\\ue01cmdstatusline-+.";
	uint64_t x = 99;
	char line[120];
	int i, j, n;

	(void)state;
	for (i = 0; i < 100000; i++) {
		const char *code, *text;

		n = snprintf(line, sizeof(line), "{\"cmd\":\"upstream-add\",\"line\":\"a\"}");
		for (j = i % 40; j; j--) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			line[(x >> 33) % (unsigned int)n] = i & 1 ? (char)(x >> 56) :
				alphabet[(x >> 50) % (sizeof(alphabet) - 1)];
		}
		ask(line, (size_t)n, false, &code, &text);
		assert_non_null(code);	/* a reader never succeeds in changing */
	}
}

/* The real socket. */
struct rig {
	struct event_base *base;
	struct control *c;
	char folder[64];
	char path[96];
};

static int rig_up(void **state)
{
	static struct rig rig;
	const char *tmp = getenv("TMPDIR");

	memset(&rig, 0, sizeof(rig));
	memset(&fake, 0, sizeof(fake));
	snprintf(rig.folder, sizeof(rig.folder), "%.40s/ctlXXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(rig.folder));
	snprintf(rig.path, sizeof(rig.path), "%s/run/ntpkd.sock", rig.folder);
	rig.base = event_base_new();
	assert_non_null(rig.base);
	assert_int_equal(control_open(rig.base, rig.path, &table, &rig.c), 0);
	fake.control = rig.c;
	*state = &rig;
	return 0;
}

static int rig_down(void **state)
{
	struct rig *rig = *state;
	char run[80];

	control_close(rig->c);
	assert_int_equal(access(rig->path, F_OK), -1);
	event_base_free(rig->base);
	snprintf(run, sizeof(run), "%s/run", rig->folder);
	rmdir(run);
	return rmdir(rig->folder);
}

static int dial(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void turn(struct rig *rig)
{
	event_base_loop(rig->base, EVLOOP_NONBLOCK);
	turn_end();
}

/* Runs the loop until a line, the end (0) or @limit_s (-1) has come. */
static int read_line(struct rig *rig, int fd, char *buf, size_t size, double limit_s)
{
	double until_s = now_s() + limit_s;
	size_t len = 0;
	ssize_t n;

	while (now_s() < until_s) {
		turn(rig);
		n = recv(fd, buf + len, 1, 0);
		if (n < 0 && errno == EAGAIN) {
			usleep(500);
			continue;
		}
		if (n <= 0)
			return 0;
		if (buf[len] == '\n') {
			buf[len] = '\0';
			return (int)len;
		}
		if (len + 2 < size)
			len++;
	}
	return -1;
}

static void put(int fd, const char *s)
{
	assert_int_equal(send(fd, s, strlen(s), MSG_NOSIGNAL), (ssize_t)strlen(s));
}

static void test_socket(void **state)
{
	struct rig *rig = *state;
	struct control *second;
	struct stat st;
	char buf[512], run[80];
	int fd;

	assert_int_equal(stat(rig->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	snprintf(run, sizeof(run), "%s/run", rig->folder);
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(control_open(rig->base, rig->path, &table, &second), -EADDRINUSE);
	assert_null(second);
	/* pieces, then two requests at once */
	fd = dial(rig->path);
	put(fd, "{\"cmd\":");
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 0.1), -1);
	put(fd, "\"status\"}\n{\"cmd\":\"version\"}\n{\"cmd\":\"vers");
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"status\""));
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"version\""));
	/* the right to change is the peer's, and the half line dies with it */
	put(fd, "ion\"}\n{\"cmd\":\"upstream-add\",\"line\":\"server a\"}\n");
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, geteuid() == 0 ? "\"did\":\"upstream_add\"" : "\"denied\""));
	put(fd, "{\"cmd\":\"sources\"}\n{\"cmd\"");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"sources\""));
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 5), 0);
	close(fd);
}

static void let_all_in(const struct rig *rig)
{
	char run[80];

	snprintf(run, sizeof(run), "%s/run", rig->folder);
	assert_int_equal(chmod(rig->folder, 0755) | chmod(run, 0755) | chmod(rig->path, 0666), 0);
}

/* Another user, by fork: the peer's credentials decide. */
static void test_not_root(void **state)
{
	struct rig *rig = *state;
	char buf[512];
	int fd, pair[2];
	pid_t pid;

	if (geteuid() != 0)
		skip();
	let_all_in(rig);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(65534) < 0)
			_exit(1);
		fd = dial(rig->path);
		put(fd, "{\"cmd\":\"upstream-del\",\"name\":\"a\"}\n{\"cmd\":\"status\"}\n");
		/* hold it open until told */
		_exit(read(pair[1], buf, 1) == 1 && read(fd, buf, sizeof(buf)) > 0 &&
		      strstr(buf, "\"denied\"") ? 0 : 1);
	}
	close(pair[1]);
	double until_s = now_s() + 5;
	while (fake.calls == 0 && now_s() < until_s)
		event_base_loop(rig->base, EVLOOP_ONCE);
	event_base_loop(rig->base, EVLOOP_NONBLOCK);
	assert_string_equal(fake.what, "status");
	assert_int_equal(fake.calls, 1);
	assert_int_equal(write(pair[0], "x", 1), 1);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(pair[0]);
}

static void test_too_long(void **state)
{
	static char line[CONTROL_LINE_MAX + 100];
	struct rig *rig = *state;
	char buf[512];
	int fd = dial(rig->path);

	/* the longest line that fits */
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"cmd\":\"status\"}", 16);
	line[CONTROL_LINE_MAX] = '\n';
	line[CONTROL_LINE_MAX + 1] = '\0';
	put(fd, line);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"status\""));
	/* one byte more, without an end: refused, then closed */
	line[CONTROL_LINE_MAX] = ' ';
	put(fd, line);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "longer than 4096 bytes"));
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 5), 0);
	close(fd);
	assert_int_equal(fake.calls, 1);
}

/* As somebody else where we are root: the peer is who connects. */
static int dial_as_nobody(const char *path)
{
	bool root = geteuid() == 0;
	int fd;

	assert_int_equal(root ? seteuid(65534) : 0, 0);
	fd = dial(path);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	return fd;
}

static void must_be_too_many(struct rig *rig, int fd)
{
	char buf[512];

	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"code\":\"too-many\""));
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 5), 0);
	close(fd);
}

static void must_be_answered(struct rig *rig, int fd)
{
	char buf[512];

	put(fd, "{\"cmd\":\"version\"}\n");
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"version\""));
}

static void test_too_many(void **state)
{
	int others = 16, roots = geteuid() == 0 ? 2 : 0, fd[18], i;
	struct rig *rig = *state;

	let_all_in(rig);
	for (i = 0; i < others; i++) {
		fd[i] = dial_as_nobody(rig->path);
		must_be_answered(rig, fd[i]);
	}
	must_be_too_many(rig, dial_as_nobody(rig->path));
	/* all that others can have is taken: root is heard still */
	for (i = others; i < others + roots; i++) {
		fd[i] = dial(rig->path);
		must_be_answered(rig, fd[i]);
	}
	must_be_too_many(rig, dial(rig->path));
	/* one goes, the next may come */
	close(fd[3]);
	event_base_loop(rig->base, EVLOOP_NONBLOCK);
	fd[3] = dial_as_nobody(rig->path);
	must_be_answered(rig, fd[3]);
	for (i = 0; i < others + roots; i++)
		close(fd[i]);
}

/* Sends until neither side takes more. */
static unsigned int stuff(struct rig *rig, int fd)
{
	static const char req[] = "{\"cmd\":\"status\"}\n";
	unsigned int idle = 0, calls = 0;

	while (idle < 100) {
		ssize_t n = send(fd, req, sizeof(req) - 1, MSG_NOSIGNAL);

		event_base_loop(rig->base, EVLOOP_NONBLOCK);
		idle = n < 0 && fake.calls == calls ? idle + 1 : 0;
		calls = fake.calls;
	}
	return calls;
}

/* All who waste time, at once: half a line, silence, never reading. */
static void test_slow(void **state)
{
	struct rig *rig = *state;
	int half = dial(rig->path), silent = dial(rig->path), deaf = dial(rig->path);
	double start_s = now_s();
	unsigned int calls;
	char buf[64];
	int busy;

	fake.big = true;
	calls = stuff(rig, deaf);
	/* the kernel's buffers and ours: a few hundred KiB, not what was asked for */
	assert_true(calls * FILLER < (2u << 20));
	fake.big = false;
	/* the loop is free for others meanwhile */
	busy = dial(rig->path);
	put(busy, "{\"cmd\":\"status\"}\n");
	assert_true(read_line(rig, busy, buf, sizeof(buf), 2) > 0);
	put(half, "{\"cmd\":\"st");
	assert_int_equal(read_line(rig, half, buf, sizeof(buf), 30), 0);
	assert_true(now_s() - start_s > 9);
	assert_true(now_s() - start_s < 20);
	assert_int_equal(read_line(rig, silent, buf, sizeof(buf), 5), 0);
	while (read_line(rig, deaf, buf, sizeof(buf), 5) > 0)
		;
	assert_int_equal(read_line(rig, deaf, buf, sizeof(buf), 1), 0);
	close(half);
	close(silent);
	close(deaf);
	close(busy);
}

static uint64_t held(struct rig *rig, int fd, const char *lines)
{
	double until_s = now_s() + 5;

	fake.ticket = 0;
	put(fd, lines);
	while (!fake.ticket && now_s() < until_s)
		event_base_loop(rig->base, EVLOOP_ONCE);
	assert_true(fake.ticket != 0);
	return fake.ticket;
}

/* An answer that waits: what comes behind it waits too, other connections do not. */
static void test_hold(void **state)
{
	const struct control_error err = { .code = "io", .text = "the disk is full" };
	struct rig *rig = *state;
	int fd = dial(rig->path), other = dial(rig->path);
	uint64_t ticket = held(rig, fd, "{\"cmd\":\"keep\"}\n{\"cmd\":\"version\"}\n");
	unsigned int calls = fake.calls;
	char buf[512];

	put(other, "{\"cmd\":\"status\"}\n");
	assert_true(read_line(rig, other, buf, sizeof(buf), 5) > 0);
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 0.1), -1);
	assert_int_equal(fake.calls, calls + 1);
	/* another's ticket, or none, lets nothing go */
	control_release(rig->c, ticket + 1, NULL);
	control_release(rig->c, 0, NULL);
	control_release(NULL, ticket, NULL);
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 0.1), -1);
	control_release(rig->c, ticket, NULL);
	assert_int_equal(fake.calls, calls + 1);	/* not from within */
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"ok\":true"));
	assert_non_null(strstr(buf, "\"did\":\"keep\""));
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"version\""));
	control_release(rig->c, ticket, NULL);
	/* with a failure, to one who sends no more */
	ticket = held(rig, fd, "{\"cmd\":\"keep\"}\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 0.1), -1);
	control_release(rig->c, ticket, &err);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"code\":\"io\",\"text\":\"the disk is full\""));
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 5), 0);
	close(fd);
	close(other);
	/* outside a request there is nothing to hold */
	assert_true(control_hold(rig->c, "x") == 0);
	assert_true(control_hold(NULL, "x") == 0);
}

static void check_long(struct rig *rig, int fd, unsigned int pieces, const char *want)
{
	char buf[512];

	fake.pieces = pieces;
	put(fd, "{\"cmd\":\"list\"}\n{\"cmd\":\"version\"}\n");
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_string_equal(buf, want);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	assert_non_null(strstr(buf, "\"did\":\"version\""));
}

#define FINE "{\"schema\":1,\"ok\":true,\"data\":{"

/* What is sent piece by piece reads as if it had been sent whole, and in its turn. */
static void test_stream(void **state)
{
	struct rig *rig = *state;
	int fd = dial(rig->path);
	const char *code, *text;

	check_long(rig, fd, 0, FINE "\"list\":[]}}");
	check_long(rig, fd, 1, FINE "\"list\":[{\"n\":1}]}}");
	fake.extra = true;
	check_long(rig, fd, 3, FINE "\"extra\":1,\"list\":[{\"n\":1},{\"n\":2},{\"n\":3}]}}");
	fake.text = true;
	check_long(rig, fd, 0, FINE "\"extra\":1,\"list\":\"\"}}");
	fake.extra = false;
	check_long(rig, fd, 2, FINE "\"list\":\"\\\"a\\\"\\n\\\"a\\\"\\n\"}}");
	assert_int_equal(fake.done, 5);
	/* outside a connection, all at once */
	ask("{\"cmd\":\"list\"}", 14, true, &code, &text);
	assert_null(code);
	fake.text = false;
	ask("{\"cmd\":\"list\"}", 14, true, &code, &text);
	assert_null(code);
	assert_int_equal(fake.done, 7);
	close(fd);
}

/* Nobody reads: no more is made than fits; who goes takes the rest with him. */
static void test_stream_deaf(void **state)
{
	struct rig *rig = *state;
	int deaf = dial(rig->path), gone = dial(rig->path);
	unsigned int given = 0;
	char buf[64];

	fake.pieces = 10000000;
	put(deaf, "{\"cmd\":\"list\"}\n");
	do {
		given = fake.given;
		for (int i = 0; i < 50; i++)
			turn(rig);
	} while (fake.given != given);
	assert_true(given > 0);
	assert_true(given < 100000);
	assert_int_equal(fake.done, 0);
	put(gone, "{\"cmd\":\"status\"}\n");
	assert_true(read_line(rig, gone, buf, sizeof(buf), 5) > 0);
	close(deaf);
	for (int i = 0; i < 50; i++)
		turn(rig);
	assert_int_equal(fake.done, 1);
	/* the socket goes with an answer half sent */
	put(gone, "{\"cmd\":\"list\"}\n");
	for (int i = 0; i < 50; i++)
		turn(rig);
	assert_true(fake.given > 0);
	close(gone);
}

/* It takes too long, or nobody waits for it any more. */
static void test_hold_late(void **state)
{
	struct rig *rig = *state;
	int fd = dial(rig->path), gone = dial(rig->path);
	uint64_t ticket = held(rig, fd, "{\"cmd\":\"keep\"}\n"), ticket_gone;
	char buf[512];

	ticket_gone = held(rig, gone, "{\"cmd\":\"keep\"}\n");
	close(gone);
	assert_true(read_line(rig, fd, buf, sizeof(buf), 30) > 0);
	assert_non_null(strstr(buf, "\"code\":\"late\",\"text\":\"still at it\""));
	control_release(rig->c, ticket, NULL);
	assert_int_equal(read_line(rig, fd, buf, sizeof(buf), 0.1), -1);
	control_release(rig->c, ticket_gone, NULL);
	put(fd, "{\"cmd\":\"status\"}\n");
	assert_true(read_line(rig, fd, buf, sizeof(buf), 5) > 0);
	/* the socket goes with an answer held */
	held(rig, fd, "{\"cmd\":\"keep\"}\n");
	close(fd);
}

static void test_places(void **state)
{
	struct rig *rig = *state;
	struct control *c;
	char path[200], folder[160];
	int fd;

	/* a socket whose daemon is gone */
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/stale", rig->folder);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	assert_int_equal(control_open(rig->base, addr.sun_path, &table, &c), 0);
	fd = dial(addr.sun_path);
	close(fd);
	event_base_loop(rig->base, EVLOOP_NONBLOCK);
	/* a socket that is no longer ours is left alone */
	assert_int_equal(unlink(addr.sun_path), 0);
	fd = open(addr.sun_path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	control_close(c);
	assert_int_equal(access(addr.sun_path, F_OK), 0);
	/* a file in its place is not ours to delete */
	assert_int_equal(control_open(rig->base, addr.sun_path, &table, &c), -EEXIST);
	assert_int_equal(access(addr.sun_path, F_OK), 0);
	assert_int_equal(unlink(addr.sun_path), 0);
	/* a link in place of the folder is not followed */
	snprintf(folder, sizeof(folder), "%s/link", rig->folder);
	assert_int_equal(symlink("run", folder), 0);
	snprintf(path, sizeof(path), "%s/x.sock", folder);
	assert_true(control_open(rig->base, path, &table, &c) < 0);
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(symlink("nowhere", folder), 0);
	assert_true(control_open(rig->base, path, &table, &c) < 0);
	assert_int_equal(unlink(folder), 0);
	snprintf(folder, sizeof(folder), "%s/nowhere", rig->folder);
	assert_int_equal(access(folder, F_OK), -1);
	/* other impossible places */
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(control_open(rig->base, path, &table, &c), -ENAMETOOLONG);
	assert_int_equal(control_open(rig->base, "", &table, &c), -EINVAL);
	snprintf(path, sizeof(path), "%s/no/such/x.sock", rig->folder);
	assert_int_equal(control_open(rig->base, path, &table, &c), -ENOENT);
	control_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_daemon_refuses),
		cmocka_unit_test(test_noise),
		cmocka_unit_test_setup_teardown(test_socket, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_not_root, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_too_long, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_too_many, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_slow, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_hold, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_stream, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_stream_deaf, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_hold_late, rig_up, rig_down),
		cmocka_unit_test_setup_teardown(test_places, rig_up, rig_down),
	};

	signal(SIGPIPE, SIG_IGN);	/* as the daemon does */
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
