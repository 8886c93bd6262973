// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system clock's controls against a stand-in for the kernel that keeps its
 * rules: no real clock is touched.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ntpk/ntp_wire.h>
#include "daemon/sysclock.h"

/* struct fake_kernel - what the calls left behind */
static struct fake_kernel {
	long	 freq;
	long	 tick;
	long	 offset;	/* being slewed by the PLL */
	int	 status;
	long	 maxerror;
	long	 esterror;
	int64_t	 stepped_ns;
	int64_t	 slewing_us;
	unsigned int calls;	/* that change something */
	bool	 forbidden;
} kernel;

static int fake_adjtimex(struct timex *tx)
{
	if (kernel.forbidden && tx->modes) {
		errno = EPERM;
		return -1;
	}
	kernel.calls += tx->modes != 0;
	if (tx->modes & ADJ_STATUS)
		kernel.status = tx->status;
	if (tx->modes & ADJ_OFFSET) {
		/* without STA_PLL the kernel ignores it */
		if (kernel.status & STA_PLL)
			kernel.offset = tx->offset;
	}
	if (tx->modes & ADJ_FREQUENCY) {
		assert_in_range(llabs(tx->freq), 0, 500L << 16);
		kernel.freq = tx->freq;
	}
	if (tx->modes & ADJ_TICK) {
		if (tx->tick < 9000 || tx->tick > 11000) {
			errno = EINVAL;
			return -1;
		}
		kernel.tick = tx->tick;
	}
	if (tx->modes & ADJ_MAXERROR)
		kernel.maxerror = tx->maxerror;
	if (tx->modes & ADJ_ESTERROR)
		kernel.esterror = tx->esterror;
	if (tx->modes & ADJ_SETOFFSET) {
		if (!(tx->modes & ADJ_NANO) || tx->time.tv_usec < 0 ||
		    tx->time.tv_usec >= 1000000000) {
			errno = EINVAL;
			return -1;
		}
		kernel.stepped_ns += (int64_t)tx->time.tv_sec * 1000000000 + tx->time.tv_usec;
	}
	tx->freq = kernel.freq;
	tx->tick = kernel.tick;
	tx->status = kernel.status;
	return 0;
}

static int fake_adjtime(const struct timeval *delta, struct timeval *old)
{
	if (kernel.forbidden) {
		errno = EPERM;
		return -1;
	}
	if (old) {
		old->tv_sec = (time_t)(kernel.slewing_us / 1000000);
		old->tv_usec = (suseconds_t)(kernel.slewing_us % 1000000);
	}
	if (!delta)
		return 0;
	/* as glibc's */
	if (llabs(delta->tv_sec) > 2145) {
		errno = EINVAL;
		return -1;
	}
	assert_in_range(delta->tv_usec, 0, 999999);
	kernel.slewing_us = (int64_t)delta->tv_sec * 1000000 + delta->tv_usec;
	kernel.calls++;
	return 0;
}

static const struct sysclock_ops fake_ops = {
	.adjtimex = fake_adjtimex,
	.adjtime = fake_adjtime,
};

static struct sysclock sc;

static int fresh(void **state)
{
	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	kernel.tick = 10000;
	kernel.status = STA_UNSYNC;
	return sysclock_init(&sc, &fake_ops, true);
}

static double set_ppb(void)
{
	return (double)(kernel.tick - 10000) * 1e5 + (double)kernel.freq / 65.536;
}

static void test_frequency(void **state)
{
	static const double ppbs[] = { 0, 1, -1, 0.3, 499999, -499999, 500000, -500000, 500001,
		612345, -1234567.8, 9.9e7, -9.9e7 };

	(void)state;
	for (size_t i = 0; i < sizeof(ppbs) / sizeof(ppbs[0]); i++) {
		assert_int_equal(sysclock_set_freq(&sc, ppbs[i]), 0);
		/* half a unit of 2^-16 ppm */
		assert_true(fabs(set_ppb() - ppbs[i]) <= 0.5 / 65.536 + 1e-6);
		if (fabs(ppbs[i]) <= 500000)
			assert_int_equal(kernel.tick, 10000);
	}
}

static void test_frequency_limits(void **state)
{
	(void)state;
	assert_int_equal(sysclock_set_freq(&sc, 1e9), 0);
	assert_int_equal(kernel.tick, 11000);
	assert_int_equal(kernel.freq, 500L << 16);
	assert_int_equal(sysclock_set_freq(&sc, -1e9), 0);
	assert_int_equal(kernel.tick, 9000);
	assert_int_equal(kernel.freq, -(500L << 16));
	assert_int_equal(sysclock_set_freq(&sc, NAN), 0);
	assert_true(set_ppb() == 0);
}

