// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * --save, see command_keep.h.  Event loop only.
 */
#include "daemon/command_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/ntpkd.h"

/* The parser's first complaint, with its column, is the answer's text. */
void command_keep_first(void *ctx, const char *file, unsigned int line, unsigned int column,
			const char *text)
{
	struct control_error *err = ctx;

	(void)line;
	if (!err->text[0])
		snprintf(err->text, sizeof(err->text), "%s:%u: %s", file, column, text);
}

/*
 * struct keeping - a --save under way
 * @later: the command has returned, and its answer waits
 */
struct keeping {
	struct ntpkd *d;
	uint64_t ticket;
	bool	 later;
	bool	 done;
	int	 err;
};

/* What --save asked for; the change itself is made and stays. */
static int not_saved(struct control_error *err, int result, const char *why)
{
	if (!result)
		return 0;
	return control_refuse(err, result, "not-saved", "done, but lost at the next start: "
			      "%.400s", why);
}

static int not_written(struct ntpkd *d, struct control_error *err, int result)
{
	char path[CONF_PATH_MAX + sizeof("/runtime.conf")], why[RUNTIME_WHY_LEN];

	snprintf(why, sizeof(why), "%.400s: %s",
		 conf_runtime_path(&d->conf, path, sizeof(path)), strerror(-result));
	return not_saved(err, result, why);
}

static void on_kept(void *ctx, int result)
{
	struct keeping *k = ctx;
	struct control_error err = { 0 };

	k->done = true;
	k->err = result;
	if (!k->later)
		return;
	if (result) {
		not_written(k->d, &err, result);
		log_err("runtime.conf: %s", err.text);
	}
	control_release(k->d->control, k->ticket, result ? &err : NULL);
	free(k);
}

int command_keep(struct ntpkd *d, keep_change *change, const void *what,
		 struct control_error *err)
{
	struct keeping *k = calloc(1, sizeof(*k));
	const struct runtime_writer w = { d->saver, on_kept, k };
	char why[RUNTIME_WHY_LEN];
	int result;

	if (!k)
		return not_written(d, err, -ENOMEM);
	k->d = d;
	result = change(&d->conf, what, why, &w);
	if (!result && !k->done) {
		k->later = true;
		k->ticket = control_hold(d->control, "the change is made; it is still being "
					  "saved: the disk is slow");
		return 0;
	}
	result = result ? not_saved(err, result, why) : not_written(d, err, k->err);
	free(k);
	return result;
}

int command_keep_line(const struct conf *conf, const void *what, char *why,
		      const struct runtime_writer *w)
{
	return runtime_set(conf, what, why, w);
}
