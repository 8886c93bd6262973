// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of clients and its orders.
 */
#include "ctl/clients.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/client_view.h"

/* Behind all that is known. */
#define UNKNOWN		(-INFINITY)
#define ROOM_MIN	1024

void client_list_clean(struct client_list *list)
{
	size_t i;

	for (i = 0; i < list->len; i++)
		free(list->rows[i].name);
	free(list->rows);
	memset(list, 0, sizeof(*list));
}

static struct client_view view_of(const struct ntpk_nl_client *c)
{
	struct client_view v;

	client_view(&v, &c->record, c->now_raw_ns, NULL);
	return v;
}

static double by_requests(const struct ntpk_nl_client *c)
{
	return c->requests;
}

static double by_dropped(const struct ntpk_nl_client *c)
{
	return c->dropped;
}

static double by_last(const struct ntpk_nl_client *c)
{
	return -(double)c->last_age_ns;
}

static double by_first(const struct ntpk_nl_client *c)
{
	return -(double)c->first_age_ns;
}

static double by_interval(const struct ntpk_nl_client *c)
{
	struct client_view v;

	if (!c->has_record)
		return UNKNOWN;
	v = view_of(c);
	return v.interval_ns < 0 ? UNKNOWN : -v.interval_ns;
}

static double by_error(const struct ntpk_nl_client *c)
{
	struct client_view v;

	if (!c->has_record)
		return UNKNOWN;
	v = view_of(c);
	return v.has_error ? fabs(v.error_ns) : UNKNOWN;
}

static double by_drift(const struct ntpk_nl_client *c)
{
	struct client_view v;

	if (!c->has_record)
		return UNKNOWN;
	v = view_of(c);
	return v.has_drift ? fabs(v.drift_ppb) : UNKNOWN;
}

static double by_nothing(const struct ntpk_nl_client *c)
{
	(void)c;
	return 0;
}

static const struct {
	const char *name;
	double (*of)(const struct ntpk_nl_client *c);
} keys[] = {
	{ "requests", by_requests },
	{ "dropped", by_dropped },
	{ "last", by_last },
	{ "first", by_first },
	{ "interval", by_interval },
	{ "error", by_error },
	{ "drift", by_drift },
	{ "address", by_nothing },
};

/* Equal ones by address, IPv4 first, so that the order is always the same. */
static int compare(const void *a, const void *b)
{
	const struct client_row *x = a, *y = b;

	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	if (x->c.addr_len != y->c.addr_len)
		return x->c.addr_len < y->c.addr_len ? -1 : 1;
	return memcmp(x->c.addr, y->c.addr, sizeof(x->c.addr));
}

int client_list_begin(struct client_list *list, const char *key, size_t most)
{
	size_t k;

	memset(list, 0, sizeof(*list));
	list->most = most;
	for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
		if (strcmp(key, keys[k].name) == 0)
			list->key_of = keys[k].of;
	return list->key_of ? 0 : -EINVAL;
}

static int grow(struct client_list *list)
{
	size_t room = list->room ? list->room + list->room / 2 : ROOM_MIN;
	struct client_row *grown = realloc(list->rows, room * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->rows = grown;
	list->room = room;
	return 0;
}

/* Names come later. */
void client_list_end(struct client_list *list)
{
	if (list->len)
		qsort(list->rows, list->len, sizeof(list->rows[0]), compare);
	if (list->len > list->most)
		list->len = list->most;
}

int client_list_add(struct client_list *list, const struct ntpk_nl_client *c)
{
	struct client_row row = { .key = list->key_of(c) };

	list->total++;
	if (list->full && row.key < list->rows[list->most - 1].key)
		return 0;
	row.c = *c;
	if (list->full && compare(&row, &list->rows[list->most - 1]) > 0)
		return 0;
	/* now and then what has no chance any more goes, so that each costs but a few steps */
	if (list->len >= ROOM_MIN && list->len / 2 >= list->most) {
		client_list_end(list);
		list->full = true;
	}
	if (list->len == list->room && grow(list) < 0)
		return -ENOMEM;
	list->rows[list->len++] = row;
	return 0;
}
