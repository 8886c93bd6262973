// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seccomp filter.  One table by purpose; names are libseccomp's, so that
 * one table does for every architecture (those that it lacks are left out).
 * Start-up only.
 */
#include "daemon/seccomp.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/ptp_clock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define LEN(array)	(sizeof(array) / sizeof((array)[0]))

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#else
#define SANITIZED	0
#endif

static const char *const allowed[] = {
	/* clocks and their controls */
	"adjtimex", "clock_adjtime", "clock_adjtime64", "clock_getres", "clock_getres_time64",
	"clock_gettime", "clock_gettime64", "clock_nanosleep", "clock_nanosleep_time64",
	"clock_settime", "clock_settime64", "gettimeofday", "nanosleep", "settimeofday", "time",
	"timerfd_create", "timerfd_gettime", "timerfd_gettime64", "timerfd_settime",
	"timerfd_settime64",
	/* files: state, logs, configuration, /proc */
	"_llseek", "access", "chmod", "chown", "chown32", "close", "dup", "dup2", "dup3",
	"faccessat", "faccessat2", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchown32",
	"fchownat", "fcntl", "fcntl64", "fdatasync", "fstat", "fstat64", "fstatat64", "fstatfs",
	"fstatfs64", "fsync", "ftruncate", "ftruncate64", "getcwd", "getdents", "getdents64",
	"lchown", "lchown32", "lseek", "lstat", "lstat64", "mkdir", "mkdirat", "newfstatat", "open",
	"openat", "pipe", "pipe2", "pread64", "pwrite64", "read", "readlink", "readlinkat", "readv",
	"rename", "renameat", "renameat2", "stat", "stat64", "statfs", "statfs64", "statx", "umask",
	"unlink", "unlinkat", "utimensat", "utimensat_time64", "write", "writev",
	/* the loop */
	"_newselect", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2",
	"inotify_add_watch", "inotify_init1", "inotify_rm_watch", "poll", "ppoll", "ppoll_time64",
	"pselect6", "pselect6_time64", "select",
	/* sockets; which families, see socket_families */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt",
	"listen", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64", "recvmsg", "send",
	"sendmmsg", "sendmsg", "sendto", "shutdown",
	/* memory and threads */
	"brk", "exit", "exit_group", "futex", "futex_time64", "futex_waitv", "get_robust_list",
	"getrandom", "madvise", "membarrier", "mmap", "mmap2", "mprotect", "mremap", "munmap",
	"restart_syscall", "rseq", "sched_getaffinity", "sched_yield", "set_robust_list",
	"set_thread_area", "set_tid_address", "sigaltstack",
	/* signals, also a thread's own on abort() */
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait",
	"rt_sigtimedwait_time64", "sigaction", "sigprocmask", "sigreturn", "tgkill",
	/* who and where we are */
	"capget", "capset", "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32",
	"getgroups", "getgroups32", "getpid", "getppid", "getresgid", "getresgid32", "getresuid",
	"getresuid32", "getrusage", "gettid", "getuid", "getuid32", "prlimit64", "sysinfo",
	"ugetrlimit", "uname",
};

/* What the leak checker of a build under test does at its end. */
static const char *const sanitizer[] = {
	"clone", "kill", "personality", "prctl", "ptrace", "wait4", "waitid", "setrlimit", "vfork",
};

static const int socket_families[] = { AF_UNIX, AF_INET, AF_INET6 };

/* CAP_NET_ADMIN, which the module asks for, would open firewall and IPsec, too. */
static const int netlink_protocols[] = { NETLINK_GENERIC, NETLINK_ROUTE };

/* All options of these levels; of IP those below, as its numbers are iptables', too. */
static const int option_levels[] = { SOL_SOCKET, SOL_NETLINK, IPPROTO_TCP, IPPROTO_UDP };

