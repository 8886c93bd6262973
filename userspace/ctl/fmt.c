// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Values as people read them.  Integers stay integers as long as they can;
 * text of others is made harmless before it meets a terminal.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl/fmt.h"

#define NS_PER_S	1000000000LL

/* Four digits that count, whatever the size. */
static int decimals(double v)
{
	if (v < 0)
		v = -v;
	if (v < 9.9995)
		return 3;
	if (v < 99.995)
		return 2;
	return v < 999.95 ? 1 : 0;
}

const char *fmt_ns(char *buf, int64_t ns, bool sign)
{
	double abs = ns < 0 ? -(double)ns : (double)ns;
	const char *unit;
	double v;

	if (abs < 1e3) {
		snprintf(buf, FMT_MAX, sign ? "%+" PRId64 " ns" : "%" PRId64 " ns", ns);
		return buf;
	}
	/* Rounding must not give "1000 us". */
	if (abs < 999.95e3) {
		v = (double)ns / 1e3;
		unit = "us";
	} else if (abs < 999.95e6) {
		v = (double)ns / 1e6;
		unit = "ms";
	} else {
		v = (double)ns / 1e9;
		unit = "s";
	}
	snprintf(buf, FMT_MAX, sign ? "%+.*f %s" : "%.*f %s", decimals(v), v, unit);
	return buf;
}

const char *fmt_age(char *buf, int64_t ns)
{
	int64_t s = ns / NS_PER_S;

	if (s < 600)
		snprintf(buf, FMT_MAX, "%" PRId64 " s", s);
	else if (s < 600 * 60)
		snprintf(buf, FMT_MAX, "%" PRId64 " min", s / 60);
	else if (s < 100 * 3600)
		snprintf(buf, FMT_MAX, "%" PRId64 " h", s / 3600);
	else
		snprintf(buf, FMT_MAX, "%" PRId64 " d", s / 86400);
	return buf;
}

const char *fmt_ppb(char *buf, double ppb, bool sign)
{
	snprintf(buf, FMT_MAX, sign ? "%+.3f ppm" : "%.3f ppm", ppb / 1000);
	return buf;
}

const char *fmt_time(char *buf, int64_t unix_ns)
{
	int64_t ns = unix_ns % NS_PER_S;
	time_t s = unix_ns / NS_PER_S;
	char date[24];
	struct tm tm;

	if (ns < 0) {
		ns += NS_PER_S;
		s--;
	}
	if (!gmtime_r(&s, &tm) || !strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, FMT_MAX, "-");
	else
		snprintf(buf, FMT_MAX, "%s.%03d UTC", date, (int)(ns / 1000000));
	return buf;
}

const char *fmt_refid(char *buf, const char *hex, int64_t stratum)
{
	unsigned char b[4];
	char word[5] = "";
	unsigned int i, v;

	if (!hex || strlen(hex) != 8 || strspn(hex, "0123456789abcdefABCDEF") != 8) {
		snprintf(buf, FMT_MAX, "-");
		return buf;
	}
	for (i = 0; i < 4; i++) {
		sscanf(hex + 2 * i, "%2x", &v);
		b[i] = (unsigned char)v;
	}
	for (i = 0; i < 4 && b[i] > ' ' && b[i] < 0x7f; i++)
		word[i] = (char)b[i];
	if (stratum <= 1 && word[0] && strlen(word) == i)
		snprintf(buf, FMT_MAX, "%s", word);
	else
		snprintf(buf, FMT_MAX, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	return buf;
}

const char *fmt_safe(char *buf, size_t len, const char *s)
{
	size_t n = 0;

	if (!s)
		s = "-";
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		bool plain = c >= ' ' && c < 0x7f;

		if (n + (plain ? 2 : 5) > len)
			break;
		if (plain)
			buf[n++] = (char)c;
		else
			n += (size_t)snprintf(buf + n, len - n, "\\x%02x", c);
	}
	buf[n] = '\0';
	return buf;
}

const char *fmt_str(struct json_object *obj, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(obj, key, &v) || !json_object_is_type(v, json_type_string))
		return NULL;
	return json_object_get_string(v);
}

