// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hardware time stamps, see hwts.h.  Several interfaces may share a clock: it is read
 * once for all of them.
 */
#include "daemon/hwts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "core/phc.h"
#include "daemon/ev.h"
#include "daemon/hwts_if.h"
#include "daemon/log.h"
#include "daemon/phc_read.h"
#include "daemon/turn.h"

#define INTERFACES_MAX	NTPK_PHC_MAX
/* A request without any extension over IPv4, and what IPv6 in a VLAN makes it longer by. */
#define REQUEST_LEN	(14 + 20 + 8 + 48)
#define LONGER_LEN	(20 + 4)
/* A link may come up at another speed than before, or by another card: asked so often. */
#define LINK_TICKS	20
/* A clock that is steered in leaps jumps every few seconds: once in a while is enough. */
#define JUMP_SAID_NS	(600 * NTP_NS_PER_S)

/*
 * struct hwts_clock - a clock
 * @index: N of /dev/ptpN
 * @reader: its fd is -1 when it has gone
 * @phc: what is known
 * @err: errno that was said last
 * @jump_said_ns: local time, 0 = never
 */
struct hwts_clock {
	int	 index;
	struct phc_reader reader;
	struct phc phc;
	int	 err;
	int64_t	 jump_said_ns;
};

/*
 * struct hwts_port - an interface
 * @i: interface
 * @clock: NULL = it has gone
 * @speed: of its link, Mbit/s
 * @sent: hwts_note_sent()
 * @sent_later_ns: that
 */
struct hwts_port {
	struct hwts_if i;
	struct hwts_clock *clock;
	uint32_t speed;
	uint64_t sent;
	int64_t	 sent_later_ns;
};

struct hwts {
	const struct hwts_ops *ops;
	void	*ctx;
	struct libevent *tick;
	unsigned int ticks;
	struct hwts_clock clocks[INTERFACES_MAX];
	size_t	 clocks_len;
	struct hwts_port ports[INTERFACES_MAX];
	size_t	 ports_len;
};

/*
 * The module does not know how long a request was on the wire, whose end is T2: it is told
 * for the request that is usual.  Departures are of a frame's begin, as the map is.
 */
static void push(struct hwts *h, const struct hwts_port *port)
{
	int64_t wire_ns = hwts_if_wire_ns(REQUEST_LEN, port->speed);
	int64_t longest_ns = hwts_if_wire_ns(REQUEST_LEN + LONGER_LEN, port->speed);
	struct ntpk_nl_phc phc = { .ifindex = port->i.ifindex, .map = port->clock->phc.map };

	phc.map.rx_later_ns = port->i.rx ? (int32_t)wire_ns : NTPK_PHC_NO_RX;
	if (port->i.rx)
		phc.map.err_ns += (uint32_t)(longest_ns - wire_ns);
	h->ops->map(h->ctx, &phc);
}

/* Of all that use this clock: those that stamp nothing that comes in do what leaves. */
static void tell(struct hwts *h, const struct hwts_clock *c)
{
	for (size_t i = 0; i < h->ports_len; i++) {
		if (h->ports[i].clock != c)
			continue;
		if (c->phc.has_map)
			push(h, &h->ports[i]);
		else
			h->ops->none(h->ctx, h->ports[i].i.ifindex);
	}
}

static void say_jump(struct hwts_clock *c, int64_t now_ns)
{
	if (c->jump_said_ns && now_ns - c->jump_said_ns < JUMP_SAID_NS)
		return;
	c->jump_said_ns = now_ns;
	log_warn("/dev/ptp%d was stepped, or is steered in leaps: its stamps are not used until it "
		 "runs evenly", c->index);
}

static void say_known(const struct hwts_clock *c)
{
	log_info("/dev/ptp%d is known within %u ns, %s", c->index, c->phc.map.err_ns,
		 phc_means_name(c->reader.means));
}

static void lose_clock(struct hwts *h, struct hwts_clock *c)
{
	log_warn("/dev/ptp%d has gone: where it comes back, its stamps are used after a restart of "
		 "ntpkd", c->index);
	phc_close(&c->reader);
	phc_forget(&c->phc);
	tell(h, c);
}

static void read_failed(struct hwts *h, struct hwts_clock *c, int err)
{
	if (err == -ENODEV) {
		lose_clock(h, c);
		return;
	}
	/* the map ends by itself */
	if (err != c->err && err != -EAGAIN)
		log_warn_no(err, "/dev/ptp%d cannot be read", c->index);
	c->err = err;
}