static const struct {
	int	level;
	int	option;
} ip_options[] = {
	{ IPPROTO_IP, IP_PKTINFO }, { IPPROTO_IP, IP_FREEBIND }, { IPPROTO_IP, IP_RECVERR },
	{ IPPROTO_IP, IP_MTU_DISCOVER }, { IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO }, { IPPROTO_IPV6, IPV6_V6ONLY },
	{ IPPROTO_IPV6, IPV6_RECVERR }, { IPPROTO_IPV6, IPV6_MTU_DISCOVER },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
};

/* Interfaces by name, what the resolver waits for, terminals of stdio. */
static const unsigned long ioctls[] = {
	SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFINDEX, FIONREAD, FIONBIO, TCGETS,
};

/* Interfaces' clocks. */
static const unsigned long card_ioctls[] = {
	SIOCETHTOOL, SIOCGHWTSTAMP,
	PTP_SYS_OFFSET_PRECISE, PTP_SYS_OFFSET_EXTENDED, PTP_SYS_OFFSET,
};

static int allow_name(scmp_filter_ctx ctx, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	/* an older library does not know newer calls: nor does its C library */
	if (nr == __NR_SCMP_ERROR)
		return 0;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
}

static int allow_names(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < LEN(allowed); i++)
		err = allow_name(ctx, allowed[i]);
	for (size_t i = 0; SANITIZED && !err && i < LEN(sanitizer); i++)
		err = allow_name(ctx, sanitizer[i]);
	return err;
}

static int allow_sockets(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < LEN(socket_families); i++) {
		scmp_datum_t family = (scmp_datum_t)socket_families[i];

		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
		if (!err)
			err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
					       SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
	}
	for (size_t i = 0; !err && i < LEN(netlink_protocols); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_NETLINK),
				       SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX,
					       (scmp_datum_t)netlink_protocols[i]));
	return err;
}

static int allow_options(scmp_filter_ctx ctx)
{
	int err = 0;

	for (size_t i = 0; !err && i < LEN(option_levels); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
					       (scmp_datum_t)option_levels[i]));
	for (size_t i = 0; !err && i < LEN(ip_options); i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
					       (scmp_datum_t)ip_options[i].level),
				       SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX,
					       (scmp_datum_t)ip_options[i].option));
#ifdef __NR_socketcall
	/* where that is in use a filter does not see the level: it is behind a pointer */
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socketcall), 1,
				       SCMP_A0(SCMP_CMP_EQ, SYS_SETSOCKOPT));
#endif
	return err;
}

static int allow_ioctls(scmp_filter_ctx ctx, const unsigned long *list, size_t len)
{
	int err = 0;

	for (size_t i = 0; !err && i < len; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				       SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX,
					       (scmp_datum_t)list[i]));
	return err;
}

/* The C library names threads and mappings. */
static int allow_prctl(scmp_filter_ctx ctx)
{
	int err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
				   SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME, 0));

	return err ? err : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
					    SCMP_A0(SCMP_CMP_EQ, PR_SET_VMA, 0));
}

/*
 * Threads, no processes.  The flags of clone3() are out of a filter's sight:
 * told that there is none, the C library uses clone().
 */
static int allow_threads(scmp_filter_ctx ctx)
{
	int err = 0;

	if (!SANITIZED)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				       SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (!err)
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return err;
}

/* The library says so in as many ways as there are steps at which it notices: see seccomp(2). */
static bool kernel_has_filters(void)
{
	return !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) ||
	       (errno != EINVAL && errno != ENOSYS);
}

int seccomp_apply(bool cards)
{
	scmp_filter_ctx ctx;
	int err;

	if (!kernel_has_filters())
		return -ENOSYS;
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = allow_names(ctx);
	if (!err)
		err = allow_sockets(ctx);
	if (!err)
		err = allow_options(ctx);
	if (!err)
		err = allow_ioctls(ctx, ioctls, LEN(ioctls));
	if (!err && cards)
		err = allow_ioctls(ctx, card_ioctls, LEN(card_ioctls));
	if (!err)
		err = allow_threads(ctx);
	if (!err && !SANITIZED)
		err = allow_prctl(ctx);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}
