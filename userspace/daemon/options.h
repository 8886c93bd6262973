/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of ntpkd.  Process context, start-up only.
 */
#ifndef NTPKD_OPTIONS_H
#define NTPKD_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include "daemon/log.h"

enum options_mode {
	MODE_DAEMON,		/* background, syslog */
	MODE_SYSLOG,		/* -n: foreground, syslog */
	MODE_STDERR,		/* -d: foreground, stderr */
};

/**
 * struct options - what was asked for
 * @file: configuration
 * @file_buf: its absolute path, for a reload from another folder
 * @socket: control socket, NULL = none
 * @mode: -d, -n or neither
 * @level: -L
 * @check: -t
 * @no_clock: -x
 * @no_filter: -F 0
 */
struct options {
	const char *file;
	char	 file_buf[PATH_MAX];
	const char *socket;
	enum options_mode mode;
	enum log_level level;
	bool	 check;
	bool	 no_clock;
	bool	 no_filter;
};

/**
 * options_parse() - argv to options
 * @opt: filled
 * @argc: of main()
 * @argv: of main()
 *
 * Return: < 0 to go on; else the exit status: -h and -v print and give 0, an
 * error is printed and gives 2.
 */
int options_parse(struct options *opt, int argc, char **argv);

#endif /* NTPKD_OPTIONS_H */