/* Around a boundary the tick must not jump to and fro. */
static void test_tick_hysteresis(void **state)
{
	long tick;

	(void)state;
	assert_int_equal(sysclock_set_freq(&sc, 860000), 0);
	tick = kernel.tick;
	for (int ppm = 510; ppm < 1300; ppm += 10) {
		assert_int_equal(sysclock_set_freq(&sc, ppm * 1e3), 0);
		assert_int_equal(kernel.tick, tick);
		assert_true(fabs(set_ppb() - ppm * 1e3) < 0.01);
	}
}

static void test_step(void **state)
{
	static const int64_t steps[] = { 1, -1, 999999999, -999999999, 1000000000, -1000000000,
		-1500000000, 86400000000001, -86400000000001 };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		kernel.stepped_ns = 0;
		kernel.slewing_us = 77;
		assert_int_equal(sysclock_step(&sc, steps[i]), 0);
		assert_true(kernel.stepped_ns == steps[i]);
		assert_int_equal(kernel.slewing_us, 0);
	}
}

static void test_slew(void **state)
{
	(void)state;
	assert_int_equal(sysclock_slew(&sc, 1234567), 0);
	assert_int_equal(kernel.slewing_us, 1234);
	assert_int_equal(sysclock_slew(&sc, -1234567), 0);
	assert_true(kernel.slewing_us == -1234);
	assert_int_equal(sysclock_slew(&sc, -2500000000LL), 0);
	assert_true(kernel.slewing_us == -2500000);
	/* more than the C library takes at once: some of it */
	assert_int_equal(sysclock_slew(&sc, 3600 * NTP_NS_PER_S), 0);
	assert_in_range(kernel.slewing_us, 60 * 1000000, 2145LL * 1000000);
	assert_int_equal(sysclock_slew(&sc, -3600 * NTP_NS_PER_S), 0);
	assert_in_range(-kernel.slewing_us, 60 * 1000000, 2145LL * 1000000);
	sysclock_clean(&sc);
	assert_int_equal(kernel.slewing_us, 0);
}

static void test_status(void **state)
{
	(void)state;
	sc.rtcsync = true;
	assert_int_equal(sysclock_set_status(&sc, true, NTP_LEAP_INSERT, 1001, 5000000), 0);
	assert_int_equal(kernel.status, STA_INS);
	assert_int_equal(kernel.esterror, 2);
	assert_int_equal(kernel.maxerror, 5000);
	assert_int_equal(sysclock_set_status(&sc, true, NTP_LEAP_DELETE, 0, INT64_MAX), 0);
	assert_int_equal(kernel.status, STA_DEL);
	assert_int_equal(kernel.maxerror, 16000000);
	assert_int_equal(sysclock_set_status(&sc, true, NTP_LEAP_NONE, 0, 0), 0);
	assert_int_equal(kernel.status, 0);
	assert_int_equal(sysclock_set_status(&sc, false, NTP_LEAP_UNSYNC, 0, 0), 0);
	assert_int_equal(kernel.status, STA_UNSYNC);
}

/* Without rtcsync the kernel must not come to think of writing the RTC. */
static void test_no_rtcsync(void **state)
{
	(void)state;
	assert_int_equal(sysclock_set_status(&sc, true, NTP_LEAP_NONE, 1001, 5000000), 0);
	assert_int_equal(kernel.status, STA_UNSYNC);
	assert_int_equal(kernel.maxerror, 5000);
	assert_int_equal(sysclock_set_status(&sc, true, NTP_LEAP_INSERT, 0, 0), 0);
	assert_int_equal(kernel.status, STA_UNSYNC | STA_INS);
}

/* A predecessor left its PLL running, and its frequency on hold. */
static void test_takes_over(void **state)
{
	(void)state;
	kernel.status = STA_PLL | STA_FREQHOLD | STA_PPSFREQ | STA_PPSTIME;
	kernel.offset = 123456;
	kernel.freq = 4711;
	kernel.slewing_us = 99;
	assert_int_equal(sysclock_init(&sc, &fake_ops, true), 0);
	assert_int_equal(kernel.status, 0);
	assert_int_equal(kernel.offset, 0);
	assert_int_equal(kernel.slewing_us, 0);
	assert_int_equal(kernel.freq, 4711);
	assert_true(fabs(sc.start_freq_ppb - 4711 / 65.536) < 1e-6);
}

