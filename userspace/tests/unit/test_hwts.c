// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interfaces of `hwtimestamp` over the loopback interface, which a layer here gives a
 * driver with a clock: what is switched on and what is left as it is, which interfaces
 * are refused, and what the module is told.
 */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <cmocka.h>
#include "daemon/ev.h"
#include "daemon/hwts.h"
#include "daemon/hwts_if.h"

#define BIT(n)		(1u << (n))
#define TAI_NS		37000000000LL	/* the card's clock, less CLOCK_MONOTONIC_RAW */
#define HALF_NS		200

/*
 * struct card - the driver of lo
 * @filters: HWTSTAMP_FILTER_* that it has
 * @is: what is set
 * @sets: how often something was set
 * @driver: its name
 * @below: what it is a VLAN upon, NULL = none
 * @below_driver: of that
 * @phc: number of its clock
 * @speed: of its link
 * @raw_ns: CLOCK_MONOTONIC_RAW, which a reading takes to the next
 * @vague: its clock can only be read in brackets that say nothing
 */
static struct card {
	uint32_t filters;
	struct hwtstamp_config is;
	int	 sets;
	const char *driver;
	const char *below;
	const char *below_driver;
	int	 phc;
	uint32_t speed;
	int64_t	 raw_ns;
	bool	 vague;
} card;

/* struct told - the module; @len counts all maps, @last is the newest */
static struct told {
	int	 len;
	int	 none;
	struct ntpk_nl_phc last;
} told;

static void set_time(struct ptp_clock_time *t, int64_t ns)
{
	t->sec = ns / 1000000000;
	t->nsec = (uint32_t)(ns % 1000000000);
}

static int read_phc(struct ptp_sys_offset_extended *x)
{
	int64_t now_ns = card.raw_ns += HWTS_PERIOD_NS, half_ns = card.vague ? 20000000 : HALF_NS;

	for (unsigned int i = 0; i < x->n_samples; i++) {
		set_time(&x->ts[i][0], now_ns - half_ns);
		set_time(&x->ts[i][1], now_ns + TAI_NS);
		set_time(&x->ts[i][2], now_ns + half_ns);
	}
	return 0;
}

static int ethtool(const char *name, void *arg)
{
	struct ethtool_drvinfo *driver = arg;
	struct ethtool_ts_info *info = arg;
	struct ethtool_cmd *link = arg;
	uint32_t cmd;

	memcpy(&cmd, arg, sizeof(cmd));
	if (cmd == ETHTOOL_GDRVINFO)
		snprintf(driver->driver, sizeof(driver->driver), "%s",
			 strcmp(name, "lo") ? card.below_driver : card.driver);
	if (cmd == ETHTOOL_GSET)
		ethtool_cmd_speed_set(link, card.speed);
	if (cmd != ETHTOOL_GET_TS_INFO)
		return 0;
	info->so_timestamping = SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
	info->phc_index = card.phc;
	info->tx_types = BIT(HWTSTAMP_TX_OFF) | BIT(HWTSTAMP_TX_ON);
	info->rx_filters = card.filters;
	return 0;
}

static int vlan(struct vlan_ioctl_args *v)
{
	if (!card.below || strcmp(v->device1, "lo"))
		return EINVAL;
	snprintf(v->u.device2, sizeof(v->u.device2), "%s", card.below);
	return 0;
}

static int answer(unsigned long request, void *arg)
{
	struct ifreq *req = arg;

	switch (request) {
	case SIOCETHTOOL:
		return ethtool(req->ifr_name, req->ifr_data);
	case SIOCGHWTSTAMP:
		memcpy(req->ifr_data, &card.is, sizeof(card.is));
		return 0;
	case SIOCSHWTSTAMP:
		memcpy(&card.is, req->ifr_data, sizeof(card.is));
		card.sets++;
		return 0;
	case SIOCGIFVLAN:
		return vlan(arg);
	case PTP_SYS_OFFSET_EXTENDED:
		return read_phc(arg);
	default:
		return EOPNOTSUPP;
	}
}

static bool is_of_lo(unsigned long request, void *arg)
{
	const struct ifreq *req = arg;

	return request == PTP_SYS_OFFSET_PRECISE || request == PTP_SYS_OFFSET_EXTENDED ||
	       request == SIOCGIFVLAN || ((request == SIOCETHTOOL || request == SIOCGHWTSTAMP ||
	       request == SIOCSHWTSTAMP) && (!strcmp(req->ifr_name, "lo") ||
					    (card.below && !strcmp(req->ifr_name, card.below))));
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!is_of_lo(request, arg))
		return (int)syscall(SYS_ioctl, fd, request, arg);
	errno = answer(request, arg);
	return errno ? -1 : 0;
}

