// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared keys: MACs by published vectors, the key file with its errors (which
 * never show a key), its mode, and packets signed, verified and spoilt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/keys.h"

#define LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define SECRET		"Tr0ub4dor"	/* stands in the wrong files; in no message */

static size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(sscanf(hex + 2 * i, "%2hhx", &out[i]), 1);
	return n;
}

struct vector {
	enum mac_type type;
	const char *key;	/* hexadecimal, as all */
	const char *data;
	const char *code;
};

static const struct vector vectors[] = {
	/* RFC 4493 section 4 */
	{ MAC_AES128, "2b7e151628aed2a6abf7158809cf4f3c", "",
	  "bb1d6929e95937287fa37d129b756746" },
	{ MAC_AES128, "2b7e151628aed2a6abf7158809cf4f3c", "6bc1bee22e409f96e93d7e117393172a",
	  "070a16b46b4d4144f79bdd9dd04a287c" },
	{ MAC_AES128, "2b7e151628aed2a6abf7158809cf4f3c",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "dfa66747de9ae63030ca32611497c827" },
	/* NIST SP 800-38B, D.3 */
	{ MAC_AES256, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "",
	  "028962f61b7bf89efc6b551f4667d983" },
	{ MAC_AES256, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "6bc1bee22e409f96e93d7e117393172a", "28a7023f452e8f82bd4bf28d8c37c35c" },
	/* "abc", cut into key and data anywhere: RFC 1321, FIPS 180 */
	{ MAC_MD5, "61", "6263", "900150983cd24fb0d6963f7d28e17f72" },
	{ MAC_SHA1, "6162", "63", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ MAC_SHA256, "61", "6263",
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ MAC_SHA384, "61", "6263",
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7" },
	{ MAC_SHA512, "61", "6263",
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(vectors); i++) {
		uint8_t key[64], data[64], want[MAC_SIZE_MAX], got[MAC_SIZE_MAX];
		size_t key_len = unhex(vectors[i].key, key);
		size_t len = unhex(vectors[i].data, data);

		assert_int_equal(unhex(vectors[i].code, want), mac_size(vectors[i].type));
		mac_compute(vectors[i].type, key, key_len, data, len, got);
		assert_memory_equal(got, want, mac_size(vectors[i].type));
		assert_int_equal(mac_parse_type(mac_type_name(vectors[i].type)), vectors[i].type);
	}
	assert_int_equal(mac_parse_type("sha1"), MAC_SHA1);
	assert_int_equal(mac_parse_type("SHA"), -EINVAL);
}

/* the last complaint, and how many there were */
struct said {
	char	 text[512];
	unsigned int line;
	unsigned int column;
	unsigned int n;
};

static void hear(void *ctx, const char *file, unsigned int line, unsigned int column,
		 const char *text)
{
	struct said *s = ctx;

	(void)file;
	snprintf(s->text, sizeof(s->text), "%s", text);
	s->line = line;
	s->column = column;
	s->n++;
	assert_null(strstr(text, SECRET));
}

static int parse(const char *text, size_t len, struct said *said, struct keys **keys)
{
	const struct conf_diag diag = { .report = hear, .ctx = said };
	FILE *in = fmemopen((void *)text, len, "r");
	int err;

	assert_non_null(in);
	memset(said, 0, sizeof(*said));
	err = keys_parse(in, "keys", &diag, keys);
	fclose(in);
	return err;
}

static const char good[] =
	"# comment\n"
	"\n"
	"  % another\n"
	"1 password\n"
	"2 SHA1 HEX:000102030405060708090a0B0c0d0e0f10111213\n"
	"4294967295\tSHA512  ASCII:HEX:notreally\r\n"
	"30 AES128 HEX:2b7e151628aed2a6abf7158809cf4f3c\n"
	"31 aes256 ASCII:0123456789abcdef0123456789abcdef\n"
	"5 MD5 end#of;file";

static void test_file(void **state)
{
	struct keys *keys = NULL;
	struct said said;

	(void)state;
	assert_int_equal(parse(good, strlen(good), &said, &keys), 0);
	assert_int_equal(said.n, 0);
	assert_int_equal(keys_count(keys), 6);
	assert_true(keys_has(keys, 1) && keys_has(keys, 2) && keys_has(keys, 5));
	assert_true(keys_has(keys, 30) && keys_has(keys, 31) && keys_has(keys, UINT32_MAX));
	assert_false(keys_has(keys, 3));
	assert_false(keys_has(NULL, 1));
	keys_release(keys);
	keys_release(NULL);
}

static void test_wrong_files(void **state)
{
	static const struct {
		const char *text;
		unsigned int line, column;
		const char *says;
	} rows[] = {
		{ SECRET "\n", 1, 1, "ID [TYPE]" },
		{ "1 MD5 fine\n" SECRET " MD5 7\n", 2, 1, "number" },
		{ "0 MD5 " SECRET "\n", 1, 1, "1 to" },
		{ "4294967296 MD5 " SECRET "\n", 1, 1, "1 to" },
		{ "-1 MD5 " SECRET "\n", 1, 1, "number" },
		{ "1 " SECRET " SHA1\n", 1, 3, "accepted: MD5" },
		{ "1 SHA1 " SECRET " more\n", 1, 18, "blanks" },
		{ "1 SHA1 HEX:" SECRET "\n", 1, 12, "odd" },
		{ "1 SHA1 HEX:" SECRET "1\n", 1, 12, "digits 0-9" },
		{ "1 SHA1 HEX:\n", 1, 8, "empty" },
		{ "1 SHA1 ASCII:\n", 1, 8, "empty" },
		{ "1 AES128 " SECRET "\n", 1, 10, "16 bytes, this one 9" },
		{ "1 AES256 HEX:2b7e151628aed2a6abf7158809cf4f3c\n", 1, 10, "32 bytes" },
		{ "7 MD5 a\n\n7 MD5 " SECRET "\n", 3, 1, "line 1 already" },
	};
	struct keys *keys = NULL;
	struct said said;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		assert_int_equal(parse(rows[i].text, strlen(rows[i].text), &said, &keys), -EINVAL);
		if (said.n != 1 || said.line != rows[i].line || said.column != rows[i].column ||
		    !strstr(said.text, rows[i].says))
			fail_msg("row %zu: %u errors, %u:%u: %s", i, said.n, said.line, said.column,
				 said.text);
	}
	assert_int_equal(parse("1 MD5 a\0b\n", 10, &said, &keys), -EINVAL);
	/* all errors of a file, and nothing of it is used */
	assert_int_equal(parse("x y z\n1 MD5 k\n2 NO k\n", 21, &said, &keys), -EINVAL);
	assert_int_equal(said.n, 2);
	assert_null(keys);
}

