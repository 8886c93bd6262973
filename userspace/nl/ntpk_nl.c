// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The netlink client: a socket for requests, blocking with a short time limit,
 * and a stream of events.  Messages are built and parsed in nl_msg.c and
 * nl_ctrl.c.  Process context; one handle per thread, no locking.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include "nl/nl_call.h"
#include "nl/nl_msg.h"
#include "nl/nl_stream.h"
#include "nl/ntpk_nl.h"

#define ANSWER_MAX	32768
#define TIMEOUT_MS	1000
/* Version of the controller's own protocol (ctrl_getfamily). */
#define CTRL_VERSION	2

struct ntpk_nl {
	struct mnl_socket *req;
	struct nl_family family;
	uint32_t seq;
	char	 text[NL_MSG_TEXT_MAX];
	union {				/* aligned for a struct nlmsghdr */
		struct nlmsghdr nlh;
		char	 bytes[NL_MSG_REQUEST_MAX];
	} out;
	union {
		struct nlmsghdr nlh;
		char	 bytes[ANSWER_MAX];
	} in;
	struct nl_stream events;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int wait_readable(struct mnl_socket *s, int64_t until_ms)
{
	struct pollfd p = { .fd = mnl_socket_get_fd(s), .events = POLLIN };
	int64_t left;
	int n;

