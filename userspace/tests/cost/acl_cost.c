// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Work for a counter of instructions: PREFIXES prefixes of one family in a
 * list, and LOOKUPS addresses, of which each is one call of acl_cost_lookup().
 *
 *	acl_cost 4|6 PREFIXES LOOKUPS
 *
 * Prints how many may ask, and the bytes of the list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ntpk/ntp_acl.h>
#include <ntpk/ntp_math.h>

#define NET	0x20010db800000000ULL

bool acl_cost_lookup(const struct ntp_acl *acl, bool v6, const __be32 *source);

/*
 * A distance apart, so that none meets another and all ranges are there.  Those of
 * IPv6 differ in the lower half alone, which is the longest way to compare.
 */
static struct ntp_acl_prefix nth(bool v6, __u64 n, __u64 bits)
{
	struct ntp_acl_prefix p = { .v6 = v6, .len = 19, .allow = bits & 1 };

	p.addr.hi = n << 46;
	if (v6) {
		p.addr = (struct ntp_acl_addr){ .hi = NET, .lo = n << 46 };
		p.len = 64 + 19;
	}
	return p;
}

static void build(struct ntp_acl *acl, bool v6, __u32 n, __u64 *noise)
{
	void *room = malloc(ntp_acl_size(v6 ? 0 : n, v6 ? n : 0));
	struct ntp_acl_build b;
	__u32 i;

	if (!room)
		exit(1);
	ntp_acl_begin(&b, acl, room, v6 ? 0 : n, v6 ? n : 0, false);
	for (i = 0; i < n; i++) {
		struct ntp_acl_prefix p = nth(v6, i, ntp_noise(noise));

		if (ntp_acl_add(&b, &p) != NTP_ACL_OK)
			exit(1);
	}
	ntp_acl_end(&b);
}

/* What the module does with a source address. */
__attribute__((noinline)) bool acl_cost_lookup(const struct ntp_acl *acl, bool v6,
					       const __be32 *source)
{
	struct ntp_acl_addr addr;

	if (!v6)
		return ntp_acl_find_v4(&acl->v4, ntp_be32toh(source[0])) & NTP_ACL_ALLOW;
	addr = ntp_acl_addr_v6(source);
	return ntp_acl_find_v6(&acl->v6, &addr) & NTP_ACL_ALLOW;
}

int main(int argc, char **argv)
{
	bool v6 = argc > 1 && !strcmp(argv[1], "6");
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned long lookups = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, i, allowed = 0;
	__u64 noise = 1, bits;
	struct ntp_acl acl;
	__be32 source[4];

	if (argc != 4 || !n || n > 1UL << 18)
		return 2;
	build(&acl, v6, (__u32)n, &noise);
	for (i = 0; i < lookups; i++) {
		bits = ntp_noise(&noise);
		source[0] = ntp_htobe32(v6 ? NET >> 32 : (__u32)bits);
		source[1] = ntp_htobe32((__u32)NET);
		source[2] = ntp_htobe32((__u32)bits);
		source[3] = ntp_htobe32((__u32)(bits >> 32));
		allowed += acl_cost_lookup(&acl, v6, source);
	}
	printf("%lu allowed, %u ranges, %zu bytes\n", allowed, v6 ? acl.v6.n : acl.v4.n,
	       ntp_acl_size(v6 ? 0 : (__u32)n, v6 ? (__u32)n : 0));
	free(acl.v6.start);
	return 0;
}
