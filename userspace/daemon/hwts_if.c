// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The time stamps of a network interface, see hwts_if.h.
 */
#include "daemon/hwts_if.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "daemon/log.h"

#define NEEDED	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE)
#define BIT(n)	(1u << (n))
#define FCS_LEN	4

static int call(int fd, const char *name, unsigned long request, void *arg)
{
	struct ifreq req;

	memset(&req, 0, sizeof(req));
	snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", name);
	req.ifr_data = arg;
	return ioctl(fd, request, &req) ? -errno : 0;
}

static int first_of(const int *filters, size_t n, uint32_t can)
{
	for (size_t i = 0; i < n; i++)
		if (can & BIT(filters[i]))
			return filters[i];
	return -1;
}

int hwts_if_filter(enum conf_rxfilter want, uint32_t can, int is)
{
	static const int ntp[] = { HWTSTAMP_FILTER_NTP_ALL, HWTSTAMP_FILTER_ALL };
	static const int ptp[] = { HWTSTAMP_FILTER_PTP_V2_EVENT, HWTSTAMP_FILTER_PTP_V2_L4_EVENT,
				   HWTSTAMP_FILTER_ALL };
	int best = first_of(ntp, 2, can);

	switch (want) {
	case CONF_RXFILTER_NONE:
		return HWTSTAMP_FILTER_NONE;
	case CONF_RXFILTER_NTP:
		return best;
	case CONF_RXFILTER_PTP:
		return first_of(ptp, 3, can);
	case CONF_RXFILTER_ALL:
		return can & BIT(HWTSTAMP_FILTER_ALL) ? HWTSTAMP_FILTER_ALL : -1;
	case CONF_RXFILTER_BEST:
		break;
	}
	/* what PTP has set is of use to PTP; and all is more than NTP's */
	return best < 0 || is == HWTSTAMP_FILTER_ALL ? is : best;
}

static bool stamps_ntp(int filter)
{
	return filter == HWTSTAMP_FILTER_ALL || filter == HWTSTAMP_FILTER_NTP_ALL;
}

static int switch_on(int fd, const struct conf_hwts *conf, uint32_t can, struct hwts_if *out)
{
	struct hwtstamp_config is, want;
	int filter, err;

	memset(&is, 0, sizeof(is));
	/* some drivers can be told and not asked */
	if (call(fd, out->name, SIOCGHWTSTAMP, &is))
		memset(&is, 0, sizeof(is));
	filter = hwts_if_filter(conf->rxfilter, can, is.rx_filter);
	if (filter < 0)
		log_warn("hwtimestamp %s: the interface has no such rxfilter; only what leaves is "
			 "stamped", out->name);
	memset(&want, 0, sizeof(want));
	want.tx_type = HWTSTAMP_TX_ON;
	want.rx_filter = filter < 0 ? HWTSTAMP_FILTER_NONE : filter;
	out->rx = stamps_ntp(want.rx_filter);
	if (is.tx_type == want.tx_type && is.rx_filter == want.rx_filter)
		return 0;
	err = call(fd, out->name, SIOCSHWTSTAMP, &want);
	/* a driver may stamp more than it was asked for */
	out->rx = stamps_ntp(want.rx_filter);
	return err;
}

static int open_with(int fd, const struct conf_hwts *conf, struct hwts_if *out)
{
	struct ethtool_ts_info info = { .cmd = ETHTOOL_GET_TS_INFO };
	int err = call(fd, out->name, SIOCETHTOOL, &info);

	if (err)
		return err;
	if ((info.so_timestamping & NEEDED) != NEEDED || info.phc_index < 0 ||
	    !(info.tx_types & BIT(HWTSTAMP_TX_ON)))
		return -EOPNOTSUPP;
	out->phc = info.phc_index;
	return switch_on(fd, conf, info.rx_filters, out);
}

int hwts_if_open(const char *name, const struct conf_hwts *conf, struct hwts_if *out)
{
	int fd, err;

	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->ifindex = if_nametoindex(name);
	if (!out->ifindex)
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = open_with(fd, conf, out);
	close(fd);
	return err;
}

uint32_t hwts_if_speed(const char *name)
{
	struct ethtool_cmd link = { .cmd = ETHTOOL_GSET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t speed = 0;

	if (fd < 0)
		return 0;
	if (!call(fd, name, SIOCETHTOOL, &link))
		speed = ethtool_cmd_speed(&link);
	close(fd);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

int64_t hwts_if_wire_ns(uint32_t frame_len, uint32_t speed)
{
	return frame_len && speed ? (frame_len + FCS_LEN) * 8LL * 1000 / speed : 0;
}
