// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends an NTP server packets that are wrong in every way, and looks at what it answers:
 *
 *	pktfuzz DEVICE FRAME COUNT SEED [fixed]
 *
 * FRAME is a request as it goes out by DEVICE, over IPv4 or IPv6, bare or with a MAC.  COUNT
 * packets are made of it: bytes changed, random or zero, other lengths, extension fields, wrong
 * lengths and checksums of IP and UDP; every fourth is as it should be.  Of each answer: it is
 * to something that is a request, the first one to it, not longer than that, and as long where
 * that was right, of the version and mode that fit, with its poll and T1, never another origin
 * as none asks for interleaved mode, and T3 is not before T2.  With `fixed`, where nobody
 * changes what is served meanwhile: leap, stratum, precision, root delay, reference ID and time
 * are those of the first answer, and the root dispersion is what it was there, and at most a second more.
 *
 * Prints: sent, right ones among them, answered of those, answered of all, violations; what
 * these were goes to stderr.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../bench/frames.h"

#define BATCH		32
#define ETH_LEN		14
#define IP4_LEN		20
#define IP6_LEN		40
#define UDP_LEN		8
#define NTP_OFF_MAX	(ETH_LEN + IP6_LEN + UDP_LEN)
#define NTP_LEN		48
#define NTP_MAX		200
#define MONO_ROOT_LEN	28
#define PORT_BASE	20000
#define WAIT_MS		2000
#define TOLD_MAX	10

/* struct asked - a packet that was sent; @len: of NTP as a server has to read it */
struct asked {
	unsigned char frame[NTP_OFF_MAX + NTP_MAX];
	size_t	frame_len;
	int	len;
	bool	right;
	bool	answered;
};

/* kind, length and magic of chrony's experimental field */
static const unsigned char mono_root[] = { 0xf3, 0x23, 0, MONO_ROOT_LEN, 0xf5, 0xbe, 0xdd, 0x9a };

static struct asked batch[BATCH];
static unsigned char model[NTP_OFF_MAX + NTP_MAX];
static size_t model_len, ip_len, ntp_off;
static bool fixed, known;
static unsigned char known_reply[NTP_LEN];
static int out_fd, in_fd;
static unsigned long n_right, n_right_answered, n_answered, n_bad;
static uint64_t seed;

static uint64_t random64(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)(random64() % n);
}