	for (;;) {
		left = until_ms - now_ms();
		n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* The message in this datagram that answers our request, or NULL. */
static struct nlmsghdr *find_answer(struct ntpk_nl *nl, int len)
{
	struct nlmsghdr *nlh = &nl->in.nlh;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
		if (nlh->nlmsg_seq == nl->seq &&
		    nlh->nlmsg_pid == mnl_socket_get_portid(nl->req) &&
		    nlh->nlmsg_type != NLMSG_NOOP)
			return nlh;
	return NULL;
}

/*
 * Send what is in nl->out and wait for the answer; late answers to earlier
 * requests are skipped by their sequence number.
 * Return: 0 with @answer (NULL for a plain acknowledgement), or -errno.
 */
static int transact(struct ntpk_nl *nl, struct nlmsghdr **answer)
{
	int64_t until_ms = now_ms() + TIMEOUT_MS;
	struct nlmsghdr *nlh;
	int ret;

	*answer = NULL;
	nl->text[0] = '\0';
	if (mnl_socket_sendto(nl->req, &nl->out, nl->out.nlh.nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ret = wait_readable(nl->req, until_ms);
		if (ret < 0)
			return ret;
		ret = nl_socket_receive(nl->req, &nl->in, sizeof(nl->in));
		if (ret == -EAGAIN || ret == -EINTR)
			continue;
		if (ret < 0)
			return ret;
		nlh = find_answer(nl, ret);
		if (nlh)
			break;
	}
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return nl_msg_parse_error(nlh, &nl->out.nlh, nl->text, sizeof(nl->text));
	if (nlh->nlmsg_type != nl->out.nlh.nlmsg_type)
		return -EBADMSG;
	*answer = nlh;
	return 0;
}

static struct nlmsghdr *begin(struct ntpk_nl *nl, uint8_t cmd, bool ack)
{
	return nl_msg_begin(&nl->out, nl->family.id, cmd, NTPK_FAMILY_VERSION, ++nl->seq, ack);
}

struct nlmsghdr *nl_call_begin(struct ntpk_nl *nl, uint8_t cmd, bool ack)
{
	return begin(nl, cmd, ack);
}

int nl_call(struct ntpk_nl *nl, struct nlmsghdr **answer)
{
	return transact(nl, answer);
}

/*
 * The messages of a dump in one datagram.
 * Return: 1 when more is to come, 0 at the end, -errno, or what @each returned.
 */
static int take_dump(struct ntpk_nl *nl, int len,
		     int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx, bool *changed)
{
	struct nlmsghdr *nlh = &nl->in.nlh;
	int ret;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_seq != nl->seq || nlh->nlmsg_pid != mnl_socket_get_portid(nl->req))
			continue;
		*changed |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return nl_msg_parse_error(nlh, &nl->out.nlh, nl->text, sizeof(nl->text));
		if (nlh->nlmsg_type == NLMSG_DONE)
			return nl_msg_parse_done(nlh, &nl->out.nlh, nl->text, sizeof(nl->text));
		if (nlh->nlmsg_type != nl->out.nlh.nlmsg_type)
			continue;
		ret = each(ctx, nlh);
		if (ret)
			return ret;
	}
	return 1;
}

int nl_dump(struct ntpk_nl *nl, int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx)
{
	bool changed = false;
	int ret = 1;

	nl->text[0] = '\0';
	nl->out.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	if (mnl_socket_sendto(nl->req, &nl->out, nl->out.nlh.nlmsg_len) < 0)
		return -errno;
	while (ret > 0) {
		ret = wait_readable(nl->req, now_ms() + TIMEOUT_MS);
		if (ret < 0)
			return ret;
		ret = nl_socket_receive(nl->req, &nl->in, sizeof(nl->in));
		if (ret == -EAGAIN || ret == -EINTR)
			ret = 1;
		else if (ret >= 0)
			ret = take_dump(nl, ret, each, ctx, &changed);
	}
	return ret == 0 && changed ? -EINTR : ret;
}

/* A command whose only answer is yes or no. */
static int command(struct ntpk_nl *nl)
{
	struct nlmsghdr *answer;

	return transact(nl, &answer);
}

/* A question; an acknowledgement instead of an answer is an error. */
static int query(struct ntpk_nl *nl, uint8_t cmd, struct nlmsghdr **answer)
{
	int ret;

	begin(nl, cmd, false);
	ret = transact(nl, answer);
	if (ret == 0 && !*answer)
		ret = -EBADMSG;
	return ret;
}

static int resolve_family(struct ntpk_nl *nl)
{
	struct nlmsghdr *nlh, *answer;
	int ret;

	nlh = nl_msg_begin(&nl->out, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_VERSION, ++nl->seq,
			   false);
	nl_msg_put_getfamily(nlh, NTPK_FAMILY_NAME);
	ret = transact(nl, &answer);
	if (ret < 0)
		return ret;
	return answer ? nl_msg_parse_family(answer, &nl->family) : -EBADMSG;
}

int ntpk_nl_open(struct ntpk_nl **out)
{
	struct ntpk_nl *nl = calloc(1, sizeof(*nl));
	int ret;

	*out = NULL;
	if (!nl)
		return -ENOMEM;
	nl->seq = (uint32_t)now_ms();
	ret = nl_socket_open(&nl->req);
	if (ret == 0)
		ret = resolve_family(nl);
	if (ret < 0) {
		ntpk_nl_close(nl);
		return ret;
	}
	*out = nl;
	return 0;
}

void ntpk_nl_close(struct ntpk_nl *nl)
{
	if (!nl)
		return;
	if (nl->req)
		mnl_socket_close(nl->req);
	nl_stream_close(&nl->events);
	free(nl);
}

const char *ntpk_nl_error(const struct ntpk_nl *nl)
{
	return nl ? nl->text : "";
}

const char *ntpk_nl_words(const struct ntpk_nl *nl, int err)
{
	const char *text = ntpk_nl_error(nl);

	return text[0] ? text : strerror(-err);
}

int ntpk_nl_attach(struct ntpk_nl *nl)
{
	begin(nl, NTPK_CMD_ATTACH, true);
	return command(nl);
}

int ntpk_nl_detach(struct ntpk_nl *nl)
{
	begin(nl, NTPK_CMD_DETACH, true);
	return command(nl);
}

int ntpk_nl_get_clock(struct ntpk_nl *nl, struct ntpk_nl_clock *out)
{
	struct nlmsghdr *answer;
	int ret = query(nl, NTPK_CMD_GET_CLOCK, &answer);

	return ret < 0 ? ret : nl_msg_parse_clock(answer, out);
}

int ntpk_nl_set_state(struct ntpk_nl *nl, const struct ntp_serve *serve,
		      const struct ntpk_nl_listeners *listeners)
{
	nl_msg_put_state(begin(nl, NTPK_CMD_SET_STATE, true), serve, listeners);
	return command(nl);
}

int ntpk_nl_keys_begin(struct ntpk_nl *nl, uint32_t generation, uint32_t count)
{
	nl_msg_put_keys(begin(nl, NTPK_CMD_KEYS_BEGIN, true), generation, &count, NULL);
	return command(nl);
}

int ntpk_nl_keys_add(struct ntpk_nl *nl, uint32_t generation, const struct ntpk_nl_key *key)
{
	int ret;

	if (key->secret_len > NTPK_SECRET_MAX)
		return -EINVAL;
	nl_msg_put_keys(begin(nl, NTPK_CMD_KEYS_ADD, true), generation, NULL, key);
	ret = command(nl);
	explicit_bzero(&nl->out, sizeof(nl->out));
	/* where the kernel does not cut the request off its acknowledgement */
	explicit_bzero(&nl->in, NL_MSG_REQUEST_MAX + sizeof(struct nlmsghdr) +
		       sizeof(struct nlmsgerr));
	return ret;
}

int ntpk_nl_keys_commit(struct ntpk_nl *nl, uint32_t generation)
{
	nl_msg_put_keys(begin(nl, NTPK_CMD_KEYS_COMMIT, true), generation, NULL, NULL);
	return command(nl);
}

int ntpk_nl_get_state(struct ntpk_nl *nl, struct ntpk_nl_state *out)
{
	struct nlmsghdr *answer;
	int ret = query(nl, NTPK_CMD_GET_STATE, &answer);

	return ret < 0 ? ret : nl_msg_parse_state(answer, out);
}

int ntpk_nl_get_stats(struct ntpk_nl *nl, struct ntpk_nl_stats *out)
{
	struct nlmsghdr *answer;
	int ret = query(nl, NTPK_CMD_GET_STATS, &answer);

	return ret < 0 ? ret : nl_msg_parse_stats(answer, out);
}

int ntpk_nl_get_hist(struct ntpk_nl *nl, struct ntpk_nl_hist *out)
{
	struct nlmsghdr *answer;
	int ret = query(nl, NTPK_CMD_GET_HIST, &answer);

	return ret < 0 ? ret : nl_msg_parse_hist(answer, out);
}

int ntpk_nl_events_open(struct ntpk_nl *nl)
{
	if (nl->events.socket)
		return mnl_socket_get_fd(nl->events.socket);
	if (!nl->family.events_group)
		return -ENOENT;
	return nl_stream_open(&nl->events, (int)nl->family.events_group);
}

int ntpk_nl_events_read(struct ntpk_nl *nl, struct ntpk_nl_event *out)
{
	const struct nlmsghdr *nlh;
	int ret;

	if (!nl->events.socket)
		return -EBADF;
	while ((ret = nl_stream_next(&nl->events, &nlh)) > 0) {
		if (nlh->nlmsg_type != nl->family.id)
			continue;
		ret = nl_msg_parse_event(nlh, out);
		return ret < 0 ? ret : 1;
	}
	return ret;
}