int open(const char *path, int flags, ...)
{
	return (int)syscall(SYS_openat, AT_FDCWD, strncmp(path, "/dev/ptp", 8) ? path : "/dev/null",
			    flags, 0);
}

/* No need to wait for the next reading. */
int event_add(struct libevent *ev, const struct timeval *after)
{
	static int (*real)(struct libevent *, const struct timeval *);
	static const struct timeval soon = { .tv_usec = 1000 };

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "event_add");
	return real(ev, after ? &soon : NULL);
}

static int set_up(void **state)
{
	(void)state;
	memset(&told, 0, sizeof(told));
	card = (struct card){
		.filters = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_ALL),
		.driver = "card", .below_driver = "card", .phc = 3, .speed = 1000,
		.raw_ns = 5000000000LL,
	};
	return 0;
}

static int open_lo(enum conf_rxfilter want, struct hwts_if *out)
{
	const struct conf_hwts conf = { .name = "lo", .rxfilter = want };

	return hwts_if_open("lo", &conf, out);
}

static void test_switch_on(void **state)
{
	struct hwts_if i;

	(void)state;
	assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), 0);
	assert_true(i.rx && i.phc == 3 && i.ifindex == if_nametoindex("lo"));
	assert_int_equal(card.is.tx_type, HWTSTAMP_TX_ON);
	assert_int_equal(card.is.rx_filter, HWTSTAMP_FILTER_ALL);
	/* what is set already is not set again, which resets some cards */
	assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), 0);
	assert_int_equal(card.sets, 1);
}

/* PTP's one-step stamps, and its filter, stay as they are. */
static void test_leave(void **state)
{
	struct hwts_if i;

	(void)state;
	card.is.tx_type = HWTSTAMP_TX_ONESTEP_SYNC;
	card.is.rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
	assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), 0);
	assert_int_equal(card.is.tx_type, HWTSTAMP_TX_ONESTEP_SYNC);
	assert_int_equal(card.is.rx_filter, HWTSTAMP_FILTER_ALL);
	assert_true(i.rx);
	card.filters = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_NTP_ALL);
	card.is.rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT;
	card.sets = 0;
	assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), 0);
	assert_false(i.rx);
	/* not offered: said, and left alone */
	assert_int_equal(open_lo(CONF_RXFILTER_ALL, &i), 0);
	assert_int_equal(card.sets, 0);
	assert_int_equal(open_lo(CONF_RXFILTER_NTP, &i), 0);
	assert_int_equal(card.is.rx_filter, HWTSTAMP_FILTER_NTP_ALL);
	assert_true(i.rx);
}

static void test_masters(void **state)
{
	static const char *const masters[] = { "bonding", "team", "bridge" };
	struct hwts_if i;

	(void)state;
	for (size_t k = 0; k < sizeof(masters) / sizeof(masters[0]); k++) {
		card.driver = masters[k];
		assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), -EXDEV);
		card.driver = "802.1Q VLAN Support";
		card.below = "bond7";
		card.below_driver = masters[k];
		assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), -EXDEV);
		card.below_driver = "card";
		assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), 0);
		card.below = NULL;
	}
	card.sets = 0;
	card.is.flags = BIT(0);	/* HWTSTAMP_FLAG_BONDED_PHC_INDEX */
	assert_int_equal(open_lo(CONF_RXFILTER_BEST, &i), -EXDEV);
	assert_int_equal(card.sets, 0);
}

static void on_map(void *ctx, const struct ntpk_nl_phc *map)
{
	(void)ctx;
	told.len++;
	told.last = *map;
}

static void on_none(void *ctx, uint32_t ifindex)
{
	(void)ctx;
	assert_int_equal(ifindex, if_nametoindex("lo"));
	told.none++;
}

/* struct run - hwts.c with lo */
struct run {
	struct event_base *base;
	struct conf conf;
	struct hwts *h;
};

static void begin(struct run *r)
{
	static const struct hwts_ops ops = { .map = on_map, .none = on_none };

	memset(r, 0, sizeof(*r));
	r->base = event_base_new();
	snprintf(r->conf.hwts[0].name, sizeof(r->conf.hwts[0].name), "lo");
	r->conf.hwts_len = 1;
	assert_int_equal(hwts_open(r->base, &r->conf, &ops, NULL, &r->h), 0);
}

static void turn(struct run *r, int times)
{
	while (times--)
		event_base_loop(r->base, EVLOOP_ONCE);
}

