/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module, for the control socket (Documentation/control.md).  Event loop only.
 */
#ifndef NTPKD_STATUS_MODULE_H
#define NTPKD_STATUS_MODULE_H

struct json_object;
struct ntpkd;

/**
 * status_put_module() - the members "module" and "module_gap"
 * @d: daemon
 * @data: object that gets them
 */
void status_put_module(struct ntpkd *d, struct json_object *data);

#endif /* NTPKD_STATUS_MODULE_H */
