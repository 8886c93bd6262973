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

static void on_unset(void *ctx, int result)
{
	*(int *)ctx = result;
}

int command_unset(void *ctx, const struct control_value *args, struct json_object *data,
		  struct control_error *err)
{
	char why[RUNTIME_WHY_LEN] = "";
	struct reload_report r;
	struct ntpkd *d = ctx;
	int result, written = 0;
	const struct runtime_writer w = { d->saver, on_unset, &written };

	result = runtime_unset(&d->conf, args[0].text, why, &w);
	if (result)
		return control_refuse(err, result, result == -ENOENT ? "not-found" :
				      result == -EINVAL ? "invalid" : "not-saved", "%s", why);
	saver_flush(d->saver);
	if (written)
		return control_refuse(err, written, "not-saved", "the line is still there: %s",
				      strerror(-written));
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
