// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What no simulator of this class knows: the call would reach the real kernel,
 * with descriptors it has never heard of or with real time.  LD_PRELOAD.
 */
/* The real prototypes, which do not matter as none of these returns, must not be seen here. */
void world_fault(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define NEVER(name) void name(void); void name(void) { world_fault("calls %s", #name); }

NEVER(epoll_create)
NEVER(epoll_create1)
NEVER(epoll_ctl)
NEVER(epoll_wait)
NEVER(epoll_pwait)
NEVER(timerfd_create)
NEVER(timerfd_settime)
NEVER(signalfd)
NEVER(eventfd)
NEVER(inotify_init)
NEVER(inotify_init1)
NEVER(ppoll)
NEVER(pselect)
NEVER(accept4)
NEVER(sendmmsg)
NEVER(recvmmsg)
NEVER(recvfrom)
NEVER(__recvfrom_chk)
NEVER(recv)
NEVER(__recv_chk)
NEVER(socketpair)
NEVER(fork)
NEVER(vfork)
NEVER(clone)
NEVER(posix_spawn)
NEVER(pthread_create)
NEVER(syscall)
NEVER(getnameinfo)
NEVER(gethostbyname)
NEVER(clock_nanosleep)
NEVER(timer_create)
NEVER(setitimer)
NEVER(alarm)
NEVER(setuid)
NEVER(setgid)
NEVER(setresuid)
NEVER(setgroups)
NEVER(capset)
