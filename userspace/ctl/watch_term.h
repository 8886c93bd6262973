/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal of `ntpkctl watch`: the alternate screen, its size, and the
 * signals that end or redraw it.  One per process: the signals are.
 */
#ifndef NTPKCTL_WATCH_TERM_H
#define NTPKCTL_WATCH_TERM_H

#include <stdbool.h>

enum watch_wake {
	WATCH_TICK,		/* the second is over */
	WATCH_REDRAW,		/* the size changed, or we were stopped meanwhile */
	WATCH_END,		/* ^C, or told to end */
};

/**
 * watch_term_enter() - block the signals, and take the alternate screen
 * @screen: stdout is a terminal; else only the signals
 */
void watch_term_enter(bool screen);

/**
 * watch_term_leave() - give the terminal back as it was
 * @screen: as entered
 */
void watch_term_leave(bool screen);

/**
 * watch_term_size() - of the terminal, now
 * @columns: out, 80 when it does not say
 * @lines: out, 24 when it does not say
 */
void watch_term_size(int *columns, int *lines);

/**
 * watch_term_show() - put a text on the screen, from its first line
 * @text: UTF-8 with "\n"; may hold escapes that set colours
 * @columns: what is behind is cut off
 * @lines: likewise
 */
void watch_term_show(const char *text, int columns, int lines);

/**
 * watch_term_wait() - until something happens
 * @screen: as entered
 * @ms: at most
 */
enum watch_wake watch_term_wait(bool screen, int ms);

#endif /* NTPKCTL_WATCH_TERM_H */
