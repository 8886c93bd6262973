// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directive `listen`: where, and what is otherwise there.  Process context; no
 * global state.
 */
#include "daemon/conf_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <ntpk/ntp_wire.h>
#include "daemon/conf_limit.h"
#include "daemon/conf_priv.h"

#define NS_PER_US	1000LL
#define OFFSET_MAX_NS	(86400 * NTP_NS_PER_S)
#define STRATUM_MAX	15

enum option {
	O_PORT, O_INTERFACE, O_SMEAR, O_OFFSET, O_MAXSTRATUM, O_VERSIONS, O_MAXSERVED,
	O_NEVERSYNCED, O_EXPIRED, O_MODE1, O_REQUIREKEY, O_CRYPTONAK, O_RATELIMIT, O_ACL, O_COUNT
};

static const char *const names[O_COUNT] = {
	[O_PORT] = "port", [O_INTERFACE] = "interface", [O_SMEAR] = "smear",
	[O_OFFSET] = "offset", [O_MAXSTRATUM] = "maxstratum", [O_VERSIONS] = "versions",
	[O_MAXSERVED] = "maxserved", [O_NEVERSYNCED] = "neversynced", [O_EXPIRED] = "expired",
	[O_MODE1] = "mode1", [O_REQUIREKEY] = "requirekey", [O_CRYPTONAK] = "cryptonak",
	[O_RATELIMIT] = "ratelimit", [O_ACL] = "acl",
};

const char *conf_listen_option(size_t i)
{
	return i < O_COUNT ? names[i] : NULL;
}

static const char *option_name(const void *ctx, size_t i)
{
	(void)ctx;
	return conf_listen_option(i);
}

static int take_address(struct conf_line *l, struct conf_listen *out)
{
	const struct conf_word *w = conf_line_word(l, "listen", "an address or `all`");
	bool bad = false;

	if (!w)
		return -EINVAL;
	if (strcasecmp(w->text, "all") == 0)
		return 0;
	if (inet_pton(AF_INET, w->text, out->addr) == 1) {
		out->addr_len = 4;
		bad = out->addr[0] >= 224;
	} else if (inet_pton(AF_INET6, w->text, out->addr) == 1) {
		out->addr_len = 16;
		bad = IN6_IS_ADDR_MULTICAST(out->addr) || IN6_IS_ADDR_V4MAPPED(out->addr);
	}
	if (!out->addr_len || bad)
		return conf_line_error(l, w->column, "listen: '%.60s' is not accepted, only a "
				       "numeric unicast address, 0.0.0.0 or :: for all of a "
				       "family, or `all`", w->text);
	return 0;
}

static int take_interface(struct conf_line *l, struct conf_listen *out)
{
	const struct conf_word *w = conf_line_word(l, "interface", "the name of one");

	if (!w)
		return -EINVAL;
	if (!conf_is_interface(w->text))
		return conf_line_error(l, w->column, "interface: '%.60s' is not the name of an "
				       "interface", w->text);
	snprintf(out->interface, sizeof(out->interface), "%s", w->text);
	return 0;
}

static int take_smear(struct conf_line *l, struct conf_listen *out)
{
	bool linear = false;
	int ret = conf_line_choice(l, "smear", "linear", "quadratic", &linear);

	out->smear = linear ? SMEAR_LINEAR : SMEAR_QUADRATIC;
	return ret;
}

/* "3,4" */
static int take_versions(struct conf_line *l, struct conf_listen *out)
{
	const struct conf_word *w = conf_line_word(l, "versions", "1 to 4, as 3,4");
	const char *s;

	if (!w)
		return -EINVAL;
	for (s = w->text; *s >= '0' + NTP_VERSION_MIN && *s <= '0' + NTP_VERSION_MAX; s++) {
		out->versions |= (uint8_t)(1u << (*s - '0'));
		if (*++s != ',')
			break;
	}
	if (*s || s[-1] == ',')
		return conf_line_error(l, w->column, "versions: '%.60s' is not accepted, only 1 to "
				       "4 with commas between, as 3,4", w->text);
	return 0;
}

static int take_on_off(struct conf_line *l, struct conf_listen *out, enum option o,
		       enum conf_given given, bool *value)
{
	out->given |= given;
	return conf_line_choice(l, names[o], "on", "off", value);
}

static int take_number(struct conf_line *l, enum option o, int64_t max, int64_t *out)
{
	return conf_line_int(l, names[o], 1, max, out);
}

