// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl, the operator's tool.  Everything but main() is in run.c, so that
 * tests can call it.
 */
#include "ctl/ctl.h"

int main(int argc, char **argv)
{
	return ctl_run(argc, argv);
}