static void test_long_line(void **state)
{
	char text[3000];
	struct keys *keys = NULL;
	struct said said;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "1 MD5 ", 6);
	assert_int_equal(parse(text, sizeof(text), &said, &keys), -EINVAL);
	assert_int_equal(parse(text, 1000, &said, &keys), -EINVAL);
	assert_non_null(strstr(said.text, "longer than 512"));
	assert_int_equal(parse(text, 6 + 512, &said, &keys), 0);
	keys_release(keys);
}

static void test_mode(void **state)
{
	static const struct {
		mode_t mode;
		int result;
		const char *says;
	} rows[] = {
		{ 0400, 0, "" }, { 0600, 0, "" }, { 0640, 0, "" }, { 0440, 0, "" },
		{ 0644, -EPERM, "o-r" }, { 0604, -EPERM, "o-r" }, { 0660, -EPERM, "go-w" },
		{ 0602, -EPERM, "go-w" },
	};
	char path[] = "/tmp/ntpk-keys-XXXXXX";
	struct said said;
	const struct conf_diag diag = { .report = hear, .ctx = &said };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, good, strlen(good)), (ssize_t)strlen(good));
	for (size_t i = 0; i < LEN(rows); i++) {
		struct keys *keys = NULL;

		memset(&said, 0, sizeof(said));
		assert_int_equal(fchmod(fd, rows[i].mode), 0);
		assert_int_equal(keys_load(path, &diag, &keys), rows[i].result);
		assert_non_null(strstr(said.text, rows[i].says));
		keys_release(keys);
	}
	fchmod(fd, 0600);
	if (geteuid() == 0) {
		struct keys *keys = NULL;

		assert_int_equal(fchown(fd, 12345, (gid_t)-1), 0);
		assert_int_equal(keys_load(path, &diag, &keys), -EPERM);
		assert_non_null(strstr(said.text, "root"));
	}
	close(fd);
	unlink(path);
	assert_int_equal(keys_load(path, &diag, &(struct keys *){ NULL }), -ENOENT);
	assert_int_equal(keys_load("/dev/zero", &diag, &(struct keys *){ NULL }), -EPERM);
}

static void test_packets(void **state)
{
	static const struct {
		uint32_t id;
		uint8_t version;
		size_t len;
	} rows[] = {
		{ 1, 4, 48 + 4 + 16 }, { 2, 4, 48 + 4 + 20 }, { 30, 4, 48 + 4 + 16 },
		{ 31, 4, 48 + 4 + 16 }, { UINT32_MAX, 4, 48 + 4 + 20 },
		{ UINT32_MAX, 3, 48 + 4 + 64 }, { 2, 3, 48 + 4 + 20 },
	};
	struct keys *keys = NULL;
	struct said said;

	(void)state;
	assert_int_equal(parse(good, strlen(good), &said, &keys), 0);
	for (size_t i = 0; i < LEN(rows); i++) {
		uint8_t p[KEYS_PACKET_MAX] = { (uint8_t)(rows[i].version << 3 | 4), 2, 6 };
		size_t len;

		len = (size_t)keys_sign(keys, rows[i].id, p, 48);
		assert_int_equal(len, rows[i].len);
		assert_true(keys_verify(keys, rows[i].id, p, len));
		/* another key of the same packet, another length, any bit */
		assert_false(keys_verify(keys, 5, p, len));
		assert_false(keys_verify(keys, 99, p, len));
		assert_false(keys_verify(keys, rows[i].id, p, len - 4));
		assert_false(keys_verify(keys, rows[i].id, p, 48));
		assert_false(keys_verify(keys, rows[i].id, p, 0));
		for (size_t bit = 0; bit < 8 * len; bit++) {
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(keys_verify(keys, rows[i].id, p, len));
			p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(keys_verify(keys, rows[i].id, p, len));
	}
	assert_int_equal(keys_sign(keys, 99, (uint8_t[KEYS_PACKET_MAX]){ 0x23 }, 48), -ENOKEY);
	keys_release(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_wrong_files),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_packets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
