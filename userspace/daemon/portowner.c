// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who holds a UDP port, from /proc/net/udp{,6} and the descriptors of all
 * processes.  Start-up only; every failure just means "not found".
 */
#include "daemon/portowner.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Inode of a socket bound to @port, 0 = none. */
static unsigned long find_inode(const char *table, uint16_t port)
{
	unsigned long inode, found = 0;
	unsigned int local_port;
	char line[512];
	FILE *f = fopen(table, "re");

	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %*s %*s %lu",
			   &local_port, &inode) == 2 && local_port == port)
			found = inode;
	fclose(f);
	return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
	char path[320], want[64], have[64];
	struct dirent *d;
	bool found = false;
	DIR *dir;

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%.32s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (d = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), d->d_name, have, sizeof(have) - 1);

		if (n < 0)
			continue;
		have[n] = '\0';
		found = !strcmp(have, want);
	}
	closedir(dir);
	return found;
}

static void describe(const char *pid, char *buf, size_t len)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.32s/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(comm, sizeof(comm), f))
			comm[0] = '\0';
		fclose(f);
	}
	comm[strcspn(comm, "\n")] = '\0';
	snprintf(buf, len, "%s (pid %s)", comm[0] ? comm : "a process", pid);
}

const char *portowner_find(uint16_t port, char *buf, size_t len)
{
	unsigned long inode = find_inode("/proc/net/udp", port);
	struct dirent *d;
	DIR *dir;

	snprintf(buf, len, "another program");
	if (!inode)
		inode = find_inode("/proc/net/udp6", port);
	dir = inode ? opendir("/proc") : NULL;
	if (!dir)
		return buf;
	while ((d = readdir(dir))) {
		if (!isdigit((unsigned char)d->d_name[0]) || !has_socket(d->d_name, inode))
			continue;
		describe(d->d_name, buf, len);
		break;
	}
	closedir(dir);
	return buf;
}
