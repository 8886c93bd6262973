// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl watch: time and sources, anew each second.  On a terminal a screen
 * with a graph; elsewhere a line per second (or with --json an answer of
 * `status` per second).
 */
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "ctl/watch_graph.h"
#include "ctl/watch_term.h"

#define TICK_MS		1000
/* ^C is not seen while an answer is awaited. */
#define ANSWER_S	2
#define GRAPH_MIN	3
#define GRAPH_MAX	11

/**
 * struct watch - what it remembers
 * @ctl: options, with a shorter time-out
 * @screen: on a terminal
 * @utf8: blocks can be shown
 * @left: redraws that are still wanted, < 0 = for ever
 * @history: of the clock's offset
 * @status: last answer, NULL = none
 * @sources: last answer, NULL = none
 * @err: why there is none
 */
struct watch {
	struct ctl ctl;
	bool	 screen;
	bool	 utf8;
	long	 left;
	struct watch_history history;
	struct json_object *status;
	struct json_object *sources;
	struct ctl_error err;
};

static struct json_object *data_of(struct json_object *answer)
{
	struct json_object *data = NULL;

	json_object_object_get_ex(answer, "data", &data);
	return data;
}

static int ask(struct watch *w)
{
	struct watch_point p = { 0 };
	int ret;

	json_object_put(w->status);
	json_object_put(w->sources);
	w->sources = NULL;
	ret = ctl_request(&w->ctl, "status", NULL, NULL, &w->status, &w->err);
	if (ret == CTL_OK && w->screen)
		ret = ctl_request(&w->ctl, "sources", NULL, NULL, &w->sources, &w->err);
	p.known = ret == CTL_OK && fmt_bool(data_of(w->status), "synchronised") &&
		  fmt_int(data_of(w->status), "clock_offset_ns", &p.offset_ns) &&
		  fmt_int(data_of(w->status), "est_error_ns", &p.error_ns);
	watch_history_add(&w->history, &p);
	return ret;
}

static void put_time(FILE *out, struct json_object *d)
{
	char text[FMT_MAX];
	int64_t ns;

	fputs(fmt_int(d, "served_unix_ns", &ns) ? fmt_time(text, ns) : "-", out);
}

static void put_state(FILE *out, struct json_object *d)
{
	char state[64], ref[FMT_TEXT_MAX], n[FMT_MAX];

	fprintf(out, "%s%s%s, stratum %s", fmt_safe(state, sizeof(state), fmt_str(d, "state")),
		fmt_str(d, "reference") ? " to " : "",
		fmt_str(d, "reference") ? fmt_safe(ref, sizeof(ref), fmt_str(d, "reference")) : "",
		fmt_member_int(n, d, "stratum"));
}

static void put_offset(FILE *out, struct json_object *d)
{
	char a[FMT_MAX], b[FMT_MAX], c[FMT_MAX], f[FMT_MAX];
	double ppb;

	fprintf(out, "offset %s +- %s, frequency %s, root distance %s",
		fmt_member_ns(a, d, "clock_offset_ns", true),
		fmt_member_ns(b, d, "est_error_ns", false),
		fmt_double(d, "frequency_ppb", &ppb) ? fmt_ppb(f, ppb, true) : "-",
		fmt_member_ns(c, d, "root_dist_ns", false));
}

static void print_line(const struct watch *w)
{
	struct json_object *d = data_of(w->status);

	if (w->ctl.json) {
		ctl_print_json(w->status);
	} else {
		put_time(stdout, d);
		putchar(' ');
		put_state(stdout, d);
		fputs(", ", stdout);
		put_offset(stdout, d);
		putchar('\n');
	}
	fflush(stdout);
}

static const char *bold(const struct watch *w, bool on)
{
	return !w->ctl.colour ? "" : on ? "\033[1m" : "\033[0m";
}

static void put_head(FILE *out, const struct watch *w, struct json_object *d)
{
	char a[FMT_MAX], b[FMT_MAX], c[FMT_MAX], serving[32];

	fprintf(out, "%sntpkd%s  ", bold(w, true), bold(w, false));
	put_time(out, d);
	fprintf(out, "  clients: %s\n", fmt_safe(serving, sizeof(serving), fmt_str(d, "serving")));
	put_state(out, d);
	fputc('\n', out);
	put_offset(out, d);
	fprintf(out, "\nlast update %s ago, %s updates, %s steps; clock %s\n\n",
		fmt_member_age(a, d, "last_update_age_ns"), fmt_member_int(b, d, "updates"),
		fmt_member_int(c, d, "steps"), fmt_bool(d, "clock_control") ? "steered" :
		"left alone");
}

