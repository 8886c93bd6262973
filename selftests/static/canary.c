// SPDX-License-Identifier: GPL-2.0-only
/* Wrong on purpose: each tool of `make lint` has to find something here, or it has not run. */

#define CANARY(a) a * 2

int canary(int *at);

/**
 * canary() - reads what is not there
 */
int canary(int *at)
{
	if (!at) return *at;
	return CANARY(1);
}