static int take_option(struct conf_line *l, enum option o, struct conf_listen *out)
{
	int64_t n = 0;
	int ret;

	switch (o) {
	case O_PORT:
		ret = take_number(l, o, UINT16_MAX, &n);
		out->port = (uint16_t)n;
		return ret;
	case O_MAXSTRATUM:
		ret = take_number(l, o, STRATUM_MAX, &n);
		out->max_stratum = (uint8_t)n;
		return ret;
	case O_INTERFACE:
		return take_interface(l, out);
	case O_SMEAR:
		return take_smear(l, out);
	case O_OFFSET:
		return conf_line_seconds(l, names[o], -OFFSET_MAX_NS, OFFSET_MAX_NS,
					 &out->offset_ns);
	case O_VERSIONS:
		return take_versions(l, out);
	case O_MAXSERVED:
		return conf_line_seconds(l, names[o], NS_PER_US, CONF_DISTANCE_MAX_NS,
					 &out->max_dist_ns);
	case O_NEVERSYNCED:
		out->given |= CONF_GIVEN_NEVER_SYNCED;
		return conf_take_policy(l, names[o], &out->never_synced);
	case O_EXPIRED:
		out->given |= CONF_GIVEN_EXPIRED;
		return conf_take_policy(l, names[o], &out->expired);
	case O_MODE1:
		return take_on_off(l, out, o, CONF_GIVEN_MODE1, &out->mode1);
	case O_REQUIREKEY:
		return take_on_off(l, out, o, CONF_GIVEN_REQUIREKEY, &out->requirekey);
	case O_CRYPTONAK:
		return take_on_off(l, out, o, CONF_GIVEN_CRYPTONAK, &out->cryptonak);
	case O_RATELIMIT:
		out->given |= CONF_GIVEN_RATELIMIT;
		return conf_take_limit(l, names[o], &out->limit);
	case O_ACL:
		return conf_take_acl_name(l, out->acl);
	case O_COUNT:
		break;
	}
	return -EINVAL;
}

const char *conf_listen_name(const struct conf_listen *l, char *buf, size_t len)
{
	char addr[INET6_ADDRSTRLEN] = "all";
	size_t n;

	if (l->addr_len)
		inet_ntop(l->addr_len == 4 ? AF_INET : AF_INET6, l->addr, addr, sizeof(addr));
	n = (size_t)snprintf(buf, len, "%s", addr);
	if (l->port && n < len)
		n += (size_t)snprintf(buf + n, len - n, " port %u", l->port);
	if (l->interface[0] && n < len)
		snprintf(buf + n, len - n, " interface %s", l->interface);
	return buf;
}

static uint16_t port_of(const struct conf *conf, const struct conf_listen *l)
{
	return l->port ? l->port : conf->port;
}

static bool same_place(const struct conf *conf, const struct conf_listen *a,
		       const struct conf_listen *b)
{
	return port_of(conf, a) == port_of(conf, b) && a->addr_len == b->addr_len &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0 &&
	       strcmp(a->interface, b->interface) == 0;
}

/* What ntpkctl saved takes the place of what the file says there. */
static size_t index_for(const struct conf_parse *p, const struct conf_listen *l)
{
	const struct conf *conf = p->conf;
	size_t i = 0;

	if (p->scope != CONF_SCOPE_RUNTIME)
		return conf->listens_len;
	while (i < conf->listens_len && !same_place(conf, l, &conf->listens[i]))
		i++;
	return i;
}

static int take_all(struct conf_line *l, const char *name, struct conf_listen *out)
{
	unsigned int given = 0;
	int ret, o;

	ret = take_address(l, out);
	while (ret == 0 && l->next < l->len) {
		o = conf_line_option(l, name, option_name, NULL, &given);
		ret = o < 0 ? o : take_option(l, (enum option)o, out);
	}
	if (ret == 0 && out->smear != SMEAR_NONE && out->offset_ns)
		ret = conf_line_error(l, l->words[0].column,
				      "smear and offset do not go together");
	return ret;
}

int conf_parse_listen(struct conf_parse *p, const struct conf_row *row)
{
	struct conf *conf = p->conf;
	struct conf_listen listen;
	struct conf_place *place;
	size_t i;

	memset(&listen, 0, sizeof(listen));
	if (take_all(&p->line, row->d.name, &listen) < 0)
		return -EINVAL;
	i = index_for(p, &listen);
	if (i == CONF_LISTEN_MAX)
		return conf_line_error(&p->line, p->line.words[0].column,
				       "more than %d lines of listen", CONF_LISTEN_MAX);
	/* they are compared byte by byte */
	memcpy(&conf->listens[i], &listen, sizeof(listen));
	place = &conf->listen_at[i];
	place->line = p->line.number;
	snprintf(place->file, sizeof(place->file), "%s", p->line.file);
	if (i == conf->listens_len)
		conf->listens_len++;
	return 0;
}

