// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How answers and errors are printed: as JSON in plain ASCII, or for people.
 */
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "daemon/control.h"

/* The code point at @s, which is valid UTF-8 or is read as single bytes. */
static unsigned int next_char(const unsigned char **s)
{
	static const unsigned int least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned int c = *(*s)++, n, i, v;

	n = c >= 0xf0 && c < 0xf8 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
	if (c < 0x80 || !n || c >= 0xf8)
		return c;
	v = c & (0x3f >> n);
	for (i = 0; i < n; i++) {
		if (((*s)[i] & 0xc0) != 0x80)
			return c;
		v = v << 6 | ((*s)[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff)
		return c;
	*s += n;
	return v;
}

/*
 * json-c escapes the controls of ASCII but DEL, and no others; outside strings
 * JSON is plain ASCII, so that the escapes below cannot land there.
 */
void ctl_put_json(struct json_object *obj)
{
	const unsigned char *s = (const unsigned char *)json_object_to_json_string_ext(obj,
				 JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	unsigned int c;

	while (s && *s) {
		c = next_char(&s);
		if (c < 0x7f)
			putchar((int)c);
		else if (c < 0x10000)
			printf("\\u%04x", c);
		else
			printf("\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
			       0xdc00 + (c & 0x3ff));
	}
}

void ctl_print_json(struct json_object *obj)
{
	ctl_put_json(obj);
	putchar('\n');
}

static struct json_object *envelope(bool fine)
{
	struct json_object *env = json_object_new_object();

	json_object_object_add(env, "schema", json_object_new_int(CONTROL_SCHEMA));
	json_object_object_add(env, "ok", json_object_new_boolean(fine));
	return env;
}

void ctl_put_envelope(void)
{
	printf("{\"schema\":%d,\"ok\":true,", CONTROL_SCHEMA);
}

void ctl_print_data(struct json_object *data)
{
	struct json_object *env = envelope(true);

	json_object_object_add(env, "data", data);
	ctl_print_json(env);
	json_object_put(env);
}

int ctl_fail(const struct ctl *ctl, const struct ctl_error *err, struct json_object *data)
{
	struct json_object *env, *error;
	char text[FMT_TEXT_MAX];

	if (!ctl->json) {
		json_object_put(data);
		fflush(stdout);
		fprintf(stderr, "ntpkctl: %s\n", fmt_safe(text, sizeof(text), err->text));
		return err->exit;
	}
	env = envelope(false);
	error = json_object_new_object();
	json_object_object_add(error, "code", json_object_new_string(err->code));
	json_object_object_add(error, "text", json_object_new_string(err->text));
	json_object_object_add(env, "error", error);
	if (data)
		json_object_object_add(env, "data", data);
	ctl_print_json(env);
	json_object_put(env);
	return err->exit;
}
