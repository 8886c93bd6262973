// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl config import: a chrony.conf becomes an ntpk.conf.  Asks no daemon and
 * changes nothing but the file that is named.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctl/ctl.h"
#include "daemon/conf_import.h"

/* struct import - @notes: array for --json, NULL = lines on stderr */
struct import {
	struct json_object *notes;
};

static void note(void *ctx, enum conf_import_kind kind, const char *file, unsigned int line,
		 const char *text)
{
	struct import *im = ctx;
	struct json_object *o;

	if (!im->notes) {
		fprintf(stderr, "%s:%u: %s: %s\n", file, line, conf_import_kind_name(kind), text);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "line", json_object_new_int64(line));
	json_object_object_add(o, "kind", json_object_new_string(conf_import_kind_name(kind)));
	json_object_object_add(o, "text", json_object_new_string(text));
	json_object_array_add(im->notes, o);
}

/* A file that is there is somebody's configuration: it is not overwritten. */
static int write_new(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -ENOSPC;
	if (close(fd) && !err)
		err = -errno;
	if (err)
		unlink(path);
	return err;
}

static int fail(const struct ctl *ctl, const char *path, int err)
{
	struct ctl_error e;

	ctl_set_error(&e, CTL_ERROR, "file", "%s: %s%s", path, strerror(-err),
		      err == -EEXIST ? ": move it away, or name another with -o" :
		      err == -ELOOP ? ": its includes are nested too deeply" :
		      err == -EILSEQ ? ": a NUL byte, this is not a text file" : "");
	return ctl_fail(ctl, &e, NULL);
}

static void summary(const struct conf_import *im, const char *out)
{
	fprintf(stderr, "%u directives read, %u written%s%s; %u changed, %u not needed, %u lost%s\n",
		im->lines, im->kept, out ? " to " : "", out ? out : "",
		im->notes[CONF_IMPORT_CHANGED], im->notes[CONF_IMPORT_NOT_NEEDED],
		im->notes[CONF_IMPORT_LOST],
		im->notes[CONF_IMPORT_LOST] ? ": look at these before you use the result" : "");
}

static void print_result(const struct conf_import *im, struct json_object *notes, const char *out,
			 const char *text)
{
	struct json_object *data = json_object_new_object();

	json_object_object_add(data, "directives", json_object_new_int64(im->lines));
	json_object_object_add(data, "written", json_object_new_int64(im->kept));
	json_object_object_add(data, "lost", json_object_new_int64(im->notes[CONF_IMPORT_LOST]));
	json_object_object_add(data, "notes", json_object_get(notes));
	json_object_object_add(data, "output", out ? json_object_new_string(out) : NULL);
	json_object_object_add(data, "config", out ? NULL : json_object_new_string(text));
	ctl_print_data(data);
}

int cmd_config_import(const struct ctl *ctl, int argc, char **argv)
{
	struct import ctx = { .notes = ctl->json ? json_object_new_array() : NULL };
	struct conf_import im = { .note = note, .ctx = &ctx };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	const char *about = argv[0];
	int err = -ENOMEM;

	(void)argc;
	if (out) {
		err = conf_import(&im, argv[0], out);
		fclose(out);
	}
	if (!err && ctl->output) {
		about = ctl->output;
		err = write_new(ctl->output, text, len);
	}
	if (!err && ctl->json)
		print_result(&im, ctx.notes, ctl->output, text);
	if (!err && !ctl->json && !ctl->output)
		fwrite(text, 1, len, stdout);
	if (!err && !ctl->json)
		summary(&im, ctl->output);
	json_object_put(ctx.notes);
	free(text);
	if (err)
		return fail(ctl, about, err);
	return im.notes[CONF_IMPORT_LOST] ? CTL_ERROR : CTL_OK;
}
