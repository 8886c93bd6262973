// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The logs of numbers as files.  Event loop only.  They are opened after the
 * daemon has become its user, so that the folder may be that user's.
 */
#include "daemon/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/replace.h"

static const char *const names[LOGS_KINDS] = { "measurements", "statistics", "tracking" };

static int path_of(const struct logs *l, enum logs_kind kind, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s.log", l->dir, names[kind]);

	return len < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int open_file(struct logs_file *f, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	int fd = open(path, flags, 0640);
	struct stat st;

	if (fd < 0)
		return -errno;
	/* not a pipe that somebody put there */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EEXIST;
	}
	f->file = fdopen(fd, "a");
	f->lines = 0;
	if (!f->file)
		close(fd);
	return f->file ? 0 : -ENOMEM;
}

static void close_file(struct logs_file *f)
{
	if (f->file)
		fclose(f->file);
	f->file = NULL;
}

static void write_banner(FILE *file, const char *banner)
{
	char line[LOGS_LINE_MAX];
	size_t len = strlen(banner);

	memset(line, '=', len);
	line[len] = '\0';
	fprintf(file, "%s\n%s\n%s\n", line, banner, line);
}

static int append(const struct logs *l, struct logs_file *f, enum logs_kind kind,
		  const char *line)
{
	errno = 0;
	if (l->banner && f->lines % l->banner == 0)
		write_banner(f->file, logs_banner(kind));
	fprintf(f->file, "%s\n", line);
	if (fflush(f->file))
		return errno ? -errno : -EIO;
	f->lines++;
	return 0;
}

static int try_open(struct logs *l, enum logs_kind kind, char path[PATH_MAX])
{
	struct logs_file *f = &l->files[kind];
	int err = path_of(l, kind, path);

	if (!err && !f->file)
		err = open_file(f, path);
	return err;
}

void logs_write(struct logs *l, enum logs_kind kind, const char *line)
{
	struct logs_file *f = &l->files[kind];
	char path[PATH_MAX];
	int err;

	if (!logs_wants(l, kind))
		return;
	err = try_open(l, kind, path);
	if (!err)
		err = append(l, f, kind, line);
	/* what stdio still holds of a line that did not fit must not follow later */
	if (err)
		close_file(f);
	replace_say(&f->err, err, "log", path);
}

void logs_open(struct logs *l, const char *dir, unsigned int wanted, unsigned int banner)
{
	memset(l, 0, sizeof(*l));
	l->dir = dir;
	l->wanted = wanted;
	l->banner = banner;
	logs_reopen(l);
}

void logs_close(struct logs *l)
{
	for (int i = 0; i < LOGS_KINDS; i++)
		close_file(&l->files[i]);
}

void logs_reopen(struct logs *l)
{
	char path[PATH_MAX];

	logs_close(l);
	for (int i = 0; i < LOGS_KINDS; i++)
		if (logs_wants(l, (enum logs_kind)i))
			replace_say(&l->files[i].err, try_open(l, (enum logs_kind)i, path), "log",
				    path);
}
