/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The logs of numbers: measurements.log, statistics.log and tracking.log, with
 * chrony's names, columns and signs, so that what reads its logs reads ours.
 * Event loop only.
 */
#ifndef NTPKD_LOGS_H
#define NTPKD_LOGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "core/engine.h"

enum logs_kind {
	LOGS_MEASUREMENTS,
	LOGS_STATISTICS,
	LOGS_TRACKING,
	LOGS_KINDS
};

#define LOGS_LINE_MAX	256

/**
 * struct logs_file - one of them
 * @file: open, or NULL
 * @lines: written since it was opened
 * @err: errno that was said last
 */
struct logs_file {
	FILE	*file;
	unsigned long lines;
	int	 err;
};

/**
 * struct logs - all of them
 * @dir: folder
 * @wanted: CONF_LOG_* of daemon/conf.h, bit n is kind n
 * @banner: a banner each so many lines, 0 = none
 * @files: by kind
 * @last_rx_local_ns: by slot of a source: what the statistics have seen
 */
struct logs {
	const char *dir;
	unsigned int wanted;
	unsigned int banner;
	struct logs_file files[LOGS_KINDS];
	int64_t	 last_rx_local_ns[ENGINE_MAX_SOURCES];
};

/**
 * logs_open() - begin
 * @l: filled
 * @dir: folder, stays the caller's
 * @wanted: CONF_LOG_*
 * @banner: see struct logs
 *
 * A file that cannot be opened is reported, and tried again at the next line.
 */
void logs_open(struct logs *l, const char *dir, unsigned int wanted, unsigned int banner);

/** logs_close() - end */
void logs_close(struct logs *l);

/**
 * logs_reopen() - after they were renamed (rotation): begin new files
 * @l: logs
 */
void logs_reopen(struct logs *l);

/**
 * logs_write() - append a line
 * @l: logs
 * @kind: to which; nothing happens when it is not wanted
 * @line: without newline
 *
 * The first of a row of failures is reported, and the end of it.
 */
void logs_write(struct logs *l, enum logs_kind kind, const char *line);

/**
 * logs_wants() - is this log switched on?
 * @l: logs
 * @kind: which
 */
static inline int logs_wants(const struct logs *l, enum logs_kind kind)
{
	return l->wanted >> kind & 1;
}

/* logs_line.c: pure */

/**
 * logs_banner() - the names of the columns
 * @kind: of which log
 */
const char *logs_banner(enum logs_kind kind);

/**
 * logs_line_measurement() - one exchange
 * @buf: out, LOGS_LINE_MAX bytes
 * @address: of the source
 * @s: the exchange
 */
void logs_line_measurement(char *buf, const char *address, const struct sample_report *s);

/**
 * logs_line_statistics() - what is known of one source
 * @buf: out, LOGS_LINE_MAX bytes
 * @address: of the source
 * @s: the source
 * @unix_ns: when
 */
void logs_line_statistics(char *buf, const char *address, const struct source_report *s,
			  int64_t unix_ns);

/**
 * logs_line_tracking() - the whole
 * @buf: out, LOGS_LINE_MAX bytes
 * @address: of the system peer, NULL = none
 * @r: the whole
 * @unix_ns: when
 */
void logs_line_tracking(char *buf, const char *address, const struct engine_report *r,
			int64_t unix_ns);

#endif /* NTPKD_LOGS_H */
