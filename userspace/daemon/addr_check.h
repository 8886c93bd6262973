/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that a name may not lead to, whoever answered for the DNS.
 */
#ifndef NTPKD_ADDR_CHECK_H
#define NTPKD_ADDR_CHECK_H

#include "daemon/sock.h"

struct ifaddrs;

/**
 * addr_check() - may a name lead to this address?
 * @addr: from the resolver
 * @own: addresses of this host as from getifaddrs(), NULL = unknown
 *
 * Return: NULL when it may, else what it is ("a loopback address").
 */
const char *addr_check(const union sock_addr *addr, const struct ifaddrs *own);

#endif /* NTPKD_ADDR_CHECK_H */
