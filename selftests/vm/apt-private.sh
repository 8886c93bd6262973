# SPDX-License-Identifier: GPL-2.0-only
# A private apt: packages of any Debian suite, signatures checked, without
# touching the machine's own sources or dpkg state.  Sourced, not run.
#
# Release files past their date are accepted (the mirror may be a frozen
# snapshot); their signatures are still checked.
#
# apt_private SUITE ARGS...	apt-get ARGS with only SUITE configured
# apt_private_cache SUITE ARGS...	apt-cache ARGS likewise

NTPK_CACHE=${NTPK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ntpk}
NTPK_MIRROR=${NTPK_MIRROR:-http://deb.debian.org/debian}

apt_private_init() {
	local suite=$1 d=$NTPK_CACHE/apt/$1

	mkdir -p "$d/etc/apt.conf.d" "$d/etc/preferences.d" "$d/state/lists/partial" \
		"$d/cache/archives/partial" "$d/etc/sources.list.d"
	: >"$d/state/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $NTPK_MIRROR $suite main" \
		>"$d/etc/sources.list"
	cat >"$d/apt.conf" <<-CONF
		Dir::Etc "$d/etc";
		Dir::Etc::sourcelist "$d/etc/sources.list";
		Dir::Etc::sourceparts "$d/etc/sources.list.d";
		Dir::Etc::preferencesparts "$d/etc/preferences.d";
		Dir::State "$d/state";
		Dir::State::status "$d/state/status";
		Dir::Cache "$d/cache";
		APT::Architecture "amd64";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
	CONF
}

apt_private() {
	local suite=$1

	shift
	APT_CONFIG=$NTPK_CACHE/apt/$suite/apt.conf apt-get -q "$@"
}

apt_private_cache() {
	local suite=$1

	shift
	APT_CONFIG=$NTPK_CACHE/apt/$suite/apt.conf apt-cache "$@"
}
