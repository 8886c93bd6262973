/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the configuration anew while the daemon runs.  Event loop only.
 */
#ifndef NTPKD_RELOAD_H
#define NTPKD_RELOAD_H

#include <stdbool.h>

struct conf_diag;
struct ntpkd;

enum reload_what {
	RELOAD_ALL,		/* the file and all that belongs to it */
	RELOAD_SOURCES,		/* the drop-ins of sourcedir alone */
};

/**
 * struct reload_report - what a reload did
 * @added: upstreams
 * @removed: upstreams
 * @changed: upstreams that began anew with other options
 * @skipped: wrong lines of drop-ins and of runtime.conf, left out
 * @settings: directives now in force with new values, "a, b", "" = none
 * @restart: directives that differ and wait for a restart, likewise
 * @error: first error of the file with its place, when nothing was changed; else
 *	the first of what was left out or could not be done, or ""
 */
struct reload_report {
	unsigned int added;
	unsigned int removed;
	unsigned int changed;
	unsigned int skipped;
	char	 settings[512];
	char	 restart[512];
	char	 error[640];
};

/**
 * ntpkd_reload() - read the configuration anew and do what differs
 * @d: the daemon
 * @what: how much
 * @r: filled in any case
 *
 * A file with an error changes nothing.  Upstreams whose line is as before go
 * on undisturbed; those that ntpkctl added without --save stay.  Everything is
 * also logged.
 *
 * Return: 0, -EINVAL for an error in the file, -ENOMEM.
 */
int ntpkd_reload(struct ntpkd *d, enum reload_what what, struct reload_report *r);

/**
 * ntpkd_set() - one line more on top of the running configuration
 * @d: the daemon
 * @line: as runtime_parse() takes it, but for upstreams
 * @diag: errors
 * @r: filled in any case
 *
 * In force until the configuration is read anew.
 *
 * Return: 0, -EINVAL with nothing changed, -ENOMEM.
 */
int ntpkd_set(struct ntpkd *d, const char *line, const struct conf_diag *diag,
	      struct reload_report *r);

/**
 * ntpkd_unset() - one directive as the files have it, which are written
 * @d: the daemon
 * @name: of the directive
 * @r: filled in any case
 *
 * Everything else stays as it is.
 *
 * Return: 0, -EINVAL with nothing changed, -ENOMEM.
 */
int ntpkd_unset(struct ntpkd *d, const char *name, struct reload_report *r);

/**
 * reload_on_signal() - SIGHUP: ntpkd_reload() when it came
 * @d: the daemon
 */
void reload_on_signal(struct ntpkd *d);

#endif /* NTPKD_RELOAD_H */
