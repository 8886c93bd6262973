/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual machine's clock and its network, inside the process under test: see
 * Documentation/simulators.md.  One world per process, made from NTPK_WORLD at
 * the first use.  Time passes only in world_wait().  Single-threaded.
 */
#ifndef NTPK_TESTS_WORLD_H
#define NTPK_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timex.h>

#define WORLD_NET		0xc0a87b00u	/* 192.168.123.0: node N is .N */
#define WORLD_SELF		200		/* the node under test */
#define WORLD_CLIENT		201		/* who asks it */
#define WORLD_SERVERS_MAX	8
#define WORLD_PACKET_MAX	1024

/* enum world_clocks - which clocks there are beside CLOCK_REALTIME */
enum world_clocks {
	WORLD_CLOCKS_FEW,	/* MONOTONIC, steered; to ask for another is a fault */
	WORLD_CLOCKS_EINVAL,	/* ... or EINVAL */
	WORLD_CLOCKS_ALIAS,	/* ... or they are MONOTONIC by another name */
	WORLD_CLOCKS_FREE,	/* MONOTONIC and the others run freely */
};

/* enum world_stamps - what SO_TIMESTAMPING does */
enum world_stamps {
	WORLD_STAMPS_ON,	/* stamps, those of sent packets made when they are read */
	WORLD_STAMPS_EINVAL,	/* the option is refused */
	WORLD_STAMPS_NONE,	/* the option is taken, and no stamp comes */
};

/* struct world_packet - a datagram on its way; ports in host order, nodes as in the address */
struct world_packet {
	double	 at_s;			/* true time of its arrival */
	unsigned int from, to;
	uint16_t src_port, dst_port;
	size_t	 len;
	unsigned char data[WORLD_PACKET_MAX];
};

/**
 * struct world_conf - NTPK_WORLD, "name=value,...", these names
 * @seed: of everything random
 * @servers: so many, from 192.168.123.1 on
 * @false_servers: of these, @false_s ahead
 * @clients: 1: one asks us every 64 s from second 100 on
 * @delay: each way, s
 * @jitter: mean of the exponential on top
 * @spike_p: probability that another, of mean @spike, comes on top of that
 * @wander: of the frequency, per square root of a second
 * @offset: system clock minus true time at the start
 * @freq: what it gains, without correction
 * @span: true seconds to run
 * @from: errors count from there on
 * @start: UTC at the start
 * @clocks: enum world_clocks
 * @stamps: enum world_stamps
 * @refuse: 1: who sets the clock is told EPERM; its frequency may be set
 * @coarse: while the loop has not run, each reading of a clock adds 101 ns to the
 *	next, so that programs which measure its precision come to an end
 */
struct world_conf {
	double	 seed, servers, false_servers, false_s, clients, delay, jitter, spike_p, spike,
		 wander, offset, freq, span, from, start, clocks, stamps, refuse, coarse;
};

const struct world_conf *world_conf(void);

/** world_fault() - the program did what no simulator of this class can do: abort */
void world_fault(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** world_random() - for getrandom(): its own stream */
uint64_t world_random(void);

/* clocks, in seconds; CLOCK_REALTIME without the start */
double world_real_s(void);
double world_mono_s(void);
double world_free_s(void);
int world_set_real(double real_s);
/** world_step() - Return: 0, or -EPERM when the world refuses */
int world_step(double step_s);
int world_adjtimex(struct timex *tx);
void world_adjtime(int64_t us, int64_t *left_us);

/* enum world_event - why world_wait() returned */
enum world_event { WORLD_TIMEOUT, WORLD_PACKET, WORLD_END };

/**
 * world_wait() - let time pass
 * @timeout_s: of CLOCK_MONOTONIC, negative = for ever
 * @packets: a packet for us ends it
 */
enum world_event world_wait(double timeout_s, bool packets);

/** world_head() - the packet that waits for us first, or NULL */
const struct world_packet *world_head(void);

/** world_pop() - drop it */
void world_pop(void);

/** world_send() - from us to a node; the network decides when it is there */
void world_send(const struct world_packet *p);

#endif /* NTPK_TESTS_WORLD_H */
