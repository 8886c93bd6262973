// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Settings over the control socket: one line of the configuration, in force at
 * once, and kept over restarts where that is asked for.  Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <string.h>
#include "daemon/command_keep.h"
#include "daemon/log.h"
#include "daemon/ntpkd.h"
#include "daemon/reload.h"
#include "daemon/status_json.h"

int command_set(void *ctx, const struct control_value *args, struct json_object *data,
		struct control_error *err)
{
	const struct conf_diag diag = { .report = command_keep_first, .ctx = err };
	const char *line = args[0].text;
	struct reload_report r;
	struct ntpkd *d = ctx;
	int result;

	err->code = "invalid";
	err->text[0] = '\0';
	if (runtime_names_upstream(line))
		return control_refuse(err, -EINVAL, "invalid", "upstreams are not set: use "
				      "ntpkctl upstream add, or del");
	result = ntpkd_set(d, line, &diag, &r);
	if (result == -EINVAL)
		return result;
	if (result)
		return control_refuse(err, result, "internal", "%s", strerror(-result));
	if (r.error[0])
		return control_refuse(err, -EIO, "not-possible", "set, but not saved, as it does not "
				      "work: %.450s", r.error);
	put_text(data, "line", line);
	put_words(data, "settings", r.settings);
	put_bool(data, "saved", args[1].flag);
	return args[1].flag ? command_keep(d, command_keep_line, line, err) : 0;
}

/* What is to be forgotten, and why it was not. */
struct forgetting {
	const char *name;
	int	*result;
	char	*why;
};

static int forget(const struct conf *conf, const void *what, char *why,
		  const struct runtime_writer *w)
{
	const struct forgetting *f = what;

	(void)why;
	return *f->result = runtime_unset(conf, f->name, f->why, w);
}

int command_unset(void *ctx, const struct control_value *args, struct json_object *data,
		  struct control_error *err)
{
	char why[RUNTIME_WHY_LEN] = "";
	struct reload_report r;
	struct ntpkd *d = ctx;
	int result, written, changed = 0;
	const struct forgetting f = { args[0].text, &changed, why };

	written = command_keep(d, forget, &f, err);
	if (changed)
		return control_refuse(err, changed, changed == -ENOENT ? "not-found" :
				      changed == -EINVAL ? "invalid" : "not-saved", "%s", why);
	if (written)
		return control_refuse(err, written, "not-saved", "the line is still there: %s",
				      strerror(-written));
	/* while it is being written: the answer waits for that */
	result = ntpkd_unset(d, runtime_setting(args[0].text), &r);
	if (result)
		return control_refuse(err, result, "invalid", "it is saved no longer, but still in "
				      "force: %.450s", r.error[0] ? r.error : strerror(-result));
	if (r.error[0])
		return control_refuse(err, -EIO, "not-possible", "it is saved no longer, but what the "
				      "file says does not work: %.420s", r.error);
	put_words(data, "settings", r.settings);
	return 0;
}