static void read_clock(struct hwts *h, struct hwts_clock *c)
{
	bool had = c->phc.has_map;
	struct phc_sample s;
	int err = phc_read(&c->reader, &s);

	if (err) {
		read_failed(h, c, err);
		return;
	}
	c->err = 0;
	switch (phc_add(&c->phc, &s)) {
	case PHC_NOTHING:
	case PHC_LEARNING:
		return;
	case PHC_MAP:
		if (!had && !c->jump_said_ns)
			say_known(c);
		break;
	case PHC_JUMPED:
		say_jump(c, s.raw_ns);
		break;
	}
	tell(h, c);
}

static bool is_used(const struct hwts *h, const struct hwts_clock *c)
{
	for (size_t i = 0; i < h->ports_len; i++)
		if (h->ports[i].clock == c)
			return true;
	return false;
}

static void leave(struct hwts *h, struct hwts_port *port)
{
	struct hwts_clock *c = port->clock;

	port->clock = NULL;
	h->ops->none(h->ctx, port->i.ifindex);
	if (!is_used(h, c))
		phc_close(&c->reader);
}

static void look_for(struct hwts *h, struct hwts_port *port)
{
	char name[IF_NAMESIZE];

	if (!port->clock || if_indextoname(port->i.ifindex, name))
		return;
	log_warn("%s has gone: where it comes back, its stamps are used after a restart of ntpkd",
		 port->i.name);
	leave(h, port);
}

/* What may change while it is there; the speed is of use for what is stamped as it comes in. */
static void look_at(struct hwts *h, struct hwts_port *port)
{
	if (port->clock && hwts_if_moved(&port->i)) {
		log_warn("%s is stamped by another clock than /dev/ptp%d now: its stamps are used "
			 "after a restart of ntpkd", port->i.name, port->i.phc);
		leave(h, port);
	}
	if (port->clock && port->i.rx)
		port->speed = hwts_if_speed(port->i.name);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct hwts *h = arg;

	(void)fd;
	(void)what;
	turn_begin();
	for (size_t i = 0; i < h->ports_len; i++) {
		look_for(h, &h->ports[i]);
		if (h->ticks % LINK_TICKS == 0)
			look_at(h, &h->ports[i]);
	}
	h->ticks++;
	for (size_t i = 0; i < h->clocks_len; i++)
		if (h->clocks[i].reader.fd >= 0)
			read_clock(h, &h->clocks[i]);
}

static int find_clock(struct hwts *h, int index, bool nocrossts, struct hwts_clock **out)
{
	struct hwts_clock *c = h->clocks;
	int err;

	for (; c < h->clocks + h->clocks_len && c->index != index; c++)
		;
	*out = c;
	if (c < h->clocks + h->clocks_len)
		return 0;
	c->index = index;
	c->phc.period_ns = HWTS_PERIOD_NS;
	err = phc_open(&c->reader, index, nocrossts);
	h->clocks_len += !err;
	return err;
}

static int open_port(struct hwts *h, const char *name, const struct conf_hwts *conf)
{
	struct hwts_port *port = &h->ports[h->ports_len];
	int err;

	if (h->ports_len == INTERFACES_MAX) {
		log_warn("hwtimestamp %s: %d interfaces are the most, %s is left out", conf->name,
			 INTERFACES_MAX, name);
		return 0;
	}
	err = hwts_if_open(name, conf, &port->i);
	if (err == -EXDEV) {
		log_warn("hwtimestamp %s: each of the cards behind this interface has another clock: "
			 "the kernel's stamps are used", name);
		return 0;
	}
	if (err)
		return err;
	err = find_clock(h, port->i.phc, conf->nocrossts, &port->clock);
	if (err) {
		log_warn_no(err, "hwtimestamp %s: /dev/ptp%d", name, port->i.phc);
		return 0;
	}
	h->ports_len++;
	log_info("hwtimestamp %s: the interface stamps what leaves%s, by /dev/ptp%d", name,
		 port->i.rx ? " and what comes in" : ", and no NTP that comes in", port->i.phc);
	return 0;
}

