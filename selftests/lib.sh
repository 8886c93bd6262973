# SPDX-License-Identifier: GPL-2.0-only
# Helpers of the shell tests: TAP 13, network namespaces, waiting.  Sourced by
# a test, first thing; one process, no background state but what is named here.
#
#	. "$(dirname "$0")/../lib.sh"
#	need_root; need_program chronyd
#	setup_ns server client		# $server and $client are namespaces
#	busywait 5 ip netns exec "$client" ping -c1 -W1 192.0.2.1
#	ok_if "the client is answered" test "$n" = 1
#	finish
#
# Exit status: 0 all passed, 1 something failed, 4 skipped as a whole.  A test
# that leaves without finish is counted as failed, by the missing plan.

ksft_skip=4
tap_count=0
tap_failed=0
tap_finished=
lib_ns=()
lib_pids=()
lib_hooks=()

echo "TAP version 13"

# ok DESC, not_ok DESC [LINES...]: one result; further lines become diagnostics.
ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	shift
	[ $# = 0 ] || diag "$@"
}

# skip DESC REASON: one result that says why it could not be had.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

diag() {
	printf '%s\n' "$@" | sed 's/^/# /'
}

# ok_if DESC COMMAND...: its output is shown as diagnostics when it fails.
ok_if() {
	local desc=$1 out rc=0

	shift
	out=$("$@" 2>&1) || rc=$?
	if [ $rc = 0 ]; then
		ok "$desc"
	else
		not_ok "$desc" "'$*' gave $rc" ${out:+"$out"}
	fi
}

# ok_equal DESC GOT WANTED
ok_equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', wanted '$3'"
	fi
}

# ok_empty DESC DETAILS: fails when there are any, and shows them.
ok_empty() {
	if [ -z "$2" ]; then
		ok "$1"
	else
		not_ok "$1" "$2"
	fi
}

# The test as a whole cannot run here: the reason, exit 4.
skip_all() {
	echo "1..0 # SKIP $*"
	tap_finished=1
	exit $ksft_skip
}

bail_out() {
	echo "Bail out! $*"
	exit 1
}

# The plan, and the exit status of the whole.
finish() {
	echo "1..$tap_count"
	tap_finished=1
	[ "$tap_failed" = 0 ] || exit 1
	exit 0
}

need_root() {
	[ "$(id -u)" = 0 ] || skip_all "needs root"
}

need_program() {
	local p

	for p; do
		command -v "$p" >/dev/null || skip_all "no program $p"
	done
}

# need_module: ntpk.ko of the running kernel loaded, from NTPK_KO or modprobe.
need_module() {
	[ ! -d /sys/module/ntpk ] || return 0
	if [ -n "${NTPK_KO:-}" ]; then
		[ -r "$NTPK_KO" ] || skip_all "no module at $NTPK_KO"
		insmod "$NTPK_KO" "$@" || bail_out "ntpk.ko does not load"
	else
		modprobe -q ntpk "$@" || skip_all "no module ntpk for $(uname -r)"
	fi
}

# busywait TIMEOUT_S COMMAND...: until it succeeds; 1 when the time is over.
busywait() {
	local end

	end=$(($(date +%s%N) + $(printf '%.0f' "${1}e9")))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%N)" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# setup_ns NAME...: a namespace with a random name in each variable NAME, its
# loopback up and without duplicate address detection.
setup_ns() {
	local name ns

	for name; do
		ns=$name-$(tr -dc a-z0-9 </dev/urandom | head -c 6)
		ip netns add "$ns" || bail_out "cannot make the namespace $ns"
		lib_ns+=("$ns")
		printf -v "$name" %s "$ns"
		ip netns exec "$ns" sysctl -qw net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0
		ip -n "$ns" link set lo up
	done
}

# join_ns A DEV_A B DEV_B: a veth pair between two namespaces, up.
join_ns() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" &&
	ip -n "$1" link set "$2" up &&
	ip -n "$3" link set "$4" up || bail_out "cannot join $1 and $3"
}

# background COMMAND...: started, its pid in $!, killed at the end.
background() {
	"$@" &
	lib_pids+=($!)
}

# stop PID: end a process that background started and wait for it.
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

# at_exit COMMAND_LINE: run at the end, last one first, before namespaces go.
at_exit() {
	lib_hooks=("$1" "${lib_hooks[@]}")
}

lib_cleanup() {
	local rc=$? hook pid ns

	trap - EXIT INT TERM
	set +e
	for hook in "${lib_hooks[@]}"; do
		eval "$hook"
	done
	for pid in "${lib_pids[@]}"; do
		stop "$pid"
	done
	for ns in "${lib_ns[@]}"; do
		ip netns del "$ns" 2>/dev/null
	done
	[ -n "$tap_finished" ] || [ "$rc" != 0 ] || rc=1
	exit $rc
}
trap lib_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
