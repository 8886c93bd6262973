/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket (Documentation/control.md).  Runs in the daemon's event
 * loop; never blocks it.  What commands there are and what they mean is in a table,
 * so that the protocol can be tested and fuzzed without a daemon.
 */
#ifndef NTPKD_CONTROL_H
#define NTPKD_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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

#define CONTROL_ARGS_MAX	4

enum control_right {
	CONTROL_READ,		/* the socket's group */
	CONTROL_CHANGE,		/* root */
};

enum control_type {
	CONTROL_NONE,		/* ends the arguments */
	CONTROL_TEXT,		/* a string without NUL */
	CONTROL_FLAG,		/* true or false; false when left out */
};

/**
 * struct control_arg - one member of a request
 * @name: of the member
 * @type: what it must be
 * @required: a request without it is refused
 */
struct control_arg {
	const char *name;
	enum control_type type;
	bool	 required;
};

/* struct control_value - of one argument; @text is NULL when it was left out */
struct control_value {
	const char *text;
	bool	 flag;
};

/**
 * typedef control_run - carry out one command
 * @ctx: of the table's user
 * @args: in the order of the row's arguments, CONTROL_ARGS_MAX of them
 * @data: empty JSON object, to be filled
 * @err: to be filled when it fails, by control_refuse()
 *
 * Return: 0 or -errno.
 */
typedef int control_run(void *ctx, const struct control_value *args, struct json_object *data,
			struct control_error *err);

/**
 * struct control_command - one row: all that there is to say about a command
 * @name: "cmd" of the request
 * @right: who may
 * @args: up to the first CONTROL_NONE
 * @run: what it does
 */
struct control_command {
	const char *name;
	enum control_right right;
	struct control_arg args[CONTROL_ARGS_MAX];
	control_run *run;
};

/* struct control_table - the commands, @len of them, and the argument of their run() */
struct control_table {
	const struct control_command *rows;
	size_t	 len;
	void	 *ctx;
};

/**
 * control_refuse() - fill an error
 * @err: filled
 * @ret: -errno
 * @code: static word, see Documentation/control.md
 * @fmt: printf-like, for people
 *
 * Return: @ret.
 */
__attribute__((format(printf, 4, 5)))
int control_refuse(struct control_error *err, int ret, const char *code, const char *fmt, ...);

/**
 * control_describe() - the table as data of an answer
 * @t: commands
 *
 * Return: a new array of {"name", "right", "args": [{"name", "type", "required"}]}.
 */
struct json_object *control_describe(const struct control_table *t);

/**
 * control_handle_line() - one request to one answer; pure but for the commands
 * @t: commands
 * @line: request without newline, @len bytes, anything
 * @len: its length
 * @may_change: the peer is root
 *
 * Return: the answer, a new reference; never NULL unless memory is out.
 */
struct json_object *control_handle_line(const struct control_table *t, const char *line,
					size_t len, bool may_change);

/**
 * control_failure() - the answer to a request that failed
 * @err: why
 *
 * Return: a new reference, NULL when memory is out.
 */
struct json_object *control_failure(const struct control_error *err);

/**
 * control_open() - listen
 * @base: the loop
 * @path: of the socket; its folder is made root:ntpk 0750 when missing, a stale
 *	socket is replaced, a live one refused (-EADDRINUSE)
 * @table: commands, copied; its rows must stay
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int control_open(struct event_base *base, const char *path, const struct control_table *table,
		 struct control **out);

/**
 * control_hold() - hold back the answer to the request that is being carried out
 * @c: the socket, or NULL
 * @late: the error's text when it takes longer than seconds; constant
 *
 * What the command puts into its data is the answer, once control_release() says
 * that all went well; the connection's next requests wait behind it, and are not
 * carried out before control_release() has returned.
 *
 * Return: the ticket for control_release(), 0 outside a connection's request.
 */
uint64_t control_hold(struct control *c, const char *late);

/**
 * control_release() - let an answer go that was held back
 * @c: the socket, or NULL
 * @ticket: of control_hold(); nothing happens when its connection has gone
 * @failure: what to answer instead, NULL = all went well
 */
void control_release(struct control *c, uint64_t ticket, const struct control_error *failure);

/**
 * struct control_stream - the last member of an answer, too long for one turn
 * @key: of the member
 * @text: it is a string, of which @next gives pieces; else an array of objects
 * @next: puts the next piece, a new reference, into @piece, or NULL when there is
 *	none this time; returns false after the last
 * @done: frees @ctx
 * @ctx: for both
 */
struct control_stream {
	const char *key;
	bool	 text;
	bool	 (*next)(void *ctx, struct json_object **piece);
	void	 (*done)(void *ctx);
	void	*ctx;
};

/**
 * control_send() - send a long member of the answer, as much per turn as its time allows
 * @c: the socket, or NULL
 * @s: copied; its @ctx is taken over
 * @data: of the answer; outside a connection's request, all of it is put in here
 *
 * A command calls it when nothing can go wrong any more.
 *
 * Return: 0, -ENOMEM.
 */
int control_send(struct control *c, const struct control_stream *s, struct json_object *data);

/** control_close() - close all and unlink the socket; NULL is fine */
void control_close(struct control *c);

#endif /* NTPKD_CONTROL_H */
