// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reference ids as people read them (RFC 5905 7.3).  Event loop only.
 */
#include "daemon/status.h"

#include <stdio.h>
#include <string.h>
#include "daemon/status_json.h"

/* Four characters, the last ones may be NUL or blank. Return: false when it is no word. */
static bool as_word(__be32 refid, char out[5])
{
	size_t len = 4;

	memcpy(out, &refid, 4);
	out[4] = '\0';
	while (len && (!out[len - 1] || out[len - 1] == ' '))
		out[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (out[i] <= ' ' || out[i] > '~')
			return false;
	return len > 0;
}

static const struct upstream_source *find(const struct ntpkd *d, __be32 refid)
{
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		const struct upstream_source *s = &d->upstreams.sources[i];

		if (s->up && upstream_refid(&s->addr) == refid)
			return s;
	}
	return NULL;
}

void status_put_refid(struct ntpkd *d, struct json_object *o, __be32 refid, unsigned int stratum)
{
	const struct upstream_source *s = stratum > 1 ? find(d, refid) : NULL;
	unsigned int v = ntp_be32toh(refid);
	char text[16];

	if (s && s->addr.sa.sa_family == AF_INET6)
		snprintf(text, sizeof(text), "%08X", v);
	else if (stratum > 1 || !as_word(refid, text))
		snprintf(text, sizeof(text), "%u.%u.%u.%u", v >> 24, v >> 16 & 0xff,
			 v >> 8 & 0xff, v & 0xff);
	put_refid(o, "refid", refid);
	put_text(o, "refid_text", refid ? text : NULL);
	put_text(o, "refid_name", s ? s->up->conf.name : NULL);
}