static uint16_t get16(const unsigned char *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(unsigned char *at, unsigned int value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static uint32_t get32(const unsigned char *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint64_t get64(const unsigned char *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static uint32_t sum_of(const unsigned char *at, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? at[i] : (uint32_t)at[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void load(const char *path)
{
	FILE *in = fopen(path, "r");

	model_len = in ? fread(model, 1, sizeof(model), in) : 0;
	ip_len = model[ETH_LEN] >> 4 == 6 ? IP6_LEN : IP4_LEN;
	ntp_off = ETH_LEN + ip_len + UDP_LEN;
	if (model_len < ntp_off + NTP_LEN || model_len > ntp_off + NTP_MAX)
		errx(1, "%s: not a request over IPv4 or IPv6", path);
	fclose(in);
}

/* Of NTP in the model, which is more than a header where it has a MAC. */
static int model_ntp_len(void)
{
	return (int)(model_len - ntp_off);
}

static int pick_len(void)
{
	static const int odd[] = { 0, 1, 12, 47, 49, 52, 60, 68, 72, 76, 96, 100 };

	switch (below(4)) {
	case 0:
		return (int)below(NTP_MAX + 1);
	case 1:
		return odd[below(sizeof(odd) / sizeof(odd[0]))];
	default:
		return model_ntp_len();
	}
}

/* What follows the header looks like extension fields, more or less. */
static void put_fields(unsigned char *ntp, int len)
{
	int at, field;

	for (at = NTP_LEN; at + 4 <= len; at += field) {
		field = (int)(below(4) ? 16 + 4 * below(8) : below(70));
		put16(ntp + at, below(2) ? 0xf500 + below(8) : below(65536));
		put16(ntp + at + 2, (unsigned int)field);
		/* the one that is answered, as it has to be */
		if (at + MONO_ROOT_LEN <= len && !below(8)) {
			field = MONO_ROOT_LEN;
			memcpy(ntp + at, mono_root, sizeof(mono_root));
		}
		field = field < 4 ? 4 : field;
	}
}

static void mutate(unsigned char *ntp, int len)
{
	int i;

	switch (below(5)) {
	case 0:
		for (i = 1 + (int)below(8); len && i; i--)
			ntp[below((unsigned int)len)] = (unsigned char)random64();
		break;
	case 1:
		for (i = 0; i < len; i++)
			ntp[i] = (unsigned char)random64();
		break;
	case 2:
		ntp[0] = (unsigned char)random64();
		break;
	case 3:
		memset(ntp + 1, 0, NTP_MAX - 1);
		break;
	case 4:
		put_fields(ntp, len);
		break;
	}
}

/* The checksum of what there is: right, none, or wrong.  Return: whether it is not wrong. */
static bool put_udp_sum(struct asked *a, size_t udp_len)
{
	unsigned char *ip = a->frame + ETH_LEN, *udp = ip + ip_len;
	bool v6 = ip_len == IP6_LEN;
	uint16_t sum;

	put16(udp + 6, 0);
	if (below(3) == 0 && !(v6 && a->right))
		return !v6;
	sum = fold(sum_of(ip + (v6 ? 8 : 12), v6 ? 32 : 8,
			  sum_of(udp, udp_len, 17 + (uint32_t)udp_len)));
	sum = sum ? sum : 0xffff;
	if (!a->right && below(8) == 0) {
		put16(udp + 6, sum ^ (1 + below(65534)));
		return get16(udp + 6) == 0 && !v6;
	}
	put16(udp + 6, sum);
	return true;
}

/* The header of IP, which says that so much follows it.  Return: whether its checksum is right. */
static bool put_ip(struct asked *a, int payload)
{
	unsigned char *ip = a->frame + ETH_LEN;

	if (ip_len == IP6_LEN) {
		put16(ip + 4, (unsigned int)payload);
		return true;
	}
	put16(ip + 2, (unsigned int)(IP4_LEN + payload));
	put16(ip + 10, 0);
	put16(ip + 10, fold(sum_of(ip, IP4_LEN, 0)) ^ (!a->right && below(32) == 0));
	return !fold(sum_of(ip, IP4_LEN, 0));
}

/* Sets what the server has to take for the length of the message, -1 where nothing is there. */
static void put_headers(struct asked *a, int len)
{
	unsigned char *udp = a->frame + ETH_LEN + ip_len;
	int udp_len = UDP_LEN + len, payload = udp_len;
	bool sum_right;

	if (!a->right && below(12) == 0)
		udp_len = (int)below((unsigned int)udp_len + 20);
	put16(udp + 4, (unsigned int)udp_len);
	sum_right = udp_len >= UDP_LEN && udp_len <= UDP_LEN + len ?
			    put_udp_sum(a, (size_t)udp_len) : false;
	if (!a->right && below(16) == 0)
		payload = (int)below((unsigned int)payload + 20);
	a->len = udp_len - UDP_LEN;
	if (!put_ip(a, payload) || !sum_right || payload < udp_len || payload > UDP_LEN + len)
		a->len = -1;
}

static void make(struct asked *a, unsigned int port)
{
	unsigned char *ntp = a->frame + ntp_off;
	uint64_t t1 = random64();
	int len;

	memset(a, 0, sizeof(*a));
	memcpy(a->frame, model, model_len);
	/* what is signed stays as it is */
	if (model_ntp_len() == NTP_LEN)
		memcpy(ntp + 40, &t1, sizeof(t1));
	a->right = below(4) == 0 || port == PORT_BASE + BATCH - 1;
	len = a->right ? model_ntp_len() : pick_len();
	if (!a->right)
		mutate(ntp, len);
	put16(a->frame + ETH_LEN + ip_len, port);
	put_headers(a, len);
	a->frame_len = ntp_off + (size_t)len;
	n_right += a->right;
}

/* Is it one that a server answers?  As the documentation has it, not as the code does. */
static bool is_request(const struct asked *a)
{
	const unsigned char *ntp = a->frame + ntp_off;
	unsigned int version = ntp[0] >> 3 & 7, mode = ntp[0] & 7;

	return a->len >= NTP_LEN && version >= 1 && version <= 4 &&
	       (mode == 3 || mode == 1 || (mode == 0 && version == 1));
}

/* What the server says of itself, against the first time that it said it. */
static const char *fault_of_state(const unsigned char *r)
{
	const unsigned char *k = known_reply;

	if (!known) {
		memcpy(known_reply, r, NTP_LEN);
		known = true;
	}
	if (r[0] >> 6 != k[0] >> 6 || r[1] != k[1] || memcmp(r + 3, k + 3, 5))
		return "another leap, stratum, precision or root delay";
	if (memcmp(r + 12, k + 12, 12))
		return "another reference ID or time";
	/* what T3 may be early by is in it, and is not always the same: a millisecond */
	if (get32(r + 8) + 66 < get32(k + 8) || get32(r + 8) > get32(k + 8) + 0x10000)
		return "root dispersion";
	return NULL;
}

static bool asks_mono_root(const struct asked *a)
{
	int at;

	for (at = NTP_LEN; at + MONO_ROOT_LEN <= a->len; at += 4)
		if (!memcmp(a->frame + ntp_off + at, mono_root, sizeof(mono_root)))
			return true;
	return false;
}

/* What may stand behind the header where nobody vouches for the request; @len of it. */
static bool is_unsigned_tail(const struct asked *a, const unsigned char *tail, int len)
{
	bool nak = model_ntp_len() > NTP_LEN && len == 4 && !get32(tail);

	return !len || nak || (len == MONO_ROOT_LEN && asks_mono_root(a) &&
			       !memcmp(tail, mono_root, sizeof(mono_root)));
}

/* @len: of NTP in the answer, as the frame and as UDP has it, or -1 where these differ */
static const char *fault(const struct asked *a, const unsigned char *r, int len)
{
	const unsigned char *q = a->frame + ntp_off;
	bool as_model = a->len == model_ntp_len() && !memcmp(q, model + ntp_off, (size_t)a->len);

	if (!is_request(a))
		return "an answer to what is no request";
	if (a->answered)
		return "a second answer";
	if (len < NTP_LEN || len > a->len || (a->right && len != a->len))
		return "shorter than a header, longer than the request, or cut";
	if (!as_model && !is_unsigned_tail(a, r + NTP_LEN, len - NTP_LEN))
		return "signed, though what it answers was not";
	if ((r[0] >> 3 & 7) != (q[0] >> 3 & 7) || (r[0] & 7) != ((q[0] & 7) == 1 ? 2 : 4))
		return "version or mode";
	if (r[2] != q[2])
		return "poll";
	if (get64(r + 24) != get64(q + 40))
		return "origin";
	if (get64(r + 40) < get64(r + 32))
		return "T3 before T2";
	if (r[1] > 15 || r[0] >> 6 == 3 || get64(r + 32) == 0 || get64(r + 40) == 0)
		return "unsynchronised, or without a time";
	return fixed ? fault_of_state(r) : NULL;
}

static void tell(const char *what, const struct asked *a)
{
	size_t i;

	if (n_bad++ >= TOLD_MAX)
		return;
	fprintf(stderr, "%s:", what);
	for (i = ETH_LEN; i < a->frame_len; i++)
		fprintf(stderr, "%s%02x", i == ntp_off ? " " : "", a->frame[i]);
	fputc('\n', stderr);
}

/* Return: whether that was the answer to the last one. */
static bool take(const unsigned char *frame, size_t len)
{
	const unsigned char *ip = frame + ETH_LEN, *udp = ip + ip_len;
	bool v6 = ip_len == IP6_LEN;
	int payload, udp_len;
	unsigned int port;
	const char *what;
	struct asked *a;

	if (len < ntp_off || get16(frame + 12) != (v6 ? ETH_P_IPV6 : ETH_P_IP) ||
	    (!v6 && ip[0] != 0x45) || ip[v6 ? 6 : 9] != 17 || get16(udp) != 123)
		return false;
	port = get16(udp + 2);
	if (port < PORT_BASE || port >= PORT_BASE + BATCH)
		return false;
	a = &batch[port - PORT_BASE];
	payload = v6 ? get16(ip + 4) : get16(ip + 2) - IP4_LEN;
	udp_len = get16(udp + 4);
	if (udp_len != payload || ETH_LEN + ip_len + (size_t)payload != len)
		udp_len = UDP_LEN - 1;
	what = fault(a, udp + UDP_LEN, udp_len - UDP_LEN);
	if (what)
		tell(what, a);
	n_answered++;
	n_right_answered += a->right && !a->answered;
	a->answered = true;
	return port == PORT_BASE + BATCH - 1;
}

static void take_all(void)
{
	struct pollfd p = { .fd = in_fd, .events = POLLIN };
	unsigned char frame[2048];
	struct sockaddr_ll from;
	socklen_t from_len;
	ssize_t n;

	while (poll(&p, 1, WAIT_MS) > 0) {
		from_len = sizeof(from);
		n = recvfrom(in_fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_len);
		if (n > 0 && from.sll_pkttype != PACKET_OUTGOING && take(frame, (size_t)n))
			return;
	}
}

static void one_batch(void)
{
	struct mmsghdr msgs[BATCH] = { 0 };
	struct iovec iov[BATCH];
	unsigned int i;

	for (i = 0; i < BATCH; i++) {
		make(&batch[i], PORT_BASE + i);
		iov[i] = (struct iovec){ batch[i].frame, batch[i].frame_len };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	frames_send(out_fd, msgs, BATCH);
	take_all();
}

static void listen_to(const char *dev)
{
	struct sockaddr_ll any = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(dev),
	};
	int size = 8 << 20;

	in_fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (in_fd < 0 || bind(in_fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(in_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		err(1, "%s", dev);
}

int main(int argc, char **argv)
{
	unsigned long count, sent;
	cpu_set_t here;

	if (argc != 5 && (argc != 6 || strcmp(argv[5], "fixed")))
		errx(2, "usage: pktfuzz DEVICE FRAME COUNT SEED [fixed]");
	fixed = argc == 6;
	load(argv[2]);
	count = strtoul(argv[3], NULL, 10);
	seed = strtoull(argv[4], NULL, 10);
	/* the answer to the last of a batch comes last only where all went by one processor */
	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		err(1, "sched_setaffinity");
	out_fd = frames_open(argv[1]);
	listen_to(argv[1]);
	for (sent = 0; sent < count; sent += BATCH)
		one_batch();
	fflush(stderr);
	printf("%lu %lu %lu %lu %lu\n", sent, n_right, n_right_answered, n_answered, n_bad);
	return 0;
}