static void test_foreign(void **state)
{
	double ppb = 0;

	(void)state;
	assert_false(sysclock_check(&sc, &ppb));
	assert_int_equal(sysclock_set_freq(&sc, 1000), 0);
	assert_false(sysclock_check(&sc, &ppb));
	kernel.freq = -(100L << 16);
	kernel.tick = 10001;
	assert_true(sysclock_check(&sc, &ppb));
	assert_true(fabs(ppb - 0) < 0.01);
	assert_false(sysclock_check(&sc, &ppb));
	assert_int_equal(sysclock_set_freq(&sc, 2000), 0);
	assert_false(sysclock_check(&sc, &ppb));
	kernel.freq = 0;
	assert_true(sysclock_check(&sc, &ppb));
	assert_int_equal(sc.foreign_changes, 2);
}

static void test_foreign_slew(void **state)
{
	double ppb;

	(void)state;
	assert_int_equal(sysclock_set_freq(&sc, 1000), 0);
	assert_int_equal(sysclock_slew(&sc, 5000000), 0);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
	kernel.slewing_us = 3000;	/* it has run for a while */
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
	kernel.slewing_us = 4000;	/* but never backwards */
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_SLEW);
	assert_int_equal(sysclock_slew(&sc, -5000000), 0);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
	kernel.slewing_us = 1;
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_SLEW);
	assert_int_equal(sysclock_slew(&sc, 0), 0);
	kernel.slewing_us = -7;
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_SLEW);
	assert_int_equal(sc.foreign_changes, 3);
}

static void test_foreign_pll(void **state)
{
	double ppb;

	(void)state;
	assert_int_equal(sysclock_set_freq(&sc, 1000), 0);
	kernel.status = STA_PLL;
	kernel.offset = 4711;
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_PLL);
	assert_int_equal(kernel.status & STA_PLL, 0);
	assert_int_equal(kernel.offset, 0);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
}

/* Updates come more often than checks: what they cover is to be told all the same. */
static void test_foreign_covered(void **state)
{
	double ppb;

	(void)state;
	assert_int_equal(sysclock_set_freq(&sc, 1000), 0);
	kernel.status = STA_PLL;
	kernel.offset = 4711;
	assert_int_equal(sysclock_set_status(&sc, true, 0, 1000, 1000), 0);
	assert_int_equal(kernel.status & STA_PLL, 0);
	assert_int_equal(kernel.offset, 0);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_PLL);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
	kernel.freq = 100L << 16;
	assert_int_equal(sysclock_set_freq(&sc, 2000), 0);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_FREQ);
	assert_true(fabs(ppb - 100e3) < 0.01);
	assert_int_equal(sysclock_check(&sc, &ppb), SYSCLOCK_OURS);
	assert_int_equal(sc.foreign_changes, 2);
}

static void test_hands_off(void **state)
{
	double ppb;

	(void)state;
	kernel.calls = 0;
	kernel.forbidden = true;
	assert_int_equal(sysclock_init(&sc, &fake_ops, true), -EPERM);
	assert_int_equal(sysclock_init(&sc, &fake_ops, false), 0);
	assert_int_equal(sysclock_set_freq(&sc, 1e6), 0);
	assert_int_equal(sysclock_slew(&sc, 1e6), 0);
	assert_int_equal(sysclock_step(&sc, 1000000000), 0);
	assert_int_equal(sysclock_set_status(&sc, true, 0, 0, 0), 0);
	assert_false(sysclock_check(&sc, &ppb));
	sysclock_clean(&sc);
	assert_int_equal(kernel.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_frequency, fresh),
		cmocka_unit_test_setup(test_frequency_limits, fresh),
		cmocka_unit_test_setup(test_tick_hysteresis, fresh),
		cmocka_unit_test_setup(test_step, fresh),
		cmocka_unit_test_setup(test_slew, fresh),
		cmocka_unit_test_setup(test_status, fresh),
		cmocka_unit_test_setup(test_no_rtcsync, fresh),
		cmocka_unit_test_setup(test_foreign_slew, fresh),
		cmocka_unit_test_setup(test_foreign_pll, fresh),
		cmocka_unit_test_setup(test_foreign_covered, fresh),
		cmocka_unit_test_setup(test_takes_over, fresh),
		cmocka_unit_test_setup(test_foreign, fresh),
		cmocka_unit_test_setup(test_hands_off, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
