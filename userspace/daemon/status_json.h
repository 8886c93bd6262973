/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of an answer of the control socket.  JSON that runs out of memory
 * merely lacks a field.
 */
#ifndef NTPKD_STATUS_JSON_H
#define NTPKD_STATUS_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>
#include <ntpk/ntp_wire.h>

/** put() - any value, given away; NULL gives null */
void put(struct json_object *o, const char *key, struct json_object *value);

/** put_int() - a whole number */
void put_int(struct json_object *o, const char *key, int64_t v);

/** put_int_if() - a whole number, null unless it is @known */
void put_int_if(struct json_object *o, const char *key, int64_t v, bool known);

/** put_real_if() - a number, null unless it is @known and finite */
void put_real_if(struct json_object *o, const char *key, double v, bool known);

/** put_text() - a string; NULL gives null */
void put_text(struct json_object *o, const char *key, const char *v);

/** put_words() - "a, b" as an array of strings */
void put_words(struct json_object *o, const char *key, const char *list);

/** put_bool() - true or false */
void put_bool(struct json_object *o, const char *key, bool v);

/** put_refid() - a reference id as 8 hex digits */
void put_refid(struct json_object *o, const char *key, __be32 refid);

/** put_age() - an instant of the local timescale as an age; 0 = never = null */
void put_age(struct json_object *o, const char *key, int64_t then_local_ns,
	     int64_t now_local_ns);

#endif /* NTPKD_STATUS_JSON_H */
