/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back to a client, remembered per CPU.
 */
#ifndef NTPK_ROUTE_H
#define NTPK_ROUTE_H

struct ntpk_routes;

struct ntpk_routes __percpu *ntpk_route_alloc(void);
void ntpk_route_release(struct ntpk_routes __percpu *routes);

#endif /* NTPK_ROUTE_H */
