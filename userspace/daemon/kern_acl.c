// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The access lists into the module, see kern_acl.h.  Event loop only.
 */
#include "daemon/kern_acl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "daemon/clocks.h"
#include "daemon/log.h"

#define AGAIN_NS	(60 * NTP_NS_PER_S)

_Static_assert(CONF_ACL_NAME_MAX + sizeof(".01234567") - 1 <= NTPK_ACL_NAME_MAX,
	       "there is room for a generation behind a name");

void kern_acl_init(struct kern_acl *a, const struct access *access, uint32_t generation)
{
	memset(a, 0, sizeof(*a));
	a->access = access;
	a->generation = generation;
}

/* The empty name is that of the list which the module has for who names none. */
static bool is_nameless(const struct access_list *list)
{
	return !list->acl && !list->name[0];
}

static bool is_same(const struct access_list *x, const struct access_list *y)
{
	return x->acl && y->acl ? acl_is_same(x->acl, y->acl) : x->acl == y->acl;
}

void kern_acl_want(struct kern_acl *a, const struct access *access)
{
	struct kern_acl_list had[ACCESS_LISTS_MAX];
	const struct access_list *list, *old;
	size_t i;

	memcpy(had, a->of, sizeof(had));
	memset(a->of, 0, sizeof(a->of));
	for (i = 0; i < access->len; i++) {
		const struct kern_acl_list *was;

		list = &access->of[i];
		old = access_find(a->access, list->name);
		if (!old)
			continue;
		was = &had[old - a->access->of];
		if (is_same(list, old))
			a->of[i] = *was;
		else if (!list->acl && list->name[0])
			continue;	/* nobody may ask: nothing from before counts */
		else if (old->acl && was->sent)
			a->of[i].before = was->sent;
		else if (old->acl)
			a->of[i] = (struct kern_acl_list){ .before = was->before,
							   .was_open = was->was_open };
		else
			a->of[i].was_open = is_nameless(old) && was->sent;
	}
	a->access = access;
}

void kern_acl_forget(struct kern_acl *a)
{
	memset(a->of, 0, sizeof(a->of));
}

static void make_name(const struct access_list *list, uint32_t generation,
		      char out[NTPK_ACL_NAME_MAX + 1])
{
	if (is_nameless(list))
		out[0] = '\0';
	else
		snprintf(out, NTPK_ACL_NAME_MAX + 1, "%.*s.%08x", CONF_ACL_NAME_MAX, list->name,
			 generation);
}

static int send_list(const struct kern_acl *a, struct ntpk_nl *nl, const struct access_list *list)
{
	const struct ntp_acl_prefix *prefixes = NULL;
	char name[NTPK_ACL_NAME_MAX + 1];
	uint32_t count[2] = { 0, 0 };
	size_t n = 0;
	int err;

	if (list->acl) {
		prefixes = acl_prefixes(list->acl, &n);
		acl_count(list->acl, count);
	}
	make_name(list, a->generation, name);
	err = ntpk_nl_acl_begin(nl, name, a->generation, count, access_otherwise(list));
	if (!err)
		err = ntpk_nl_acl_add(nl, a->generation, prefixes, n);
	if (!err)
		err = ntpk_nl_acl_commit(nl, a->generation);
	if (!err && n)
		log_info("module ntpk checks %zu prefixes of allow and deny%s%s", n,
			 list->name[0] ? " with acl " : "", list->name);
	return err;
}

/* Without lines everybody may ask, unless somebody else has left a list there. */
static int clear_nameless(struct kern_acl *a, struct ntpk_nl *nl, const struct access_list *list)
{
	struct ntpk_nl_acl there = { .present = false };
	int err = ntpk_nl_get_acl(nl, "", &there);

	/* a module that has no lists lets everybody ask */
	if (err == -EOPNOTSUPP)
		return 0;
	return err || !there.present ? err : send_list(a, nl, list);
}

