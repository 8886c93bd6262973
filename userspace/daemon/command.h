/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of the control socket (Documentation/control.md): one row of
 * the table in command.c each, carried out by the functions below.  Their
 * @ctx is struct ntpkd.  Event loop only.
 */
#ifndef NTPKD_COMMAND_H
#define NTPKD_COMMAND_H

#include "daemon/control.h"

struct ntpkd;

/**
 * command_table() - all commands
 * @d: the daemon; NULL for a look at the table alone
 */
struct control_table command_table(struct ntpkd *d);

/* status.c */
control_run status_version, status_all, status_tracking, status_activity, status_metrics;

/* status_source.c */
control_run status_sources, status_sourcestats, status_selectdata, status_ntpdata;

/* command_upstream.c */
control_run command_upstream_list, command_upstream_add, command_upstream_del;
control_run command_upstream_online, command_upstream_offline, command_upstream_burst;

/* command_clock.c */
control_run command_makestep, command_reselect, command_log_level;

/* command_conf.c */
control_run command_reload, command_rekey, command_acl_check;

/* command_set.c */
control_run command_set, command_unset;

#endif /* NTPKD_COMMAND_H */
