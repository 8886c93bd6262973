/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long members of answers, piece by piece; private to the control socket.
 * Event loop only.
 */
#ifndef NTPKD_CONTROL_STREAM_H
#define NTPKD_CONTROL_STREAM_H

#include "daemon/control.h"

struct evbuffer;

/**
 * control_json() - one line of JSON
 * @obj: the object or NULL
 *
 * Return: text that lives as long as @obj, NULL when memory is out.
 */
const char *control_json(struct json_object *obj);

/**
 * control_stream_collect() - all of it at once
 * @s: the member
 * @data: where it goes
 *
 * Return: 0 or -ENOMEM.
 */
int control_stream_collect(const struct control_stream *s, struct json_object *data);

/**
 * control_stream_begin() - the answer up to the member's first piece
 * @s: the member
 * @answer: one that went well
 * @out: written to
 *
 * Return: 0 or -ENOMEM.
 */
int control_stream_begin(const struct control_stream *s, struct json_object *answer,
			 struct evbuffer *out);

/**
 * control_stream_step() - one piece, after the last the answer's end
 * @s: the member
 * @first: no piece was written yet
 * @out: written to
 *
 * Return: 1 when there is more, 0 at the end, -ENOMEM.
 */
int control_stream_step(const struct control_stream *s, bool *first, struct evbuffer *out);

#endif /* NTPKD_CONTROL_STREAM_H */
