// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The saved time.  Start-up and event loop only.
 */
#include "daemon/saved.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ntpk/ntp_wire.h>

#define TEXT_MAX	64
/* A hundred years after the build nobody runs it: such a file is damaged. */
#define SPAN_MAX_NS	(100LL * 365 * 86400 * NTP_NS_PER_S)

static int path_of(const char *dir, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/" SAVED_NAME, dir) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int read_text(const char *path, char text[TEXT_MAX])
{
	int fd = replace_open(path);
	ssize_t len;
	int err;

	if (fd < 0)
		return fd;
	len = read(fd, text, TEXT_MAX - 1);
	err = len < 0 ? -errno : 0;
	close(fd);
	text[err ? 0 : len] = '\0';
	return err;
}

static int refuse(char *why, size_t why_len, const char *text)
{
	snprintf(why, why_len, "%s", text);
	return -EINVAL;
}

int saved_read(const char *dir, int64_t not_before_unix_ns, int64_t *unix_ns, char *why,
	       size_t why_len)
{
	char path[PATH_MAX], text[TEXT_MAX], *end;
	long long s;
	int err = path_of(dir, path);

	if (!err)
		err = read_text(path, text);
	if (err) {
		snprintf(why, why_len, "%s", strerror(-err));
		return err;
	}
	errno = 0;
	s = strtoll(text, &end, 10);
	if (end == text || errno || strcmp(end, "\n"))
		return refuse(why, why_len, "not one line with seconds since 1970");
	if (s < not_before_unix_ns / NTP_NS_PER_S)
		return refuse(why, why_len, "earlier than this program was built");
	if (s > (not_before_unix_ns + SPAN_MAX_NS) / NTP_NS_PER_S)
		return refuse(why, why_len, "a century after this program was built");
	*unix_ns = s * NTP_NS_PER_S;
	return 0;
}

void saved_write(struct saver *s, const char *dir, int64_t unix_ns, saver_done *done, void *ctx)
{
	const struct replace how = { .mode = 0640, .sync = true, .mtime_unix_ns = unix_ns };
	char path[PATH_MAX], text[TEXT_MAX];
	int err = path_of(dir, path);
	int len;

	if (err) {
		done(ctx, err);
		return;
	}
	len = snprintf(text, sizeof(text), "%lld\n", (long long)(unix_ns / NTP_NS_PER_S));
	saver_put(s, path, text, (size_t)len, &how, done, ctx);
}
