/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libevent under another name: its opaque `struct event` becomes `struct
 * libevent`, because the core has a `struct event` of its own.
 */
#ifndef NTPKD_EV_H
#define NTPKD_EV_H

#include <sys/time.h>

#define event libevent
#include <event2/event.h>
#undef event

#endif /* NTPKD_EV_H */
