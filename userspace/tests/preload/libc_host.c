// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a program asks of its host, in the world: it seems to be root, names are
 * nodeN.net1.clk, random numbers repeat.  LD_PRELOAD.
 */
#include "world.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

ssize_t getrandom(void *buf, size_t len, unsigned int flags)
{
	unsigned char *p = buf;

	(void)flags;
	for (size_t i = 0; i < len; i++)
		p[i] = (unsigned char)(world_random() >> 24);
	return (ssize_t)len;
}

uid_t getuid(void) { return 0; }
uid_t geteuid(void) { return 0; }
gid_t getgid(void) { return 0; }
gid_t getegid(void) { return 0; }

struct passwd *getpwnam(const char *name)
{
	static char empty[] = "";
	static struct passwd root = { .pw_name = empty, .pw_dir = empty, .pw_shell = empty };

	(void)name;
	return &root;
}

/* One allocation, as the real one, for the interface and its address. */
int getifaddrs(struct ifaddrs **out)
{
	struct one {
		struct ifaddrs ifa;
		struct sockaddr_in addr;
	} *o = calloc(1, sizeof(*o));
	static char name[] = "eth0";

	if (!o)
		return -1;
	o->ifa.ifa_name = name;
	o->ifa.ifa_flags = IFF_UP | IFF_RUNNING;
	o->ifa.ifa_addr = (struct sockaddr *)&o->addr;
	o->addr.sin_family = AF_INET;
	o->addr.sin_addr.s_addr = htonl(WORLD_NET + WORLD_SELF);
	*out = &o->ifa;
	return 0;
}

void freeifaddrs(struct ifaddrs *list)
{
	free(list);
}

static bool node_addr(const char *name, struct in_addr *addr)
{
	unsigned int node;
	int len = 0;

	if (!name || inet_aton(name, addr))
		return name;
	if (sscanf(name, "node%u.net1.clk%n", &node, &len) != 1 || !len || name[len])
		return false;
	addr->s_addr = htonl(WORLD_NET + node);
	return true;
}

int getaddrinfo(const char *restrict name, const char *restrict service,
		const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
	struct one {
		struct addrinfo ai;
		struct sockaddr_in addr;
	} *o;
	struct in_addr addr;

	if ((hints && hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET) || service ||
	    !node_addr(name, &addr))
		return EAI_NONAME;
	o = calloc(1, sizeof(*o));
	if (!o)
		return EAI_MEMORY;
	o->ai.ai_family = AF_INET;
	o->ai.ai_socktype = SOCK_DGRAM;
	o->ai.ai_addrlen = sizeof(o->addr);
	o->ai.ai_addr = (struct sockaddr *)&o->addr;
	o->addr.sin_family = AF_INET;
	o->addr.sin_addr = addr;
	*out = &o->ai;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}
