// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line of ntpkd.  Process context, start-up only.
 */
#include "daemon/options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "daemon/conf.h"
#include "daemon/control.h"

#define EXIT_USAGE	2

static void usage(FILE *out)
{
	fprintf(out,
		"usage: ntpkd [-d | -n] [-x] [-t] [-f FILE] [-s PATH] [-L LEVEL] [-F 0|1]\n"
		"  -f FILE   configuration, default " CONF_DEFAULT_FILE "\n"
		"  -t        check the configuration and exit\n"
		"  -d        stay in the foreground, messages to stderr\n"
		"  -n        stay in the foreground, messages to syslog\n"
		"  -x        never touch the system clock, only serve the right time\n"
		"  -s PATH   control socket, default " CONTROL_DEFAULT_SOCKET "; `none` = off\n"
		"  -L LEVEL  err, warn, info (default) or debug\n"
		"  -F 0|1    system call filter (seccomp), default 1 = on\n"
		"  -v        version\n"
		"  -h        this help\n");
}

static int refuse(const char *what, const char *value)
{
	fprintf(stderr, "ntpkd: %s%s; see ntpkd -h\n", what, value);
	return EXIT_USAGE;
}

/* Return: < 0 to go on, else the exit status. */
static int take(struct options *opt, int letter, const char *arg)
{
	int level;

	switch (letter) {
	case 'f':
		opt->file = arg;
		return -1;
	case 't':
		opt->check = true;
		return -1;
	case 'd':
		opt->mode = MODE_STDERR;
		return -1;
	case 'n':
		opt->mode = MODE_SYSLOG;
		return -1;
	case 'x':
		opt->no_clock = true;
		return -1;
	case 's':
		opt->socket = strcmp(arg, "none") ? arg : NULL;
		return -1;
	case 'L':
		level = log_level_parse(arg);
		if (level < 0)
			return refuse("-L takes err, warn, info or debug, not ", arg);
		opt->level = (enum log_level)level;
		return -1;
	case 'F':
		if (strcmp(arg, "0") && strcmp(arg, "1"))
			return refuse("-F takes 0 (no system call filter) or 1, not ", arg);
		opt->no_filter = arg[0] == '0';
		return -1;
	case 'v':
		printf("ntpkd %s\n", NTPK_VERSION);
		return 0;
	case 'h':
		usage(stdout);
		return 0;
	default:
		return -1;
	}
}

int options_parse(struct options *opt, int argc, char **argv)
{
	char letter[2] = "";
	int c, status;

	memset(opt, 0, sizeof(*opt));
	opt->file = CONF_DEFAULT_FILE;
	opt->socket = CONTROL_DEFAULT_SOCKET;
	opt->mode = MODE_DAEMON;
	opt->level = LOG_LEVEL_INFO;
	opterr = 0;
	while ((c = getopt(argc, argv, ":f:tdnxs:L:F:vh")) != -1) {
		letter[0] = (char)optopt;
		if (c == ':')
			return refuse("this option needs a value: -", letter);
		if (c == '?')
			return refuse("there is no option -", letter);
		status = take(opt, c, optarg);
		if (status >= 0)
			return status;
	}
	if (optind < argc)
		return refuse("unexpected argument: ", argv[optind]);
	return -1;
}
