// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Entry of ntpkd.  Everything else is in the library that the tests link.
 */
#include "daemon/ntpkd.h"

int main(int argc, char **argv)
{
	return ntpkd_main(argc, argv);
}
