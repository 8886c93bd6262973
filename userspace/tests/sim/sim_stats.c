// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the simulator counts, once per simulated second, see sim.h.
 */
#include "sim_priv.h"

#include <math.h>
#include <stdlib.h>

#define SETTLED_RMS	3.0	/* settled: so many times the RMS of later ... */
#define SETTLED_S	60	/* ... is not left for so long */

static double square(double x)
{
	return x * x;
}

static void trace(const struct sim *s, const struct clocks *c)
{
	struct sim_point p = { .t_s = s->t_ns / NTP_NS_PER_S };
	unsigned int i;

	engine_get_report(s->engine, c, &p.report);
	p.err_ns = (double)(ntp_line_at(&s->served.line, s->local_ns) - sim_utc(s, s->t_ns));
	p.clock_err_ns = (double)(s->real_ns - sim_utc(s, s->t_ns));
	p.dist_ns = (double)(s->served.root_delay_ns / 2 + ntp_serve_disp_ns(&s->served, s->local_ns));
	p.freq_ppb = sim_freq_ppb(s);
	p.valid = s->published && s->served.leap != NTP_LEAP_UNSYNC;
	for (i = 0; i < s->conf->servers_len; i++)
		engine_get_source(s->engine, i, c, &p.sources[i]);
	s->conf->trace(s->conf->trace_ctx, &p);
}

void sim_measure(struct sim *s)
{
	struct clocks c = sim_clocks(s);
	struct ntp_now now = { c.local_ns, c.boot_ns, c.clock_seq };
	enum ntpk_status status = ntp_serve_status(s->published ? &s->served : NULL, &now);
	int64_t t_s = s->t_ns / NTP_NS_PER_S, err_ns, dist_ns, clock_err_ns;
	struct engine_report report;

	if (s->conf->trace)
		trace(s, &c);
	/* which side of the leap it is on is a matter of a microsecond */
	if (s->conf->leap_at_s && t_s == s->conf->leap_at_s)
		return;
	if (status != NTPK_STATUS_SYNC && status != NTPK_STATUS_HOLDOVER) {
		s->res->republish_s += s->conf->step_at_s && t_s > s->conf->step_at_s;
		return;
	}
	if (s->res->sync_s < 0)
		s->res->sync_s = t_s;
	s->res->served_s++;
	err_ns = llabs(ntp_line_at(&s->served.line, s->local_ns) - sim_utc(s, s->t_ns));
	clock_err_ns = llabs(s->real_ns - sim_utc(s, s->t_ns));
	dist_ns = (int64_t)(s->served.root_delay_ns / 2 + ntp_serve_disp_ns(&s->served, s->local_ns));
	s->res->violations += err_ns > dist_ns;
	s->res->max_dist_ns = dist_ns > s->res->max_dist_ns ? dist_ns : s->res->max_dist_ns;
	s->res->final_dist_ns = dist_ns;
	if (t_s < s->conf->from_s)
		s->early_ns[t_s] = err_ns;
	if (t_s < s->conf->from_s || s->err_len == SIM_MAX_SAMPLES)
		return;
	engine_get_report(s->engine, &c, &report);
	s->res->checked_s++;
	s->res->within1_s += err_ns <= report.est_error_ns;
	s->res->within3_s += err_ns <= 3 * report.est_error_ns;
	s->sum2_ns2 += square((double)err_ns);
	s->oracle_sum2_ns2 += square(s->oracle.x_ns - sim_lead_ns(s));
	s->rfc_sum2_ns2 += square(s->rfc.x_ns - sim_lead_ns(s));
	s->freq_sum2_ppb2 += square(report.freq_ppb - sim_freq_ppb(s));
	s->err_ns[s->err_len] = err_ns;
	s->clock_err_ns[s->err_len++] = clock_err_ns;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The first second from which the error was small for a while. */
static int64_t settle_s(const struct sim *s)
{
	double limit_ns = SETTLED_RMS * s->res->rms_ns;
	int64_t t_s, since = -1;

	for (t_s = 0; t_s < s->conf->from_s; t_s++) {
		if (s->early_ns[t_s] < 0 || (double)s->early_ns[t_s] > limit_ns)
			since = -1;
		else if (since < 0)
			since = t_s;
		if (since >= 0 && t_s - since >= SETTLED_S)
			break;
	}
	return since;
}

void sim_finish(struct sim *s)
{
	struct clocks c = sim_clocks(s);
	struct source_report r;
	unsigned int i;

	qsort(s->err_ns, s->err_len, sizeof(int64_t), compare);
	qsort(s->clock_err_ns, s->err_len, sizeof(int64_t), compare);
	if (s->err_len) {
		s->res->p50_ns = s->err_ns[s->err_len / 2];
		s->res->p99_ns = s->err_ns[s->err_len - 1 - s->err_len / 100];
		s->res->max_ns = s->err_ns[s->err_len - 1];
		s->res->rms_ns = sqrt(s->sum2_ns2 / (double)s->err_len);
		s->res->oracle_rms_ns = sqrt(s->oracle_sum2_ns2 / (double)s->err_len);
		s->res->rfc_rms_ns = sqrt(s->rfc_sum2_ns2 / (double)s->err_len);
		s->res->freq_rms_ppb = sqrt(s->freq_sum2_ppb2 / (double)s->err_len);
		s->res->settle_s = settle_s(s);
		s->res->clock_p50_ns = s->clock_err_ns[s->err_len / 2];
		s->res->clock_max_ns = s->clock_err_ns[s->err_len - 1];
	}
	for (i = 0; i < s->conf->servers_len; i++)
		if (engine_get_source(s->engine, i, &c, &r))
			s->res->states[i] = r.state;
	engine_get_report(s->engine, &c, &s->res->report);
	s->res->freq_err_ppb = s->res->report.freq_ppb - s->freq_ppb;
}

