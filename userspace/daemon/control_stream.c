// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Long members of answers, piece by piece.  Event loop only.
 */
#include "daemon/control_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <event2/buffer.h>

#define JSON_FLAGS	(JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

const char *control_json(struct json_object *obj)
{
	return obj ? json_object_to_json_string_ext(obj, JSON_FLAGS) : NULL;
}

/* For callers without a connection: the tests, which look at the whole. */
static int collect_array(const struct control_stream *s, struct json_object *data)
{
	struct json_object *a = json_object_new_array(), *piece;
	bool more;

	do {
		piece = NULL;
		more = s->next(s->ctx, &piece);
		if (piece)
			json_object_array_add(a, piece);
	} while (more);
	json_object_object_add(data, s->key, a);
	return a ? 0 : -ENOMEM;
}

static int collect_text(const struct control_stream *s, struct json_object *data)
{
	struct evbuffer *b = evbuffer_new();
	struct json_object *piece;
	bool more = b;

	while (more) {
		piece = NULL;
		more = s->next(s->ctx, &piece);
		if (piece)
			evbuffer_add(b, json_object_get_string(piece),
				     (size_t)json_object_get_string_len(piece));
		json_object_put(piece);
	}
	if (!b)
		return -ENOMEM;
	json_object_object_add(data, s->key, json_object_new_string_len(
		(const char *)evbuffer_pullup(b, -1), (int)evbuffer_get_length(b)));
	evbuffer_free(b);
	return 0;
}

int control_stream_collect(const struct control_stream *s, struct json_object *data)
{
	return s->text ? collect_text(s, data) : collect_array(s, data);
}

/* With its object "data" left open. */
int control_stream_begin(const struct control_stream *s, struct json_object *answer,
			 struct evbuffer *out)
{
	const char *text = control_json(answer);
	size_t len = text ? strlen(text) : 0;

	if (len < 3 || strcmp(text + len - 2, "}}") != 0)
		return -ENOMEM;
	if (evbuffer_add(out, text, len - 2) ||
	    evbuffer_add_printf(out, "%s\"%s\":%s", text[len - 3] == '{' ? "" : ",", s->key,
				s->text ? "\"" : "[") < 0)
		return -ENOMEM;
	return 0;
}

static int put_piece(const struct control_stream *s, struct json_object *piece, bool first,
		     struct evbuffer *out)
{
	const char *text = control_json(piece);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return -ENOMEM;
	if (s->text)	/* without its quotes */
		return evbuffer_add(out, text + 1, len - 2);
	if (!first && evbuffer_add(out, ",", 1))
		return -ENOMEM;
	return evbuffer_add(out, text, len);
}

int control_stream_step(const struct control_stream *s, bool *first, struct evbuffer *out)
{
	struct json_object *piece = NULL;
	bool more = s->next(s->ctx, &piece);
	int err = piece ? put_piece(s, piece, *first, out) : 0;

	*first &= !piece;
	json_object_put(piece);
	if (err)
		return -ENOMEM;
	if (more)
		return 1;
	return evbuffer_add_printf(out, "%s}}\n", s->text ? "\"" : "]") < 0 ? -ENOMEM : 0;
}
