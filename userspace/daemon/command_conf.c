// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration over the control socket: read it anew, and ask what its
 * access lists say.  Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <string.h>
#include "daemon/access.h"
#include "daemon/kern.h"
#include "daemon/keys.h"
#include "daemon/log.h"
#include "daemon/net.h"
#include "daemon/ntpkd.h"
#include "daemon/reload.h"
#include "daemon/status_json.h"

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
	put_words(data, "settings", r.settings);
	put_words(data, "restart", r.restart);
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

static void put_verdict(struct json_object *data, bool present, bool allowed, const char *rule,
			unsigned int line)
{
	put_bool(data, "present", present);
	put_bool(data, "allowed", allowed);
	put_text(data, "rule", rule);
	put_int_if(data, "line", line, line);
}

/* As the module has it, which may not have our latest list yet. */
static int ask_module(struct ntpkd *d, const struct access_list *list,
		      const union sock_addr *addr, struct json_object *data)
{
	const struct conf_acl_rule *line;
	char text[ACL_RULE_TEXT_LEN];
	struct ntpk_nl_acl said;
	struct ntp_acl_addr a;
	bool v6;
	int err;

	a = acl_addr(addr, &v6);
	err = kern_acl_check(d->kern, list->name, a, v6, &said);
	if (err)
		return err;
	line = said.has_rule ? acl_rule_at(list->acl, &said.rule) : NULL;
	if (line && line->allow != said.rule.allow)
		line = NULL;
	if (!said.has_rule)
		put_verdict(data, said.present, said.allow, NULL, 0);
	else if (line)
		put_verdict(data, true, said.allow, acl_rule_text(line, text), line->line);
	else
		put_verdict(data, true, said.allow, acl_prefix_text(&said.rule, text), 0);
	return 0;
}

static void ask_ourselves(struct ntpkd *d, const struct access_list *list,
			  const union sock_addr *addr, struct json_object *data)
{
	struct acl_verdict v = access_check(d->access, list->name, addr);
	char text[ACL_RULE_TEXT_LEN];

	put_verdict(data, list->acl, v.allow, v.rule ? acl_rule_text(v.rule, text) : NULL,
		    v.rule ? v.rule->line : 0);
}

/* Of whoever answers clients. */
static int ask(struct ntpkd *d, const struct access_list *list, const union sock_addr *addr,
	       struct json_object *data)
{
	int err = ask_module(d, list, addr, data);

	if (err == -ENODEV)
		ask_ourselves(d, list, addr, data);
	else if (err == -ENOENT)
		put_verdict(data, false, false, NULL, 0);
	else
		return err;
	return 0;
}

/* Those that listeners have by name. */
static int ask_named(struct ntpkd *d, const union sock_addr *addr, struct json_object *data)
{
	struct json_object *all, *one;
	int err = 0;
	size_t i;

	if (d->access->len == 1)
		return 0;
	all = json_object_new_array();
	put(data, "acls", all);
	for (i = 1; i < d->access->len && !err; i++) {
		one = json_object_new_object();
		put_text(one, "acl", d->access->of[i].name);
		err = ask(d, &d->access->of[i], addr, one);
		json_object_array_add(all, one);
	}
	return err;
}

int command_acl_check(void *ctx, const struct control_value *args, struct json_object *data,
		      struct control_error *err)
{
	char text[SOCK_ADDR_TEXT_LEN];
	struct ntpkd *d = ctx;
	union sock_addr addr;
	int ret;

	if (!sock_addr_parse(&addr, args[0].text, 0))
		return control_refuse(err, -EINVAL, "invalid", "\"%.64s\" is no address "
				      "(accepted: IPv4 or IPv6, numeric)", args[0].text);
	put_text(data, "address", sock_addr_text(&addr, text));
	put_text(data, "by", kern_attached(d->kern) ? "module" : "ntpkd");
	ret = ask(d, &d->access->of[0], &addr, data);
	if (!ret)
		ret = ask_named(d, &addr, data);
	if (ret)
		return control_refuse(err, ret, "not-possible", "the module does not say: %s",
				      strerror(-ret));
	return 0;
}
