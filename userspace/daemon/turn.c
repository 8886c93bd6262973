// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop's turns, see turn.h.  Event loop only.
 */
#include "daemon/turn.h"

#include <time.h>
#include "daemon/clocks.h"

#define NS_PER_S	1000000000LL

static struct {
	bool	 cpu;
	int64_t	 began_ns;		/* 0: between turns */
	int64_t	 cpu_ns;		/* of the thread, when the last turn ended */
	struct turn_longest longest;
} turn;

static int64_t thread_cpu_ns(void)
{
	struct timespec ts;

	if (!turn.cpu || clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts))
		return 0;
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void turn_open(bool cpu)
{
	turn.cpu = cpu;
	turn.began_ns = 0;
	turn.longest = (struct turn_longest){ 0 };
	turn.cpu_ns = thread_cpu_ns();
}

void turn_begin(void)
{
	if (!turn.began_ns)
		turn.began_ns = clocks_local_ns();
}

bool turn_is_over(void)
{
	return turn.began_ns && clocks_local_ns() - turn.began_ns >= TURN_SLICE_NS;
}

void turn_end(void)
{
	int64_t cpu_ns = thread_cpu_ns(), wall_ns;

	if (turn.began_ns) {
		wall_ns = clocks_local_ns() - turn.began_ns;
		if (wall_ns > turn.longest.wall_ns)
			turn.longest.wall_ns = wall_ns;
	}
	if (cpu_ns - turn.cpu_ns > turn.longest.cpu_ns)
		turn.longest.cpu_ns = cpu_ns - turn.cpu_ns;
	turn.cpu_ns = cpu_ns;
	turn.began_ns = 0;
}

struct turn_longest turn_longest(void)
{
	return turn.longest;
}
