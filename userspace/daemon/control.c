// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control protocol: one line of JSON in, one object out.  No socket here
 * (control_sock.c), no daemon either (struct control_ops), so that it can be
 * tested and fuzzed by itself.  Runs in the event loop.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/control.h"

/* An object in an object is all that a request may hold. */
#define DEPTH_MAX	4

/* struct command - @arg: the one string it takes, NULL = none */
struct command {
	const char *name;
	const char *arg;
	bool	 change;
	int	 (*run)(const struct control_ops *ops, void *ctx, const char *arg,
			struct json_object *data, struct control_error *err);
};

static int run_version(const struct control_ops *ops, void *ctx, const char *arg,
		       struct json_object *data, struct control_error *err)
{
	(void)arg;
	return ops->version(ctx, data, err);
}

static int run_status(const struct control_ops *ops, void *ctx, const char *arg,
		      struct json_object *data, struct control_error *err)
{
	(void)arg;
	return ops->status(ctx, data, err);
}

static int run_sources(const struct control_ops *ops, void *ctx, const char *arg,
		       struct json_object *data, struct control_error *err)
{
	(void)arg;
	return ops->sources(ctx, data, err);
}

static int run_upstream_list(const struct control_ops *ops, void *ctx, const char *arg,
			     struct json_object *data, struct control_error *err)
{
	(void)arg;
	return ops->upstream_list(ctx, data, err);
}

static int run_upstream_add(const struct control_ops *ops, void *ctx, const char *arg,
			    struct json_object *data, struct control_error *err)
{
	return ops->upstream_add(ctx, arg, data, err);
}

static int run_upstream_del(const struct control_ops *ops, void *ctx, const char *arg,
			    struct json_object *data, struct control_error *err)
{
	return ops->upstream_del(ctx, arg, data, err);
}

static const struct command commands[] = {
	{ "version", NULL, false, run_version },
	{ "status", NULL, false, run_status },
	{ "sources", NULL, false, run_sources },
	{ "upstream-list", NULL, false, run_upstream_list },
	{ "upstream-add", "line", true, run_upstream_add },
	{ "upstream-del", "name", true, run_upstream_del },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

__attribute__((format(printf, 4, 5)))
static int refuse(struct control_error *err, int ret, const char *code, const char *fmt, ...)
{
	va_list ap;

	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return ret;
}

static int bad_json(struct json_tokener *tok, struct control_error *err)
{
	enum json_tokener_error why = json_tokener_get_error(tok);

	if (why == json_tokener_continue)
		return refuse(err, -EINVAL, "bad-request",
			      "the JSON object is not complete: send it whole, on one line");
	if (why == json_tokener_error_depth)
		return refuse(err, -EINVAL, "bad-request",
			      "nested too deeply: a request is a flat JSON object");
	return refuse(err, -EINVAL, "bad-request",
		      "not valid JSON near byte %zu (%s): send one JSON object per line",
		      json_tokener_get_parse_end(tok) + 1, json_tokener_error_desc(why));
}

static bool starts_object(const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t' || *line == '\r')) {
		line++;
		len--;
	}
	return len && *line == '{';
}

/* Return: 0 with a new reference in @out, or -errno with @err. */
static int parse_request(const char *line, size_t len, struct json_object **out,
			 struct control_error *err)
{
	struct json_tokener *tok;
	int ret = 0;

	*out = NULL;
	if (len > CONTROL_LINE_MAX)
		return refuse(err, -EINVAL, "bad-request", "the line is longer than %d bytes",
			      CONTROL_LINE_MAX);
	if (!len || memchr(line, '\0', len))
		return refuse(err, -EINVAL, "bad-request", len ? "a NUL byte in the line" :
			      "an empty line: send {\"cmd\": \"status\"} or another command");
	if (!starts_object(line, len))
		return refuse(err, -EINVAL, "bad-request", "not a JSON object: "
			      "send {\"cmd\": \"status\"} or another command");
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (!tok)
		return refuse(err, -ENOMEM, "internal", "out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*out = json_tokener_parse_ex(tok, line, (int)len);
	if (json_tokener_get_error(tok) != json_tokener_success)
		ret = bad_json(tok, err);
	json_tokener_free(tok);
	return ret;
}

/* A string member without NUL inside, or NULL with @err. */
static const char *get_string(struct json_object *req, const char *cmd, const char *key,
			      struct control_error *err)
{
	struct json_object *v;
	const char *s;