static int sync_list(struct kern_acl *a, struct ntpk_nl *nl, size_t i)
{
	const struct access_list *list = &a->access->of[i];
	struct kern_acl_list *l = &a->of[i];
	bool said = l->err;

	/* a name without lines: nobody may ask, which takes no list */
	if (l->sent || (!list->acl && list->name[0]))
		return 0;
	if (l->err && clocks_local_ns() < l->again_ns)
		return l->err;
	a->generation += a->generation == UINT32_MAX ? 2 : 1;
	l->err = is_nameless(list) ? clear_nameless(a, nl, list) : send_list(a, nl, list);
	if (!l->err)
		l->sent = a->generation;
	/* what has gone is attached, or found, anew */
	if (l->err == -ENOTCONN || l->err == -ENOENT)
		l->again_ns = 0;
	else
		l->again_ns = clocks_local_ns() + AGAIN_NS;
	if (l->err && l->again_ns && !said)
		log_err("module ntpk does not take the lines of allow and deny%s%s: %s",
			list->name[0] ? " with acl " : "", list->name,
			ntpk_nl_words(nl, l->err));
	return l->err;
}

static bool is_named(const struct ntpk_nl_listeners *listeners, const char *name)
{
	size_t i;

	for (i = 0; i < listeners->len; i++)
		if (strcmp(listeners->of[i].acl, name) == 0)
			return true;
	return false;
}

int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl,
		  const struct ntpk_nl_listeners *listeners)
{
	int err = 0, ret;
	size_t i;

	for (i = 0; i < a->access->len; i++) {
		if (!is_named(listeners, a->access->of[i].name)) {
			/* the push drops what it does not name */
			memset(&a->of[i], 0, sizeof(a->of[i]));
			continue;
		}
		ret = sync_list(a, nl, i);
		err = err ? err : ret;
	}
	return err;
}

void kern_acl_name(const struct kern_acl *a, const char *name, bool stays,
		   char out[NTPK_ACL_NAME_MAX + 1])
{
	const struct access_list *list = access_find(a->access, name);
	struct access_list unknown = { .acl = NULL };
	const struct kern_acl_list *l;

	if (!list) {
		snprintf(unknown.name, sizeof(unknown.name), "%s", name);
		make_name(&unknown, 0, out);
		return;
	}
	l = &a->of[list - a->access->of];
	if (is_nameless(list))
		out[0] = '\0';
	else if (l->sent || !stays)
		make_name(list, l->sent, out);
	else if (l->was_open)
		out[0] = '\0';
	else
		make_name(list, l->before, out);
}

static bool was_there(const struct ntpk_nl_listeners *accepted, const struct ntpk_nl_listener *l)
{
	size_t i;

	for (i = 0; i < accepted->len; i++)
		if (!memcmp(&accepted->of[i], l, offsetof(struct ntpk_nl_listener, policy)) &&
		    !strcmp(accepted->of[i].acl, l->acl))
			return true;
	return false;
}

void kern_acl_translate(const struct kern_acl *a, struct ntpk_nl_listeners *listeners,
			const struct ntpk_nl_listeners *accepted)
{
	char name[NTPK_ACL_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		struct ntpk_nl_listener *l = &listeners->of[i];

		kern_acl_name(a, l->acl, was_there(accepted, l), name);
		memcpy(l->acl, name, sizeof(name));
	}
}

static bool is_lost(const struct kern_acl *a, struct ntpk_nl *nl, size_t i)
{
	const struct access_list *list = &a->access->of[i];
	char name[NTPK_ACL_NAME_MAX + 1];
	struct ntpk_nl_acl there;

	make_name(list, a->of[i].sent, name);
	if (ntpk_nl_get_acl(nl, name, &there))
		return false;
	if (is_nameless(list))
		return there.present && there.generation != a->of[i].sent;
	return !there.present || there.generation != a->of[i].sent;
}

bool kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl)
{
	bool lost = false;
	size_t i;

	for (i = 0; i < a->access->len; i++) {
		if (!a->of[i].sent || !is_lost(a, nl, i))
			continue;
		lost = true;
		a->of[i].sent = 0;
	}
	if (lost)
		log_warn("module ntpk has lost the lines of allow and deny: it gets them again");
	return !lost;
}
