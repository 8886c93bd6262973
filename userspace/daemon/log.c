// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of the daemon.  Any thread; the destination is written once at start,
 * the level is atomic.  The engine says codes, the sentences for people are here.
 */
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#define LOG_MSG_MAX	1024

static enum log_dest log_to = LOG_DEST_STDERR;
static enum log_level log_max = LOG_LEVEL_INFO;
static bool log_journal;

static const char *const level_names[] = {
	[LOG_LEVEL_ERR] = "err",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

/* The journal says by device and inode which stream it reads (systemd.exec(5)). */
bool log_is_journal(int fd, const char *journal_stream)
{
	unsigned long long dev, ino;
	struct stat st;
	char end;

	if (!journal_stream || sscanf(journal_stream, "%llu:%llu%c", &dev, &ino, &end) != 2)
		return false;
	return !fstat(fd, &st) && st.st_dev == dev && st.st_ino == ino;
}

void log_open(enum log_dest dest, enum log_level level)
{
	log_to = dest;
	log_level_set(level);
	log_journal = log_is_journal(STDERR_FILENO, getenv("JOURNAL_STREAM"));
	/* the journal has both, and would have each message twice */
	if (dest == LOG_DEST_BOTH && log_journal)
		log_to = LOG_DEST_STDERR;
	if (log_to != LOG_DEST_STDERR)
		openlog("ntpkd", LOG_PID, LOG_DAEMON);
}

/*
 * A thread that writes meanwhile sees the old level or the new one; both are
 * right.
 */
void log_level_set(enum log_level level)
{
	__atomic_store_n(&log_max, level, __ATOMIC_RELAXED);
}

enum log_level log_level_get(void)
{
	return __atomic_load_n(&log_max, __ATOMIC_RELAXED);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (!strcmp(name, level_names[i]))
			return (int)i;
	return -EINVAL;
}

static int level_priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERR:
		return LOG_ERR;
	case LOG_LEVEL_WARN:
		return LOG_WARNING;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

void log_write(enum log_level level, int err, const char *fmt, ...)
{
	char text[LOG_MSG_MAX];
	const char *sep = err ? ": " : "";
	const char *why = err ? strerror(abs(err)) : "";
	va_list ap;

	if (level > log_level_get())
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log_to != LOG_DEST_STDERR)
		syslog(level_priority(level), "%s%s%s", text, sep, why);
	/* the journal takes the level from the prefix and knows who speaks */
	if (log_to != LOG_DEST_SYSLOG && log_journal)
		fprintf(stderr, "<%d>%s%s%s\n", level_priority(level), text, sep, why);
	else if (log_to != LOG_DEST_SYSLOG)
		fprintf(stderr, "ntpkd: %s: %s%s%s\n", level_names[level], text, sep, why);
}

const char *log_format_ns(char buf[LOG_NS_LEN], int64_t ns)
{
	double v = (double)ns;
	double mag = v < 0 ? -v : v;

	if (mag < 1e3)
		snprintf(buf, LOG_NS_LEN, "%+.0f ns", v);
	else if (mag < 1e5)
		snprintf(buf, LOG_NS_LEN, "%+.3f us", v / 1e3);
	else if (mag < 1e9)
		snprintf(buf, LOG_NS_LEN, "%+.3f ms", v / 1e6);
	else
		snprintf(buf, LOG_NS_LEN, "%+.3f s", v / 1e9);
	return buf;
}

/* A kiss code is four ASCII characters; anything else is shown as a dot. */
static void format_kod(char *out, size_t len, __be32 refid)
{
	const char *text;
	char kod[5] = "";

	memcpy(kod, &refid, 4);
	for (int i = 0; i < 4; i++)
		if (kod[i] < ' ' || kod[i] > '~')
			kod[i] = '.';
	text = source_kod_text(kod);
	snprintf(out, len, "%s%s%s", kod, text ? ": " : "", text ? text : "");
}