/* Until there is a map. */
static void learn(struct run *r)
{
	begin(r);
	turn(r, 4);
	assert_int_equal(told.len, 1);
}

static void end(struct run *r)
{
	hwts_close(r->h);
	event_base_free(r->base);
}

/* What a map makes of a stamp of the instant 0 of RAW, against that. */
static int64_t shift_ns(const struct ntpk_nl_phc *map)
{
	return map->map.raw_ns + TAI_NS - map->map.phc_ns;
}

/* It is of the begin of a frame, as what leaves; 94 bytes until a request's end, 24 more with IPv6 in a VLAN. */
static void test_map(void **state)
{
	struct hwts_report report;
	int64_t local_ns, err_ns;
	struct run r;

	(void)state;
	learn(&r);
	assert_int_equal(told.last.ifindex, if_nametoindex("lo"));
	assert_in_range(shift_ns(&told.last) + 2, 0, 4);
	assert_int_equal(told.last.map.rx_later_ns, 752);
	assert_in_range(told.last.map.err_ns, 192 + HALF_NS, 192 + HALF_NS + 50);
	/* so is our own, and we know how long a frame is */
	assert_true(hwts_to_local(r.h, told.last.ifindex, card.raw_ns + TAI_NS, &local_ns, &err_ns));
	assert_in_range(local_ns, card.raw_ns - 2, card.raw_ns + 2);
	assert_int_equal(hwts_wire_ns(r.h, told.last.ifindex, 90), 752);
	/* nothing new: nothing is told */
	card.vague = true;
	turn(&r, 1);
	assert_int_equal(told.len, 1);
	card.vague = false;
	turn(&r, 1);
	assert_int_equal(told.len, 2);
	/* the link comes up anew */
	card.speed = 100;
	turn(&r, 17);
	assert_int_equal(told.last.map.rx_later_ns, 7520);
	assert_true(hwts_get_report(r.h, 0, card.raw_ns, &report));
	assert_int_equal(told.last.map.err_ns, report.err_ns - 1 + 1920);
	assert_int_equal(told.none, 0);
	end(&r);
}

static void test_map_no_speed(void **state)
{
	struct run r;

	(void)state;
	card.speed = (uint32_t)SPEED_UNKNOWN;
	learn(&r);
	assert_in_range(shift_ns(&told.last) + 2, 0, 4);
	assert_int_equal(told.last.map.rx_later_ns, 0);
	assert_in_range(told.last.map.err_ns, HALF_NS, HALF_NS + 50);
	end(&r);
}

/* A card that stamps only PTP as it comes in: the module has its map for what leaves. */
static void test_no_rx(void **state)
{
	struct hwts_report report;
	struct run r;

	(void)state;
	card.filters = BIT(HWTSTAMP_FILTER_NONE) | BIT(HWTSTAMP_FILTER_PTP_V2_EVENT);
	begin(&r);
	turn(&r, 5);
	assert_true(hwts_get_report(r.h, 0, card.raw_ns, &report) && report.known && !report.rx);
	assert_int_equal(report.sent, 0);
	hwts_note_sent(r.h, if_nametoindex("lo"), 70);
	hwts_note_sent(r.h, if_nametoindex("lo") + 1, 90);
	hwts_get_report(r.h, 0, card.raw_ns, &report);
	assert_true(report.sent == 1 && report.sent_later_ns == 70);
	assert_int_equal(told.last.map.rx_later_ns, NTPK_PHC_NO_RX);
	/* of which requests' lengths are no part */
	assert_in_range(told.last.map.err_ns, HALF_NS, HALF_NS + 50);
	assert_in_range(shift_ns(&told.last) + 2, 0, 4);
	end(&r);
}

/* Within ten seconds it is seen that another card stamps. */
static void test_moved(void **state)
{
	int64_t local_ns, err_ns;
	struct run r;

	(void)state;
	learn(&r);
	card.phc = 4;
	turn(&r, 17);
	assert_int_equal(told.none, 1);
	assert_false(hwts_to_local(r.h, told.last.ifindex, card.raw_ns + TAI_NS, &local_ns, &err_ns));
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_switch_on, set_up),
		cmocka_unit_test_setup(test_leave, set_up),
		cmocka_unit_test_setup(test_masters, set_up),
		cmocka_unit_test_setup(test_map, set_up),
		cmocka_unit_test_setup(test_map_no_speed, set_up),
		cmocka_unit_test_setup(test_no_rx, set_up),
		cmocka_unit_test_setup(test_moved, set_up),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("hwts", tests, NULL, NULL);
}
