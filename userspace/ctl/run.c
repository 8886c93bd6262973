// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl's command line: the table of subcommands and the options, which may
 * stand anywhere.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl/ctl.h"
#include "daemon/control.h"

#define WORDS_MAX	64

static const struct ctl_command commands[] = {
	{ "status", "", "what is served, and how good it is", 0, 0, cmd_status },
	{ "sources", "", "the upstream sources, one per line", 0, 0, cmd_sources },
	{ "upstream", "add [server|pool] NAME [OPTION]... | del NAME | list",
	  "change or list the upstreams of the running daemon", 1, WORDS_MAX, cmd_upstream },
	{ "stats", "[--all]", "the module's state and counters", 0, 0, cmd_stats },
	{ "waitsync", "[TRIES [MAX_ERROR_S [INTERVAL_S]]]",
	  "wait until the clock is right (TRIES 0: for ever; every 10 s)", 0, 3, cmd_waitsync },
	{ "version", "", "of ntpkctl, ntpkd and the module", 0, 0, cmd_version },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* What the command line asks for. */
struct line {
	struct ctl ctl;
	bool	 help;
	int	 words_len;
	char	 *words[WORDS_MAX + 2];
};

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: ntpkctl [--json] [--socket PATH] COMMAND\n\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s%s%s\n      %s\n", commands[i].name,
			commands[i].args[0] ? " " : "", commands[i].args, commands[i].help);
	fputs("  help\n      this text\n\n", out);
	fputs("  --json         one line of JSON (Documentation/control.md)\n"
	      "  --socket PATH  of the daemon (default " CONTROL_DEFAULT_SOCKET ")\n"
	      "  --all          stats: counters of zero too\n"
	      "  -h, --help\n\n"
	      "Exit code: 0 fine, 1 refused by daemon or module, 2 usage, 3 daemon not\n"
	      "reachable, 4 module not loaded, 5 waitsync ran out of tries.\n", out);
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "ntpkctl: %s '%s': see 'ntpkctl help'\n", what, word);
	return CTL_USAGE;
}

/* "-6" is a poll interval, not an option. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]);
}

/* Return: how many words it took, 0 = not an option of ours, -1 = its value is missing. */
static int take_option(struct line *l, char **argv, int left)
{
	if (strcmp(argv[0], "--json") == 0) {
		l->ctl.json = true;
	} else if (strcmp(argv[0], "--all") == 0) {
		l->ctl.all = true;
	} else if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		l->help = true;
	} else if (strncmp(argv[0], "--socket=", 9) == 0) {
		l->ctl.socket = argv[0] + 9;
	} else if (strcmp(argv[0], "--socket") == 0) {
		if (left < 2)
			return -1;
		l->ctl.socket = argv[1];
		return 2;
	} else {
		return 0;
	}
	return 1;
}

static int parse_line(struct line *l, int argc, char **argv)
{
	int i, took;

	for (i = 1; i < argc; i += took) {
		took = 1;
		if (is_option(argv[i])) {
			took = take_option(l, argv + i, argc - i);
			if (took <= 0)
				return usage(took ? "a path must follow" : "unknown option",
					     argv[i]);
			continue;
		}
		if (l->words_len == WORDS_MAX + 1)
			return usage("too many words, from", argv[i]);
		l->words[l->words_len++] = argv[i];
	}
	if (!l->ctl.socket[0])
		return usage("a path must follow", "--socket");
	return CTL_OK;
}

static bool want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

static int run_command(const struct line *l)
{
	const struct ctl_command *c;
	int args = l->words_len - 1;

	for (c = commands; c < commands + COMMANDS; c++) {
		if (strcmp(c->name, l->words[0]) != 0)
			continue;
		if (args < c->min_args)
			return usage("something must follow", c->name);
		if (args > c->max_args)
			return usage("too many words, from", l->words[1 + c->max_args]);
		if (l->ctl.all && c->run != cmd_stats)
			return usage("unknown option of this command,", "--all");
		return c->run(&l->ctl, args, (char **)l->words + 1);
	}
	return usage("unknown command", l->words[0]);
}

int ctl_run(int argc, char **argv)
{
	struct line l = { .ctl.socket = CONTROL_DEFAULT_SOCKET };
	int ret = parse_line(&l, argc, argv);

	if (ret != CTL_OK)
		return ret;
	if (l.help || (l.words_len && strcmp(l.words[0], "help") == 0)) {
		print_help(stdout);
		return CTL_OK;
	}
	if (!l.words_len) {
		print_help(stderr);
		return CTL_USAGE;
	}
	l.ctl.colour = want_colour();
	ret = run_command(&l);
	/* A full disk or a closed pipe must not look like success. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("ntpkctl: writing the output");
		return ret ? ret : CTL_ERROR;
	}
	return ret;
}
