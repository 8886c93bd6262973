// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control protocol: one line of JSON in, one object out.  No socket here
 * (control_sock.c), no daemon either (struct control_table), so that it can
 * be tested and fuzzed by itself.  Runs in the event loop.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/control.h"

/* An object in an object is all that a request may hold. */
#define DEPTH_MAX	4

int control_refuse(struct control_error *err, int ret, const char *code, const char *fmt, ...)
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
		return control_refuse(err, -EINVAL, "bad-request",
			      "the JSON object is not complete: send it whole, on one line");
	if (why == json_tokener_error_depth)
		return control_refuse(err, -EINVAL, "bad-request",
			      "nested too deeply: a request is a flat JSON object");
	return control_refuse(err, -EINVAL, "bad-request",
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
		return control_refuse(err, -EINVAL, "bad-request", "the line is longer than %d bytes",
			      CONTROL_LINE_MAX);
	if (!len || memchr(line, '\0', len))
		return control_refuse(err, -EINVAL, "bad-request", len ? "a NUL byte in the line" :
			      "an empty line: send {\"cmd\": \"status\"} or another command");
	if (!starts_object(line, len))
		return control_refuse(err, -EINVAL, "bad-request", "not a JSON object: "
			      "send {\"cmd\": \"status\"} or another command");
	tok = json_tokener_new_ex(DEPTH_MAX);
	if (!tok)
		return control_refuse(err, -ENOMEM, "internal", "out of memory");
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
		control_refuse(err, 0, "bad-request", "%s needs \"%s\"", cmd, key);
		return NULL;
	}
	if (!json_object_is_type(v, json_type_string)) {
		control_refuse(err, 0, "bad-request", "\"%s\" must be a string", key);
		return NULL;
	}
	s = json_object_get_string(v);
	if (strlen(s) != (size_t)json_object_get_string_len(v)) {
		control_refuse(err, 0, "bad-request", "\"%s\" holds a NUL character", key);
		return NULL;
	}
	return s;
}

static unsigned int args_len(const struct control_command *c)
{
	unsigned int n = 0;

	while (n < CONTROL_ARGS_MAX && c->args[n].type != CONTROL_NONE)
		n++;
	return n;
}

static bool takes(const struct control_command *c, const char *key)
{
	for (unsigned int i = 0; i < args_len(c); i++)
		if (strcmp(c->args[i].name, key) == 0)
			return true;
	return strcmp(key, "cmd") == 0;
}

/* "a", "b" */
static void list_args(const struct control_command *c, char *buf, size_t len)
{
	unsigned int n = args_len(c);
	size_t used = 0;

	snprintf(buf, len, "\"cmd\"");
	for (unsigned int i = 0; i < n && used < len; i++)
		used += (size_t)snprintf(buf + used, len - used, "%s\"%s\"", i ? ", " : "",
					 c->args[i].name);
}

/* What changes something is refused as a whole when a part is not understood. */
static int check_members(struct json_object *req, const struct control_command *c,
			 struct control_error *err)
{
	char list[128];

	json_object_object_foreach(req, key, val) {
		(void)val;
		if (takes(c, key))
			continue;
		list_args(c, list, sizeof(list));
		return control_refuse(err, -EINVAL, "bad-request", "%s does not take \"%.64s\", "
				      "only %s", c->name, key, list);
	}
	return 0;
}

static int get_flag(struct json_object *req, const char *key, bool *out, struct control_error *err)
{
	struct json_object *v;

	if (!json_object_object_get_ex(req, key, &v))
		return 0;
	if (!json_object_is_type(v, json_type_boolean))
		return control_refuse(err, -EINVAL, "bad-request", "\"%s\" must be true or false",
				      key);
	*out = json_object_get_boolean(v);
	return 0;
}

static int get_args(struct json_object *req, const struct control_command *c,
		    struct control_value *out, struct control_error *err)
{
	unsigned int n = args_len(c);

	for (unsigned int i = 0; i < n; i++) {
		const struct control_arg *a = &c->args[i];

		if (a->type == CONTROL_FLAG) {
			if (get_flag(req, a->name, &out[i].flag, err) < 0)
				return -EINVAL;
			continue;
		}
		if (!a->required && !json_object_object_get_ex(req, a->name, NULL))
			continue;
		out[i].text = get_string(req, c->name, a->name, err);
		if (!out[i].text)
			return -EINVAL;
	}
	return 0;
}

static const struct control_command *find_command(const struct control_table *t, const char *name,
						  struct control_error *err)
{
	char list[CONTROL_TEXT_MAX - 128] = "";
	size_t n = 0;

	for (size_t i = 0; i < t->len; i++)
		if (strcmp(t->rows[i].name, name) == 0)
			return &t->rows[i];
	for (size_t i = 0; i < t->len && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      t->rows[i].name);
	control_refuse(err, 0, "unknown-command", "unknown command \"%.64s\" (accepted: %s)", name,
		       list);
	return NULL;
}

static int run(const struct control_table *t, struct json_object *req, bool may_change,
	       struct json_object *data, struct control_error *err)
{
	struct control_value args[CONTROL_ARGS_MAX] = { 0 };
	const struct control_command *c;
	const char *name;

	name = get_string(req, "a request", "cmd", err);
	if (!name)
		return -EINVAL;
	c = find_command(t, name, err);
	if (!c)
		return -EINVAL;
	if (c->right == CONTROL_CHANGE && !may_change)
		return control_refuse(err, -EACCES, "denied", "%s changes the daemon: only root "
				      "may do so", c->name);
	if (c->right == CONTROL_CHANGE && check_members(req, c, err) < 0)
		return -EINVAL;
	if (get_args(req, c, args, err) < 0)
		return -EINVAL;
	return c->run(t->ctx, args, data, err);
}

static struct json_object *describe_arg(const struct control_arg *a)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(a->name));
	json_object_object_add(o, "type", json_object_new_string(a->type == CONTROL_FLAG ?
								 "flag" : "text"));
	json_object_object_add(o, "required", json_object_new_boolean(a->required));
	return o;
}

struct json_object *control_describe(const struct control_table *t)
{
	struct json_object *rows = json_object_new_array();

	for (size_t i = 0; i < t->len; i++) {
		const struct control_command *c = &t->rows[i];
		struct json_object *o = json_object_new_object();
		struct json_object *args = json_object_new_array();

		for (unsigned int j = 0; j < args_len(c); j++)
			json_object_array_add(args, describe_arg(&c->args[j]));
		json_object_object_add(o, "name", json_object_new_string(c->name));
		json_object_object_add(o, "right", json_object_new_string(
				       c->right == CONTROL_CHANGE ? "change" : "read"));
		json_object_object_add(o, "args", args);
		json_object_array_add(rows, o);
	}
	return rows;
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

struct json_object *control_failure(const struct control_error *err)
{
	return envelope(-EIO, NULL, err);
}

struct json_object *control_handle_line(const struct control_table *t, const char *line,
					size_t len, bool may_change)
{
	struct json_object *req, *data = json_object_new_object();
	struct control_error err = { 0 };
	int ret;

	if (!data)
		return NULL;
	ret = parse_request(line, len, &req, &err);
	if (ret == 0)
		ret = run(t, req, may_change, data, &err);
	json_object_put(req);
	return envelope(ret, data, &err);
}
