// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nests as tables of plain values, see nl_fields.h.  Pure.
 */
#include <errno.h>
#include <string.h>
#include "nl/nl_fields.h"

void nl_put_fields(struct nlmsghdr *nlh, const struct nl_field *fields, size_t n,
		       const void *from)
{
	const struct nl_field *f;

	for (f = fields; f < fields + n; f++)
		mnl_attr_put(nlh, f->type, f->size, (const char *)from + f->offset);
}

void nl_put_nonzero(struct nlmsghdr *nlh, const struct nl_field *fields, size_t n,
		    const void *from)
{
	static const char zeros[8];
	const struct nl_field *f;

	for (f = fields; f < fields + n; f++)
		if (memcmp((const char *)from + f->offset, zeros, f->size) != 0)
			nl_put_fields(nlh, f, 1, from);
}

struct nl_walk nl_walk_nest(const struct nlattr *attr)
{
	return (struct nl_walk){ nl_attr_data(attr), nl_attr_len(attr) };
}

int nl_walk_message(const struct nlmsghdr *nlh, size_t head, struct nl_walk *w)
{
	head = MNL_ALIGN(head);
	if (nlh->nlmsg_len < MNL_NLMSG_HDRLEN || nlh->nlmsg_len - MNL_NLMSG_HDRLEN < head)
		return -EBADMSG;
	w->at = (const char *)nlh + MNL_NLMSG_HDRLEN + head;
	w->left = nlh->nlmsg_len - MNL_NLMSG_HDRLEN - head;
	return 0;
}

int nl_collect(struct nl_walk w, const struct nlattr **tb, uint16_t max)
{
	const struct nlattr *attr;
	int ret;

	while ((ret = nl_walk_next(&w, &attr)) > 0)
		if (nl_attr_type(attr) <= max)
			tb[nl_attr_type(attr)] = attr;
	return ret;
}

static int take_field(const struct nlattr *attr, const struct nl_field *fields, size_t n, void *out,
		      uint32_t *seen)
{
	uint16_t type = nl_attr_type(attr);
	const struct nl_field *f;

	for (f = fields; f < fields + n; f++) {
		if (f->type != type)
			continue;
		if (nl_attr_len(attr) != f->size)
			return -EBADMSG;
		memcpy((char *)out + f->offset, nl_attr_data(attr), f->size);
		*seen |= 1u << (f - fields);
	}
	return 0;
}

static bool complete(const struct nl_field *fields, size_t n, uint32_t seen)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fields[i].must && !(seen & 1u << i))
			return false;
	return true;
}

int nl_parse_fields(struct nl_walk w, const struct nl_field *fields, size_t n, void *out)
{
	const struct nlattr *attr;
	uint32_t seen = 0;
	int ret;

	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		ret = take_field(attr, fields, n, out, &seen);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	return complete(fields, n, seen) ? 0 : -EBADMSG;
}

static int parse_name(struct nl_walk w, uint16_t type, char *name, size_t len)
{
	const struct nlattr *attr;
	size_t n;
	int ret;

	name[0] = '\0';
	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		if (nl_attr_type(attr) != type)
			continue;
		n = strnlen(nl_attr_data(attr), nl_attr_len(attr));
		if (!n || n >= len)
			return -EBADMSG;
		memcpy(name, nl_attr_data(attr), n);
		name[n] = '\0';
	}
	if (ret < 0)
		return ret;
	return name[0] ? 0 : -EBADMSG;
}

static int add_item(const struct nl_list *l, const struct nlattr *attr, void *out)
{
	size_t *n = (size_t *)((char *)out + l->count);
	char *item;
	int ret;

	if (*n >= l->max)
		return 0;
	item = (char *)out + l->list + *n * l->size;
	ret = nl_parse_fields(nl_walk_nest(attr), l->fields, l->n_fields, item);
	if (ret == 0 && l->name_type)
		ret = parse_name(nl_walk_nest(attr), l->name_type, item + l->name, l->name_size);
	if (ret == 0)
		++*n;
	return ret;
}

int nl_parse_lists(struct nl_walk w, const struct nl_list *lists, size_t n, void *out)
{
	const struct nlattr *attr;
	int ret = 0;
	size_t i;

	while (ret >= 0 && (ret = nl_walk_next(&w, &attr)) > 0)
		for (i = 0; i < n && ret >= 0; i++)
			if (lists[i].type == nl_attr_type(attr))
				ret = add_item(&lists[i], attr, out);
	return ret;
}
