/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the subcommands of ntpkctl share: options, exit codes, the daemon's
 * socket and the printing of values.  One process, one thread.
 */
#ifndef NTPKCTL_CTL_H
#define NTPKCTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

struct ntpk_nl;

enum ctl_exit {
	CTL_OK,
	CTL_ERROR,		/* the daemon or the module refused */
	CTL_USAGE,
	CTL_NO_DAEMON,
	CTL_NO_MODULE,
	CTL_TIMEOUT,		/* waitsync ran out of tries */
};

#define CTL_LINE_LEN	2048	/* of the configuration, on the command line */

/* Options that only some subcommands take. */
#define CTL_O_ALL	(1u << 0)	/* --all: counters of zero too */
#define CTL_O_VERBOSE	(1u << 1)	/* -v: a legend, and more columns */
#define CTL_O_SAVE	(1u << 2)	/* --save: keep the change over restarts */
#define CTL_O_OUTPUT	(1u << 3)	/* -o OUT: into this new file */
#define CTL_O_HIST	(1u << 4)	/* --hist: what answers take */
#define CTL_O_SORT	(1u << 5)	/* --sort KEY: by what */
#define CTL_O_TOP	(1u << 6)	/* --top N: the first so many */
#define CTL_O_NAMES	(1u << 7)	/* --names: of addresses */
#define CTL_O_CLASS	(1u << 8)	/* --class NAME: of these only */
#define CTL_O_REQUESTS	(1u << 9)	/* --requests N: with at least so many */
#define CTL_O_SEEN	(1u << 10)	/* --seen SECONDS: no longer ago */

/**
 * struct ctl - the options
 * @socket: of the daemon
 * @output: of --output; this and those below are NULL where they were not given
 * @sort: of --sort
 * @top: of --top
 * @class: of --class
 * @requests: of --requests
 * @seen: of --seen
 * @json: one line of JSON instead of text
 * @colour: stdout is a terminal that shows colours
 * @options: CTL_O_* that were given
 * @timeout_s: how long an answer may take
 */
struct ctl {
	const char *socket;
	const char *output;
	const char *sort;
	const char *top;
	const char *class;
	const char *requests;
	const char *seen;
	bool	 json;
	bool	 colour;
	unsigned int options;
	int	 timeout_s;
};

/* struct ctl_error - why there is no answer */
struct ctl_error {
	enum ctl_exit exit;
	char	 code[32];
	char	 text[640];
};

/**
 * struct ctl_command - one row of the table of subcommands
 * @name: as typed; of two words where it is one of a group ("upstream add")
 * @args: synopsis
 * @help: one line
 * @min_args: fewest words after the name
 * @max_args: most
 * @options: CTL_O_* that it takes
 * @run: returns an exit code; the name's words are not among @argv
 */
struct ctl_command {
	const char *name;
	const char *args;
	const char *help;
	int	 min_args;
	int	 max_args;
	unsigned int options;
	int	 (*run)(const struct ctl *ctl, int argc, char **argv);
};