/* Where `port` and `bindaddress` serve: two places at most. */
static size_t main_places(const struct conf *conf, struct conf_listen out[CONF_ADDRS_MAX])
{
	static const int families[CONF_ADDRS_MAX] = { AF_INET, AF_INET6 };
	bool bound = conf->bindaddress[0][0] || conf->bindaddress[1][0];
	size_t i;

	memset(out, 0, CONF_ADDRS_MAX * sizeof(*out));
	if (!conf->port)
		return 0;
	for (i = 0; i < CONF_ADDRS_MAX && bound; i++) {
		out[i].addr_len = families[i] == AF_INET ? 4 : 16;
		if (conf->bindaddress[i][0])
			inet_pton(families[i], conf->bindaddress[i], out[i].addr);
	}
	return bound ? CONF_ADDRS_MAX : 1;
}

size_t conf_listen_places(const struct conf *conf, struct conf_listen out[NTPK_LISTENERS_MAX])
{
	size_t i, n = main_places(conf, out);

	for (i = 0; i < conf->listens_len; i++)
		out[n++] = conf->listens[i];
	for (i = 0; i < n; i++)
		out[i].port = port_of(conf, &out[i]);
	return n;
}

static int check_one(struct conf_parse *p, const struct conf_listen *places, size_t i,
		     size_t main)
{
	const struct conf_listen *own = &p->conf->listens[i - main];
	struct conf_line *l = &p->line;
	char name[80];
	size_t j;

	conf_listen_name(own, name, sizeof(name));
	if (!places[i].port)
		return conf_line_error(l, 1, "listen %s: `port` is 0, so it needs one of its own: "
				       "port N", name);
	if (own->smear != SMEAR_NONE && !p->conf->leapseclist[0] && !p->conf->leapsectz[0])
		return conf_line_error(l, 1, "listen %s: smear needs to know of leap seconds in "
				       "time, and of past ones: add `leapseclist PATH` or "
				       "`leapsectz ZONE`", name);
	if (own->addr_len == 16 && IN6_IS_ADDR_LINKLOCAL(own->addr) && !own->interface[0])
		return conf_line_error(l, 1, "listen %s: a link-local address needs its interface: "
				       "interface NAME", name);
	for (j = 0; j < i; j++)
		if (same_place(p->conf, &places[i], &places[j]))
			return conf_line_error(l, 1, "listen %s: there is another for that place, %s",
					       name, j < main ? "that of `port` and `bindaddress`" :
					       "in a line before");
	return 0;
}

static int check_at(struct conf_parse *p, size_t i)
{
	struct conf_listen places[NTPK_LISTENERS_MAX];
	size_t main = conf_listen_places(p->conf, places) - p->conf->listens_len;

	p->line.file = p->conf->listen_at[i].file;
	p->line.number = p->conf->listen_at[i].line;
	return check_one(p, places, main + i, main);
}

/* After check_at(). */
static int check_acl(struct conf_parse *p, size_t i)
{
	const struct conf_listen *own = &p->conf->listens[i];
	char name[80];

	if (!own->acl[0] || conf_acl_has(p->conf, own->acl))
		return 0;
	return conf_line_error(&p->line, 1, "listen %s: nobody could ask there: add `allow PREFIX "
			       "acl %s`", conf_listen_name(own, name, sizeof(name)), own->acl);
}

int conf_listen_check(struct conf_parse *p)
{
	int ret = 0;
	size_t i;

	for (i = 0; i < p->conf->listens_len; i++)
		if (check_at(p, i) < 0 || check_acl(p, i) < 0)
			ret = -EINVAL;
	return ret;
}

static void leave_out(struct conf *conf, size_t i, const struct conf_listens *before)
{
	if (i < before->len) {
		memcpy(&conf->listens[i], &before->of[i], sizeof(before->of[i]));
		conf->listen_at[i] = before->at[i];
		return;
	}
	conf->listens_len--;
	memmove(&conf->listens[i], &conf->listens[i + 1],
		(conf->listens_len - i) * sizeof(conf->listens[0]));
	memmove(&conf->listen_at[i], &conf->listen_at[i + 1],
		(conf->listens_len - i) * sizeof(conf->listen_at[0]));
}

unsigned int conf_listen_check_saved(struct conf_parse *p, const struct conf_listens *before)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < p->conf->listens_len;) {
		if (check_at(p, i) == 0) {
			/* left out, a wider place would answer there, whoever asks */
			check_acl(p, i++);
			continue;
		}
		n++;
		leave_out(p->conf, i, before);
		/* that of the file was checked with the file */
		i += i < before->len;
	}
	return n;
}

bool conf_listen_needs_keys(const struct conf *conf)
{
	bool asked = conf->requirekey;
	size_t i;

	for (i = 0; i < conf->listens_len; i++)
		asked |= conf->listens[i].given & CONF_GIVEN_REQUIREKEY && conf->listens[i].requirekey;
	return asked && !conf->keyfile[0];
}