/* An odd number of lines: what the head, the sources and the last line leave. */
static int graph_height(int lines, size_t sources)
{
	int height = lines - 10 - (int)(sources < 8 ? sources : 8);

	height = height > GRAPH_MAX ? GRAPH_MAX : height;
	return height < GRAPH_MIN ? 0 : (height - 1) | 1;
}

static void compose(FILE *out, const struct watch *w, int columns, int lines)
{
	struct json_object *list = ctl_list(data_of(w->sources), "sources");
	int height = graph_height(lines, list ? json_object_array_length(list) : 0);
	char text[FMT_TEXT_MAX];

	if (w->status)
		put_head(out, w, data_of(w->status));
	else
		fprintf(out, "%sntpkd does not answer%s\n%s\n\n\n\n", bold(w, true), bold(w, false),
			fmt_safe(text, sizeof(text), w->err.text));
	if (height) {
		fprintf(out, "%sOffset of the system clock and its error%s (> 0: UTC is ahead)\n",
			bold(w, true), bold(w, false));
		watch_graph(out, &w->history, columns, height, w->utf8);
		fputc('\n', out);
	}
	if (list)
		ctl_sources_table(&w->ctl, out, list);
	fputs("^C ends", out);
}

static void draw(const struct watch *w)
{
	int columns, lines;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	watch_term_size(&columns, &lines);
	compose(out, w, columns, lines);
	if (fclose(out) == 0)
		watch_term_show(text, columns, lines);
	free(text);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Return: false when it is to end. */
static bool wait_tick(const struct watch *w, int64_t until_ms)
{
	enum watch_wake wake;
	int64_t left_ms;

	for (;;) {
		left_ms = until_ms - now_ms();
		wake = watch_term_wait(w->screen, left_ms > 0 ? (int)left_ms : 0);
		if (wake != WATCH_REDRAW)
			return wake == WATCH_TICK;
		if (w->screen)
			draw(w);
	}
}

/* Return: CTL_OK when the user ends it. */
static int loop(struct watch *w)
{
	int64_t next_ms = now_ms();
	int ret;

	for (;;) {
		ret = ask(w);
		/* On a screen, a daemon that is restarted is waited for. */
		if (ret != CTL_OK && (!w->screen || w->history.len == 1))
			return ret;
		if (w->screen)
			draw(w);
		else
			print_line(w);
		if (ferror(stdout))
			return ctl_set_error(&w->err, CTL_ERROR, "output", "cannot write the "
					     "output");
		if (w->left > 0 && --w->left == 0)
			return CTL_OK;
		next_ms += TICK_MS;
		if (next_ms < now_ms())
			next_ms = now_ms();
		if (!wait_tick(w, next_ms))
			return CTL_OK;
	}
}

static int parse_count(const char *s, long *out)
{
	char *end;

	*out = strtol(s, &end, 10);
	if (end != s && !*end && *out > 0 && *out <= INT32_MAX)
		return CTL_OK;
	fprintf(stderr, "ntpkctl: watch: COUNT must be a whole number from 1 to %d\n", INT32_MAX);
	return CTL_USAGE;
}

int cmd_watch(const struct ctl *ctl, int argc, char **argv)
{
	struct watch *w = calloc(1, sizeof(*w));
	const char *term = getenv("TERM");
	int ret = CTL_OK;

	if (!w) {
		perror("ntpkctl");
		return CTL_ERROR;
	}
	w->ctl = *ctl;
	w->ctl.timeout_s = ANSWER_S;
	w->left = -1;
	w->screen = !ctl->json && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
	setlocale(LC_CTYPE, "");
	w->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (argc)
		ret = parse_count(argv[0], &w->left);
	if (ret == CTL_OK) {
		watch_term_enter(w->screen);
		ret = loop(w);
		watch_term_leave(w->screen);
		if (ret != CTL_OK)
			ctl_fail(ctl, &w->err, NULL);
	}
	json_object_put(w->status);
	json_object_put(w->sources);
	free(w);
	return ret;
}
