// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as the prefixes of an access list.  Beyond what the
 * sanitizers see: the ranges start at 0 and are sorted, no two neighbours say the
 * same, there are no more than was room for, and at the first address of each
 * the longest prefix that was taken decides.
 */
#include <stdlib.h>
#include <string.h>
#include <ntpk/ntp_acl.h>
#include "fuzz.h"

#define PREFIXES_MAX	64
#define BYTES		18	/* flags, length, address */

static struct ntp_acl_prefix prefix_of(const uint8_t *data)
{
	struct ntp_acl_prefix p = { .v6 = data[0] & 1, .allow = data[0] & 2, .len = data[1] };
	__be32 words[4];

	memcpy(words, data + 2, sizeof(words));
	p.addr = ntp_acl_addr_v6(words);
	/* most of them well-formed */
	if (data[0] & 4)
		p.addr = ntp_acl_cut(p.addr, p.v6 || p.len < 32 ? p.len : 32);
	return p;
}

static uint16_t by_hand(const struct ntp_acl_prefix *p, size_t n, bool v6, struct ntp_acl_addr a,
			uint16_t otherwise)
{
	uint16_t code = otherwise;
	int len = -1;

	for (size_t i = 0; i < n; i++) {
		struct ntp_acl_addr net = ntp_acl_cut(a, p[i].len);

		if (p[i].v6 != v6 || net.hi != p[i].addr.hi || net.lo != p[i].addr.lo ||
		    p[i].len <= len)
			continue;
		len = p[i].len;
		code = (uint16_t)(p[i].len | NTP_ACL_RULE | (p[i].allow ? NTP_ACL_ALLOW : 0));
	}
	return code;
}

static void check(const struct ntp_acl *acl, const struct ntp_acl_prefix *p, size_t n,
		  uint16_t otherwise)
{
	for (uint32_t i = 0; i < acl->v4.n; i++) {
		uint32_t at = acl->v4.start[i];

		if (i ? at <= acl->v4.start[i - 1] || acl->v4.code[i] == acl->v4.code[i - 1] : at)
			abort();
		if (ntp_acl_find_v4(&acl->v4, at) !=
		    by_hand(p, n, false, ntp_acl_addr_v4(at), otherwise))
			abort();
	}
	for (uint32_t i = 0; i < acl->v6.n; i++) {
		const struct ntp_acl_addr *at = &acl->v6.start[i];

		if (i ? at->hi < at[-1].hi || (at->hi == at[-1].hi && at->lo <= at[-1].lo) ||
			acl->v6.code[i] == acl->v6.code[i - 1] : at->hi || at->lo)
			abort();
		if (ntp_acl_find_v6(&acl->v6, at) != by_hand(p, n, true, *at, otherwise))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntp_acl_prefix taken[PREFIXES_MAX];
	struct ntp_acl_build b;
	struct ntp_acl acl;
	size_t n = 0;
	void *room;

	if (size < 3)
		return 0;
	room = malloc(ntp_acl_size(data[0] % 32, data[1] % 32));
	if (!room)
		return 0;
	ntp_acl_begin(&b, &acl, room, data[0] % 32, data[1] % 32, data[2] & 1);
	for (size_t at = 3; at + BYTES <= size; at += BYTES) {
		struct ntp_acl_prefix p = prefix_of(data + at);

		if (ntp_acl_add(&b, &p) == NTP_ACL_OK)
			taken[n++] = p;
	}
	ntp_acl_end(&b);
	if (acl.v4.n > 2 * (data[0] % 32u) + 1 || acl.v6.n > 2 * (data[1] % 32u) + 1)
		abort();
	check(&acl, taken, n, data[2] & 1 ? NTP_ACL_ALLOW : 0);
	free(room);
	return 0;
}
