// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration over the control socket: read it anew, and ask what its
 * access list says.  Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <string.h>
#include "daemon/acl.h"
#include "daemon/keys.h"
#include "daemon/log.h"
#include "daemon/net.h"
#include "daemon/ntpkd.h"
#include "daemon/reload.h"
#include "daemon/status_json.h"

/* "a, b" as an array */
static struct json_object *words(const char *list)
{
	struct json_object *a = json_object_new_array();
	size_t len;

	for (; *list; list += len + strspn(list + len, ", ")) {
		len = strcspn(list, ",");
		json_object_array_add(a, json_object_new_string_len(list, (int)len));
	}
	return a;
}

int command_reload(void *ctx, const struct control_value *args, struct json_object *data,
		   struct control_error *err)
{
	struct reload_report r;
	int result = ntpkd_reload(ctx, args[0].flag ? RELOAD_SOURCES : RELOAD_ALL, &r);

	if (result)
		return control_refuse(err, result, "invalid", "nothing was changed: %.450s",
				      r.error[0] ? r.error : strerror(-result));
	put_int(data, "added", r.added);
	put_int(data, "removed", r.removed);
	put_int(data, "changed", r.changed);
	put_int(data, "skipped", r.skipped);
	put(data, "settings", words(r.settings));
	put(data, "restart", words(r.restart));
	put_text(data, "error", r.error[0] ? r.error : NULL);
	return 0;
}

int command_rekey(void *ctx, const struct control_value *args, struct json_object *data,
		  struct control_error *err)
{
	char why[NTPKD_WHY_LEN];
	struct ntpkd *d = ctx;
	int result;

	(void)args;
	if (!d->conf.keyfile[0])
		return control_refuse(err, -ENOENT, "not-possible",
				      "there is no `keyfile PATH` in the configuration");
	result = ntpkd_load_keys(d, why);
	if (result)
		return control_refuse(err, result, "invalid", "the keys from before stay in use: "
				      "%.430s", why[0] ? why : strerror(-result));
	log_info("%s read anew: %zu keys", d->conf.keyfile, keys_count(d->keys));
	put_int(data, "keys", (int64_t)keys_count(d->keys));
	return 0;
}

int command_acl_check(void *ctx, const struct control_value *args, struct json_object *data,
		      struct control_error *err)
{
	const struct conf *conf = &((struct ntpkd *)ctx)->conf;
	char rule[ACL_RULE_TEXT_LEN], text[SOCK_ADDR_TEXT_LEN];
	struct acl_verdict v;
	union sock_addr addr;
	struct acl *acl;

	if (!sock_addr_parse(&addr, args[0].text, 0))
		return control_refuse(err, -EINVAL, "invalid", "\"%.64s\" is no address "
				      "(accepted: IPv4 or IPv6, numeric)", args[0].text);
	acl = acl_alloc(conf->acl, conf->acl_len);
	if (!acl)
		return control_refuse(err, -ENOMEM, "internal", "out of memory");
	v = acl_check(acl, &addr);
	put_text(data, "address", sock_addr_text(&addr, text));
	put_bool(data, "allowed", v.allow);
	put_text(data, "rule", v.rule ? acl_rule_text(v.rule, rule) : NULL);
	put_int_if(data, "line", v.rule ? v.rule->line : 0, v.rule && v.rule->line);
	acl_release(acl);
	return 0;
}
