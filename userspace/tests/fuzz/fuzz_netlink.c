// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as a message of the kernel's, to each parser of ntpkd's
 * and ntpkctl's.  The first byte chooses which, the second has flags.  Beyond what the sanitizers see:
 * texts and names end and are printable, no more is filled than there is room for,
 * and a state that is understood is sent and understood again the same.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include "nl/nl_acl.h"
#include "nl/nl_msg.h"
#include "nl/nl_phc.h"
#include "fuzz.h"

#define FAMILY		99

static void check_text(const char *text, size_t size)
{
	demand(memchr(text, 0, size) != NULL);
	for (; *text; text++)
		demand((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void try_stats(const struct nlmsghdr *nlh)
{
	static struct ntpk_nl_stats s;
	int ret = nl_msg_parse_stats(nlh, &s);
	size_t i;

	demand(ret == -EBADMSG || ret == 0);
	demand(s.n_counters <= NTPK_NL_COUNTERS_MAX && s.n_quirks <= NTPK_NL_QUIRKS_MAX);
	demand(s.n_departures <= NTPK_DEPARTURES_MAX);
	for (i = 0; i < s.n_counters; i++)
		demand(memchr(s.counters[i].name, 0, sizeof(s.counters[i].name)) &&
		       s.counters[i].name[0]);
	for (i = 0; i < s.n_quirks; i++)
		demand(memchr(s.quirks[i].name, 0, sizeof(s.quirks[i].name)) && s.quirks[i].name[0]);
}

static void try_phc(const struct nlmsghdr *nlh)
{
	static struct ntpk_nl_phc_view view;
	int ret = nl_phc_parse(nlh, &view);
	size_t i;

	demand(ret == -EBADMSG || ret == 0);
	demand(view.n_t2s <= NTPK_NL_T2S_MAX);
	for (i = 0; i < view.n_t2s; i++)
		demand(memchr(view.t2s[i].name, 0, sizeof(view.t2s[i].name)) &&
		       view.t2s[i].name[0]);
}

static void try_state(const struct nlmsghdr *nlh)
{
	static char buf[NL_MSG_REQUEST_MAX] __attribute__((aligned(8)));
	static struct ntpk_nl_state st, again;
	struct nlmsghdr *out;
	int err = nl_msg_parse_state(nlh, &st);

	demand(!err || err == -EBADMSG);
	if (err || !st.pushed)
		return;
	demand(st.listeners.len <= NTPK_LISTENERS_MAX);
	out = nl_msg_begin(buf, FAMILY, NTPK_CMD_SET_STATE, 1, 1, true);
	nl_msg_put_state(out, &st.serve, &st.listeners);
	demand(out->nlmsg_len <= NL_MSG_REQUEST_MAX);
	demand(!nl_msg_parse_state(out, &again) && again.pushed);
	demand(!memcmp(&again.serve, &st.serve, sizeof(st.serve)));
	demand(again.listeners.len == st.listeners.len);
	for (size_t i = 0; i < st.listeners.len; i++) {
		const struct ntpk_nl_listener *a = &st.listeners.of[i], *b = &again.listeners.of[i];

		demand(a->port == b->port && a->addr_len == b->addr_len && a->ifindex == b->ifindex);
		demand(!memcmp(a->addr, b->addr, sizeof(a->addr)) && !strcmp(a->acl, b->acl));
	}
}

static void try_rest(const struct nlmsghdr *nlh, unsigned int which)
{
	char text[NL_MSG_TEXT_MAX];
	struct ntpk_nl_clock clock;
	struct ntpk_nl_event event;
	struct nl_family family;
	struct ntpk_nl_acl acl;
	int err;

	switch (which) {
	case 0:
		err = nl_msg_parse_family(nlh, &family);
		demand(nl_msg_parse_change(nlh) <= NTPK_NL_WENT);
		break;
	case 1:
		err = nl_msg_parse_clock(nlh, &clock);
		break;
	case 2:
		err = nl_msg_parse_event(nlh, &event);
		break;
	case 3:
		err = nl_acl_parse(nlh, &acl);
		break;
	default:
		/* anything that an errno can be */
		demand(nl_msg_parse_error(nlh, NULL, text, sizeof(text)) <= 0);
		check_text(text, sizeof(text));
		return;
	}
	demand(!err || err == -EBADMSG);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	unsigned int which = fuzz_byte(&in) % 7;
	uint16_t flags = (uint16_t)(fuzz_byte(&in) << 8);
	struct nlmsghdr *nlh;
	size_t len = in.left;

	if (len > NL_MSG_REQUEST_MAX)
		return 0;
	/* of the message's own size, so that a read behind it is seen */
	nlh = malloc(sizeof(*nlh) + len);
	demand(nlh != NULL);
	memset(nlh, 0, sizeof(*nlh));
	nlh->nlmsg_len = (uint32_t)(sizeof(*nlh) + len);
	nlh->nlmsg_type = !which ? GENL_ID_CTRL : which == 4 ? NLMSG_ERROR : FAMILY;
	nlh->nlmsg_flags = flags;
	fuzz_take(&in, (char *)nlh + sizeof(*nlh), len);
	if (which == 5) {
		try_stats(nlh);
		try_phc(nlh);
	} else if (which == 6) {
		try_state(nlh);
	} else {
		try_rest(nlh, which);
	}
	free(nlh);
	return 0;
}
