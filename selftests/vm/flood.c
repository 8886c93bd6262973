// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asks an NTP server in the name of everybody, and of some regular clients beside:
 *
 *	flood DEVICE FRAME COUNT CLIENTS GAP_MS
 *
 * FRAME is a request over IPv4 as it goes out by DEVICE, whose source is written
 * anew each time.  COUNT go out with random sources, 64 at a time; meanwhile each of
 * CLIENTS asks every GAP_MS, and one more with every 64.  All of these are
 * 198.18.0.0 and what follows, local addresses here; the last one is the greedy one.
 * What comes back for them is counted by the stamp that the server echoes.
 *
 * Prints: forged, asked, answered, asked by the greedy one, answered of those, seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../bench/frames.h"

#define BATCH		64
#define FRAME_MAX	128
#define ETH_LEN		14
#define IP_LEN		20
#define UDP_LEN		8
#define NTP_LEN		48
#define T1_OFF		(ETH_LEN + IP_LEN + UDP_LEN + 40)
#define ORG_OFF		24
#define SPORT_OFF	(ETH_LEN + IP_LEN)
#define CLIENT_NET	0xc6120000u	/* 198.18.0.0 */
#define CLIENTS_MAX	65535
#define SPORT		40000
#define LINGER_MS	2000

static unsigned char frames[BATCH][FRAME_MAX];
static struct iovec iov[BATCH];
static struct mmsghdr msgs[BATCH];
static unsigned int n_frames;
static size_t frame_len;
static int out_fd, in_fd;
static unsigned long asked[2], answered[2];	/* of regular ones, of the greedy one */
static uint32_t greedy;
static uint64_t seed;

static uint32_t random_word(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (uint32_t)(z >> 32);
}

/* Anybody but who could not ask: this host, networks that are none, those of the test. */
static uint32_t random_source(void)
{
	uint32_t a;

	do {
		a = random_word();
	} while (a >> 24 == 0 || a >> 24 == 127 || a >> 28 >= 14 || a >> 16 == 0xc612 ||
		 a >> 8 == 0xc00002 || !(uint8_t)a || (uint8_t)a == 255);
	return a;
}

static void load(const char *path)
{
	unsigned char frame[FRAME_MAX];
	FILE *in = fopen(path, "r");
	unsigned int i;

	if (!in)
		err(1, "%s", path);
	frame_len = fread(frame, 1, sizeof(frame), in);
	fclose(in);
	if (frame_len != ETH_LEN + IP_LEN + UDP_LEN + NTP_LEN)
		errx(1, "%s: not a bare request over IPv4", path);
	for (i = 0; i < BATCH; i++) {
		memcpy(frames[i], frame, frame_len);
		iov[i].iov_base = frames[i];
		iov[i].iov_len = frame_len;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static uint16_t ip_sum(const unsigned char *ip)
{
	uint32_t sum = 0;
	int i;

	for (i = 0; i < IP_LEN; i += 2)
		sum += ip[i] << 8 | ip[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void flush(void)
{
	frames_send(out_fd, msgs, n_frames);
	n_frames = 0;
}

/* The UDP checksum is 0 in the frame: there is none. */
static void put(uint32_t source, uint64_t t1)
{
	unsigned char *frame = frames[n_frames++], *ip = frame + ETH_LEN;
	uint16_t port = htons(SPORT), sum;

	source = htonl(source);
	memcpy(ip + 12, &source, sizeof(source));
	memset(ip + 10, 0, sizeof(sum));
	sum = ip_sum(ip);
	memcpy(ip + 10, &sum, sizeof(sum));
	memcpy(frame + SPORT_OFF, &port, sizeof(port));
	memcpy(frame + T1_OFF, &t1, sizeof(t1));
	if (n_frames == BATCH)
		flush();
}

static void ask(uint32_t client)
{
	asked[client == greedy]++;
	put(CLIENT_NET + client, client);
}

static void listen_here(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(SPORT) };
	int size = 8 << 20;

	in_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (in_fd < 0 || bind(in_fd, (struct sockaddr *)&any, sizeof(any)))
		err(1, "port %d", SPORT);
	if (setsockopt(in_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		err(1, "SO_RCVBUFFORCE");
}

static void take_replies(void)
{
	unsigned char reply[NTP_LEN];
	uint64_t client;

	while (recv(in_fd, reply, sizeof(reply), 0) == NTP_LEN) {
		memcpy(&client, reply + ORG_OFF, sizeof(client));
		if (client && client <= greedy)
			answered[client == greedy]++;
	}
}

static void linger(void)
{
	struct pollfd p = { .fd = in_fd, .events = POLLIN };

	while (poll(&p, 1, LINGER_MS) > 0)
		take_replies();
}

/*
 * Those whose turn has come since the last time, client i at i/n of each gap.  Where the
 * machine is too slow for all of them some miss their turn: nobody asks more often.
 */
static void ask_regular(unsigned long *turn, long long since_ns, long gap_ms)
{
	unsigned long n = greedy - 1, due = since_ns * n / (gap_ms * 1000000LL);

	if (due - *turn > BATCH)
		*turn = due - BATCH;
	for (; *turn < due; ++*turn)
		ask(1 + *turn % n);
}

int main(int argc, char **argv)
{
	unsigned long count, sent, turn = 0;
	long long begin, took;
	long gap_ms;

	if (argc != 6)
		errx(2, "usage: flood DEVICE FRAME COUNT CLIENTS GAP_MS");
	out_fd = frames_open(argv[1]);
	load(argv[2]);
	count = strtoul(argv[3], NULL, 10);
	greedy = (uint32_t)strtoul(argv[4], NULL, 10) + 1;
	gap_ms = strtol(argv[5], NULL, 10);
	if (greedy < 2 || greedy > CLIENTS_MAX || gap_ms < 1)
		errx(2, "CLIENTS must be 1..%d, GAP_MS at least 1", CLIENTS_MAX - 1);
	listen_here();
	begin = frames_now_ns();
	seed = (uint64_t)begin;
	for (sent = 0; sent < count; sent++) {
		put(random_source(), 0);
		if (sent % BATCH)
			continue;
		ask(greedy);
		ask_regular(&turn, frames_now_ns() - begin, gap_ms);
		take_replies();
	}
	took = frames_now_ns() - begin;
	flush();
	linger();
	printf("%lu %lu %lu %lu %lu %.1f\n", sent, asked[0], answered[0], asked[1], answered[1],
	       took / 1e9);
	return 0;
}
