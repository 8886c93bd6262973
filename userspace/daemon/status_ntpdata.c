// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All about the last reply of a source, for `ntpkctl ntpdata`.  Event loop only.
 */
#include "daemon/status.h"

#include <stdio.h>
#include "daemon/status_json.h"

/* In the order of chrony's measurements log: groups of three, three and four. */
static const struct {
	uint32_t flag;
	const char *text;
} tests[] = {
	{ SAMPLE_T_1, "a duplicate of an earlier reply" },
	{ SAMPLE_T_2, "not an answer to our request" },
	{ SAMPLE_T_3, "a time stamp is zero" },
	{ SAMPLE_T_5, "not authenticated" },
	{ SAMPLE_T_6, "the server says that it is not synchronised" },
	{ SAMPLE_T_7, "its stratum or root distance is too large" },
	{ SAMPLE_T_A, "its stamps contradict each other, or the delay is above maxdelay" },
	{ SAMPLE_T_B, "the delay is out of proportion with earlier replies" },
	{ SAMPLE_T_C, "the source is a falseticker" },
	{ SAMPLE_T_D, "the source is synchronised to us" },
};

#define TESTS	(sizeof(tests) / sizeof(tests[0]))

static void put_tests(struct json_object *o, uint32_t passed)
{
	struct json_object *failed = json_object_new_array();
	char text[TESTS + 3], *p = text;

	for (size_t i = 0; i < TESTS; i++) {
		if (i == 3 || i == 6)
			*p++ = ' ';
		*p++ = passed & tests[i].flag ? '1' : '0';
		if (!(passed & tests[i].flag))
			json_object_array_add(failed, json_object_new_string(tests[i].text));
	}
	*p = '\0';
	put_text(o, "tests", text);
	put(o, "failed", failed);
}

static struct json_object *reply_object(struct ntpkd *d, const struct upstream_source *s,
					const struct source_report *r)
{
	const struct sample_report *l = &r->last;
	struct json_object *o;

	if (!l->t4_unix_ns)
		return NULL;
	o = json_object_new_object();
	put_int(o, "t4_unix_ns", l->t4_unix_ns);
	put_int(o, "leap", l->leap);
	put_int(o, "stratum", l->stratum);
	status_put_refid(d, o, l->refid, l->stratum);
	put_int(o, "poll_log2s", l->poll_log2s);
	put_int(o, "root_delay_ns", l->root_delay_ns);
	put_int(o, "root_disp_ns", l->root_disp_ns);
	put_int(o, "offset_ns", l->offset_ns);
	put_int(o, "delay_ns", l->delay_ns);
	put_int(o, "disp_ns", l->disp_ns);
	put_int(o, "response_ns", l->response_ns);
	put_bool(o, "interleaved", l->interleaved);
	put_text(o, "tx_stamp", stamp_from_name(s->last_tx));
	put_text(o, "rx_stamp", stamp_from_name(s->last_rx));
	put_tests(o, l->tests);
	return o;
}

struct json_object *status_ntpdata_object(struct ntpkd *d, const struct upstream_source *s,
					  const struct source_report *r, int64_t now_local_ns)
{
	struct json_object *o = json_object_new_object();
	char addr[SOCK_ADDR_TEXT_LEN];

	put_text(o, "name", s->up->conf.name);
	put_text(o, "address", sock_addr_text(&s->addr, addr));
	put_int(o, "port", s->up->conf.port);
	put_int_if(o, "key_id", s->up->conf.key_id, s->up->conf.key_id != 0);
	put_age(o, "last_rx_age_ns", r->last_rx_local_ns, now_local_ns);
	put(o, "reply", reply_object(d, s, r));
	put_int(o, "sent_pkts", (int64_t)r->sent_pkts);
	put_int(o, "received_pkts", (int64_t)r->received_pkts);
	put_int(o, "bad_pkts", (int64_t)r->bad_pkts);
	status_put_kod(o, r);
	return o;
}
