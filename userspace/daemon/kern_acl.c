// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The access lists into the module, see kern_acl.h.  Event loop only.
 */
#include "daemon/kern_acl.h"

#include <errno.h>
#include <string.h>
#include "daemon/log.h"

void kern_acl_want(struct kern_acl *a, const struct access *access)
{
	a->access = access;
	a->due = true;
	a->said = false;
}

static int upload(struct kern_acl *a, struct ntpk_nl *nl, size_t i)
{
	const struct access_list *list = &a->access->of[i];
	const struct ntp_acl_prefix *prefixes = NULL;
	uint32_t count[2] = { 0, 0 };
	size_t n = 0;
	int err;

	if (list->acl) {
		prefixes = acl_prefixes(list->acl, &n);
		acl_count(list->acl, count);
	}
	a->of[i] = ++a->generation;
	err = ntpk_nl_acl_begin(nl, list->name, a->generation, count, access_otherwise(list));
	if (!err)
		err = ntpk_nl_acl_add(nl, a->generation, prefixes, n);
	if (!err)
		err = ntpk_nl_acl_commit(nl, a->generation);
	if (!err && n)
		log_info("module ntpk checks %zu prefixes of allow and deny%s%s", n,
			 list->name[0] ? " with acl " : "", list->name);
	return err;
}

static int sync_list(struct kern_acl *a, struct ntpk_nl *nl, size_t i)
{
	const struct access_list *list = &a->access->of[i];
	struct ntpk_nl_acl there = { .present = false };
	int err;

	if (list->acl || list->name[0])
		return upload(a, nl, i);
	err = ntpk_nl_get_acl(nl, list->name, &there);
	/* a module that has no lists lets everybody ask */
	if (err == -EOPNOTSUPP)
		return 0;
	return err || !there.present ? err : upload(a, nl, i);
}

/* One that is refused does not keep the others out. */
static int sync_all(struct kern_acl *a, struct ntpk_nl *nl)
{
	const char *name;
	int err = 0, ret;
	size_t i;

	for (i = 0; i < a->access->len; i++) {
		ret = sync_list(a, nl, i);
		name = a->access->of[i].name;
		if (ret && !a->said)
			log_err("module ntpk does not take the lines of allow and deny%s%s: %s",
				name[0] ? " with acl " : "", name, ntpk_nl_words(nl, ret));
		err = err ? err : ret;
	}
	return err;
}

int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl)
{
	int err;

	if (!a->due)
		return 0;
	err = sync_all(a, nl);
	a->due = err;
	a->said = err;
	return err;
}

void kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl)
{
	struct ntpk_nl_acl there;
	size_t i;

	if (a->due)
		return;
	for (i = 0; i < a->access->len && !a->due; i++) {
		const struct access_list *list = &a->access->of[i];

		if ((!list->acl && !list->name[0]) || ntpk_nl_get_acl(nl, list->name, &there))
			continue;
		a->due = !there.present || there.generation != a->of[i];
	}
	if (a->due)
		log_warn("module ntpk has lost the lines of allow and deny: it gets them again");
}
