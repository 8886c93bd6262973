// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a file that ntpkd reads at its start: keys, a list of
 * leap seconds, a "right" time zone, the drift file, the saved time, by the first
 * byte.  Beyond what the sanitizers see: what is refused has a printable reason,
 * and what is taken is in order and in range.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ntpk/ntp_wire.h>
#include "daemon/drift.h"
#include "daemon/keys.h"
#include "daemon/leaplist.h"
#include "daemon/saved.h"
#include "fuzz.h"

#define BUILT_NS	(1767225600LL * NTP_NS_PER_S)

static char dir[] = "/tmp/ntpk-fuzz.XXXXXX";
static char path[sizeof(dir) + sizeof("/" SAVED_NAME)];

static void clean_up(void)
{
	unlink(path);
	rmdir(dir);
}

static void check_text(const char *text)
{
	demand(*text);
	for (; *text; text++)
		demand(*text >= ' ' && *text <= '~');
}

static void note(void *ctx, const char *file, unsigned int line, unsigned int column,
		 const char *text)
{
	(void)file;
	demand(line && column);
	check_text(text);
	++*(unsigned int *)ctx;
}

static void try_keys(const uint8_t *data, size_t size)
{
	unsigned int errors = 0;
	const struct conf_diag diag = { note, &errors };
	FILE *in = fmemopen((void *)data, size, "r");
	struct keys *keys = NULL;

	demand(in);
	demand(keys_parse(in, "keys", &diag, &keys) == (errors ? -EINVAL : 0));
	demand(!keys == !!errors);
	keys_release(keys);
	fclose(in);
}

static void try_leaps(const uint8_t *data, size_t size, bool zone)
{
	char why[LEAPLIST_WHY_MAX] = "";
	uint8_t *copy = malloc(size);
	struct leaplist list;
	int err;

	demand(copy);
	memcpy(copy, data, size);
	err = zone ? leaplist_parse_tz(&list, copy, size, why) :
		     leaplist_parse(&list, (const char *)copy, size, why);
	free(copy);
	if (err) {
		demand(err == -EINVAL);
		check_text(why);
		return;
	}
	demand(list.len <= LEAPLIST_MAX && (list.len || !zone));
	for (size_t i = 0; i < list.len; i++) {
		const struct leaplist_entry *e = &list.entries[i];

		demand(e->leap == NTP_LEAP_INSERT || e->leap == NTP_LEAP_DELETE);
		demand(!i || e->at_unix_s > e[-1].at_unix_s);
		demand(leaplist_last(&list, e->at_unix_s) == e);
		demand(leaplist_next(&list, e->at_unix_s - 1) == e);
	}
}

static void write_file(const uint8_t *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size && !close(fd));
}

static void written(void *ctx, int err)
{
	*(int *)ctx = err;
}

static void try_drift(const uint8_t *data, size_t size)
{
	double freq_ppb, sd_ppb, again = 0, sd_again = 0;
	char why[160] = "";
	int err;

	write_file(data, size);
	err = drift_read(path, &freq_ppb, &sd_ppb, why, sizeof(why));
	if (err) {
		check_text(why);
		return;
	}
	demand(fabs(freq_ppb) <= 5e8 && sd_ppb >= 0 && sd_ppb <= 1e9);
	drift_write(NULL, path, freq_ppb, sd_ppb, written, &err);
	demand(!err && !drift_read(path, &again, &sd_again, why, sizeof(why)));
	demand(fabs(again - freq_ppb) <= 1 && fabs(sd_again - sd_ppb) <= 1);
}

static void try_saved(const uint8_t *data, size_t size)
{
	char why[160] = "";
	int64_t ns = 0;

	write_file(data, size);
	if (saved_read(dir, BUILT_NS, &ns, why, sizeof(why)))
		check_text(why);
	else
		demand(ns >= BUILT_NS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!*path) {
		demand(mkdtemp(dir) != NULL);
		snprintf(path, sizeof(path), "%s/" SAVED_NAME, dir);
		atexit(clean_up);
	}
	if (size < 2)
		return 0;
	switch (data[0] % 5) {
	case 0:
		try_keys(data + 1, size - 1);
		break;
	case 1:
		try_leaps(data + 1, size - 1, false);
		break;
	case 2:
		try_leaps(data + 1, size - 1, true);
		break;
	case 3:
		try_drift(data + 1, size - 1);
		break;
	default:
		try_saved(data + 1, size - 1);
	}
	return 0;
}
