/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket (Documentation/control.md).  Runs in the daemon's event
 * loop; never blocks it.  What commands mean is behind struct control_ops, so
 * that the protocol can be tested and fuzzed without a daemon.
 */
#ifndef NTPKD_CONTROL_H
#define NTPKD_CONTROL_H

#include <stdbool.h>
#include <json-c/json.h>

#define CONTROL_DEFAULT_SOCKET	"/run/ntpk/ntpkd.sock"
#define CONTROL_SCHEMA		1
#define CONTROL_LINE_MAX	4096
#define CONTROL_TEXT_MAX	512

struct event_base;
struct control;

/* Why a command was refused: becomes "error" of the answer. */
struct control_error {
	const char *code;		/* static, see Documentation/control.md */
	char	 text[CONTROL_TEXT_MAX];
};

/**
 * struct control_ops - the daemon behind the socket
 * Each fills @data (an empty JSON object) and returns 0, or -errno with @err
 * filled.
 */
struct control_ops {
	int (*version)(void *ctx, struct json_object *data, struct control_error *err);
	int (*status)(void *ctx, struct json_object *data, struct control_error *err);
	int (*sources)(void *ctx, struct json_object *data, struct control_error *err);
	int (*upstream_list)(void *ctx, struct json_object *data, struct control_error *err);
	int (*upstream_add)(void *ctx, const char *line, struct json_object *data,
			    struct control_error *err);
	int (*upstream_del)(void *ctx, const char *name, struct json_object *data,
			    struct control_error *err);
};

/**
 * control_handle_line() - one request to one answer; pure but for @ops
 * @ops: the daemon
 * @ctx: its argument
 * @line: request without newline, @len bytes, anything
 * @len: its length
 * @may_change: the peer is root
 *
 * Return: the answer, a new reference; never NULL unless memory is out.
 */
struct json_object *control_handle_line(const struct control_ops *ops, void *ctx,
					const char *line, size_t len, bool may_change);

/**
 * control_open() - listen
 * @base: the loop
 * @path: of the socket; its folder is made root:ntpk 0750 when missing, a stale
 *	socket is replaced, a live one refused (-EADDRINUSE)
 * @ops: the daemon
 * @ctx: its argument
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int control_open(struct event_base *base, const char *path, const struct control_ops *ops,
		 void *ctx, struct control **out);

/** control_close() - close all and unlink the socket; NULL is fine */
void control_close(struct control *c);

#endif /* NTPKD_CONTROL_H */
