// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readings of an interface's clock: the tightest counts, a bracket of the system clock
 * becomes one of the local timescale under any slew, a step in between is seen; which
 * failure of the means ends what.  And which packets an interface is asked to stamp.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <cmocka.h>
#include "daemon/hwts_if.h"
#include "daemon/phc_read.h"

#define REAL_NS	1700000000000000000LL
#define BIT(n)	(1u << (n))

/* struct driver - @fd of a clock whose driver is here: what its means end with */
static struct driver {
	int	 fd;
	int	 precise;
	int	 extended;
} driver = { .fd = -1 };

static void set_time(struct ptp_clock_time *t, int64_t ns)
{
	t->sec = ns / 1000000000;
	t->nsec = (uint32_t)(ns % 1000000000);
}

static int extended(struct ptp_sys_offset_extended *x)
{
	for (unsigned int i = 0; !driver.extended && i < x->n_samples; i++) {
		set_time(&x->ts[i][0], 5000 + 100 * i);
		set_time(&x->ts[i][1], REAL_NS);
		set_time(&x->ts[i][2], 5040 + 100 * i);
	}
	return driver.extended;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int err = ENOTTY;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (fd != driver.fd)
		return (int)syscall(SYS_ioctl, fd, request, arg);
	if (request == PTP_SYS_OFFSET_PRECISE)
		err = driver.precise;
	if (request == PTP_SYS_OFFSET_EXTENDED)
		err = extended(arg);
	errno = err;
	return err ? -1 : 0;
}

static void test_tightest(void **state)
{
	const struct phc_bracket b[] = {
		{ 100, 1, 130 }, { 200, 2, 210 }, { 300, 3, 290 }, { 400, 4, 411 }, { 500, 5, 510 },
	};

	(void)state;
	assert_ptr_equal(phc_tightest(b, 5), &b[1]);
	assert_ptr_equal(phc_tightest(&b[2], 2), &b[3]);
	assert_null(phc_tightest(&b[2], 1));
	assert_null(phc_tightest(b, 0));
}

/* The system clock runs by @rate against RAW from one pair to the other, 200 us later. */
static bool convert(double rate, int64_t step_ns, struct phc_sample *out)
{
	const struct clock_pair before = { .local_ns = 5000, .real_ns = REAL_NS, .width_ns = 60 };
	const struct clock_pair after = {
		.local_ns = 5000 + 200000, .width_ns = 40,
		.real_ns = REAL_NS + (int64_t)(200000 * rate) + step_ns,
	};
	const struct phc_bracket b = {
		.before_ns = REAL_NS + (int64_t)(100000 * rate), .phc_ns = 77,
		.after_ns = REAL_NS + (int64_t)(103000 * rate),
	};

	return phc_to_sample(&b, &before, &after, out);
}

static void test_to_sample(void **state)
{
	const double rates[] = { 1, 1.0005, 0.9995, 1.1, 0.9 };
	struct phc_sample s;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		assert_true(convert(rates[i], 0, &s));
		assert_int_equal(s.phc_ns, 77);
		assert_in_range(s.raw_ns, 5000 + 101498, 5000 + 101502);
		/* half of the bracket, and the pair's own */
		assert_in_range(s.half_ns, 1500 + 59, 1500 + 62);
		assert_false(convert(rates[i], 60000, &s));
		assert_false(convert(rates[i], -60000, &s));
		assert_false(convert(rates[i], 1000000000, &s));
		assert_false(convert(rates[i], -1000000000, &s));
	}
}

/* A step there and back would leave the bracket outside both pairs. */
static void test_outside(void **state)
{
	const struct clock_pair before = { .local_ns = 0, .real_ns = REAL_NS };
	const struct clock_pair after = { .local_ns = 1000, .real_ns = REAL_NS + 1000 };
	struct phc_bracket b = { .before_ns = REAL_NS, .phc_ns = 1, .after_ns = REAL_NS + 1000 };
	struct phc_sample s;

	(void)state;
	assert_true(phc_to_sample(&b, &before, &after, &s));
	b.before_ns--;
	assert_false(phc_to_sample(&b, &before, &after, &s));
	b.before_ns++;
	b.after_ns++;
	assert_false(phc_to_sample(&b, &before, &after, &s));
	/* clocks that stand still */
	b.after_ns = b.before_ns = REAL_NS;
	assert_false(phc_to_sample(&b, &before, &before, &s));
}

/* What is no such clock is said to be none, by every means. */
static void test_not_one(void **state)
{
	struct phc_reader r = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct phc_sample s;

	(void)state;
	assert_true(r.fd >= 0);
	assert_int_equal(phc_read(&r, &s), -ENOTTY);
	assert_int_equal(r.means, PHC_PLAIN);
	phc_close(&r);
	assert_int_equal(r.fd, -1);
	assert_int_equal(phc_open(&r, 987654, true), -ENOENT);
	assert_int_equal(r.means, PHC_EXTENDED_RAW);
}

