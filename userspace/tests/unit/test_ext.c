// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What follows the header of a request: extension fields, MACs of every length,
 * junk, and what cannot be told apart; the field that a reply may have, and the
 * scale without phase corrections that it speaks of.  Pure, one thread; the
 * generator's seed is fixed, so a failure repeats.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_ext.h>
#include <ntpk/ntp_math.h>

#define S		NTP_NS_PER_S
#define BASE_RAW	(1000 * S)
#define BASE_UNIX	(1800000000LL * S)
#define ROUNDS		200000
#define MAGIC		NTP_EXT_MONO_ROOT_MAGIC

static __u64 rng_state = 42;

static uint64_t rng(void)
{
	return ntp_noise(&rng_state);
}

/* A message that is put together piece by piece. */
struct message {
	uint8_t	data[2048];
	size_t	len;
	struct ntp_ext ext;
};

static void begin(struct message *m, unsigned int version)
{
	memset(m, 0, sizeof(*m));
	m->data[0] = ntp_lvm(0, version, NTP_MODE_CLIENT);
	m->len = NTP_HEADER_LEN;
}

static void add(struct message *m, size_t len, uint32_t first)
{
	uint8_t *p = m->data + m->len;

	memset(p, 0xa5, len);
	for (size_t i = 0; i < 4 && i < len; i++)
		p[i] = (uint8_t)(first >> (24 - 8 * i));
	m->len += len;
}

static void add_field(struct message *m, unsigned int type, size_t len)
{
	add(m, len, (uint32_t)(type << 16 | len));
}

static void add_mono_root(struct message *m, uint32_t magic)
{
	size_t at = m->len + 4;

	add_field(m, NTP_EXT_MONO_ROOT, NTP_EXT_MONO_ROOT_LEN);
	for (size_t i = 0; i < 4; i++)
		m->data[at + i] = (uint8_t)(magic >> (24 - 8 * i));
}

/* From a block of exactly that size, so that the sanitizer sees a byte too many. */
static void parse(struct message *m)
{
	uint8_t *copy = malloc(m->len);

	assert_non_null(copy);
	memcpy(copy, m->data, m->len);
	ntp_ext_parse(copy, m->len, &m->ext);
	free(copy);
}

static void assert_found(struct message *m, size_t fields, size_t mac_len, uint32_t key_id)
{
	parse(m);
	assert_int_equal(m->ext.fields, fields);
	assert_int_equal(m->ext.mac_len, mac_len);
	assert_int_equal(m->ext.key_id, key_id);
	assert_int_equal(m->ext.mac_off, mac_len ? m->len - mac_len : 0);
}

static void a_bare_header(void **state)
{
	struct message m;

	(void)state;
	for (unsigned int v = 1; v <= 4; v++) {
		begin(&m, v);
		assert_found(&m, 0, 0, 0);
	}
}

/* RFC 7822: 20 or 24 bytes, or a key id of 0 alone. */
static void macs_of_version_4(void **state)
{
	struct message m;

	(void)state;
	for (size_t len = 1; len <= 24; len++) {
		begin(&m, 4);
		add(&m, len, 0x12345678);
		if (len == 20 || len == 24)
			assert_found(&m, 0, len, 0x12345678);
		else
			assert_found(&m, 0, 0, 0);
	}
	begin(&m, 4);
	add(&m, 4, 0);
	assert_found(&m, 0, 4, 0);
}

static void macs_before_version_4(void **state)
{
	struct message m;

	(void)state;
	for (unsigned int v = 1; v <= 3; v++)
		for (size_t len = 1; len <= 100; len++) {
			bool legal = len == 20 || len == 24 || len == 36 || len == 52 ||
				     len == 68 || len == 72;

			begin(&m, v);
			add(&m, len, 0xfedcba98);
			assert_found(&m, 0, legal ? len : 0, legal ? 0xfedcba98 : 0);
		}
	begin(&m, 3);
	add(&m, 4, 0);
	assert_found(&m, 0, 4, 0);
	/* what would be a field in version 4 */
	begin(&m, 3);
	add_field(&m, 0x0104, 28);
	assert_found(&m, 0, 0, 0);
}

