// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables whose columns are as wide as their widest cell.
 */
#include <stdlib.h>
#include <string.h>
#include "ctl/fmt.h"

bool fmt_table_add(struct fmt_table *t, const char *const *cells)
{
	char **grown;
	size_t i;

	if (t->len + t->columns > t->room) {
		size_t room = t->room ? 2 * t->room : 16 * t->columns;

		grown = realloc(t->cells, room * sizeof(*grown));
		if (!grown)
			return false;
		t->cells = grown;
		t->room = room;
	}
	for (i = 0; i < t->columns; i++) {
		t->cells[t->len] = strdup(cells[i]);
		if (!t->cells[t->len])
			return false;
		t->len++;
	}
	return true;
}

static void find_widths(const struct fmt_table *t, size_t *width)
{
	size_t i, len;

	for (i = 0; i < t->len; i++) {
		len = strlen(t->cells[i]);
		if (len > width[i % t->columns])
			width[i % t->columns] = len;
	}
}

static void print_row(const struct fmt_table *t, FILE *out, size_t row, const size_t *width)
{
	size_t i;

	for (i = 0; i < t->columns; i++) {
		const char *cell = t->cells[row * t->columns + i];
		int w = (int)width[i];

		if (i)
			fputs("  ", out);
		if (t->right & 1u << i)
			fprintf(out, "%*s", w, cell);
		else if (i + 1 < t->columns)
			fprintf(out, "%-*s", w, cell);
		else
			fputs(cell, out);
	}
}

void fmt_table_print(struct fmt_table *t, FILE *out, bool bold)
{
	size_t width[FMT_COLUMNS_MAX] = { 0 };
	size_t row, i;

	find_widths(t, width);
	/* A row that memory did not suffice for is left out. */
	for (row = 0; (row + 1) * t->columns <= t->len; row++) {
		if (bold && row == 0)
			fputs("\033[1m", out);
		print_row(t, out, row, width);
		if (bold && row == 0)
			fputs("\033[0m", out);
		fputc('\n', out);
	}
	for (i = 0; i < t->len; i++)
		free(t->cells[i]);
	free(t->cells);
	memset(t, 0, sizeof(*t));
}
