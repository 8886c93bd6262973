// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directives with addresses: `allow` and `deny` with the ways in which chrony
 * writes a prefix, and the addresses that sockets are bound to.  Process
 * context; no global state.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_priv.h"

#define PREFIX_FORMS	"an address, a prefix such as 192.0.2.0/24, 192.0.2 or 2001:db8::/32, or all"

/* The bits behind the prefix go: 192.0.2.7/24 means 192.0.2.0/24, as in chrony. */
static void clear_host_bits(struct conf_acl_rule *r)
{
	unsigned int bits = r->prefix, i;

	for (i = 0; i < sizeof(r->addr); i++, bits = bits > 8 ? bits - 8 : 0)
		if (bits < 8)
			r->addr[i] &= (uint8_t)(0xff00 >> bits);
}

/* "10", "192.168", "192.0.2": the first numbers of a v4 address. */
static bool read_partial_v4(const char *text, struct conf_acl_rule *r)
{
	unsigned int n;

	for (n = 0; n < 4; n++) {
		size_t digits = strspn(text, "0123456789");
		unsigned long v = digits && digits <= 3 ? strtoul(text, NULL, 10) : 256;

		if (v > 255)
			return false;
		r->addr[n] = (uint8_t)v;
		text += digits;
		if (!*text)
			break;
		if (*text++ != '.' || !*text)
			return false;
	}
	r->family = AF_INET;
	r->prefix = (uint8_t)(8 * (n + 1));
	return n < 4;
}

static bool read_prefix_addr(const char *text, struct conf_acl_rule *r)
{
	if (inet_pton(AF_INET6, text, r->addr) == 1) {
		r->family = AF_INET6;
		r->prefix = 128;
		return true;
	}
	memset(r->addr, 0, sizeof(r->addr));
	return read_partial_v4(text, r);
}

static int read_prefix(struct conf_line *l, const struct conf_word *w, const char *name,
		       struct conf_acl_rule *r)
{
	size_t len = strcspn(w->text, "/");
	char addr[INET6_ADDRSTRLEN];
	const char *bits = w->text + len;
	unsigned long max, v;

	if (len < sizeof(addr)) {
		memcpy(addr, w->text, len);
		addr[len] = '\0';
	}
	if (len >= sizeof(addr) || !read_prefix_addr(addr, r))
		return conf_line_error(l, w->column, "%s: '%.60s' is not accepted, only "
				       PREFIX_FORMS " (host names are not looked up)", name, w->text);
	if (!*bits)
		return 0;
	max = r->family == AF_INET ? 32 : 128;
	v = strspn(bits + 1, "0123456789") <= 3 ? strtoul(bits + 1, NULL, 10) : max + 1;
	if (!bits[1] || bits[1 + strspn(bits + 1, "0123456789")] || v > max)
		return conf_line_error(l, w->column + (unsigned int)len + 1, "%s: '%.60s' is not "
				       "the length of a prefix (accepted: 0 to %lu)", name, bits + 1,
				       max);
	r->prefix = (uint8_t)v;
	clear_host_bits(r);
	return 0;
}

static bool is_acl_name(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return len && !text[len] && len <= CONF_ACL_NAME_MAX;
}

int conf_take_acl_name(struct conf_line *l, char out[CONF_ACL_NAME_MAX + 1])
{
	const struct conf_word *w = conf_line_word(l, "acl", "the name of a list");

	if (!w)
		return -EINVAL;
	if (!is_acl_name(w->text))
		return conf_line_error(l, w->column, "acl: '%.60s' is not accepted, only a name of up "
				       "to %d letters, digits, '.', '_' and '-'", w->text,
				       CONF_ACL_NAME_MAX);
	snprintf(out, CONF_ACL_NAME_MAX + 1, "%s", w->text);
	return 0;
}

/* 1 + its index; 0 when there is none. */
static size_t find_name(const struct conf *conf, const char *name)
{
	size_t i;

	for (i = 0; i < conf->acl_names_len; i++)
		if (strcmp(conf->acl_names[i], name) == 0)
			return i + 1;
	return 0;
}

const char *conf_acl_name(const struct conf *conf, const struct conf_acl_rule *rule)
{
	return rule->list ? conf->acl_names[rule->list - 1] : "";
}

bool conf_acl_has(const struct conf *conf, const char *name)
{
	size_t list = find_name(conf, name), i;

	for (i = 0; list && i < conf->acl_len; i++)
		if (conf->acl[i].list == list)
			return true;
	return false;
}

