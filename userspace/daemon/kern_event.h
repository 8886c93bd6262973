/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's events as lines of the log.  Pure but for that.
 */
#ifndef NTPKD_KERN_EVENT_H
#define NTPKD_KERN_EVENT_H

struct ntpk_nl_event;

/**
 * kern_event_say() - what has happened, for people
 * @event: of any kind; nothing is said of a step, nor of one that is newer than this ntpkd
 */
void kern_event_say(const struct ntpk_nl_event *event);

#endif /* NTPKD_KERN_EVENT_H */
