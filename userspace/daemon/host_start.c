// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a start as root to a guest with few rights.  Start-up only.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "daemon/clockowner.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/saved.h"
#include "daemon/seccomp.h"

#define RTC_DEVICE	"/dev/rtc0"
#define TIME_LEN	32

static const char *format_time(char buf[TIME_LEN], int64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / NTP_NS_PER_S);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || !strftime(buf, TIME_LEN, "%Y-%m-%d %H:%M:%S UTC", &tm))
		buf[0] = '\0';
	return buf;
}

static void read_saved(struct ntpkd *d, struct coldstart *cs)
{
	char why[128];
	int err;

	if (d->bare || !d->conf.savedir[0])
		return;
	err = saved_read(d->conf.savedir, cs->build_unix_ns, &cs->saved_unix_ns, why, sizeof(why));
	if (err && err != -ENOENT)
		log_warn("saved time %s/" SAVED_NAME " is ignored: %s", d->conf.savedir, why);
}

/* An RTC behind the build date has lost its time; one that is absent is none. */
static int read_rtc(struct ntpkd *d, struct coldstart *cs)
{
	char text[TIME_LEN];
	int err;

	if (d->bare || d->opt.no_clock)
		return -ENOENT;
	err = coldstart_read_rtc(RTC_DEVICE, &cs->rtc_unix_ns);
	if (!err && cs->rtc_unix_ns < cs->build_unix_ns) {
		log_warn("the RTC says %s, before ntpkd was built: not believed",
			 format_time(text, cs->rtc_unix_ns));
		cs->rtc_unix_ns = 0;
		return -ERANGE;
	}
	return err;
}

static int move_clock(struct ntpkd *d, int64_t real_ns, int rtc_err)
{
	struct coldstart *cs = &d->host.cold;
	char was[TIME_LEN], now[TIME_LEN];
	int err;

	format_time(was, real_ns);
	format_time(now, cs->start_unix_ns);
	if (d->opt.no_clock) {
		log_warn("the system clock says %s, earlier than the %s, %s: left alone (-x)", was,
			 coldstart_from_name(cs->from), now);
		return 0;
	}
	err = sysclock_step(&d->sysclock, cs->start_unix_ns - real_ns);
	if (err)
		return err;
	log_warn("the system clock said %s, which cannot be: set to the %s, %s", was,
		 coldstart_from_name(cs->from), now);
	if (cs->from != COLDSTART_RTC)
		log_warn("%s: the time is a guess, and not served, until a source answers",
			 rtc_err == -ENOENT || rtc_err == -ENODEV || rtc_err == -ENXIO ?
			 "there is no RTC" : "the RTC does not know the time");
	return 0;
}

int host_cold_start(struct ntpkd *d)
{
	struct coldstart *cs = &d->host.cold;
	struct clock_pair now;
	int rtc_err;

	/* the time of a simulator is any */
	cs->build_unix_ns = clocks_simulated() ? 0 : (int64_t)NTPK_BUILD_UNIX_S * NTP_NS_PER_S;
	read_saved(d, cs);
	rtc_err = read_rtc(d, cs);
	clocks_pair(&now);
	coldstart_decide(cs, now.real_ns);
	return cs->from == COLDSTART_CLOCK ? 0 : move_clock(d, now.real_ns, rtc_err);
}

static void make_folder(struct ntpkd *d, const char *path, const char *what)
{
	const struct privs_user *user = &d->host.user;
	int err;

	if (!*path)
		return;
	err = privs_make_folder(path, user);
	if (err == -EACCES && user->change)
		log_warn("%s %s: user %s cannot write there: chown %s %s", what, path, user->name,
			 user->name, path);
	else if (err)
		log_warn_no(err, "%s %s", what, path);
}

static void make_folders(struct ntpkd *d)
{
	char drift[CONF_PATH_MAX];
	char *slash;

	strcpy(drift, d->conf.driftfile);
	slash = strrchr(drift, '/');
	if (slash)
		*slash = '\0';
	make_folder(d, d->conf.savedir, "savedir");
	if (strcmp(drift, d->conf.savedir))
		make_folder(d, drift, "folder of the driftfile");
	if (d->conf.log)
		make_folder(d, d->conf.logdir, "logdir");
}

static void name_other_daemon(struct ntpkd *d)
{
	char owner[64];

	if (!d->opt.no_clock && clockowner_find("/proc", owner, sizeof(owner)))
		log_warn("%s is running: only one program can discipline the clock; stop it, or "
			 "start ntpkd or it with -x", owner);
}

int host_open(struct ntpkd *d)
{
	struct host *h = &d->host;
	int err = privs_find_user(&h->user, d->conf.user);

	if (err) {
		log_err("user %s: there is no such user: useradd --system %s", d->conf.user,
			d->conf.user);
		return err;
	}
	if (d->bare)
		return 0;
	err = notify_open(&h->notify);
	if (err)
		log_warn_no(err, "NOTIFY_SOCKET of the service manager");
	make_folders(d);
	name_other_daemon(d);
	return 0;
}

int host_drop(struct ntpkd *d)
{
	const struct privs_user *user = &d->host.user;
	int err;

	/* there it only seems to be root */
	if (clocks_simulated())
		return 0;
	err = privs_drop(user, !d->opt.no_clock);

	if (err && user->change)
		log_err_no(err, "cannot become user %s (`user root` to stay root)", user->name);
	else if (err)
		log_warn_no(err, "could not drop root's other capabilities");
	/* from now on nobody is to be looked up */
	d->conf.runtime_uid = geteuid();
	return user->change ? err : 0;
}

static int load_filter(struct ntpkd *d)
{
	int err = d->opt.no_filter || d->bare ? 0 : seccomp_apply(d->conf.hwts_len > 0);

	if (err == -ENOSYS) {
		log_warn("this kernel has no system call filters: going on without");
		return 0;
	}
	if (err)
		log_err_no(err, "system call filter (-F 0 to do without)");
	return err;
}

int host_ready(struct ntpkd *d)
{
	struct host *h = &d->host;
	int err = load_filter(d);

	if (err)
		return err;
	if (h->user.change)
		log_info("running as user %s", h->user.name);
	host_open_logs(d);
	notify_send(&h->notify, "READY=1");
	return 0;
}