/* "acl NAME", at the end of allow and deny. */
static int take_list(struct conf_parse *p, struct conf_acl_rule *rule)
{
	char name[CONF_ACL_NAME_MAX + 1];
	struct conf *conf = p->conf;
	struct conf_line *l = &p->line;
	unsigned int column = l->words[l->next++].column;
	int ret = conf_take_acl_name(l, name);
	size_t list;

	if (ret < 0)
		return ret;
	list = find_name(conf, name);
	if (!list && conf->acl_names_len == CONF_ACL_NAMES_MAX)
		return conf_line_error(l, column, "more than %d names of acl", CONF_ACL_NAMES_MAX);
	if (!list) {
		memcpy(conf->acl_names[conf->acl_names_len], name, sizeof(name));
		list = ++conf->acl_names_len;
	}
	rule->list = (uint8_t)list;
	return 0;
}

static int add_rules(struct conf_parse *p, const struct conf_acl_rule *rules, size_t n)
{
	struct conf *conf = p->conf;
	struct conf_acl_rule *grown;

	if (conf->acl_len + n > CONF_ACL_MAX)
		return conf_line_error(&p->line, p->line.words[0].column,
				       "more than %d lines of allow and deny", CONF_ACL_MAX);
	grown = realloc(conf->acl, (conf->acl_len + n) * sizeof(*grown));
	if (!grown)
		return conf_line_error(&p->line, 1, "out of memory");
	memcpy(grown + conf->acl_len, rules, n * sizeof(*rules));
	conf->acl = grown;
	conf->acl_len += n;
	return 0;
}

bool conf_acl_same_net(const struct conf_acl_rule *a, const struct conf_acl_rule *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

void conf_acl_drop_repeated(struct conf *conf, size_t from)
{
	size_t i, j, to = 0, len = conf->acl_len;

	/* nothing is moved to where the later ones stand while they are looked at */
	for (i = 0; i < len; i++) {
		for (j = from; i < from && j < len &&
		     ((conf->acl[i].all && !conf->acl[j].all) ||
		      conf->acl[i].list != conf->acl[j].list ||
		      !conf_acl_same_net(&conf->acl[i], &conf->acl[j])); j++)
			;
		if (i >= from || j == len)
			conf->acl[to++] = conf->acl[i];
	}
	conf->acl_len = to;
}

static int parse_rule(struct conf_parse *p, const struct conf_row *row, bool allow)
{
	struct conf_line *l = &p->line;
	struct conf_acl_rule rules[2] = { 0 };
	bool everybody;
	size_t i, n;

	if (l->next < l->len && strcasecmp(l->words[l->next].text, "all") == 0) {
		rules[0].all = true;
		l->next++;
	}
	everybody = l->next == l->len || strcasecmp(l->words[l->next].text, "acl") == 0;
	if (!everybody && read_prefix(l, &l->words[l->next++], row->d.name, &rules[0]) < 0)
		return -EINVAL;
	if (everybody)
		rules[0].family = AF_INET;
	if (l->next < l->len && strcasecmp(l->words[l->next].text, "acl") == 0 &&
	    take_list(p, &rules[0]) < 0)
		return -EINVAL;
	if (conf_line_end(l, row->d.name) < 0)
		return -EINVAL;
	rules[1] = rules[0];
	rules[1].family = AF_INET6;
	for (i = 0, n = everybody ? 2 : 1; i < n; i++) {
		rules[i].allow = allow;
		rules[i].line = l->number;
	}
	return add_rules(p, rules, n);
}

int conf_parse_allow(struct conf_parse *p, const struct conf_row *row)
{
	return parse_rule(p, row, true);
}

int conf_parse_deny(struct conf_parse *p, const struct conf_row *row)
{
	return parse_rule(p, row, false);
}

/* One of the two fields, by family; the same family again is an error. */
int conf_parse_address(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_line_word(&p->line, row->d.name, "an address");
	size_t size = row->fields[0].size / CONF_ADDRS_MAX;
	unsigned char addr[sizeof(struct in6_addr)];
	char *out = conf_row_field(p->conf, row);
	const char *bad = NULL;
	bool v6;

	if (!w)
		return -EINVAL;
	v6 = strchr(w->text, ':');
	/* the unspecified address is fine here: it means any */
	if (inet_pton(v6 ? AF_INET6 : AF_INET, w->text, addr) != 1 ||
	    (v6 && IN6_IS_ADDR_LINKLOCAL((struct in6_addr *)addr)))
		bad = v6 || strspn(w->text, "0123456789.") == strlen(w->text) ?
		      conf_host_check(w->text) : "not a numeric address";
	if (!bad && strlen(w->text) >= size)
		bad = "too long";
	if (bad)
		return conf_line_error(&p->line, w->column, "%s: '%.60s': %s", row->d.name, w->text,
				       bad);
	out += v6 ? size : 0;
	if (out[0])
		return conf_line_error(&p->line, w->column, "%s: there is an address of this family "
				       "already, %.60s", row->d.name, out);
	snprintf(out, size, "%s", w->text);
	return 0;
}
