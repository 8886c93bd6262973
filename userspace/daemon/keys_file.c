// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * chrony's key file: "ID [TYPE] [ASCII:|HEX:]KEY" a line, MD5 where no type is
 * given; lines that begin with # % ! ; are comments.  Event loop only.
 * Errors name the column, never what stands there: it may be a key.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/keys_priv.h"

#define LINE_MAX_LEN	2048
#define WORDS_MAX	3
#define KEYS_MAX	4096
#define TYPES_TEXT	"MD5, SHA1, SHA256, SHA384, SHA512, AES128, AES256"

/* struct parse - one run over a file; @line is wiped in the end */
struct parse {
	const char *file;
	const struct conf_diag *diag;
	struct keys *keys;
	unsigned int number;
	unsigned int errors;
	char	 line[LINE_MAX_LEN + 2];
	const char *words[WORDS_MAX];
	unsigned int words_len;
};

__attribute__((format(printf, 3, 4)))
static int complain(struct parse *p, const char *at, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->errors++;
	p->diag->report(p->diag->ctx, p->file, p->number,
			at ? (unsigned int)(at - p->line) + 1 : 1, text);
	return -EINVAL;
}

static int split(struct parse *p)
{
	char *s = p->line;

	p->words_len = 0;
	for (;;) {
		s += strspn(s, " \t\r\n\f\v");
		if (!*s || (!p->words_len && strchr("#%!;", *s)))
			return 0;
		if (p->words_len == WORDS_MAX)
			return complain(p, s, "more than ID, TYPE and KEY: a key has no blanks in "
					"it (write such a key as HEX:)");
		p->words[p->words_len++] = s;
		s += strcspn(s, " \t\r\n\f\v");
		if (*s)
			*s++ = '\0';
	}
}

static int take_id(struct parse *p, struct key *k)
{
	const char *w = p->words[0];
	unsigned long long v;
	char *end;

	if (w[strspn(w, "0123456789")] || strlen(w) > 10)
		return complain(p, w, "a key line starts with the key's number, 1 to 4294967295");
	v = strtoull(w, &end, 10);
	if (!v || v > UINT32_MAX)
		return complain(p, w, "a key's number is 1 to 4294967295");
	k->id = (uint32_t)v;
	for (size_t i = 0; i < p->keys->len; i++)
		if (p->keys->keys[i].id == k->id)
			return complain(p, w, "key %u stands in line %u already", k->id,
					p->keys->keys[i].line);
	return 0;
}

static int take_type(struct parse *p, struct key *k)
{
	int type = p->words_len == 3 ? mac_parse_type(p->words[1]) : MAC_MD5;

	if (type < 0)
		return complain(p, p->words[1], "key %u: unknown type (accepted: " TYPES_TEXT ")",
				k->id);
	k->type = (enum mac_type)type;
	return 0;
}

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

