// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What differs between two configurations, directive by directive.  Pure.
 */
#include <stdlib.h>
#include <string.h>
#include "daemon/conf_priv.h"

static bool same_acl(const struct conf *a, const struct conf *b)
{
	size_t i;

	if (a->acl_len != b->acl_len)
		return false;
	for (i = 0; i < a->acl_len; i++) {
		const struct conf_acl_rule *x = &a->acl[i], *y = &b->acl[i];

		if (!conf_acl_same_net(x, y) || x->allow != y->allow || x->all != y->all ||
		    strcmp(conf_acl_name(a, x), conf_acl_name(b, y)) != 0)
			return false;
	}
	return true;
}

static bool same_row(const struct conf *a, const struct conf *b, const struct conf_row *row)
{
	size_t i;

	if (row->change == CONF_CHANGE_ACL)
		return same_acl(a, b);
	for (i = 0; i < CONF_ROW_FIELDS && row->fields[i].size; i++) {
		const struct conf_field *f = &row->fields[i];

		if (memcmp((const char *)a + f->offset, (const char *)b + f->offset, f->size) != 0)
			return false;
	}
	return true;
}

size_t conf_diff(const struct conf *a, const struct conf *b, struct conf_difference *out)
{
	const struct conf_row *rows;
	size_t len, i, n = 0;
	bool acl = false;

	rows = conf_rows(&len);
	for (i = 0; i < len; i++) {
		/* allow and deny are one list, told once */
		if (same_row(a, b, &rows[i]) || (rows[i].change == CONF_CHANGE_ACL && acl))
			continue;
		acl |= rows[i].change == CONF_CHANGE_ACL;
		out[n].name = rows[i].d.name;
		out[n++].change = rows[i].change;
	}
	return n;
}

void conf_keep(struct conf *conf, const struct conf *old, const char *name)
{
	const struct conf_row *rows;
	size_t len, i, j;

	rows = conf_rows(&len);
	for (i = 0; i < len && strcmp(rows[i].d.name, name) != 0; i++)
		;
	if (i == len || rows[i].change == CONF_CHANGE_ACL)
		return;
	/* where lines stand is no setting, and goes with them */
	if (strcmp(name, "listen") == 0)
		memcpy(conf->listen_at, old->listen_at, sizeof(conf->listen_at));
	for (j = 0; j < CONF_ROW_FIELDS && rows[i].fields[j].size; j++) {
		const struct conf_field *f = &rows[i].fields[j];

		memcpy((char *)conf + f->offset, (const char *)old + f->offset, f->size);
	}
}

void conf_take(struct conf *conf, struct conf *other, const char *name)
{
	if (strcmp(name, "allow") && strcmp(name, "deny")) {
		conf_keep(conf, other, name);
		return;
	}
	free(conf->acl);
	conf->acl = other->acl;
	conf->acl_len = other->acl_len;
	memcpy(conf->acl_names, other->acl_names, sizeof(conf->acl_names));
	conf->acl_names_len = other->acl_names_len;
	other->acl = NULL;
	other->acl_len = 0;
}

bool conf_upstream_equal(const struct conf_upstream *a, const struct conf_upstream *b)
{
	char ta[CONF_LINE_MAX], tb[CONF_LINE_MAX];

	/* most differ in their names */
	if (a->key != b->key || strcmp(a->name, b->name) != 0)
		return false;
	conf_format_upstream(a, ta, sizeof(ta));
	conf_format_upstream(b, tb, sizeof(tb));
	return strcmp(ta, tb) == 0;
}

const struct conf_upstream *conf_upstream_find(const struct conf *conf, const char *name)
{
	uint32_t key = conf_host_key(name);
	size_t i;

	for (i = 0; i < conf->upstreams_len; i++)
		if (conf->upstreams[i].key == key && conf_host_same(conf->upstreams[i].name, name))
			return &conf->upstreams[i];
	return NULL;
}
