// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Other programs that discipline the system clock.  By the names of processes:
 * the kernel does not tell who called adjtimex(2).
 */
#include "daemon/clockowner.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMM_LEN	16	/* the kernel cuts names to 15 characters */

static int is_time_daemon(const char *comm)
{
	static const char *const daemons[] = {
		"chronyd", "ntpd", "systemd-timesyn", "ntp-daemon", "phc2sys", "ptpd", "ptpd2",
		"timed", "ntpkd",
	};

	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (!strcmp(comm, daemons[i]))
			return 1;
	return 0;
}

static int read_comm(const char *proc, const char *pid, char comm[COMM_LEN + 1])
{
	char path[PATH_MAX];
	FILE *f;

	comm[0] = '\0';
	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(comm, COMM_LEN + 1, f))
		comm[0] = '\0';
	fclose(f);
	comm[strcspn(comm, "\n")] = '\0';
	return comm[0] != '\0';
}

int clockowner_find(const char *proc, char *buf, size_t len)
{
	char comm[COMM_LEN + 1];
	struct dirent *entry;
	DIR *dir = opendir(proc);
	int pid = 0;

	snprintf(buf, len, "%s", "");
	while (dir && !pid && (entry = readdir(dir))) {
		int candidate = atoi(entry->d_name);

		if (candidate <= 0 || candidate == getpid() || candidate == getppid() ||
		    !read_comm(proc, entry->d_name, comm) || !is_time_daemon(comm))
			continue;
		pid = candidate;
		snprintf(buf, len, "%s (process %d)", comm, pid);
	}
	if (dir)
		closedir(dir);
	return pid;
}
