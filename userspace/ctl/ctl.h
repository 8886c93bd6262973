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
#include <json-c/json.h>

enum ctl_exit {
	CTL_OK,
	CTL_ERROR,		/* the daemon or the module refused */
	CTL_USAGE,
	CTL_NO_DAEMON,
	CTL_NO_MODULE,
	CTL_TIMEOUT,		/* waitsync ran out of tries */
};

/* struct ctl - the options */
struct ctl {
	const char *socket;
	bool	 json;
	bool	 all;		/* stats: counters of zero too */
	bool	 colour;
};

/* struct ctl_error - why there is no answer */
struct ctl_error {
	enum ctl_exit exit;
	char	 code[32];
	char	 text[640];
};

/**
 * struct ctl_command - one row of the table of subcommands
 * @name: as typed
 * @args: synopsis
 * @help: one line
 * @min_args: fewest words after the name
 * @max_args: most
 * @run: returns an exit code
 */
struct ctl_command {
	const char *name;
	const char *args;
	const char *help;
	int	 min_args;
	int	 max_args;
	int	 (*run)(const struct ctl *ctl, int argc, char **argv);
};

int cmd_status(const struct ctl *ctl, int argc, char **argv);
int cmd_sources(const struct ctl *ctl, int argc, char **argv);
int cmd_upstream(const struct ctl *ctl, int argc, char **argv);
int cmd_stats(const struct ctl *ctl, int argc, char **argv);
int cmd_waitsync(const struct ctl *ctl, int argc, char **argv);
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
 * @value: of its argument
 * @answer: out: a new reference to the envelope when the daemon agreed, else NULL
 * @err: filled when it did not
 *
 * Return: CTL_OK, CTL_ERROR or CTL_NO_DAEMON.
 */
int ctl_request(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
		struct json_object **answer, struct ctl_error *err);

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
 * ctl_print_data() - print data in the envelope of the control protocol
 * @data: given away
 */
void ctl_print_data(struct json_object *data);

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
