/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way back to a client, remembered per CPU.
 */
#ifndef NTPK_ROUTE_H
#define NTPK_ROUTE_H

#include <ntpk/ntp_reason.h>

struct ntpk_routes;
struct ntpk_rx;

struct ntpk_routes __percpu *ntpk_route_alloc(void);
void ntpk_route_release(struct ntpk_routes __percpu *routes);
enum ntpk_reason ntpk_route_get(struct ntpk_rx *rx, u32 mark);
void ntpk_route_put(const struct ntpk_rx *rx);

#endif /* NTPK_ROUTE_H */
