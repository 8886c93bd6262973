/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks of network devices and what their receive stamps were good for, as ntpkctl
 * stats shows it.
 */
#ifndef NTPKCTL_PHCS_H
#define NTPKCTL_PHCS_H

#include <stdbool.h>
#include <json-c/json.h>
#include "nl/ntpk_nl.h"

/**
 * phcs_t2_json() - where T2 is from
 * @t2s: from the module
 * @n: how many
 * @all: those of no answer too
 *
 * Return: a new array.
 */
struct json_object *phcs_t2_json(const struct ntpk_nl_t2 *t2s, size_t n, bool all);

/**
 * phcs_t3_json() - where it is known from when replies left
 * @t3s: from the module
 * @n: how many
 * @all: those of no reply too
 *
 * Return: a new array.
 */
struct json_object *phcs_t3_json(const struct ntpk_nl_t2 *t3s, size_t n, bool all);

/**
 * phcs_read() - all maps
 * @nl: handle
 * @all: counters of zero too
 * @phcs: out, a new array; none of a module that knows nothing of them
 *
 * Return: 0; -errno, and then it is not there.
 */
int phcs_read(struct ntpk_nl *nl, bool all, struct json_object **phcs);

/**
 * phcs_print() - a line for each clock
 * @phcs: from phcs_read()
 */
void phcs_print(struct json_object *phcs);

/**
 * phcs_tell_t2() - is there more to tell than that stamps are the kernel's?
 * @t2: from phcs_t2_json() or phcs_t3_json()
 * @phcs: from phcs_read()
 *
 * Return: whether.
 */
bool phcs_tell_t2(struct json_object *t2, struct json_object *phcs);

#endif /* NTPKCTL_PHCS_H */