/* One message for each line that comes to nothing, and one for each that fails. */
static void open_line(struct hwts *h, const struct conf *conf, const struct conf_hwts *line,
		      const struct if_nameindex *all)
{
	bool matched = false, one = !strchr(line->name, '*');
	size_t before = h->ports_len;
	int err = 0;

	for (; all && all->if_index; all++) {
		if (conf_hwts_find(conf, all->if_name) != line)
			continue;
		matched = true;
		err = open_port(h, all->if_name, line);
		if (err && err != -EOPNOTSUPP)
			log_warn_no(err, "hwtimestamp %s: its stamps cannot be switched on",
				    all->if_name);
	}
	if (!matched)
		log_warn("hwtimestamp %s: there is no %s interface", line->name,
			 one ? "such" : "other");
	else if (h->ports_len == before && (!one || err == -EOPNOTSUPP))
		log_warn("hwtimestamp %s: %s, the kernel's are used", line->name, one ?
			 "the interface has no time stamps of its own" :
			 "no interface that is meant has time stamps of its own");
}

static void open_lines(struct hwts *h, const struct conf *conf)
{
	struct if_nameindex *all = if_nameindex();

	for (size_t i = 0; i < conf->hwts_len; i++)
		open_line(h, conf, &conf->hwts[i], all);
	if (all)
		if_freenameindex(all);
}

static int start(struct hwts *h, struct event_base *base)
{
	const struct timeval every = { .tv_sec = HWTS_PERIOD_NS / NTP_NS_PER_S,
				       .tv_usec = HWTS_PERIOD_NS % NTP_NS_PER_S / 1000 };

	h->tick = event_new(base, -1, EV_PERSIST, on_tick, h);
	return h->tick && !event_add(h->tick, &every) ? 0 : -ENOMEM;
}

int hwts_open(struct event_base *base, const struct conf *conf, const struct hwts_ops *ops,
	      void *ctx, struct hwts **out)
{
	struct hwts *h;
	int err = 0;

	*out = NULL;
	if (!conf->hwts_len)
		return 0;
	if (clocks_simulated()) {
		log_warn("hwtimestamp: the clocks are a simulator's, no interface has one of its own");
		return 0;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return -ENOMEM;
	h->ops = ops;
	h->ctx = ctx;
	open_lines(h, conf);
	if (h->ports_len)
		err = start(h, base);
	if (err || !h->ports_len)
		hwts_close(h);
	else
		*out = h;
	return err;
}

void hwts_close(struct hwts *h)
{
	if (!h)
		return;
	if (h->tick)
		event_free(h->tick);
	for (size_t i = 0; i < h->clocks_len; i++)
		phc_close(&h->clocks[i].reader);
	free(h);
}

/* Which has not gone. */
static const struct hwts_port *find_port(const struct hwts *h, uint32_t ifindex)
{
	for (size_t i = 0; h && i < h->ports_len; i++)
		if (h->ports[i].i.ifindex == ifindex && h->ports[i].clock)
			return &h->ports[i];
	return NULL;
}

bool hwts_to_local(const struct hwts *h, uint32_t ifindex, int64_t phc_ns, int64_t *local_ns,
		   int64_t *err_ns)
{
	const struct hwts_port *port = find_port(h, ifindex);

	return port && port->clock->phc.has_map &&
	       phc_to_raw(&port->clock->phc.map, phc_ns, local_ns, err_ns);
}

int64_t hwts_wire_ns(const struct hwts *h, uint32_t ifindex, uint32_t frame_len)
{
	const struct hwts_port *port = find_port(h, ifindex);

	return port ? hwts_if_wire_ns(frame_len, port->speed) : 0;
}

void hwts_note_sent(struct hwts *h, uint32_t ifindex, int64_t later_ns)
{
	const struct hwts_port *port = find_port(h, ifindex);

	if (!port)
		return;
	h->ports[port - h->ports].sent++;
	h->ports[port - h->ports].sent_later_ns = later_ns;
}

bool hwts_get_report(const struct hwts *h, size_t i, int64_t now_ns, struct hwts_report *out)
{
	const struct hwts_port *port;
	const struct ntp_phc *m;

	if (!h || i >= h->ports_len)
		return false;
	port = &h->ports[i];
	memset(out, 0, sizeof(*out));
	out->name = port->i.name;
	out->phc = port->i.phc;
	out->rx = port->i.rx;
	out->sent = port->sent;
	out->sent_later_ns = port->sent_later_ns;
	if (!port->clock || !port->clock->phc.has_map)
		return true;
	m = &port->clock->phc.map;
	out->known = now_ns <= m->valid_until_ns;
	out->err_ns = phc_err_ns(m, now_ns - m->raw_ns);
	out->rate_ppb = phc_gain_ppb(m);
	return true;
}
