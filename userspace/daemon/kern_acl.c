// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The access list into the module, see kern_acl.h.  Event loop only.
 */
#include "daemon/kern_acl.h"

#include <errno.h>
#include <string.h>
#include "daemon/log.h"

void kern_acl_want(struct kern_acl *a, const struct acl *acl)
{
	a->acl = acl;
	a->due = true;
	a->said = false;
}

static int upload(struct kern_acl *a, struct ntpk_nl *nl)
{
	const struct ntp_acl_prefix *prefixes = NULL;
	uint32_t count[2] = { 0, 0 };
	bool otherwise = true;
	size_t n = 0;
	int err;

	if (a->acl) {
		prefixes = acl_prefixes(a->acl, &n);
		acl_count(a->acl, count);
		otherwise = acl_otherwise(a->acl);
	}
	a->generation++;
	err = ntpk_nl_acl_begin(nl, a->generation, count, otherwise);
	if (!err)
		err = ntpk_nl_acl_add(nl, a->generation, prefixes, n);
	if (!err)
		err = ntpk_nl_acl_commit(nl, a->generation);
	if (!err && n)
		log_info("module ntpk checks %zu prefixes of allow and deny", n);
	return err;
}

static int sync_list(struct kern_acl *a, struct ntpk_nl *nl)
{
	struct ntpk_nl_acl there = { .present = false };
	int err;

	if (a->acl)
		return upload(a, nl);
	err = ntpk_nl_get_acl(nl, &there);
	/* a module that has no lists lets everybody ask */
	if (err == -EOPNOTSUPP)
		return 0;
	return err || !there.present ? err : upload(a, nl);
}

int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl)
{
	int err;

	if (!a->due)
		return 0;
	err = sync_list(a, nl);
	if (err && !a->said) {
		log_err("module ntpk does not take the lines of allow and deny: %s",
			ntpk_nl_words(nl, err));
	}
	a->due = err;
	a->said = err;
	return err;
}

void kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl)
{
	struct ntpk_nl_acl there;

	if (!a->acl || a->due || ntpk_nl_get_acl(nl, &there))
		return;
	a->due = !there.present || there.generation != a->generation;
	if (a->due)
		log_warn("module ntpk has lost the lines of allow and deny: it gets them again");
}
