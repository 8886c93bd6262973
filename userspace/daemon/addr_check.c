// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See addr_check.h.  Pure; a numeric address that the operator wrote does not
 * come here.
 */
#include "daemon/addr_check.h"

#include <ifaddrs.h>
#include <string.h>

static const char *check_v4(uint32_t a)
{
	if (a >> 24 == 0)
		return "no host's address (0.0.0.0/8)";
	if (a >> 24 == 127)
		return "a loopback address";
	if (a >> 28 == 0xe)
		return "a multicast address";
	if (a >> 28 == 0xf)
		return "a broadcast or reserved address";
	return NULL;
}

static const char *check_v6(const struct sockaddr_in6 *in6)
{
	const struct in6_addr *a = &in6->sin6_addr;
	uint32_t v4;

	if (IN6_IS_ADDR_UNSPECIFIED(a))
		return "no host's address (::)";
	if (IN6_IS_ADDR_LOOPBACK(a))
		return "a loopback address";
	if (IN6_IS_ADDR_MULTICAST(a))
		return "a multicast address";
	if (IN6_IS_ADDR_LINKLOCAL(a) && !in6->sin6_scope_id)
		return "a link-local address without an interface";
	if (!IN6_IS_ADDR_V4MAPPED(a) && !IN6_IS_ADDR_V4COMPAT(a))
		return NULL;
	memcpy(&v4, a->s6_addr + 12, sizeof(v4));
	return check_v4(ntohl(v4)) ? check_v4(ntohl(v4)) : "an IPv4 address in IPv6's form";
}

static bool same_host(const union sock_addr *a, const union sock_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

const char *addr_check(const union sock_addr *addr, const struct ifaddrs *own)
{
	const char *bad = addr->sa.sa_family == AF_INET ?
			  check_v4(ntohl(addr->in.sin_addr.s_addr)) : check_v6(&addr->in6);

	for (; !bad && own; own = own->ifa_next)
		if (own->ifa_addr &&
		    (own->ifa_addr->sa_family == AF_INET || own->ifa_addr->sa_family == AF_INET6) &&
		    same_host(addr, (const union sock_addr *)own->ifa_addr))
			bad = "an address of this host itself";
	return bad;
}