static void fields(void **state)
{
	struct message m;

	(void)state;
	/* the last field without a MAC: 28 bytes at least, as 24 could be a MAC */
	for (size_t len = 4; len <= 64; len++) {
		begin(&m, 4);
		add_field(&m, 0x0104, len);
		if (len == 20 || len == 24)
			assert_found(&m, 0, len, (uint32_t)(0x01040000 | len));
		else
			assert_found(&m, len >= 28 && len % 4 == 0, 0, 0);
	}
	/* before a MAC 16 are enough */
	begin(&m, 4);
	add_field(&m, 1, 16);
	add_field(&m, 2, 20);
	add_field(&m, 3, 24);
	add(&m, 20, 7);
	assert_found(&m, 3, 20, 7);
	begin(&m, 4);
	add_field(&m, 1, 1024);
	add(&m, 24, 0xffffffff);
	assert_found(&m, 1, 24, 0xffffffff);
	begin(&m, 4);
	add_field(&m, 1, 28);
	add(&m, 4, 0);
	assert_found(&m, 1, 4, 0);
}

/* A SHA-2 code of full length in version 4 is no MAC: it is skipped or ends the search. */
static void long_macs_of_version_4(void **state)
{
	static const size_t lens[] = { 36, 52, 68 };
	struct message m;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		begin(&m, 4);
		add(&m, lens[i], 1);
		assert_found(&m, 0, 0, 0);
	}
}

static void bad_fields_end_the_search(void **state)
{
	static const uint16_t lens[] = { 0, 3, 4, 12, 15, 17, 18, 29, 0xfffc, 0xffff };
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		begin(&m, 4);
		add_mono_root(&m, MAGIC);
		add(&m, 64, 0x01040000 | lens[i]);
		add(&m, 20, 7);
		assert_found(&m, 1, 0, 0);
		assert_true(m.ext.mono_root);
	}
	/* one that goes on behind the end */
	begin(&m, 4);
	add(&m, 60, 0x01040000 | 64);
	assert_found(&m, 0, 0, 0);
}

static void too_long(void **state)
{
	struct message m;

	(void)state;
	begin(&m, 4);
	for (int i = 0; i < 64; i++)
		add_field(&m, 1, 16);
	add(&m, 24, 9);
	assert_found(&m, 64, 24, 9);
	begin(&m, 4);
	add_field(&m, 1, NTP_EXT_PACKET_MAX - NTP_HEADER_LEN);
	assert_found(&m, 1, 0, 0);
	add(&m, 4, 0);
	assert_found(&m, 0, 0, 0);
}

static void the_field_that_is_known(void **state)
{
	struct message m;

	(void)state;
	begin(&m, 4);
	add_field(&m, 0x0104, 32);
	add_mono_root(&m, MAGIC);
	add(&m, 20, 5);
	assert_found(&m, 2, 20, 5);
	assert_true(m.ext.mono_root);
	begin(&m, 4);
	add_mono_root(&m, MAGIC + 1);
	assert_found(&m, 1, 0, 0);
	assert_false(m.ext.mono_root);
	begin(&m, 4);
	add_mono_root(&m, MAGIC);
	m.data[NTP_HEADER_LEN + 3] += 4;
	add(&m, 4, 1);
	assert_found(&m, 1, 0, 0);
	assert_false(m.ext.mono_root);
	begin(&m, 3);
	add_mono_root(&m, MAGIC);
	assert_found(&m, 0, 0, 0);
	assert_false(m.ext.mono_root);
}