enum value_kind {
	VALUE_NONE,
	VALUE_OFFSET,		/* shown with its sign */
	VALUE_LENGTH,
	VALUE_KOD,		/* the kiss code instead of the value */
};

struct code_text {
	enum log_level level;
	enum value_kind value;
	const char *before;	/* of the name */
	const char *after;
};

static const struct code_text code_texts[] = {
	[LOG_SELECTED] = { LOG_LEVEL_INFO, VALUE_OFFSET, "selected ", ", offset " },
	[LOG_SELECTION_LOST] = { LOG_LEVEL_WARN, VALUE_NONE,
		"no source can be selected: none is left or no majority agrees", "" },
	[LOG_SYNCHRONISED] = { LOG_LEVEL_INFO, VALUE_LENGTH, "synchronised to ",
		", root distance " },
	[LOG_UNSYNCHRONISED] = { LOG_LEVEL_WARN, VALUE_NONE, "no longer synchronised", "" },
	[LOG_LOCAL] = { LOG_LEVEL_WARN, VALUE_NONE,
		"no source can be selected: serving own time, as `local stratum` says", "" },
	[LOG_FALSETICKER] = { LOG_LEVEL_WARN, VALUE_OFFSET, "",
		" disagrees with the majority, offset " },
	[LOG_TRUECHIMER] = { LOG_LEVEL_INFO, VALUE_NONE, "", " agrees with the majority again" },
	[LOG_REACHABLE] = { LOG_LEVEL_INFO, VALUE_NONE, "", " answers" },
	[LOG_UNREACHABLE] = { LOG_LEVEL_WARN, VALUE_NONE, "", " does not answer any more" },
	[LOG_STEP] = { LOG_LEVEL_WARN, VALUE_OFFSET, "stepping the system clock", " by " },
	[LOG_FOREIGN_STEP] = { LOG_LEVEL_WARN, VALUE_OFFSET,
		"another program or the kernel stepped the system clock", " by " },
	[LOG_KOD] = { LOG_LEVEL_WARN, VALUE_KOD, "", " sent the kiss code " },
	[LOG_LOOP] = { LOG_LEVEL_WARN, VALUE_NONE, "", " is synchronised to us: not usable" },
	[LOG_SUSPENDED] = { LOG_LEVEL_INFO, VALUE_LENGTH, "the machine was suspended", " for " },
	[LOG_CHANGE_IGNORED] = { LOG_LEVEL_WARN, VALUE_OFFSET,
		"update ignored, as `maxchange` says", ", offset " },
	[LOG_CHANGE_EXIT] = { LOG_LEVEL_ERR, VALUE_OFFSET,
		"giving up, as `maxchange` says: look at clock and sources", ", offset " },
	[LOG_TOO_EARLY] = { LOG_LEVEL_WARN, VALUE_LENGTH, "",
		" says a time that is refused (if it is right, delete the file `time` in savedir, and "
		"start ntpkd again): before the saved one or the build date by " },
	[LOG_TOO_MANY] = { LOG_LEVEL_ERR, VALUE_NONE, "no room for one more source: ", "" },
};

enum log_level log_format_code(char *buf, size_t len, enum log_code code, const char *name,
			       int64_t value_ns, __be32 refid)
{
	const struct code_text *t;
	char tail[64] = "";

	if ((size_t)code >= sizeof(code_texts) / sizeof(code_texts[0])) {
		snprintf(buf, len, "state change %u %s", (unsigned int)code, name);
		return LOG_LEVEL_INFO;
	}
	t = &code_texts[code];
	if (t->value == VALUE_KOD)
		format_kod(tail, sizeof(tail), refid);
	else if (t->value != VALUE_NONE)
		log_format_ns(tail, value_ns);
	snprintf(buf, len, "%s%s%s%s", t->before, name, t->after,
		 tail + (t->value == VALUE_LENGTH && tail[0] == '+'));
	return t->level;
}
