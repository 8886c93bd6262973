// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of servers: text and comparison.  Pure but for the number of an
 * interface, which the kernel knows.
 */
#include "daemon/sock.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static bool parse_v6(struct sockaddr_in6 *in6, const char *text)
{
	char copy[SOCK_ADDR_TEXT_LEN];
	char *scope;

	if (strlen(text) >= sizeof(copy))
		return false;
	strcpy(copy, text);
	scope = strchr(copy, '%');
	if (scope) {
		*scope++ = '\0';
		in6->sin6_scope_id = if_nametoindex(scope);
		if (!in6->sin6_scope_id)
			return false;
	}
	return inet_pton(AF_INET6, copy, &in6->sin6_addr) == 1;
}

bool sock_addr_parse(union sock_addr *addr, const char *text, uint16_t port)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->in.sin_addr) == 1) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		return true;
	}
	if (!parse_v6(&addr->in6, text))
		return false;
	addr->in6.sin6_family = AF_INET6;
	addr->in6.sin6_port = htons(port);
	return true;
}

const char *sock_addr_text(const union sock_addr *addr, char buf[SOCK_ADDR_TEXT_LEN])
{
	char name[IF_NAMESIZE];
	size_t len;

	if (addr->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &addr->in.sin_addr, buf, SOCK_ADDR_TEXT_LEN);
		return buf;
	}
	inet_ntop(AF_INET6, &addr->in6.sin6_addr, buf, SOCK_ADDR_TEXT_LEN);
	len = strlen(buf);
	if (addr->in6.sin6_scope_id && if_indextoname(addr->in6.sin6_scope_id, name))
		snprintf(buf + len, SOCK_ADDR_TEXT_LEN - len, "%%%s", name);
	return buf;
}

bool sock_addr_equal(const union sock_addr *a, const union sock_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr &&
		       a->in.sin_port == b->in.sin_port;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) &&
	       a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id;
}

socklen_t sock_addr_len(const union sock_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in) : sizeof(addr->in6);
}