/* The hardware cannot compare with the counter that the system has now. */
static void test_other_counter(void **state)
{
	struct phc_reader r = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct phc_sample s;

	(void)state;
	driver = (struct driver){ .fd = r.fd, .precise = ENODEV };
	assert_int_equal(phc_read(&r, &s), 0);
	assert_int_equal(r.means, PHC_EXTENDED_RAW);
	assert_int_equal(s.phc_ns, REAL_NS);
	/* gone by all means */
	driver.extended = ENODEV;
	assert_int_equal(phc_read(&r, &s), -ENODEV);
	assert_int_equal(r.means, PHC_EXTENDED_RAW);
	r.means = PHC_PRECISE;
	assert_int_equal(phc_read(&r, &s), -ENODEV);
	driver.fd = -1;
	phc_close(&r);
}

/* It never gets to it: some readings are lost, then another means is taken. */
static void test_too_slow(void **state)
{
	struct phc_reader r = { .fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
	struct phc_sample s;
	int lost = 0;

	(void)state;
	driver = (struct driver){ .fd = r.fd, .precise = ETIMEDOUT };
	while (lost < 20 && phc_read(&r, &s) == -ETIMEDOUT)
		lost++;
	assert_in_range(lost, 1, 8);
	assert_int_equal(r.means, PHC_EXTENDED_RAW);
	assert_int_equal(phc_read(&r, &s), 0);
	driver.fd = -1;
	phc_close(&r);
}

static void test_filter(void **state)
{
	const uint32_t all = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_ALL);
	const uint32_t ntp = all | BIT(HWTSTAMP_FILTER_NTP_ALL);
	const uint32_t ptp = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);

	(void)state;
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, ntp, 0), HWTSTAMP_FILTER_NTP_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, all, 0), HWTSTAMP_FILTER_ALL);
	/* what others have set and we can do nothing with stays */
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, ptp, HWTSTAMP_FILTER_PTP_V2_EVENT),
			 HWTSTAMP_FILTER_PTP_V2_EVENT);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, ptp, 0), HWTSTAMP_FILTER_NONE);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, ntp, HWTSTAMP_FILTER_ALL),
			 HWTSTAMP_FILTER_ALL);
	/* PTP goes on where it was, unless it is asked to end */
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, ntp, HWTSTAMP_FILTER_PTP_V2_EVENT),
			 HWTSTAMP_FILTER_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_BEST, BIT(HWTSTAMP_FILTER_NTP_ALL) | ptp,
					HWTSTAMP_FILTER_PTP_V2_EVENT), HWTSTAMP_FILTER_PTP_V2_EVENT);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_NTP, BIT(HWTSTAMP_FILTER_NTP_ALL) | ptp,
					HWTSTAMP_FILTER_PTP_V2_EVENT), HWTSTAMP_FILTER_NTP_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_NONE, ntp, HWTSTAMP_FILTER_ALL),
			 HWTSTAMP_FILTER_NONE);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_NTP, all, 0), HWTSTAMP_FILTER_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_NTP, ptp, 0), -1);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_ALL, ntp, 0), HWTSTAMP_FILTER_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_ALL, ptp, 0), -1);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_PTP, ptp, 0), HWTSTAMP_FILTER_PTP_V2_EVENT);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_PTP, all, 0), HWTSTAMP_FILTER_ALL);
	assert_int_equal(hwts_if_filter(CONF_RXFILTER_PTP, BIT(HWTSTAMP_FILTER_NONE), 0), -1);
}

/* 48 bytes of NTP over IPv4, as an interface sees them: 90 bytes and a checksum. */
static void test_wire(void **state)
{
	(void)state;
	assert_int_equal(hwts_if_wire_ns(90, 1000), 752);
	assert_int_equal(hwts_if_wire_ns(90, 100), 7520);
	assert_int_equal(hwts_if_wire_ns(90, 0), 0);
	assert_int_equal(hwts_if_wire_ns(0, 1000), 0);
	assert_int_equal(hwts_if_wire_ns(90, 400000), 1);
	/* no link has a speed there */
	assert_int_equal(hwts_if_speed("lo"), 0);
	assert_int_equal(hwts_if_speed("nowhere0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tightest),
		cmocka_unit_test(test_to_sample),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_not_one),
		cmocka_unit_test(test_other_counter),
		cmocka_unit_test(test_too_slow),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_wire),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("phc_read", tests, NULL, NULL);
}
