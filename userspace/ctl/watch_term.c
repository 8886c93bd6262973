// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The terminal of `ntpkctl watch`.  The signals that matter are blocked and
 * taken one by one while it waits, so that no handler meets half a screen.
 */
#include "ctl/watch_term.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/* The alternate screen, emptied; the cursor hidden. */
#define ENTER	"\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE	"\033[0m\033[?25h\033[?1049l"

static void our_signals(sigset_t *set)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

void watch_term_enter(bool screen)
{
	sigset_t set;

	our_signals(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (!screen)
		return;
	fputs(ENTER, stdout);
	fflush(stdout);
}

void watch_term_leave(bool screen)
{
	if (!screen)
		return;
	fputs(LEAVE, stdout);
	fflush(stdout);
}

void watch_term_size(int *columns, int *lines)
{
	struct winsize ws = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	*columns = ws.ws_col ? ws.ws_col : 80;
	*lines = ws.ws_row ? ws.ws_row : 24;
}

/* Return: bytes of the escape sequence at @s, 0 = there is none. */
static size_t escape_len(const char *s)
{
	return s[0] == '\033' && s[1] == '[' ? 2 + strcspn(s + 2, "m\n") + 1 : 0;
}

/* One line, cut to its columns. Return: where the next one begins. */
static const char *show_line(const char *s, int columns)
{
	int used = 0;
	size_t n;

	while (*s && *s != '\n') {
		n = escape_len(s);
		if (!n)
			used += ((unsigned char)*s & 0xc0) != 0x80;
		if (n || used <= columns)
			fwrite(s, 1, n ? n : 1, stdout);
		s += n ? n : 1;
	}
	fputs("\033[0m\033[K", stdout);
	return *s ? s + 1 : s;
}

void watch_term_show(const char *text, int columns, int lines)
{
	int line;

	fputs("\033[H", stdout);
	for (line = 0; line < lines && *text; line++) {
		if (line)
			fputs("\r\n", stdout);
		text = show_line(text, columns);
	}
	if (line < lines)
		fputs("\r\n\033[J", stdout);
	fflush(stdout);
}

/* As ^Z does elsewhere: give the terminal back, stop, take it again. */
static void stop_here(bool screen)
{
	sigset_t set, old;

	watch_term_leave(screen);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	watch_term_enter(screen);
}

enum watch_wake watch_term_wait(bool screen, int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	sigset_t set;
	int sig;

	our_signals(&set);
	sig = sigtimedwait(&set, NULL, &ts);
	if (sig == SIGTSTP)
		stop_here(screen);
	if (sig == SIGTSTP || sig == SIGWINCH)
		return WATCH_REDRAW;
	return sig < 0 ? WATCH_TICK : WATCH_END;
}
