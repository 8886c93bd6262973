// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of the control socket's commands.  A new one is a row here, a
 * function, and a row in Documentation/control.md (a test compares them).
 */
#include "daemon/command.h"

#include "daemon/status_json.h"

static control_run say_commands;

static const struct control_command rows[] = {
	{ "commands", CONTROL_READ, { { 0 } }, say_commands },
	{ "version", CONTROL_READ, { { 0 } }, status_version },
	{ "status", CONTROL_READ, { { 0 } }, status_all },
	{ "sources", CONTROL_READ, { { 0 } }, status_sources },
	{ "sourcestats", CONTROL_READ, { { 0 } }, status_sourcestats },
	{ "selectdata", CONTROL_READ, { { 0 } }, status_selectdata },
	{ "ntpdata", CONTROL_READ, { { "name", CONTROL_TEXT, false } }, status_ntpdata },
	{ "tracking", CONTROL_READ, { { 0 } }, status_tracking },
	{ "activity", CONTROL_READ, { { 0 } }, status_activity },
	{ "metrics", CONTROL_READ, { { 0 } }, status_metrics },
	{ "upstream-list", CONTROL_READ, { { 0 } }, command_upstream_list },
	{ "upstream-add", CONTROL_CHANGE,
	  { { "line", CONTROL_TEXT, true }, { "save", CONTROL_FLAG, false } }, command_upstream_add },
	{ "upstream-del", CONTROL_CHANGE,
	  { { "name", CONTROL_TEXT, true }, { "save", CONTROL_FLAG, false } }, command_upstream_del },
	{ "upstream-online", CONTROL_CHANGE, { { "name", CONTROL_TEXT, false } },
	  command_upstream_online },
	{ "upstream-offline", CONTROL_CHANGE, { { "name", CONTROL_TEXT, false } },
	  command_upstream_offline },
	{ "upstream-burst", CONTROL_CHANGE, { { "name", CONTROL_TEXT, false } },
	  command_upstream_burst },
	{ "makestep", CONTROL_CHANGE, { { 0 } }, command_makestep },
	{ "reselect", CONTROL_CHANGE, { { 0 } }, command_reselect },
	{ "reload", CONTROL_CHANGE, { { "sources", CONTROL_FLAG, false } }, command_reload },
	{ "set", CONTROL_CHANGE,
	  { { "line", CONTROL_TEXT, true }, { "save", CONTROL_FLAG, false } }, command_set },
	{ "unset", CONTROL_CHANGE, { { "name", CONTROL_TEXT, true } }, command_unset },
	{ "rekey", CONTROL_CHANGE, { { 0 } }, command_rekey },
	{ "acl-check", CONTROL_READ, { { "address", CONTROL_TEXT, true } }, command_acl_check },
	{ "log-level", CONTROL_CHANGE, { { "level", CONTROL_TEXT, true } }, command_log_level },
};

struct control_table command_table(struct ntpkd *d)
{
	return (struct control_table){ rows, sizeof(rows) / sizeof(rows[0]), d };
}

static int say_commands(void *ctx, const struct control_value *args, struct json_object *data,
			struct control_error *err)
{
	struct control_table t = command_table(ctx);

	(void)args;
	(void)err;
	put(data, "commands", control_describe(&t));
	return 0;
}
