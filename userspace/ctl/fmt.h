/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values as people read them, and tables.  Pure but for fmt_table_print().
 */
#ifndef NTPKCTL_FMT_H
#define NTPKCTL_FMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

#define FMT_MAX		32
#define FMT_TEXT_MAX	1024
#define FMT_COLUMNS_MAX	12
#define FMT_WHY_MAX	(2 * FMT_TEXT_MAX)

/**
 * fmt_ns() - a duration in the unit that suits it
 * @buf: out, FMT_MAX
 * @ns: duration
 * @sign: write '+' too
 *
 * Return: @buf.
 */
const char *fmt_ns(char *buf, int64_t ns, bool sign);

/**
 * fmt_age() - an age in whole units: "12 s", "5 min", "3 h", "2 d"
 * @buf: out, FMT_MAX
 * @ns: age
 *
 * Return: @buf.
 */
const char *fmt_age(char *buf, int64_t ns);

/**
 * fmt_ppb() - a frequency in ppm
 * @buf: out, FMT_MAX
 * @ppb: frequency
 * @sign: write '+' too
 *
 * Return: @buf.
 */
const char *fmt_ppb(char *buf, double ppb, bool sign);

/**
 * fmt_time() - an instant as UTC
 * @buf: out, FMT_MAX
 * @unix_ns: instant
 *
 * Return: @buf.
 */
const char *fmt_time(char *buf, int64_t unix_ns);

/**
 * fmt_refid() - reference id: a word at stratum 0 and 1, else dotted
 * @buf: out, FMT_MAX
 * @hex: 8 hex digits; anything else is shown as '-'
 * @stratum: of who names it
 *
 * Return: @buf.
 */
const char *fmt_refid(char *buf, const char *hex, int64_t stratum);

/**
 * fmt_safe() - text of others, with nothing that a terminal would obey
 * @buf: out
 * @len: of @buf
 * @s: text, NULL gives "-"
 *
 * Return: @buf: printable ASCII; other bytes as \xNN.
 */
const char *fmt_safe(char *buf, size_t len, const char *s);

/* Members of an object, with a fallback for null, missing and wrong types. */
const char *fmt_str(struct json_object *obj, const char *key);
bool fmt_int(struct json_object *obj, const char *key, int64_t *out);
bool fmt_double(struct json_object *obj, const char *key, double *out);
bool fmt_bool(struct json_object *obj, const char *key);
/* "-" where the value is unknown; @buf is FMT_MAX */
const char *fmt_member_ns(char *buf, struct json_object *obj, const char *key, bool sign);
const char *fmt_member_age(char *buf, struct json_object *obj, const char *key);
const char *fmt_member_int(char *buf, struct json_object *obj, const char *key);

/**
 * fmt_device() - a network device's name
 * @buf: out
 * @len: of @buf
 * @obj: object with "device", which is missing where it has gone
 *
 * Return: @buf.
 */
const char *fmt_device(char *buf, size_t len, struct json_object *obj);

/**
 * fmt_source_name() - a source's name, and behind it the address where it says more
 * @buf: out
 * @len: of @buf
 * @s: object with "name" and "address"
 *
 * Return: @buf.
 */
const char *fmt_source_name(char *buf, size_t len, struct json_object *s);

/**
 * fmt_kod() - a source's kiss code, and what it asks of us
 * @buf: out
 * @len: of @buf
 * @s: object with "kod" and "kod_text"
 *
 * Return: @buf, such as "RATE: it wants to be asked less often".
 */
const char *fmt_kod(char *buf, size_t len, struct json_object *s);

/**
 * fmt_source_why() - why a source is in its state, with its kiss code
 * @buf: out
 * @len: of @buf
 * @s: object with "state_text", "kod" and "kod_text"
 *
 * Return: @buf.
 */
const char *fmt_source_why(char *buf, size_t len, struct json_object *s);

/**
 * fmt_reference() - a reference id as the daemon words it, with the name it knows
 * @buf: out
 * @len: of @buf
 * @obj: object with "refid_text" and "refid_name", or only "refid"
 * @stratum_key: its member with the stratum, for a daemon that says only "refid"
 *
 * Return: @buf, such as "GPS", "192.0.2.1" or "3F0A91C2 (ntp.example.org)".
 */
const char *fmt_reference(char *buf, size_t len, struct json_object *obj,
			  const char *stratum_key);

/* struct fmt_table - rows of text; the first is the heading */
struct fmt_table {
	size_t	 columns;
	size_t	 len;
	size_t	 room;
	char	 **cells;
	unsigned int right;	/* bit per column: align right */
};

/**
 * fmt_table_add() - a row
 * @t: table with @columns set, else zero
 * @cells: @columns strings, copied
 *
 * Return: false when memory is out.
 */
bool fmt_table_add(struct fmt_table *t, const char *const *cells);

/**
 * fmt_table_print() - print it, columns two blanks apart
 * @t: table, freed
 * @out: where
 * @bold: the heading in bold
 */
void fmt_table_print(struct fmt_table *t, FILE *out, bool bold);

#endif /* NTPKCTL_FMT_H */
