// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access lists of listeners, see access.h.  Event loop only.
 */
#include "daemon/access.h"

#include <stdlib.h>
#include <string.h>
#include "daemon/log.h"

/* The lines of a list alone. */
static int compile(struct access_list *list, const struct conf *conf)
{
	struct conf_acl_rule *rules = calloc(conf->acl_len + 1, sizeof(*rules));
	size_t i, n = 0;

	if (!rules)
		return -1;
	for (i = 0; i < conf->acl_len; i++)
		if (strcmp(conf_acl_name(conf, &conf->acl[i]), list->name) == 0)
			rules[n++] = conf->acl[i];
	list->acl = n ? acl_alloc(rules, n) : NULL;
	free(rules);
	return n && !list->acl ? -1 : 0;
}

/* Names of listeners, each once, behind that of all. */
static size_t collect_names(const struct conf *conf, const char *out[ACCESS_LISTS_MAX])
{
	size_t i, j, n = 1;

	out[0] = "";
	for (i = 0; i < conf->listens_len; i++) {
		for (j = 0; j < n && strcmp(out[j], conf->listens[i].acl) != 0; j++)
			;
		if (j == n)
			out[n++] = conf->listens[i].acl;
	}
	return n;
}

static void say_unused(const struct access *access, const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->acl_names_len; i++)
		if (!access_find(access, conf->acl_names[i]) && conf_acl_has(conf, conf->acl_names[i]))
			log_warn("allow and deny with acl %s count nowhere: no line of listen names it",
				 conf->acl_names[i]);
}

struct access *access_alloc(const struct conf *conf)
{
	struct access *access = calloc(1, sizeof(*access));
	const char *names[ACCESS_LISTS_MAX];
	size_t i, n = collect_names(conf, names);

	if (!access)
		return NULL;
	access->len = n;
	for (i = 0; i < n; i++) {
		strcpy(access->of[i].name, names[i]);
		if (compile(&access->of[i], conf)) {
			access_release(access);
			return NULL;
		}
	}
	say_unused(access, conf);
	return access;
}

void access_release(struct access *access)
{
	size_t i;

	for (i = 0; access && i < access->len; i++)
		acl_release(access->of[i].acl);
	free(access);
}

const struct access_list *access_find(const struct access *access, const char *name)
{
	size_t i;

	for (i = 0; i < access->len; i++)
		if (strcmp(access->of[i].name, name) == 0)
			return &access->of[i];
	return NULL;
}

bool access_otherwise(const struct access_list *list)
{
	return list->acl ? acl_otherwise(list->acl) : !list->name[0];
}

struct acl_verdict access_check(const struct access *access, const char *name,
				const union sock_addr *addr)
{
	const struct access_list *list = access ? access_find(access, name) : NULL;
	struct acl_verdict v = { .allow = list ? access_otherwise(list) : !name[0] };

	return list && list->acl ? acl_check(list->acl, addr) : v;
}