const char *fmt_device(char *buf, size_t len, struct json_object *obj)
{
	const char *device = fmt_str(obj, "device");

	return fmt_safe(buf, len, device ? device : "a device that has gone");
}

bool fmt_int(struct json_object *obj, const char *key, int64_t *out)
{
	struct json_object *v;

	*out = 0;
	if (!json_object_object_get_ex(obj, key, &v) || !json_object_is_type(v, json_type_int))
		return false;
	*out = json_object_get_int64(v);
	return true;
}

bool fmt_double(struct json_object *obj, const char *key, double *out)
{
	struct json_object *v;

	*out = 0;
	if (!json_object_object_get_ex(obj, key, &v) ||
	    (!json_object_is_type(v, json_type_double) && !json_object_is_type(v, json_type_int)))
		return false;
	*out = json_object_get_double(v);
	return true;
}

bool fmt_bool(struct json_object *obj, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(obj, key, &v) &&
	       json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

const char *fmt_member_ns(char *buf, struct json_object *obj, const char *key, bool sign)
{
	int64_t v;

	return fmt_int(obj, key, &v) ? fmt_ns(buf, v, sign) : "-";
}

const char *fmt_member_age(char *buf, struct json_object *obj, const char *key)
{
	int64_t v;

	return fmt_int(obj, key, &v) ? fmt_age(buf, v) : "-";
}

const char *fmt_member_int(char *buf, struct json_object *obj, const char *key)
{
	int64_t v;

	if (!fmt_int(obj, key, &v))
		return "-";
	snprintf(buf, FMT_MAX, "%" PRId64, v);
	return buf;
}

const char *fmt_source_name(char *buf, size_t len, struct json_object *s)
{
	const char *name = fmt_str(s, "name"), *address = fmt_str(s, "address");
	char n[FMT_TEXT_MAX], a[FMT_TEXT_MAX];

	fmt_safe(n, sizeof(n), name);
	if (!name || !address || strcmp(name, address) == 0)
		snprintf(buf, len, "%.300s", n);
	else
		snprintf(buf, len, "%.300s (%.64s)", n, fmt_safe(a, sizeof(a), address));
	return buf;
}

const char *fmt_kod(char *buf, size_t len, struct json_object *s)
{
	const char *words = fmt_str(s, "kod_text");
	char kod[FMT_MAX], text[FMT_TEXT_MAX];

	snprintf(buf, len, "%s%s%s", fmt_safe(kod, sizeof(kod), fmt_str(s, "kod")),
		 words ? ": " : "", words ? fmt_safe(text, sizeof(text), words) : "");
	return buf;
}

const char *fmt_source_why(char *buf, size_t len, struct json_object *s)
{
	char text[FMT_TEXT_MAX], kod[FMT_TEXT_MAX] = "";
	const char *code = fmt_str(s, "kod");

	if (code && *code)
		fmt_kod(kod, sizeof(kod), s);
	snprintf(buf, len, "%s%s%s", fmt_safe(text, sizeof(text), fmt_str(s, "state_text")),
		 *kod ? ", kiss code " : "", kod);
	return buf;
}

const char *fmt_reference(char *buf, size_t len, struct json_object *obj, const char *stratum_key)
{
	const char *text = fmt_str(obj, "refid_text"), *name = fmt_str(obj, "refid_name");
	char t[64], n[FMT_TEXT_MAX], hex[FMT_MAX];
	int64_t stratum;

	fmt_int(obj, stratum_key, &stratum);
	if (!text && json_object_object_get_ex(obj, "refid_text", NULL))
		snprintf(hex, sizeof(hex), "-");
	else if (!text)
		fmt_refid(hex, fmt_str(obj, "refid"), stratum);
	fmt_safe(t, sizeof(t), text ? text : hex);
	if (name && strcmp(name, t) != 0)
		snprintf(buf, len, "%s (%.300s)", t, fmt_safe(n, sizeof(n), name));
	else
		snprintf(buf, len, "%s", t);
	return buf;
}