	if (!json_object_object_get_ex(req, key, &v)) {
		refuse(err, 0, "bad-request", "%s needs \"%s\"", cmd, key);
		return NULL;
	}
	if (!json_object_is_type(v, json_type_string)) {
		refuse(err, 0, "bad-request", "\"%s\" must be a string", key);
		return NULL;
	}
	s = json_object_get_string(v);
	if (strlen(s) != (size_t)json_object_get_string_len(v)) {
		refuse(err, 0, "bad-request", "\"%s\" holds a NUL character", key);
		return NULL;
	}
	return s;
}

/* What changes something is refused as a whole when a part is not understood. */
static int check_members(struct json_object *req, const struct command *c,
			 struct control_error *err)
{
	json_object_object_foreach(req, key, val) {
		(void)val;
		if (strcmp(key, "cmd") == 0 || (c->arg && strcmp(key, c->arg) == 0))
			continue;
		return refuse(err, -EINVAL, "bad-request", "%s does not take \"%.64s\", only "
			      "\"%s\"", c->name, key, c->arg ? c->arg : "cmd");
	}
	return 0;
}

static const struct command *find_command(const char *name, struct control_error *err)
{
	char list[256] = "";
	size_t i, n = 0;

	for (i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	for (i = 0; i < COMMANDS; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      commands[i].name);
	refuse(err, 0, "unknown-command", "unknown command \"%.64s\" (accepted: %s)", name, list);
	return NULL;
}

static int run(const struct control_ops *ops, void *ctx, struct json_object *req,
	       bool may_change, struct json_object *data, struct control_error *err)
{
	const char *name, *arg = NULL;
	const struct command *c;

	name = get_string(req, "a request", "cmd", err);
	if (!name)
		return -EINVAL;
	c = find_command(name, err);
	if (!c)
		return -EINVAL;
	if (c->change && !may_change)
		return refuse(err, -EACCES, "denied", "%s changes the daemon: only root may do "
			      "so", c->name);
	if (c->change && check_members(req, c, err) < 0)
		return -EINVAL;
	if (c->arg) {
		arg = get_string(req, c->name, c->arg, err);
		if (!arg)
			return -EINVAL;
	}
	return c->run(ops, ctx, arg, data, err);
}

/* @data is given away. */
static struct json_object *envelope(int ret, struct json_object *data,
				    const struct control_error *err)
{
	struct json_object *answer = json_object_new_object();
	struct json_object *error;

	if (!answer) {
		json_object_put(data);
		return NULL;
	}
	json_object_object_add(answer, "schema", json_object_new_int(CONTROL_SCHEMA));
	json_object_object_add(answer, "ok", json_object_new_boolean(ret >= 0));
	if (ret >= 0) {
		json_object_object_add(answer, "data", data);
		return answer;
	}
	json_object_put(data);
	error = json_object_new_object();
	if (error) {
		json_object_object_add(error, "code", json_object_new_string(
				       err->code ? err->code : "internal"));
		json_object_object_add(error, "text", json_object_new_string(
				       err->text[0] ? err->text : strerror(-ret)));
	}
	json_object_object_add(answer, "error", error);
	return answer;
}

struct json_object *control_handle_line(const struct control_ops *ops, void *ctx,
					const char *line, size_t len, bool may_change)
{
	struct json_object *req, *data = json_object_new_object();
	struct control_error err = { 0 };
	int ret;

	if (!data)
		return NULL;
	ret = parse_request(line, len, &req, &err);
	if (ret == 0)
		ret = run(ops, ctx, req, may_change, data, &err);
	json_object_put(req);
	return envelope(ret, data, &err);
}
