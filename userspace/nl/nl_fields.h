/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nests of the family as tables of plain values: one table serves both
 * directions, so that what is sent and what is understood cannot drift apart.
 * Pure: buffers in, structs out.
 */
#ifndef NTPK_NL_FIELDS_H
#define NTPK_NL_FIELDS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

/**
 * struct nl_field - one attribute that is a plain value of host byte order (refid: wire order)
 * @type: of the attribute
 * @size: of the value
 * @offset: of the member
 * @must: a message without it makes no sense
 */
struct nl_field {
	uint16_t type;
	uint16_t size;
	uint16_t offset;
	bool	 must;
};

#define NL_FIELD(st, attr, member, needed) {						\
	.type = (attr), .size = sizeof(((struct st *)0)->member),			\
	.offset = offsetof(struct st, member), .must = (needed) }
#define NL_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* struct nl_walk - a stretch of attributes being walked */
struct nl_walk {
	const char *at;
	size_t	 left;
};

/**
 * nl_walk_next() - one attribute on
 * @w: stretch
 * @attr: out
 *
 * Inline, as are the next three: a dump of a million clients has seven million attributes.
 *
 * Return: 1 with the next attribute, 0 at the end, -EBADMSG on rubbish.
 */
static inline int nl_walk_next(struct nl_walk *w, const struct nlattr **attr)
{
	size_t len;

	if (!w->left)
		return 0;
	*attr = (const struct nlattr *)w->at;
	if (w->left < sizeof(**attr) || (*attr)->nla_len < sizeof(**attr) ||
	    (*attr)->nla_len > w->left)
		return -EBADMSG;
	len = MNL_ALIGN((*attr)->nla_len);
	if (len > w->left)
		len = w->left;
	w->at += len;
	w->left -= len;
	return 1;
}

/** nl_attr_type() - mnl_attr_get_type() */
static inline uint16_t nl_attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

/** nl_attr_len() - mnl_attr_get_payload_len() of one that nl_walk_next() found good */
static inline uint16_t nl_attr_len(const struct nlattr *attr)
{
	return (uint16_t)(attr->nla_len - MNL_ATTR_HDRLEN);
}

/** nl_attr_data() - mnl_attr_get_payload() */
static inline const void *nl_attr_data(const struct nlattr *attr)
{
	return (const char *)attr + MNL_ATTR_HDRLEN;
}

/**
 * nl_walk_top() - the attributes of a nest at the top level
 * @nlh: message of the family
 * @type: of the nest
 * @w: out
 *
 * Return: 0, or -EBADMSG: there is none, or rubbish.
 */
int nl_walk_top(const struct nlmsghdr *nlh, uint16_t type, struct nl_walk *w);

/** nl_walk_nest() - the attributes in @attr */
struct nl_walk nl_walk_nest(const struct nlattr *attr);

/**
 * nl_walk_message() - the attributes of a message, to its very end
 * @nlh: message
 * @head: bytes of the family's own before them
 * @w: out
 *
 * Return: 0, or -EBADMSG: it is shorter than that.
 */
int nl_walk_message(const struct nlmsghdr *nlh, size_t head, struct nl_walk *w);

/**
 * nl_collect() - attributes by type
 * @w: stretch
 * @tb: array of @max + 1, of NULL; the last of each type is kept
 * @max: what is above is newer, and skipped
 *
 * Return: 0 or -EBADMSG.
 */
int nl_collect(struct nl_walk w, const struct nlattr **tb, uint16_t max);

/**
 * nl_put_fields() - a struct into attributes
 * @nlh: message
 * @fields: table
 * @n: its length
 * @from: struct
 */
void nl_put_fields(struct nlmsghdr *nlh, const struct nl_field *fields, size_t n,
		   const void *from);

/**
 * nl_put_nonzero() - the same without what is 0
 * @nlh: message
 * @fields: table
 * @n: its length
 * @from: struct
 */
void nl_put_nonzero(struct nlmsghdr *nlh, const struct nl_field *fields, size_t n,
		    const void *from);

/**
 * nl_parse_fields() - and back
 * @w: the attributes; those that are not in the table are skipped
 * @fields: table
 * @n: its length, at most 32
 * @out: struct
 *
 * Return: 0, or -EBADMSG: one is missing or of another length.
 */
int nl_parse_fields(struct nl_walk w, const struct nl_field *fields, size_t n, void *out);

/**
 * struct nl_list - nests of one kind, kept in an array of a struct
 * @type: of the attribute
 * @name_type: of that in it which is a name, 0 = it has none
 * @name: offset of the name in an item
 * @name_size: room for it
 * @fields: what else is in it
 * @n_fields: how many
 * @list: offset of the array
 * @size: of an item
 * @max: room in the array; more are left out
 * @count: offset of how many there are, a size_t
 */
struct nl_list {
	uint16_t type;
	uint16_t name_type;
	size_t	 name;
	size_t	 name_size;
	const struct nl_field *fields;
	size_t	 n_fields;
	size_t	 list;
	size_t	 size;
	size_t	 max;
	size_t	 count;
};

#define NL_LIST(attr, table, st, member, counter)					\
	.type = (attr), .fields = (table), .n_fields = NL_LEN(table),			\
	.list = offsetof(struct st, member), .size = sizeof(((struct st *)0)->member[0]),	\
	.max = NL_LEN(((struct st *)0)->member), .count = offsetof(struct st, counter)
#define NL_NAMED(attr, item)								\
	.name_type = (attr), .name = offsetof(struct item, name),			\
	.name_size = sizeof(((struct item *)0)->name)

/**
 * nl_parse_lists() - what is there more than once
 * @w: the attributes; those that are of no list are skipped
 * @lists: table
 * @n: its length
 * @out: struct, its counts 0
 *
 * Return: 0, or -EBADMSG: something is missing in an item or of another length.
 */
int nl_parse_lists(struct nl_walk w, const struct nl_list *lists, size_t n, void *out);

#endif /* NTPK_NL_FIELDS_H */
