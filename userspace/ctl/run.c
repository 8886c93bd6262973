// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl's command line: the table of subcommands and the options, which may
 * stand anywhere.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl/ctl.h"
#include "daemon/control.h"

#define WORDS_MAX	64
#define TIMEOUT_S	5

/* A new subcommand is a row here, a function, and an entry in ntpkctl(8). */
static const struct ctl_command commands[] = {
	{ "status", "", "what is served, and how good it is", 0, 0, 0, cmd_status },
	{ "tracking", "", "the same in the words of chronyc", 0, 0, 0, cmd_tracking },
	{ "sources", "[-v]", "the upstream sources, one per line", 0, 0, CTL_O_VERBOSE,
	  cmd_sources },
	{ "sourcestats", "", "rate and spread of each source's samples", 0, 0, 0,
	  cmd_sourcestats },
	{ "selectdata", "", "why each source is or is not used, and its interval", 0, 0, 0,
	  cmd_selectdata },
	{ "ntpdata", "[NAME]", "the last reply of each source in full, or of one", 0, 1, 0,
	  cmd_ntpdata },
	{ "activity", "", "how many sources are online, reachable, used", 0, 0, 0, cmd_activity },
	{ "watch", "[COUNT]", "time and sources, anew each second; ^C ends it", 0, 1, 0,
	  cmd_watch },
	{ "upstream list", "", "the upstreams of the running daemon", 0, 0, 0,
	  cmd_upstream_list },
	{ "upstream add", "[--save] [server|pool] NAME [OPTION]...",
	  "one more, in the words of the configuration file", 1, WORDS_MAX, CTL_O_SAVE,
	  cmd_upstream_add },
	{ "upstream del", "[--save] NAME", "remove it", 1, 1, CTL_O_SAVE, cmd_upstream_del },
	{ "upstream online", "[NAME]", "ask it, or all, again", 0, 1, 0, cmd_upstream_online },
	{ "upstream offline", "[NAME]", "do not ask it, or any", 0, 1, 0, cmd_upstream_offline },
	{ "upstream burst", "[NAME]", "a few quick requests now", 0, 1, 0, cmd_upstream_burst },
	{ "makestep", "", "set the system clock right at once", 0, 0, 0, cmd_makestep },
	{ "reselect", "", "choose the reference anew", 0, 0, 0, cmd_reselect },
	{ "reload", "[sources]", "read the configuration anew, or the drop-ins of sourcedir alone",
	  0, 1, 0, cmd_reload },
	{ "set", "[--save] DIRECTIVE [VALUE]...",
	  "a setting, in the words of the configuration file, at once", 1, WORDS_MAX, CTL_O_SAVE,
	  cmd_set },
	{ "unset", "DIRECTIVE", "forget what set --save kept of it: as the file has it",
	  1, 1, 0, cmd_unset },
	{ "rekey", "", "read the keys of keyfile anew", 0, 0, 0, cmd_rekey },
	{ "acl check", "ADDRESS", "may a client with this address ask?", 1, 1, 0, cmd_acl_check },
	{ "log level", "debug|info|warn|err", "which messages ntpkd writes from now on", 1, 1, 0,
	  cmd_log_level },
	{ "waitsync", "[TRIES [MAX_ERROR_S [INTERVAL_S]]]",
	  "wait until the clock is right (TRIES 0: for ever; every 10 s)", 0, 3, 0, cmd_waitsync },
	{ "clients", "[-v] [--sort KEY] [--top N] [--names] [ADDRESS[/LEN]]",
	  "who asks: how often, with what clock, as what class of client", 0, 1,
	  CTL_O_VERBOSE | CTL_O_SORT | CTL_O_TOP | CTL_O_NAMES | CTL_O_CLASS | CTL_O_REQUESTS |
	  CTL_O_SEEN, cmd_clients },
	{ "stats", "[--all] [--hist]", "the module's state and counters", 0, 0, CTL_O_ALL | CTL_O_HIST,
	  cmd_stats },
	{ "metrics", "", "all numbers of the daemon as Prometheus text", 0, 0, 0, cmd_metrics },
	{ "config import", "FILE [-o OUT]", "convert a chrony.conf; exit 1 when something is lost",
	  1, 1, CTL_O_OUTPUT, cmd_config_import },
	{ "version", "", "of ntpkctl, ntpkd and the module", 0, 0, 0, cmd_version },
};

#define COMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* struct option - @value: where in struct ctl its value goes, 0 = it has none */
static const struct {
	const char *word;
	const char *also;
	const char *arg;
	unsigned int bit;
	size_t	 value;
	const char *help;
} options[] = {
	{ "--all", "-a", "", CTL_O_ALL, 0, "stats: counters of zero too" },
	{ "--hist", NULL, "", CTL_O_HIST, 0, "stats: what answers take, drawn" },
	{ "--save", NULL, "", CTL_O_SAVE, 0, "upstream add, del, set: keep it over restarts" },
	{ "--output", "-o", " OUT", CTL_O_OUTPUT, offsetof(struct ctl, output),
	  "config import: into this new file" },
	{ "--verbose", "-v", "", CTL_O_VERBOSE, 0, "sources, clients: a legend, and more columns" },
	{ "--sort", NULL, " KEY", CTL_O_SORT, offsetof(struct ctl, sort),
	  "clients: by requests, dropped, last, first, interval, error, drift or address" },
	{ "--top", NULL, " N", CTL_O_TOP, offsetof(struct ctl, top), "clients: the first N of them" },
	{ "--names", NULL, "", CTL_O_NAMES, 0, "clients: names of their addresses" },
	{ "--class", NULL, " NAME", CTL_O_CLASS, offsetof(struct ctl, class),
	  "clients: of this class only, as 'clients' shows it" },
	{ "--requests", NULL, " N", CTL_O_REQUESTS, offsetof(struct ctl, requests),
	  "clients: with at least N requests" },
	{ "--seen", NULL, " S", CTL_O_SEEN, offsetof(struct ctl, seen),
	  "clients: seen in the last S seconds" },
};