static void codes_on_the_wire(void **state)
{
	(void)state;
	for (unsigned int v = 1; v <= 3; v++) {
		assert_int_equal(ntp_mac_code_len(v, 16), 16);
		assert_int_equal(ntp_mac_code_len(v, 64), 64);
	}
	assert_int_equal(ntp_mac_code_len(4, 16), 16);
	assert_int_equal(ntp_mac_code_len(4, 20), 20);
	assert_int_equal(ntp_mac_code_len(4, 32), 20);
	assert_int_equal(ntp_mac_code_len(4, 64), 20);
}

/* Anything at all: inside the packet, bounded, and the same when asked again. */
static void any_bytes(void **state)
{
	struct message m, again;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		begin(&m, 1 + (unsigned int)(rng() % 4));
		while (rng() % 4) {
			size_t len = rng() % 2 ? 4 * (rng() % 16) : rng() % 64;

			add(&m, len, (uint32_t)(rng() % 3 ? (rng() << 16 | len) : rng()));
		}
		parse(&m);
		assert_true(!m.ext.mac_len || m.ext.mac_off + m.ext.mac_len == m.len);
		assert_true(m.ext.mac_len <= 72);
		assert_true(m.ext.fields <= (m.len - NTP_HEADER_LEN) / NTP_EXT_MIN);
		/* what is behind the end does not matter */
		again = m;
		memset(again.data + again.len, (int)rng(), 64);
		parse(&again);
		assert_memory_equal(&again.ext, &m.ext, sizeof(m.ext));
	}
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void serve_init(struct ntp_serve *s)
{
	memset(s, 0, sizeof(*s));
	s->line.base_raw_ns = BASE_RAW;
	s->line.base_unix_ns = BASE_UNIX;
	s->root_disp_ns = 1000000;
	s->root_delay_ns = 20000001;
	s->disp_rate_ppb = 15000;
	s->stratum = 2;
}

struct field {
	uint32_t head, magic, delay, disp, epoch;
	uint64_t mono;
};

static struct field put_corrected(const struct ntp_serve *s, unsigned int leap, int64_t t2_ns,
				  int64_t correction_ns)
{
	const struct ntp_answer answer = {
		.disp_ns = ntp_serve_disp_ns(s, BASE_RAW + S) + 8000 / 8,
		.t2_correction_ns = correction_ns,
	};
	struct ntp_header reply = {
		.lvm = ntp_lvm(leap, 4, NTP_MODE_SERVER),
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(t2_ns)),
	};
	uint8_t b[NTP_EXT_MONO_ROOT_LEN];

	ntp_ext_put_mono_root(b, &reply, s, &answer);
	return (struct field){ word(b), word(b + 4), word(b + 8), word(b + 12), word(b + 24),
			       (uint64_t)word(b + 16) << 32 | word(b + 20) };
}

static struct field put_field(const struct ntp_serve *s, unsigned int leap, int64_t t2_ns)
{
	return put_corrected(s, leap, t2_ns, 0);
}

static void field_of_a_reply(void **state)
{
	struct ntp_serve s;
	struct field f;

	(void)state;
	serve_init(&s);
	s.mono_epoch = 77;
	s.mono_offset_ns = -3 * S / 2;
	f = put_field(&s, NTP_LEAP_NONE, BASE_UNIX + S);
	assert_int_equal(f.head, 0xf323001c);
	assert_int_equal(f.magic, 0xf5bedd9a);
	/* 4.28, rounded up: 0.020000001 s, and 1.015 ms and an eighth of 8 us */
	assert_int_equal(f.delay, 5368710);
	assert_int_equal(f.disp, 272731);
	assert_int_equal(f.epoch, 77);
	assert_int_equal(f.mono, ntp64_from_unix_ns(BASE_UNIX - S / 2));
	/* what a listener adds to time is not on that scale */
	f = put_corrected(&s, NTP_LEAP_NONE, BASE_UNIX + S + S / 4, S / 4);
	assert_int_equal(f.mono, ntp64_from_unix_ns(BASE_UNIX - S / 2));
	s.root_delay_ns = 16 * (uint64_t)S;
	assert_int_equal(put_field(&s, NTP_LEAP_NONE, BASE_UNIX).delay, UINT32_MAX);
	s.root_delay_ns--;
	assert_int_equal(put_field(&s, NTP_LEAP_NONE, BASE_UNIX).delay, UINT32_MAX);
}