static int take_hex(struct parse *p, struct key *k, const char *hex)
{
	size_t len = strlen(hex);

	if (len % 2)
		return complain(p, hex, "key %u: an odd number of hexadecimal digits", k->id);
	if (len / 2 > KEY_LEN_MAX)
		return complain(p, hex, "key %u: longer than %d bytes", k->id, KEY_LEN_MAX);
	for (k->len = 0; k->len < len / 2; k->len++) {
		int high = hex_digit(hex[2 * k->len]), low = hex_digit(hex[2 * k->len + 1]);

		if (high < 0 || low < 0)
			return complain(p, hex, "key %u: after HEX: only the digits 0-9 and A-F "
					"are accepted", k->id);
		k->key[k->len] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int take_ascii(struct parse *p, struct key *k, const char *text)
{
	k->len = strlen(text);
	if (k->len > KEY_LEN_MAX)
		return complain(p, text, "key %u: longer than %d bytes", k->id, KEY_LEN_MAX);
	memcpy(k->key, text, k->len);
	return 0;
}

static int take_key(struct parse *p, struct key *k)
{
	const char *w = p->words[p->words_len - 1];
	size_t want = mac_key_size(k->type);
	int err;

	if (!strncmp(w, "HEX:", 4))
		err = take_hex(p, k, w + 4);
	else
		err = take_ascii(p, k, strncmp(w, "ASCII:", 6) ? w : w + 6);
	if (err)
		return err;
	if (!k->len)
		return complain(p, w, "key %u: empty", k->id);
	if (want && k->len != want)
		return complain(p, w, "key %u: an %s key has %zu bytes, this one %zu (as HEX: "
				"%zu digits)", k->id, mac_type_name(k->type), want, k->len,
				2 * want);
	return 0;
}

/* As realloc(), but what is left behind is wiped. */
static int grow(struct keys *keys)
{
	size_t room = keys->room ? 2 * keys->room : 16;
	struct key *grown = calloc(room, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	if (keys->len)
		memcpy(grown, keys->keys, keys->len * sizeof(*grown));
	if (keys->keys)
		explicit_bzero(keys->keys, keys->room * sizeof(*grown));
	free(keys->keys);
	keys->keys = grown;
	keys->room = room;
	return 0;
}

static int take_line(struct parse *p)
{
	struct keys *keys = p->keys;
	struct key *k;

	if (split(p) || !p->words_len)
		return 0;
	if (p->words_len == 1)
		return complain(p, p->words[0], "a key line is: ID [TYPE] [ASCII:|HEX:]KEY, with "
				"TYPE one of " TYPES_TEXT);
	if (keys->len == KEYS_MAX)
		return complain(p, NULL, "more than %d keys", KEYS_MAX);
	if (keys->len == keys->room && grow(keys))
		return -ENOMEM;
	k = &keys->keys[keys->len];
	k->line = p->number;
	if (!take_id(p, k) && !take_type(p, k) && !take_key(p, k))
		keys->len++;
	else
		explicit_bzero(k, sizeof(*k));
	return 0;
}

static int read_lines(struct parse *p, FILE *in)
{
	int err = 0;

	while (err != -ENOMEM && fgets(p->line, sizeof(p->line), in)) {
		size_t len = strlen(p->line);

		p->number++;
		if ((!len || p->line[len - 1] != '\n') && !feof(in))
			return complain(p, NULL, "longer than %d bytes, or no text", LINE_MAX_LEN);
		err = take_line(p);
	}
	if (ferror(in)) {
		p->number++;
		complain(p, NULL, "cannot be read: %s", strerror(errno));
	}
	if (err == -ENOMEM)
		return err;
	return p->errors ? -EINVAL : 0;
}

int keys_parse(FILE *in, const char *file, const struct conf_diag *diag, struct keys **out)
{
	struct parse p = { .file = file, .diag = diag };
	int err = -ENOMEM;

	p.keys = calloc(1, sizeof(*p.keys));
	if (p.keys)
		err = read_lines(&p, in);
	explicit_bzero(p.line, sizeof(p.line));
	if (err) {
		keys_release(p.keys);
		return err;
	}
	keys_sort(p.keys);
	*out = p.keys;
	return 0;
}

/* Whether the file is as secret as it has to be. */
static int check_mode(int fd, const char *path, const struct conf_diag *diag)
{
	const char *wrong = NULL;
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		wrong = "is not a regular file";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		wrong = "does not belong to root: chown root it";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong = "may be written by others than its owner: chmod go-w it";
	else if (st.st_mode & S_IROTH)
		wrong = "may be read by everybody: chmod o-r it";
	if (!wrong)
		return 0;
	diag->report(diag->ctx, path, 1, 1, wrong);
	return -EPERM;
}

int keys_load(const char *path, const struct conf_diag *diag, struct keys **out)
{
	/* without blocking: a FIFO is refused, not waited for */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char buf[BUFSIZ];
	FILE *in;
	int err;

	if (fd < 0) {
		err = -errno;
		diag->report(diag->ctx, path, 1, 1, strerror(errno));
		return err;
	}
	err = check_mode(fd, path, diag);
	in = err ? NULL : fdopen(fd, "r");
	if (!in) {
		close(fd);
		return err ? err : -ENOMEM;
	}
	/* stdio's own buffer would keep the keys */
	setvbuf(in, buf, _IOFBF, sizeof(buf));
	err = keys_parse(in, path, diag, out);
	fclose(in);
	explicit_bzero(buf, sizeof(buf));
	return err;
}
