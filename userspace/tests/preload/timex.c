// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock's controls in the world: frequency and tick act at once, adjtime()
 * from the next true second on, half a millisecond per second at most.  The
 * kernel's PLL is not there: to use it is a fault.
 */
#include "world_priv.h"

#include <errno.h>
#include <string.h>

#define TICK_US		10000
#define FREQ_MAX	32768000L
#define SLEW_MAX_US	500
#define ERROR_MAX_US	16000000

void timex_reset(void)
{
	world.timex = (struct timex){
		.tick = TICK_US, .tolerance = FREQ_MAX, .precision = 1, .status = STA_UNSYNC,
		.maxerror = ERROR_MAX_US, .esterror = ERROR_MAX_US,
	};
}

double timex_rate(void)
{
	return (double)(world.timex.tick - TICK_US) / TICK_US +
	       (double)world.timex.freq / 65536e6 + world.slew_rate;
}

void timex_second(void)
{
	int64_t us = world.slew_us;

	us = us > SLEW_MAX_US ? SLEW_MAX_US : us < -SLEW_MAX_US ? -SLEW_MAX_US : us;
	world.slew_us -= us;
	world.slew_rate = (double)us * 1e-6;
}

void world_adjtime(int64_t us, int64_t *left_us)
{
	*left_us = world.slew_us;
	world.slew_us = us;
}

static int set_rate(const struct timex *tx)
{
	if (tx->modes & ADJ_FREQUENCY) {
		long f = tx->freq;

		world.timex.freq = f > FREQ_MAX ? FREQ_MAX : f < -FREQ_MAX ? -FREQ_MAX : f;
	}
	if (!(tx->modes & ADJ_TICK))
		return 0;
	if (tx->tick < TICK_US * 9 / 10 || tx->tick > TICK_US * 11 / 10)
		return -EINVAL;
	world.timex.tick = tx->tick;
	return 0;
}

static void set_status(const struct timex *tx)
{
	if (tx->modes & ADJ_MAXERROR)
		world.timex.maxerror = tx->maxerror;
	if (tx->modes & ADJ_STATUS)
		world.timex.status = tx->status & 0xff;
	if (tx->modes & ADJ_MICRO)
		world.timex.status &= ~STA_NANO;
	if (tx->modes & ADJ_NANO)
		world.timex.status |= STA_NANO;
}

int world_adjtimex(struct timex *tx)
{
	bool single = (tx->modes & ADJ_OFFSET_SINGLESHOT) == ADJ_OFFSET_SINGLESHOT;
	int64_t left_us = world.slew_us;
	int err;

	world_conf();
	left_us = world.slew_us;
	if (!single && tx->modes & ADJ_OFFSET && tx->offset)
		world_fault("asks for the kernel's PLL");
	if (single && (tx->modes & ADJ_OFFSET_SS_READ) == ADJ_OFFSET_SINGLESHOT)
		world_adjtime(tx->offset, &left_us);
	err = single ? 0 : set_rate(tx);
	if (!single)
		set_status(tx);
	if (!err && !single && tx->modes & ADJ_SETOFFSET)
		err = world_step((double)tx->time.tv_sec + (double)tx->time.tv_usec *
				 (world.timex.status & STA_NANO ? 1e-9 : 1e-6));
	*tx = world.timex;
	if (single)
		tx->offset = left_us;
	return err ? err : TIME_OK;
}
