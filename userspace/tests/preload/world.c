// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The world, see world.h: time and what happens in it, and the score.
 */
#include "world_priv.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ntpk/ntp_math.h>

#define SETTLED_S	100e-6
#define ENDS_MAX	20
#define REFUSED_MAX	1000

struct world world;

static const struct {
	const char *name;
	size_t	 at;
} names[] = {
#define NAME(n) { #n, offsetof(struct world_conf, n) }
	NAME(seed), NAME(servers), NAME(false_servers), NAME(false_s), NAME(clients), NAME(delay),
	NAME(jitter), NAME(spike_p), NAME(spike), NAME(wander), NAME(offset), NAME(freq),
	NAME(span), NAME(from), NAME(start), NAME(clocks), NAME(stamps), NAME(refuse),
	NAME(coarse),
#undef NAME
};

void world_fault(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("world: the program under test ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

static void set(char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		world_fault("was started with NTPK_WORLD %s: not name=value", word);
	*value++ = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i].name))
			continue;
		*(double *)((char *)&world.conf + names[i].at) = strtod(value, NULL);
		return;
	}
	world_fault("was started with NTPK_WORLD %s: no such name", word);
}

static void make(void)
{
	const char *env = getenv("NTPK_WORLD");
	char text[1024], *word, *rest = text;

	if (world.made)
		return;
	world.made = true;
	world.conf = (struct world_conf){
		.seed = 1, .servers = 1, .false_s = 0.05, .delay = 1e-4, .jitter = 1e-5,
		.wander = 1e-9, .offset = 0.01, .freq = 1e-5, .span = 1000, .from = 100,
		.start = 1262304000, .coarse = 1,
	};
	snprintf(text, sizeof(text), "%s", env ? env : "");
	while ((word = strsep(&rest, ",")))
		if (*word)
			set(word);
	if (world.conf.servers > WORLD_SERVERS_MAX)
		world_fault("was started with more than %d servers", WORLD_SERVERS_MAX);
	world.net_rng = (uint64_t)world.conf.seed * 1000003;
	world.osc_rng = (uint64_t)world.conf.seed * 7919 + 17;
	world.app_rng = (uint64_t)world.conf.seed * 104729 + 71;
	world.err_s = world.conf.offset;
	world.freq = world.conf.freq;
	world.next_second_s = 1;
	timex_reset();
}

const struct world_conf *world_conf(void)
{
	make();
	return &world.conf;
}

uint64_t world_random(void)
{
	make();
	return ntp_noise(&world.app_rng);
}

double world_unit(__u64 *rng)
{
	return ((double)(ntp_noise(rng) >> 11) + 0.5) * 0x1p-53;
}

static double gauss(void)
{
	double r = sqrt(-2 * log(world_unit(&world.osc_rng)));

	return r * cos(2 * M_PI * world_unit(&world.osc_rng));
}

double world_real_s(void)
{
	make();
	return world.true_s + world.err_s;
}

double world_mono_s(void)
{
	make();
	return world.conf.clocks == WORLD_CLOCKS_FREE ? world.free_s : world.mono_s;
}

double world_free_s(void)
{
	make();
	return world.free_s;
}

int world_step(double step_s)
{
	if (world.conf.refuse) {
		/* time stands still meanwhile: who asks for ever would never end */
		if (++world.refused > REFUSED_MAX)
			world_fault("asks for a step again and again");
		return -EPERM;
	}
	world.err_s += step_s;
	world.steps++;
	return 0;
}

int world_set_real(double real_s)
{
	return world_step(real_s - world_real_s());
}

/* What the clocks gain on true time per second: the oscillator, and all that is set. */
static double gain(void)
{
	return (1 + world.freq) * (1 + timex_rate()) - 1;
}

static void advance(double true_s)
{
	double g = gain();

	world.true_s += true_s;
	world.err_s += true_s * g;
	world.mono_s += true_s * (1 + g);
	world.free_s += true_s * (1 + world.freq);
}

static void score(void)
{
	double err = fabs(world.err_s);

	if (err > SETTLED_S)
		world.settled_s = world.true_s;
	if (world.true_s < world.conf.from)
		return;
	world.sum2 += err * err;
	world.samples++;
	world.max_s = fmax(world.max_s, err);
}

static void second(void)
{
	world.true_s = world.next_second_s;
	world.next_second_s += 1;
	score();
	timex_second();
	world.freq += world.conf.wander * gauss();
	net_second();
}

static void report(void)
{
	const char *path = getenv("NTPK_WORLD_OUT");
	FILE *out = path ? fopen(path, "w") : NULL;

	if (!out)
		return;
	fprintf(out, "rms %.9f\nmax %.9f\nsettled %.0f\npackets %u\nsteps %u\nfreq_error %.6e\n"
		"asked %u\nanswered %u\nworst_answer %.9f\nrefused %u\n",
		sqrt(world.sum2 / fmax(1, world.samples)), world.max_s, world.settled_s,
		world.sent_pkts, world.steps, gain(), world.asked_pkts, world.answered_pkts,
		world.worst_answer_s, world.refused);
	fclose(out);
}

/* What a simulator's end looks like: SIGTERM, and EINTR from each wait after that. */
static enum world_event end(void)
{
	if (!world.ends++)
		report();
	if (world.ends > ENDS_MAX)
		world_fault("goes on waiting after SIGTERM");
	raise(SIGTERM);
	return WORLD_END;
}

enum world_event world_wait(double timeout_s, bool packets)
{
	double until_mono_s, mono_rate, step_s;

	make();
	until_mono_s = timeout_s < 0 ? INFINITY : world_mono_s() + timeout_s;
	for (;;) {
		if (world.true_s >= world.conf.span)
			return end();
		if (world_mono_s() >= until_mono_s - 1e-12)
			return WORLD_TIMEOUT;
		net_arrivals();
		if (packets && world_head())
			return WORLD_PACKET;
		mono_rate = world.conf.clocks == WORLD_CLOCKS_FREE ? 1 + world.freq : 1 + gain();
		step_s = (until_mono_s - world_mono_s()) / mono_rate;
		step_s = fmin(step_s, net_next_s() - world.true_s);
		if (step_s < world.next_second_s - world.true_s) {
			advance(fmax(step_s, 0));
			continue;
		}
		advance(world.next_second_s - world.true_s);
		second();
	}
}
