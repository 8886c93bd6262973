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
#include <linux/if_vlan.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "daemon/log.h"

#define NEEDED	(SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE)
#define BIT(n)	(1u << (n))
#define FCS_LEN	4
/* A stamp by whichever card of a bond; HWTSTAMP_FLAG_BONDED_PHC_INDEX of Linux 5.18. */
#define BY_BOND	BIT(0)
/* VLANs upon VLANs. */
#define LAYERS_MAX	8

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

/* Which a filter for PTP is no part of: these alone may be taken away unasked. */
static bool stamps_no_ptp(int filter)
{
	return filter == HWTSTAMP_FILTER_NONE || filter == HWTSTAMP_FILTER_NTP_ALL;
}

int hwts_if_filter(enum conf_rxfilter want, uint32_t can, int is)
{
	static const int ntp[] = { HWTSTAMP_FILTER_NTP_ALL, HWTSTAMP_FILTER_ALL };
	static const int ptp[] = { HWTSTAMP_FILTER_PTP_V2_EVENT, HWTSTAMP_FILTER_PTP_V2_L4_EVENT,
				   HWTSTAMP_FILTER_ALL };
	static const int all[] = { HWTSTAMP_FILTER_ALL };
	int best;

	switch (want) {
	case CONF_RXFILTER_NONE:
		return HWTSTAMP_FILTER_NONE;
	case CONF_RXFILTER_NTP:
		return first_of(ntp, 2, can);
	case CONF_RXFILTER_PTP:
		return first_of(ptp, 3, can);
	case CONF_RXFILTER_ALL:
		return first_of(all, 1, can);
	case CONF_RXFILTER_BEST:
		break;
	}
	/* what others have set is of use to them; and all is more than NTP's */
	best = stamps_no_ptp(is) ? first_of(ntp, 2, can) : first_of(all, 1, can);
	return best < 0 ? is : best;
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
	if ((uint32_t)is.flags & BY_BOND)
		return -EXDEV;
	filter = hwts_if_filter(conf->rxfilter, can, is.rx_filter);
	if (filter < 0)
		log_warn("hwtimestamp %s: the interface has no such rxfilter: what it stamps as it "
			 "comes in stays as it is", out->name);
	memset(&want, 0, sizeof(want));
	/* others may have asked for more than that what leaves is stamped */
	want.tx_type = is.tx_type == HWTSTAMP_TX_OFF ? HWTSTAMP_TX_ON : is.tx_type;
	want.rx_filter = filter < 0 ? is.rx_filter : filter;
	out->rx = stamps_ntp(want.rx_filter);
	if (is.tx_type == want.tx_type && is.rx_filter == want.rx_filter)
		return 0;
	err = call(fd, out->name, SIOCSHWTSTAMP, &want);
	/* a driver may stamp more than it was asked for */
	out->rx = stamps_ntp(want.rx_filter);
	return err;
}

static int get_info(int fd, const char *name, struct ethtool_ts_info *info)
{
	memset(info, 0, sizeof(*info));
	info->cmd = ETHTOOL_GET_TS_INFO;
	return call(fd, name, SIOCETHTOOL, info);
}

static bool has_driver(int fd, const char *name, const char *driver)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	return !call(fd, name, SIOCETHTOOL, &info) &&
	       !strncmp(info.driver, driver, sizeof(info.driver));
}

/* Of several cards, each with a clock of its own. */
static bool is_master(int fd, const char *name)
{
	return has_driver(fd, name, "bonding") || has_driver(fd, name, "team") ||
	       has_driver(fd, name, "bridge");
}

/* The interface, or what a VLAN is upon. */
static bool is_over_master(int fd, const char *name)
{
	struct vlan_ioctl_args vlan;
	char at[IFNAMSIZ];

	snprintf(at, sizeof(at), "%s", name);
	for (int i = 0; i < LAYERS_MAX; i++) {
		if (is_master(fd, at))
			return true;
		memset(&vlan, 0, sizeof(vlan));
		vlan.cmd = GET_VLAN_REALDEV_NAME_CMD;
		snprintf(vlan.device1, sizeof(vlan.device1), "%s", at);
		if (ioctl(fd, SIOCGIFVLAN, &vlan))
			return false;
		snprintf(at, sizeof(at), "%.*s", IFNAMSIZ - 1, vlan.u.device2);
	}
	return true;
}

static int open_with(int fd, const struct conf_hwts *conf, struct hwts_if *out)
{
	struct ethtool_ts_info info;
	int err = get_info(fd, out->name, &info);

	if (err)
		return err;
	if ((info.so_timestamping & NEEDED) != NEEDED || info.phc_index < 0 ||
	    !(info.tx_types & BIT(HWTSTAMP_TX_ON)))
		return -EOPNOTSUPP;
	if (is_over_master(fd, out->name))
		return -EXDEV;
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
		speed = (uint32_t)link.speed_hi << 16 | link.speed;
	close(fd);
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

bool hwts_if_moved(const struct hwts_if *i)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ethtool_ts_info info;
	bool moved;

	if (fd < 0)
		return false;
	moved = !get_info(fd, i->name, &info) && info.phc_index != i->phc;
	close(fd);
	return moved;
}

int64_t hwts_if_wire_ns(uint32_t frame_len, uint32_t speed)
{
	return frame_len && speed ? (frame_len + FCS_LEN) * 8LL * 1000 / speed : 0;
}
