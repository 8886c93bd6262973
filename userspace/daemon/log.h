/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the daemon: one line each, to stderr or syslog.  The destination
 * is the process's, set once before any thread; writing is safe from any
 * thread.
 */
#ifndef NTPKD_LOG_H
#define NTPKD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/engine.h"

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_dest {
	LOG_DEST_STDERR,
	LOG_DEST_SYSLOG,
	LOG_DEST_BOTH,		/* while starting: somebody may be watching */
};

#define LOG_NS_LEN	32

/**
 * log_open() - where messages go from now on
 * @dest: stderr or syslog
 * @level: the most talkative level that is still written
 */
void log_open(enum log_dest dest, enum log_level level);

/**
 * log_level_set() - change the level alone; event loop only
 * @level: the most talkative level that is still written
 */
void log_level_set(enum log_level level);

/** log_level_get() - as set */
enum log_level log_level_get(void);

/** log_level_name() - "err", "warn", "info" or "debug" */
const char *log_level_name(enum log_level level);

/**
 * log_is_journal() - does the systemd journal read this descriptor?
 * @fd: e.g. of stderr
 * @journal_stream: JOURNAL_STREAM of the environment, or NULL
 */
bool log_is_journal(int fd, const char *journal_stream);

/**
 * log_level_parse() - a level by its name
 * @name: "err", "warn", "info" or "debug"
 *
 * Return: enum log_level, or -EINVAL.
 */
int log_level_parse(const char *name);

/**
 * log_write() - one message
 * @level: its weight
 * @err: errno value (either sign) whose text is appended, 0 = none
 * @fmt: as printf, without newline
 */
void log_write(enum log_level level, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_err(...)		log_write(LOG_LEVEL_ERR, 0, __VA_ARGS__)
#define log_warn(...)		log_write(LOG_LEVEL_WARN, 0, __VA_ARGS__)
#define log_info(...)		log_write(LOG_LEVEL_INFO, 0, __VA_ARGS__)
#define log_debug(...)		log_write(LOG_LEVEL_DEBUG, 0, __VA_ARGS__)
#define log_err_no(err, ...)	log_write(LOG_LEVEL_ERR, err, __VA_ARGS__)
#define log_warn_no(err, ...)	log_write(LOG_LEVEL_WARN, err, __VA_ARGS__)
#define log_info_no(err, ...)	log_write(LOG_LEVEL_INFO, err, __VA_ARGS__)
#define log_debug_no(err, ...)	log_write(LOG_LEVEL_DEBUG, err, __VA_ARGS__)

/**
 * log_format_ns() - a duration with its sign, for people
 * @buf: out, LOG_NS_LEN bytes
 * @ns: duration
 *
 * Return: @buf, such as "+0.123 ms"; the unit fits the size.
 */
const char *log_format_ns(char buf[LOG_NS_LEN], int64_t ns);

/**
 * log_format_code() - the sentence for a state change of the engine
 * @buf: out
 * @len: of @buf
 * @code: enum log_code
 * @name: of the source, "" when it has none
 * @value_ns: of the action
 * @refid: of the action
 *
 * Return: the level at which it is to be written.
 */
enum log_level log_format_code(char *buf, size_t len, enum log_code code, const char *name,
			       int64_t value_ns, __be32 refid);

#endif /* NTPKD_LOG_H */
