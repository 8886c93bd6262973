// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building the messages of symmetric keys.  What is built holds a secret: the
 * caller wipes it.  Pure.
 */
#include "nl/nl_msg.h"

static void put_key(struct nlmsghdr *nlh, const struct ntpk_nl_key *key)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_KEYS_KEY);

	mnl_attr_put_u32(nlh, NTPK_A_KEY_ID, key->id);
	mnl_attr_put_u32(nlh, NTPK_A_KEY_TYPE, key->type);
	mnl_attr_put(nlh, NTPK_A_KEY_SECRET, key->secret_len, key->secret);
	mnl_attr_nest_end(nlh, nest);
}

void nl_msg_put_keys(struct nlmsghdr *nlh, uint32_t generation, const uint32_t *count,
		     const struct ntpk_nl_key *key)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_KEYS);

	mnl_attr_put_u32(nlh, NTPK_A_KEYS_GENERATION, generation);
	if (count)
		mnl_attr_put_u32(nlh, NTPK_A_KEYS_COUNT, *count);
	if (key)
		put_key(nlh, key);
	mnl_attr_nest_end(nlh, nest);
}
