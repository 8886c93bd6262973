// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leap second lists of the configuration, see leapwatch.h.  Event loop only;
 * the files are small, and read only when they changed.
 */
#include "daemon/leapwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log.h"

#define FILE_MAX	(1024 * 1024)
#define ZONEINFO	"/usr/share/zoneinfo"

typedef int parse_fn(struct leaplist *list, const void *data, size_t len,
		     char why[LEAPLIST_WHY_MAX]);

static int parse_list(struct leaplist *list, const void *data, size_t len,
		      char why[LEAPLIST_WHY_MAX])
{
	return leaplist_parse(list, data, len, why);
}

static int parse_zone(struct leaplist *list, const void *data, size_t len,
		      char why[LEAPLIST_WHY_MAX])
{
	return leaplist_parse_tz(list, data, len, why);
}

static bool is_same(const struct leapwatch_file *f, const struct stat *st)
{
	return f->ino == st->st_ino && f->size == st->st_size &&
	       f->mtime.tv_sec == st->st_mtim.tv_sec && f->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static int read_all(int fd, const struct stat *st, struct leaplist *list, parse_fn *parse,
		    char why[LEAPLIST_WHY_MAX])
{
	ssize_t n = -1;
	char *data;
	int err;

	if (!S_ISREG(st->st_mode) || st->st_size > FILE_MAX) {
		snprintf(why, LEAPLIST_WHY_MAX, "no regular file, or far too long");
		return -EINVAL;
	}
	data = malloc((size_t)st->st_size + 1);
	if (data)
		n = read(fd, data, (size_t)st->st_size);
	if (n < 0)
		snprintf(why, LEAPLIST_WHY_MAX, "%s", strerror(errno));
	err = n < 0 ? -EIO : parse(list, data, (size_t)n, why);
	free(data);
	return err;
}

static void refresh(struct leapwatch_file *f, const char *path, parse_fn *parse)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char why[LEAPLIST_WHY_MAX];
	struct stat st = { 0 };

	if (fd < 0 || fstat(fd, &st)) {
		/* a list that went away stays in use until it expires */
		if (f->ino != 0 || f->size != -1)
			log_warn_no(errno, "leap seconds: %s", path);
		f->ino = 0;
		f->size = -1;
	} else if (!is_same(f, &st)) {
		f->ino = st.st_ino;
		f->size = st.st_size;
		f->mtime = st.st_mtim;
		f->expired = false;
		f->usable = !read_all(fd, &st, &f->list, parse, why);
		if (!f->usable)
			log_warn("leap seconds: %s is ignored: %s", path, why);
		else
			log_debug("leap seconds: %s has %zu", path, f->list.len);
	}
	if (fd >= 0)
		close(fd);
}

static const struct leaplist_entry *ask(struct leapwatch_file *f, const char *path,
					int64_t unix_s, struct leaplist_entry *last)
{
	const struct leaplist_entry *past;

	bool expired = f->usable && unix_s >= f->list.expires_unix_s;

	if (expired && !f->expired)
		log_warn("leap seconds: %s has expired and is ignored: get a new one", path);
	f->expired = expired;
	if (!f->usable || expired)
		return NULL;
	past = leaplist_last(&f->list, unix_s);
	if (past)
		*last = *past;
	return leaplist_next(&f->list, unix_s);
}

enum leapwatch_answer leapwatch_next(struct leapwatch *w, const struct conf *conf,
				     int64_t unix_s, struct leaplist_entry *out,
				     struct leaplist_entry *last)
{
	const char *zoneinfo = getenv("TZDIR");
	const struct leaplist_entry *next = NULL;
	char path[CONF_PATH_MAX];

	last->leap = NTP_LEAP_NONE;
	if (conf->leapseclist[0]) {
		refresh(&w->lists, conf->leapseclist, parse_list);
		next = ask(&w->lists, conf->leapseclist, unix_s, last);
	}
	if (!next && conf->leapsectz[0]) {
		snprintf(path, sizeof(path), "%s/%s", zoneinfo ? zoneinfo : ZONEINFO,
			 conf->leapsectz);
		refresh(&w->zone, path, parse_zone);
		next = ask(&w->zone, path, unix_s, last);
	}
	if (next) {
		*out = *next;
		return LEAPWATCH_NEXT;
	}
	/* IERS's list says until when it knows; a time zone may be older than the news */
	return conf->leapseclist[0] && w->lists.usable && !w->lists.expired ? LEAPWATCH_NONE :
	       LEAPWATCH_UNKNOWN;
}
