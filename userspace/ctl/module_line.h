/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `ntpkctl status` says of the module.
 */
#ifndef NTPKCTL_MODULE_LINE_H
#define NTPKCTL_MODULE_LINE_H

struct json_object;

/**
 * print_module() - lines about the module that answers, and about one that went
 * @status: the answer of `status`
 */
void print_module(struct json_object *status);

#endif /* NTPKCTL_MODULE_LINE_H */
