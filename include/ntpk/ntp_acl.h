/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Who may ask: prefixes with an access each, of which the longest that holds an
 * address decides.  Kept as ranges of addresses, sorted, without gaps, so that a
 * look-up is a binary search of a fixed number of steps.  Pure C; immutable once
 * built, any context.
 */
#ifndef _NTPK_NTP_ACL_H
#define _NTPK_NTP_ACL_H

#include <ntpk/ntp_wire.h>

#define NTP_ACL_V4_LEN_MAX	32
#define NTP_ACL_V6_LEN_MAX	128

/*
 * Who decides in a range, in 16 bits.  The rule itself is the address asked for,
 * cut to the length: all rules of a range that have one length and access are
 * told apart by it.
 */
#define NTP_ACL_LEN		0x00ff	/* length of the rule's prefix */
#define NTP_ACL_RULE		0x0100	/* a rule; else nobody, and the default counts */
#define NTP_ACL_ALLOW		0x0200	/* may ask */

/* struct ntp_acl_addr - an address as a number; IPv4 is in the upper half of @hi */
struct ntp_acl_addr {
	__u64	hi;
	__u64	lo;
};

/**
 * struct ntp_acl_prefix - one rule
 * @addr: of the network
 * @len: of the prefix
 * @v6: IPv6, else IPv4
 * @allow: its hosts may ask
 */
struct ntp_acl_prefix {
	struct ntp_acl_addr addr;
	__u8	len;
	bool	v6;
	bool	allow;
};

/**
 * struct ntp_acl_v4 - ranges of IPv4 addresses
 * @n: how many; at least one, which starts at 0
 * @start: first address of each, host order
 * @code: NTP_ACL_*, of each
 */
struct ntp_acl_v4 {
	__u32	n;
	__u32	*start;
	__u16	*code;
};

/* struct ntp_acl_v6 - the same of IPv6 addresses */
struct ntp_acl_v6 {
	__u32	n;
	struct ntp_acl_addr *start;
	__u16	*code;
};

/* struct ntp_acl - a list */
struct ntp_acl {
	struct ntp_acl_v4 v4;
	struct ntp_acl_v6 v6;
};

/* struct ntp_acl_net - a network that is being swept: its last address, its code */
struct ntp_acl_net {
	struct ntp_acl_addr last;
	__u16	code;
};

/**
 * struct ntp_acl_build - a list on its way
 * @acl: to be filled
 * @left: prefixes that may still come, of IPv4 and of IPv6
 * @last: that came last, when there are any
 * @any: there are
 * @depth: networks in @open
 * @open: networks that hold the address that the sweep is at, the widest first;
 *	below them all the whole family
 */
struct ntp_acl_build {
	struct ntp_acl *acl;
	__u32	left[2];
	struct ntp_acl_prefix last;
	bool	any;
	unsigned int depth;
	struct ntp_acl_net open[NTP_ACL_V6_LEN_MAX + 2];
};

/* What is wrong with a prefix. */
enum ntp_acl_fault {
	NTP_ACL_OK,
	NTP_ACL_BAD_LEN,	/* longer than an address */
	NTP_ACL_HOST_BITS,	/* not zero behind the prefix */
	NTP_ACL_ORDER,		/* not behind the last one: by family, address, length */
	NTP_ACL_FULL,		/* more than were announced */
};

/**
 * ntp_acl_size() - room that a list needs
 * @v4: IPv4 prefixes
 * @v6: IPv6 prefixes
 *
 * Return: bytes: 12 for each of IPv4, 36 for each of IPv6, and 24.
 */
size_t ntp_acl_size(__u32 v4, __u32 v6);

/**
 * ntp_acl_begin() - build a list
 * @b: state of the work
 * @acl: the list, kept by the caller
 * @room: ntp_acl_size() bytes, aligned for a __u64, that it will stand in
 * @v4: IPv4 prefixes that will come, at most
 * @v6: IPv6 prefixes
 * @allow: may those ask whom no prefix holds?
 */
void ntp_acl_begin(struct ntp_acl_build *b, struct ntp_acl *acl, void *room, __u32 v4, __u32 v6,
		   bool allow);

/**
 * ntp_acl_add() - one prefix more
 * @b: begun
 * @p: prefix; they come sorted: IPv4 before IPv6, then by address, then the
 *	shorter first, none twice
 *
 * On average two steps, at most NTP_ACL_V6_LEN_MAX.
 *
 * Return: NTP_ACL_OK, else nothing has changed.
 */
enum ntp_acl_fault ntp_acl_add(struct ntp_acl_build *b, const struct ntp_acl_prefix *p);

/**
 * ntp_acl_end() - no more prefixes
 * @b: begun
 *
 * The list can be used from now on.
 */
void ntp_acl_end(struct ntp_acl_build *b);

/**
 * ntp_acl_find_v4() - who decides about an IPv4 address?
 * @v4: ranges
 * @addr: host order
 *
 * Return: NTP_ACL_*.
 */
__u16 ntp_acl_find_v4(const struct ntp_acl_v4 *v4, __u32 addr);

/**
 * ntp_acl_find_v6() - who decides about an IPv6 address?
 * @v6: ranges
 * @addr: address
 *
 * Return: NTP_ACL_*.
 */
__u16 ntp_acl_find_v6(const struct ntp_acl_v6 *v6, const struct ntp_acl_addr *addr);

/**
 * ntp_acl_cut() - the network of an address
 * @addr: address
 * @len: of the prefix
 *
 * Return: @addr with zeros behind the prefix.
 */
struct ntp_acl_addr ntp_acl_cut(struct ntp_acl_addr addr, unsigned int len);

/**
 * ntp_acl_addr_v4() - an IPv4 address as a number
 * @addr: host order
 *
 * Return: it, as its prefixes are compared.
 */
static inline struct ntp_acl_addr ntp_acl_addr_v4(__u32 addr)
{
	return (struct ntp_acl_addr){ .hi = (__u64)addr << 32 };
}

/**
 * ntp_acl_addr_v6() - an IPv6 address as a number
 * @words: as on the wire
 *
 * Return: it, as its prefixes are compared.
 */
static inline struct ntp_acl_addr ntp_acl_addr_v6(const __be32 words[4])
{
	return (struct ntp_acl_addr){
		.hi = (__u64)ntp_be32toh(words[0]) << 32 | ntp_be32toh(words[1]),
		.lo = (__u64)ntp_be32toh(words[2]) << 32 | ntp_be32toh(words[3]),
	};
}

#endif /* _NTPK_NTP_ACL_H */