#define OPTIONS		(sizeof(options) / sizeof(options[0]))

/* What the command line asks for. */
struct line {
	struct ctl ctl;
	bool	 help;
	int	 words_len;
	char	 *words[WORDS_MAX + 4];
};

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: ntpkctl [--json] [--socket PATH] COMMAND\n\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %s%s%s\n      %s\n", commands[i].name,
			commands[i].args[0] ? " " : "", commands[i].args, commands[i].help);
	fputs("  help\n      this text\n\n", out);
	fputs("  -j, --json         one line of JSON (Documentation/control.md)\n"
	      "  -s, --socket PATH  of the daemon (default " CONTROL_DEFAULT_SOCKET ")\n", out);
	for (i = 0; i < OPTIONS; i++)
		fprintf(out, "  %s%s %s%-*s  %s\n", options[i].also ? options[i].also : "  ",
			options[i].also ? "," : " ", options[i].word,
			13 - (int)strlen(options[i].word), options[i].arg, options[i].help);
	fputs("  -h, --help         this text\n\n"
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

static bool is_word(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || (b && strcmp(word, b) == 0);
}

/* Return: as take_option(). */
static int take_other(struct line *l, char **argv, int left)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (!is_word(argv[0], options[i].word, options[i].also))
			continue;
		if (options[i].value && left < 2)
			return -1;
		l->ctl.options |= options[i].bit;
		if (options[i].value)
			*(const char **)((char *)&l->ctl + options[i].value) = argv[1];
		return options[i].value ? 2 : 1;
	}
	return 0;
}

/* Return: how many words it took, 0 = not an option of ours, -1 = its value is missing. */
static int take_option(struct line *l, char **argv, int left)
{
	if (is_word(argv[0], "--json", "-j")) {
		l->ctl.json = true;
	} else if (is_word(argv[0], "--help", "-h")) {
		l->help = true;
	} else if (strncmp(argv[0], "--socket=", 9) == 0) {
		l->ctl.socket = argv[0] + 9;
	} else if (is_word(argv[0], "--socket", "-s")) {
		if (left < 2)
			return -1;
		l->ctl.socket = argv[1];
		return 2;
	} else {
		return take_other(l, argv, left);
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
				return usage(took ? "a value must follow" : "unknown option",
					     argv[i]);
			continue;
		}
		if (l->words_len == WORDS_MAX + 2)
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

/* Return: how many of the line's words are the command's name, 0 = it is another. */
static int match(const struct ctl_command *c, const struct line *l)
{
	size_t first = strcspn(c->name, " ");
	const char *second = c->name[first] ? c->name + first + 1 : NULL;

	if (strlen(l->words[0]) != first || strncmp(c->name, l->words[0], first) != 0)
		return 0;
	if (!second)
		return 1;
	return l->words_len > 1 && strcmp(second, l->words[1]) == 0 ? 2 : 0;
}

/* "upstream" alone or with a wrong second word: say what may follow. */
static int usage_group(const struct line *l)
{
	size_t len = strlen(l->words[0]), n = 0;
	char list[256] = "";

	for (size_t i = 0; i < COMMANDS && n < sizeof(list); i++)
		if (strncmp(commands[i].name, l->words[0], len) == 0 &&
		    commands[i].name[len] == ' ')
			n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
					      commands[i].name + len + 1);
	if (!n)
		return usage("unknown command", l->words[0]);
	fprintf(stderr, "ntpkctl: '%s' is followed by one of: %s\n", l->words[0], list);
	return CTL_USAGE;
}

static int check_options(const struct ctl_command *c, const struct line *l)
{
	unsigned int wrong = l->ctl.options & ~c->options;

	for (size_t i = 0; i < OPTIONS; i++)
		if (wrong & options[i].bit)
			return usage("unknown option of this command,", options[i].word);
	return CTL_OK;
}

static int run_command(const struct line *l)
{
	const struct ctl_command *c;
	int args, skip = 0;

	for (c = commands; c < commands + COMMANDS && !skip; c++)
		skip = match(c, l);
	if (!skip)
		return usage_group(l);
	c--;
	args = l->words_len - skip;
	if (args < c->min_args) {
		fprintf(stderr, "ntpkctl: usage: ntpkctl %s %s\n", c->name, c->args);
		return CTL_USAGE;
	}
	if (args > c->max_args)
		return usage("too many words, from", l->words[skip + c->max_args]);
	if (check_options(c, l) != CTL_OK)
		return CTL_USAGE;
	return c->run(&l->ctl, args, (char **)l->words + skip);
}

int ctl_run(int argc, char **argv)
{
	struct line l = { .ctl.socket = CONTROL_DEFAULT_SOCKET, .ctl.timeout_s = TIMEOUT_S };
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
