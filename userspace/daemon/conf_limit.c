// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directive `ratelimit`.  Process context; no global state.
 */
#include "daemon/conf_limit.h"

#include <string.h>
#include <strings.h>
#include "daemon/conf_priv.h"

/* chrony's, but for twice its burst: who starts twice with iburst does not ask too much. */
#define INTERVAL_LOG2S	3
#define BURST		16
#define KOD_LOG2	0
#define NAT		1

enum option { O_INTERVAL, O_BURST, O_LEAK, O_KOD, O_NAT, O_PREFIX4, O_PREFIX6, O_COUNT };

static const struct {
	const char *name;
	int8_t	 min;
	int32_t	 max;
	int32_t	 otherwise;
} options[O_COUNT] = {
	[O_INTERVAL] = { "interval", NTPK_LIMIT_INTERVAL_LOG2S_MIN, NTPK_LIMIT_INTERVAL_LOG2S_MAX,
			 INTERVAL_LOG2S },
	[O_BURST] = { "burst", 1, NTPK_LIMIT_BURST_MAX, BURST },
	[O_LEAK] = { "leak", 0, NTPK_LIMIT_ODDS_LOG2_MAX, NTP_LIMIT_LEAK_LOG2 },
	[O_KOD] = { "kod", 0, NTPK_LIMIT_ODDS_LOG2_MAX, KOD_LOG2 },
	[O_NAT] = { "nat", 1, NTPK_LIMIT_NAT_MAX, NAT },
	[O_PREFIX4] = { "prefix4", 1, NTP_ACL_V4_LEN_MAX, NTP_LIMIT_PREFIX_V4 },
	[O_PREFIX6] = { "prefix6", 1, NTP_ACL_V6_LEN_MAX, NTP_LIMIT_PREFIX_V6 },
};

static const char *option_name(const void *ctx, size_t i)
{
	(void)ctx;
	return i < O_COUNT ? options[i].name : NULL;
}

static int take_options(struct conf_line *l, const char *name, int64_t value[O_COUNT])
{
	unsigned int given = 0;
	int o, ret = 0;

	for (o = 0; o < O_COUNT; o++)
		value[o] = options[o].otherwise;
	while (ret == 0 && l->next < l->len) {
		o = conf_line_option(l, name, option_name, NULL, &given);
		ret = o < 0 ? o : conf_line_int(l, options[o].name, options[o].min,
						options[o].max, &value[o]);
	}
	return ret;
}

int conf_take_limit(struct conf_line *l, const char *name, struct ntp_limit *out)
{
	unsigned int column = l->words[l->next - 1].column;
	int64_t value[O_COUNT];
	struct ntp_limit limit;
	int ret;

	if (l->next < l->len && strcasecmp(l->words[l->next].text, "off") == 0) {
		l->next++;
		memset(out, 0, sizeof(*out));
		return 0;
	}
	ret = take_options(l, name, value);
	if (ret < 0)
		return ret;
	/* it is compared byte by byte */
	memset(&limit, 0, sizeof(limit));
	limit.interval_log2s = (int8_t)value[O_INTERVAL];
	limit.burst = (uint32_t)value[O_BURST];
	limit.leak_log2 = (uint8_t)value[O_LEAK];
	limit.kod_log2 = (uint8_t)value[O_KOD];
	limit.nat = (uint32_t)value[O_NAT];
	limit.prefix_v4 = (uint8_t)value[O_PREFIX4];
	limit.prefix_v6 = (uint8_t)value[O_PREFIX6];
	if (!ntp_limit_complete(&limit))
		return conf_line_error(l, column, "%s: interval %lld and nat %lld allow more than "
				       "%d requests a second, which is no limit: %s off", name,
				       (long long)value[O_INTERVAL], (long long)value[O_NAT],
				       NTPK_LIMIT_PER_S_MAX, name);
	memcpy(out, &limit, sizeof(limit));
	return 0;
}

int conf_parse_ratelimit(struct conf_parse *p, const struct conf_row *row)
{
	return conf_take_limit(&p->line, row->d.name, &p->conf->limit);
}