/* One function per row, in cmd_*.c */
int cmd_status(const struct ctl *ctl, int argc, char **argv);
int cmd_tracking(const struct ctl *ctl, int argc, char **argv);
int cmd_sources(const struct ctl *ctl, int argc, char **argv);
int cmd_sourcestats(const struct ctl *ctl, int argc, char **argv);
int cmd_selectdata(const struct ctl *ctl, int argc, char **argv);
int cmd_ntpdata(const struct ctl *ctl, int argc, char **argv);
int cmd_activity(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_list(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_add(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_del(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_online(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_offline(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream_burst(const struct ctl *ctl, int argc, char **argv);
int cmd_reload(const struct ctl *ctl, int argc, char **argv);
int cmd_set(const struct ctl *ctl, int argc, char **argv);
int cmd_unset(const struct ctl *ctl, int argc, char **argv);
int cmd_acl_check(const struct ctl *ctl, int argc, char **argv);
int cmd_makestep(const struct ctl *ctl, int argc, char **argv);
int cmd_rekey(const struct ctl *ctl, int argc, char **argv);
int cmd_reselect(const struct ctl *ctl, int argc, char **argv);
int cmd_log_level(const struct ctl *ctl, int argc, char **argv);
int cmd_watch(const struct ctl *ctl, int argc, char **argv);
int cmd_metrics(const struct ctl *ctl, int argc, char **argv);
int cmd_clients(const struct ctl *ctl, int argc, char **argv);
int cmd_stats(const struct ctl *ctl, int argc, char **argv);
int cmd_waitsync(const struct ctl *ctl, int argc, char **argv);
int cmd_config_import(const struct ctl *ctl, int argc, char **argv);
int cmd_version(const struct ctl *ctl, int argc, char **argv);

/**
 * ctl_run() - the whole program but for main()
 * @argc: of main()
 * @argv: of main()
 *
 * Return: enum ctl_exit.
 */
int ctl_run(int argc, char **argv);

/**
 * ctl_set_error() - fill an error
 * @err: filled
 * @exit: exit code
 * @code: short word for programs
 * @fmt: printf-like, for people
 *
 * Return: @exit.
 */
__attribute__((format(printf, 4, 5)))
int ctl_set_error(struct ctl_error *err, enum ctl_exit exit, const char *code, const char *fmt,
		  ...);

/**
 * ctl_request() - ask the daemon
 * @ctl: options
 * @cmd: of the control protocol
 * @key: name of its argument, NULL = none
 * @value: of its argument; NULL: the flag is set
 * @answer: out: a new reference to the envelope when the daemon agreed, else NULL
 * @err: filled when it did not
 *
 * Return: CTL_OK, CTL_ERROR or CTL_NO_DAEMON.
 */
int ctl_request(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
		struct json_object **answer, struct ctl_error *err);

/**
 * ctl_show() - ask the daemon, print its answer
 * @ctl: options
 * @cmd: of the control protocol
 * @key: name of its argument, NULL = none
 * @value: of its argument; NULL: the flag is set
 * @print: for people; with --json the answer is printed as it is
 *
 * Return: CTL_OK, CTL_ERROR or CTL_NO_DAEMON.
 */
int ctl_show(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
	     void (*print)(const struct ctl *ctl, struct json_object *data));

/**
 * ctl_join() - words as one line
 * @buf: out
 * @len: of @buf; the line may have been there begun
 * @argc: words
 * @argv: words
 *
 * Return: false, with a complaint on stderr, where it is too long.
 */
bool ctl_join(char *buf, size_t len, int argc, char **argv);

/**
 * ctl_list() - an array of an answer
 * @data: of the answer
 * @key: member
 *
 * Return: it, NULL when it is none or empty.
 */
struct json_object *ctl_list(struct json_object *data, const char *key);

/**
 * ctl_sources_table() - the table of `sources`
 * @ctl: options
 * @out: where to
 * @list: of the answer
 */
void ctl_sources_table(const struct ctl *ctl, FILE *out, struct json_object *list);

/**
 * ctl_source_mark() - a source's state as chronyc's users know it
 * @state: its name
 *
 * Return: one character; '?' for what cannot be used now.
 */
char ctl_source_mark(const char *state);

/**
 * ctl_fail() - print an error: to stderr, or with --json as envelope
 * @ctl: options
 * @err: the error
 * @data: what is known nevertheless, given away; may be NULL
 *
 * Return: its exit code.
 */
int ctl_fail(const struct ctl *ctl, const struct ctl_error *err, struct json_object *data);

/**
 * ctl_print_json() - print an object on one line, plain ASCII
 * @obj: object
 */
void ctl_print_json(struct json_object *obj);

/**
 * ctl_put_json() - the same without an end of line
 * @obj: object
 */
void ctl_put_json(struct json_object *obj);

/**
 * ctl_put_envelope() - the beginning of the envelope of ctl_print_data(), up to "data"
 *
 * For what is too much to be one object; "}" ends it.
 */
void ctl_put_envelope(void);

/**
 * ctl_print_data() - print data in the envelope of the control protocol
 * @data: given away
 */
void ctl_print_data(struct json_object *data);

/**
 * ctl_module_open() - talk to the module
 * @nl: out
 * @err: filled where that is not possible
 *
 * Return: CTL_OK, CTL_NO_MODULE or CTL_ERROR.
 */
int ctl_module_open(struct ntpk_nl **nl, struct ctl_error *err);

/**
 * ctl_module_failed() - the words for what the module refused
 * @nl: handle, NULL is fine
 * @ret: -errno
 * @what: was asked, as "read the module's state"
 * @err: filled
 *
 * Return: its exit code.
 */
int ctl_module_failed(const struct ntpk_nl *nl, int ret, const char *what, struct ctl_error *err);

/**
 * ctl_module_state() - ask the module
 * @out: out: a new object as `stats --json` has it, NULL when there is none
 * @err: filled when there is none
 *
 * Return: CTL_OK, CTL_NO_MODULE or CTL_ERROR.
 */
int ctl_module_state(struct json_object **out, struct ctl_error *err);

/**
 * ctl_print_module() - the module's state for people
 * @ctl: options
 * @module: from ctl_module_state()
 */
void ctl_print_module(const struct ctl *ctl, struct json_object *module);

#endif /* NTPKCTL_CTL_H */
