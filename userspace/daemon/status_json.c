// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Members of an answer of the control socket.  Pure but for malloc().
 */
#include "daemon/status_json.h"

#include <string.h>

#include <math.h>
#include <stdio.h>

void put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

void put_int(struct json_object *o, const char *key, int64_t v)
{
	put(o, key, json_object_new_int64(v));
}

void put_int_if(struct json_object *o, const char *key, int64_t v, bool known)
{
	put(o, key, known ? json_object_new_int64(v) : NULL);
}

void put_real_if(struct json_object *o, const char *key, double v, bool known)
{
	put(o, key, known && isfinite(v) ? json_object_new_double(v) : NULL);
}

void put_text(struct json_object *o, const char *key, const char *v)
{
	put(o, key, v ? json_object_new_string(v) : NULL);
}

void put_words(struct json_object *o, const char *key, const char *list)
{
	struct json_object *a = json_object_new_array();
	size_t len;

	for (; *list; list += len + strspn(list + len, ", ")) {
		len = strcspn(list, ",");
		json_object_array_add(a, json_object_new_string_len(list, (int)len));
	}
	put(o, key, a);
}

void put_bool(struct json_object *o, const char *key, bool v)
{
	put(o, key, json_object_new_boolean(v));
}

void put_refid(struct json_object *o, const char *key, __be32 refid)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", ntp_be32toh(refid));
	put_text(o, key, text);
}

void put_age(struct json_object *o, const char *key, int64_t then_local_ns, int64_t now_local_ns)
{
	put_int_if(o, key, now_local_ns - then_local_ns, then_local_ns != 0);
}
