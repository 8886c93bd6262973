// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The group "notify" of generic netlink's own family, see nl_watch.h.
 */
#include "nl/nl_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <linux/genetlink.h>
#include "nl/nl_msg.h"
#include "nl/nl_stream.h"

/* The number of that group, which the kernel has fixed (net/netlink/genetlink.c). */
#define GROUP_NOTIFY	GENL_ID_CTRL

struct ntpk_nl_watch {
	struct nl_stream stream;
};

int ntpk_nl_watch_open(struct ntpk_nl_watch **watch)
{
	struct ntpk_nl_watch *w = calloc(1, sizeof(*w));
	int fd;

	*watch = NULL;
	if (!w)
		return -ENOMEM;
	fd = nl_stream_open(&w->stream, GROUP_NOTIFY);
	if (fd < 0) {
		free(w);
		return fd;
	}
	*watch = w;
	return fd;
}

int ntpk_nl_watch_read(struct ntpk_nl_watch *watch, enum ntpk_nl_change *change)
{
	const struct nlmsghdr *nlh;
	int ret;

	while ((ret = nl_stream_next(&watch->stream, &nlh)) > 0) {
		*change = nl_msg_parse_change(nlh);
		if (*change != NTPK_NL_NO_CHANGE)
			return 1;
	}
	/* of a family that has more to say of itself than ours will ever have */
	return ret == -EMSGSIZE ? -ENOBUFS : ret;
}

void ntpk_nl_watch_close(struct ntpk_nl_watch *watch)
{
	if (!watch)
		return;
	nl_stream_close(&watch->stream);
	free(watch);
}
