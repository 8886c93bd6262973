// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Access lists, see ntp_acl.h.  The sorted prefixes are swept once, with a stack
 * of the networks that hold the current address: each start and each end of a
 * network begins a range, in which the network on top decides.
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_acl.h>

#define ONES	(~0ULL)

/* each prefix begins one range and ends one, after the first */
static __u32 ranges(__u32 prefixes)
{
	return 2 * prefixes + 1;
}

size_t ntp_acl_size(__u32 v4, __u32 v6)
{
	return ranges(v6) * (sizeof(struct ntp_acl_addr) + sizeof(__u16)) +
	       ranges(v4) * (sizeof(__u32) + sizeof(__u16));
}

void ntp_acl_begin(struct ntp_acl_build *b, struct ntp_acl *acl, void *room, __u32 v4, __u32 v6,
		   bool allow)
{
	__u16 code = allow ? NTP_ACL_ALLOW : 0;

	/* what needs most alignment first */
	acl->v6.start = room;
	acl->v4.start = (__u32 *)(acl->v6.start + ranges(v6));
	acl->v6.code = (__u16 *)(acl->v4.start + ranges(v4));
	acl->v4.code = acl->v6.code + ranges(v6);
	acl->v4.n = 1;
	acl->v4.start[0] = 0;
	acl->v4.code[0] = code;
	acl->v6.n = 1;
	acl->v6.start[0] = (struct ntp_acl_addr){ 0 };
	acl->v6.code[0] = code;
	b->acl = acl;
	b->left[0] = v4;
	b->left[1] = v6;
	b->any = false;
	b->depth = 0;
}

static bool before(const struct ntp_acl_addr *a, const struct ntp_acl_addr *b)
{
	return a->hi < b->hi || (a->hi == b->hi && a->lo < b->lo);
}

static bool same(const struct ntp_acl_addr *a, const struct ntp_acl_addr *b)
{
	return a->hi == b->hi && a->lo == b->lo;
}

/* The bits behind a prefix. */
static struct ntp_acl_addr behind(unsigned int len)
{
	return (struct ntp_acl_addr){
		.hi = len >= 64 ? 0 : ONES >> len,
		.lo = len >= 128 ? 0 : len <= 64 ? ONES : ONES >> (len - 64),
	};
}

struct ntp_acl_addr ntp_acl_cut(struct ntp_acl_addr addr, unsigned int len)
{
	struct ntp_acl_addr rest = behind(len);

	return (struct ntp_acl_addr){ addr.hi & ~rest.hi, addr.lo & ~rest.lo };
}

static bool in_order(const struct ntp_acl_prefix *a, const struct ntp_acl_prefix *b)
{
	if (a->v6 != b->v6)
		return b->v6;
	if (!same(&a->addr, &b->addr))
		return before(&a->addr, &b->addr);
	return a->len < b->len;
}

static void emit_v4(struct ntp_acl_v4 *v4, __u32 start, __u16 code)
{
	/* a network that begins where another begins or ends has the last word */
	if (v4->start[v4->n - 1] == start)
		v4->n--;
	if (v4->n && v4->code[v4->n - 1] == code)
		return;
	v4->start[v4->n] = start;
	v4->code[v4->n++] = code;
}

static void emit_v6(struct ntp_acl_v6 *v6, const struct ntp_acl_addr *start, __u16 code)
{
	if (same(&v6->start[v6->n - 1], start))
		v6->n--;
	if (v6->n && v6->code[v6->n - 1] == code)
		return;
	v6->start[v6->n] = *start;
	v6->code[v6->n++] = code;
}

/* From @start on, what is on top of the stack decides. */
static void emit(struct ntp_acl_build *b, const struct ntp_acl_addr *start)
{
	__u16 code = b->open[b->depth - 1].code;

	if (b->last.v6)
		emit_v6(&b->acl->v6, start, code);
	else
		emit_v4(&b->acl->v4, (__u32)(start->hi >> 32), code);
}

/* The network on top ends. */
static void leave(struct ntp_acl_build *b)
{
	struct ntp_acl_addr next = b->open[--b->depth].last;

	next.lo++;
	next.hi += !next.lo;
	/* unless it ended at the last address of all */
	if (next.hi || next.lo)
		emit(b, &next);
}

static void open_net(struct ntp_acl_build *b, struct ntp_acl_addr last, __u16 code)
{
	b->open[b->depth].last = last;
	b->open[b->depth++].code = code;
}

/* At the bottom lies the whole family, where the default counts. */
static void open_family(struct ntp_acl_build *b, bool v6)
{
	__u16 code = v6 ? b->acl->v6.code[0] : b->acl->v4.code[0];

	open_net(b, (struct ntp_acl_addr){ ONES, ONES }, code);
}

static void close_family(struct ntp_acl_build *b)
{
	while (b->depth)
		leave(b);
}

static enum ntp_acl_fault check(const struct ntp_acl_build *b, const struct ntp_acl_prefix *p)
{
	struct ntp_acl_addr net = ntp_acl_cut(p->addr, p->len);

	if (p->len > (p->v6 ? NTP_ACL_V6_LEN_MAX : NTP_ACL_V4_LEN_MAX))
		return NTP_ACL_BAD_LEN;
	if (!same(&net, &p->addr))
		return NTP_ACL_HOST_BITS;
	if (b->any && !in_order(&b->last, p))
		return NTP_ACL_ORDER;
	return b->left[p->v6] ? NTP_ACL_OK : NTP_ACL_FULL;
}

enum ntp_acl_fault ntp_acl_add(struct ntp_acl_build *b, const struct ntp_acl_prefix *p)
{
	struct ntp_acl_addr rest = behind(p->len);
	enum ntp_acl_fault fault = check(b, p);

	if (fault != NTP_ACL_OK)
		return fault;
	if (b->any && b->last.v6 != p->v6)
		close_family(b);
	if (!b->depth)
		open_family(b, p->v6);
	while (before(&b->open[b->depth - 1].last, &p->addr))
		leave(b);
	b->last = *p;
	b->any = true;
	b->left[p->v6]--;
	open_net(b, (struct ntp_acl_addr){ p->addr.hi | rest.hi, p->addr.lo | rest.lo },
		 (__u16)(NTP_ACL_RULE | (p->allow ? NTP_ACL_ALLOW : 0) | p->len));
	emit(b, &p->addr);
	return NTP_ACL_OK;
}

void ntp_acl_end(struct ntp_acl_build *b)
{
	close_family(b);
}

/*
 * The last range that starts at or before the address.  The number of steps
 * depends on the number of ranges alone.
 */
__u16 ntp_acl_find_v4(const struct ntp_acl_v4 *v4, __u32 addr)
{
	const __u32 *at = v4->start;
	__u32 n = v4->n;

	while (n > 1) {
		__u32 half = n / 2;

		if (at[half] <= addr)
			at += half;
		n -= half;
	}
	return v4->code[at - v4->start];
}

__u16 ntp_acl_find_v6(const struct ntp_acl_v6 *v6, const struct ntp_acl_addr *addr)
{
	const struct ntp_acl_addr *at = v6->start;
	__u32 n = v6->n;

	while (n > 1) {
		__u32 half = n / 2;

		if (!before(addr, &at[half]))
			at += half;
		n -= half;
	}
	return v6->code[at - v6->start];
}
