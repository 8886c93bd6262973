// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A fuzz target without a fuzzer: every file of its corpus once, as TAP.  The
 * corpus is userspace/tests/fuzz/corpus/NAME for a program test_fuzz_NAME,
 * or the files that are named on the command line.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz.h"

#define INPUT_MAX	(1u << 20)

static unsigned int tests;
static int status;

static void replay(const char *path)
{
	uint8_t *data = malloc(INPUT_MAX);
	FILE *in = fopen(path, "rb");
	size_t n = 0;

	if (in && data) {
		n = fread(data, 1, INPUT_MAX, in);
		LLVMFuzzerTestOneInput(data, n);
	}
	printf("%sok %u - %s, %zu bytes\n", in && data ? "" : "not ", ++tests, path, n);
	status |= !in || !data;
	if (in)
		fclose(in);
	free(data);
}

static int by_name(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void replay_corpus(const char *program)
{
	const char *name = strstr(program, "test_fuzz_");
	struct dirent **files;
	char path[512];
	int i, n;

	snprintf(path, sizeof(path), "userspace/tests/fuzz/corpus/%s",
		 name ? name + strlen("test_fuzz_") : "");
	n = name ? scandir(path, &files, by_name, alphasort) : -1;
	if (n <= 0) {
		printf("not ok %u - no corpus in %s: run from the top of the tree\n", ++tests, path);
		status = 1;
		return;
	}
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "userspace/tests/fuzz/corpus/%s/%s",
			 name + strlen("test_fuzz_"), files[i]->d_name);
		replay(path);
		free(files[i]);
	}
	free(files);
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		replay_corpus(argv[0]);
	printf("1..%u\n", tests);
	return status;
}
