// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of upstreams: host names (RFC 1123, with the underscore that is seen
 * in the wild) and numeric unicast addresses, v6 with %interface where it is
 * link-local.  Pure.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_word.h"

/* Without the final dot. */
static size_t name_len(const char *s)
{
	size_t len = strlen(s);

	return len && s[len - 1] == '.' ? len - 1 : len;
}

static const char *check_v4(const char *name)
{
	struct in_addr a;
	uint32_t v;

	if (inet_pton(AF_INET, name, &a) != 1)
		return "not a valid IPv4 address (four numbers from 0 to 255)";
	v = ntohl(a.s_addr);
	if (v >> 24 == 0 || v >> 28 >= 0xe)
		return "not the address of one host (it is multicast, broadcast or reserved)";
	return NULL;
}

/* Splits "fe80::1%eth0"; @scope is NULL without %. */
static bool split_scope(const char *name, char *addr, size_t len, const char **scope)
{
	size_t n = strcspn(name, "%");

	*scope = name[n] ? name + n + 1 : NULL;
	if (n >= len)
		return false;
	memcpy(addr, name, n);
	addr[n] = '\0';
	return true;
}

static const char *check_v6(const char *name)
{
	char addr[INET6_ADDRSTRLEN];
	const char *scope;
	struct in6_addr a;

	if (name[0] == '[')
		return "an IPv6 address is written without brackets, the port as 'port N'";
	if (!split_scope(name, addr, sizeof(addr), &scope) || inet_pton(AF_INET6, addr, &a) != 1)
		return strchr(name, ':') == strrchr(name, ':') ?
		       "a port is written as 'port N' after the name" :
		       "not a valid IPv6 address";
	if (IN6_IS_ADDR_UNSPECIFIED(&a) || IN6_IS_ADDR_MULTICAST(&a))
		return "not the address of one host (it is multicast or unspecified)";
	if (IN6_IS_ADDR_LINKLOCAL(&a) != !!scope)
		return scope ? "%interface belongs to link-local addresses (fe80::/10) only" :
		       "a link-local address needs its interface, as in fe80::1%eth0";
	if (scope && (!*scope || strlen(scope) >= IF_NAMESIZE || strpbrk(scope, "/%:")))
		return "what follows % is not the name of an interface";
	return NULL;
}

static const char *check_label(const char *label, size_t len)
{
	size_t i;

	if (!len)
		return "two dots in a row, or a dot at the start";
	if (len > 63)
		return "a part between two dots is longer than 63 characters";
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)label[i]) && label[i] != '-' && label[i] != '_')
			return "a host name has only letters, digits, '-', '_' and dots";
	if (label[0] == '-' || label[len - 1] == '-')
		return "a part of a host name may not start or end with '-'";
	return NULL;
}

static const char *check_name(const char *name)
{
	const char *bad, *s = name;
	size_t len;

	do {
		len = strcspn(s, ".");
		bad = check_label(s, len);
		if (bad)
			return bad;
		s += len;
		s += *s == '.';
	} while (*s);
	return NULL;
}

const char *conf_host_check(const char *name)
{
	size_t len = strlen(name), end = name_len(name), last;

	if (!len || len > CONF_NAME_MAX)
		return len ? "longer than 253 characters" : "empty name";
	if (strchr(name, ':') || name[0] == '[')
		return check_v6(name);
	if (strchr(name, '%'))
		return "%interface belongs to IPv6 link-local addresses only";
	/* A last label of digits alone is no top level domain (RFC 3696 2). */
	for (last = end; last && name[last - 1] != '.'; last--)
		;
	if (last < end && strspn(name + last, "0123456789") == end - last)
		return check_v4(name);
	return check_name(name);
}

static bool same_address(int family, const char *a, const char *b)
{
	struct in6_addr x, y;
	size_t len = family == AF_INET ? sizeof(struct in_addr) : sizeof(x);

	return inet_pton(family, a, &x) == 1 && inet_pton(family, b, &y) == 1 &&
	       memcmp(&x, &y, len) == 0;
}

bool conf_host_same(const char *a, const char *b)
{
	char addr_a[INET6_ADDRSTRLEN], addr_b[INET6_ADDRSTRLEN];
	const char *scope_a, *scope_b;

	if (strchr(a, ':') && strchr(b, ':'))
		return split_scope(a, addr_a, sizeof(addr_a), &scope_a) &&
		       split_scope(b, addr_b, sizeof(addr_b), &scope_b) &&
		       same_address(AF_INET6, addr_a, addr_b) && !scope_a == !scope_b &&
		       (!scope_a || strcmp(scope_a, scope_b) == 0);
	if (same_address(AF_INET, a, b))
		return true;
	return name_len(a) == name_len(b) && strncasecmp(a, b, name_len(a)) == 0;
}

static uint32_t fnv1a(uint32_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len--)
		hash = (hash ^ *p++) * 16777619u;
	return hash;
}

uint32_t conf_host_key(const char *name)
{
	size_t len = name_len(name), i;
	char text[INET6_ADDRSTRLEN];
	uint32_t hash = 2166136261u;
	const char *scope;
	struct in6_addr a;

	if (strchr(name, ':') && split_scope(name, text, sizeof(text), &scope) &&
	    inet_pton(AF_INET6, text, &a) == 1)
		return fnv1a(hash, &a, sizeof(a));
	for (i = 0; i < len; i++) {
		char c = (char)tolower((unsigned char)name[i]);

		hash = fnv1a(hash, &c, 1);
	}
	return hash;
}