static void field_of_an_unsynchronised_reply(void **state)
{
	struct ntp_serve s;
	struct field f;

	(void)state;
	serve_init(&s);
	s.mono_epoch = 77;
	f = put_field(&s, NTP_LEAP_UNSYNC, BASE_UNIX);
	assert_int_equal(f.delay, 0);
	assert_int_equal(f.disp, UINT32_MAX);
	assert_int_equal(f.mono, 0);
	assert_int_equal(f.epoch, 0);
	s.mono_epoch = 0;
	f = put_field(&s, NTP_LEAP_NONE, BASE_UNIX);
	assert_int_equal(f.mono, 0);
	assert_int_equal(f.epoch, 0);
}

static int64_t mono_at(const struct ntp_serve *s, int64_t raw_ns)
{
	return ntp_line_at(&s->line, raw_ns) + s->mono_offset_ns;
}

/* Through pushes that jump by up to a second the scale goes on without a step. */
static void the_scale_goes_on(void **state)
{
	struct ntp_serve s, next;

	(void)state;
	serve_init(&s);
	ntp_serve_complete(&s, NULL, 5);
	assert_int_equal(s.mono_epoch, 5);
	assert_int_equal(s.mono_offset_ns, 0);
	for (int i = 0; i < 1000; i++) {
		/* a leap second with a correction ends nothing */
		int64_t jump = (int64_t)(rng() % (3 * (uint64_t)S + 1)) - 3 * S / 2;

		next = s;
		next.line.base_raw_ns += 16 * S;
		next.line.base_unix_ns = ntp_line_at(&s.line, next.line.base_raw_ns) + jump;
		next.line.rate_q48 = (int64_t)(rng() >> 32) - (1LL << 31);
		ntp_serve_complete(&next, &s, (uint32_t)rng());
		assert_int_equal(next.mono_epoch, 5);
		assert_int_equal(mono_at(&next, next.line.base_raw_ns),
				 mono_at(&s, next.line.base_raw_ns));
		s = next;
	}
}

static void the_scale_ends(void **state)
{
	struct ntp_serve s, next;

	(void)state;
	serve_init(&s);
	ntp_serve_complete(&s, NULL, 5);
	next = s;
	next.line.base_unix_ns += 3 * S / 2 + 1;
	ntp_serve_complete(&next, &s, 6);
	assert_int_equal(next.mono_epoch, 6);
	assert_int_equal(next.mono_offset_ns, 0);
	/* without randomness it still is one */
	ntp_serve_complete(&next, &s, 0);
	assert_int_equal(next.mono_epoch, 1);
	next = s;
	next.line.base_raw_ns += NTP_SPAN_MAX_NS + 1;
	ntp_serve_complete(&next, &s, 7);
	assert_int_equal(next.mono_epoch, 7);
	next = s;
	next.leap = NTP_LEAP_UNSYNC;
	ntp_serve_complete(&next, &s, 8);
	assert_int_equal(next.mono_epoch, 0);
	s = next;
	next.leap = NTP_LEAP_NONE;
	ntp_serve_complete(&next, &s, 9);
	assert_int_equal(next.mono_epoch, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bare_header),
		cmocka_unit_test(macs_of_version_4),
		cmocka_unit_test(macs_before_version_4),
		cmocka_unit_test(fields),
		cmocka_unit_test(long_macs_of_version_4),
		cmocka_unit_test(bad_fields_end_the_search),
		cmocka_unit_test(too_long),
		cmocka_unit_test(the_field_that_is_known),
		cmocka_unit_test(codes_on_the_wire),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(field_of_a_reply),
		cmocka_unit_test(field_of_an_unsynchronised_reply),
		cmocka_unit_test(the_scale_goes_on),
		cmocka_unit_test(the_scale_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
