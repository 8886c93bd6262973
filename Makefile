# SPDX-License-Identifier: GPL-2.0-only
# ntpk: what a person types is under `make help`.

VERSION := 0.1.0
KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
DESTDIR ?=
PREFIX ?= /usr/local
CC ?= cc
B := build/user
SAN := build/san
# The build date is a floor for served time: the commit's, so that builds repeat.
export NTPK_BUILD_UNIX_S ?= $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

# V=1 shows the commands, -s nothing
ifeq ($(V),1)
say = @:
Q :=
else
say = @$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo '  $(1)')
Q := @
endif

WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wpointer-arith \
	-Wformat=2 -Wvla -Werror
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CPPFLAGS_ALL := -D_GNU_SOURCE -DNTPK_VERSION='"$(VERSION)"' -DNTPK_BUILD_UNIX_S=$(NTPK_BUILD_UNIX_S) \
	-Iinclude -Iinclude/uapi -Iuserspace
CFLAGS_ALL := -std=gnu11 -ffp-contract=off -MMD -MP $(WARN)
SANFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# 64-bit atomics are functions of a library on some machines of 32 bits.
LIBS_ATOMIC := -Wl,--as-needed -latomic
LIBS_DAEMON := -levent_core -lmnl -ljson-c -lcap-ng -lseccomp -lnettle -lm -lpthread $(LIBS_ATOMIC)
LIBS_CTL := -lmnl -ljson-c -lm -lpthread $(LIBS_ATOMIC)
LIBS_TEST := -lcmocka $(LIBS_DAEMON)

SRC_PROTO := $(wildcard kmod/proto/*.c)
SRC_CORE := $(wildcard userspace/core/*.c)
SRC_NL := $(wildcard userspace/nl/*.c)
SRC_DAEMON := $(wildcard userspace/daemon/*.c)
SRC_CTL := $(wildcard userspace/ctl/*.c)
# The parser of the configuration, which ntpkctl config import uses too.
SRC_CONF := $(wildcard userspace/daemon/conf*.c)
# Everything of the programs but their main(), for the tests.
SRC_LIB := $(SRC_PROTO) $(SRC_CORE) $(SRC_NL) $(filter-out %/main.c,$(SRC_DAEMON) $(SRC_CTL))
SRC_SCORE := userspace/tests/sim/score.c
SRC_PLOT := userspace/tests/sim/plot.c
# A simulated machine and network, to be preloaded into ntpkd itself.
SRC_WORLD := $(wildcard userspace/tests/preload/*.c)
SRC_SIM := $(filter-out $(SRC_SCORE) $(SRC_PLOT) %/test_sim.c %/test_sim_clock.c,$(wildcard userspace/tests/sim/*.c))
UNIT := $(patsubst userspace/tests/unit/%.c,$(SAN)/%,$(wildcard userspace/tests/unit/test_*.c))
UNIT += $(SAN)/test_sim $(SAN)/test_sim_clock
FUZZ := $(patsubst userspace/tests/fuzz/fuzz_%.c,%,$(wildcard userspace/tests/fuzz/fuzz_*.c))
# Each fuzz target replays its corpus among the unit tests.
UNIT += $(FUZZ:%=$(SAN)/test_fuzz_%)
FZ := build/fuzz

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
san = $(patsubst %.c,$(SAN)/obj/%.o,$(1))

.PHONY: all module user tests unit-tests check check-unit check-lint check-rig check-debug check-kcsan check-peers check-faults check-flood check-systemd check-igb check-kernels check-long check-many soak lint score score-first plot bench fuzz vm run deps \
	install uninstall clean help
all: user

help:
	@echo 'make run          everything at work in virtual machines, in one command'
	@echo 'make run HOST=1 UPSTREAM="a b"  the same on this machine itself'
	@echo 'make check        all tests: unit, configuration, virtual machines, debug kernel'
	@echo 'make check-unit   only those that need no kernel of their own'
	@echo 'make check-rig    only those in the virtual machines (SUITE=bookworm|trixie|sid)'
	@echo 'make check-debug  only those in the debug kernel, of daemons too (an hour)'
	@echo 'make check-kcsan  in a kernel that looks for data races (hours, and the build of that kernel)'
	@echo 'make check-faults what ntpkd does, and its operator sees, when things go wrong (NTPK_FAULT_S=600: longer)'
	@echo 'make check-flood  10,000,000 requests from everywhere, 1,000,000 clients, 10,000,000 wrong packets (an hour; NTPK_FLOOD=, NTPK_CLIENTS=, NTPK_FUZZ=)'
	@echo 'make check-systemd  the installed unit under a real systemd: readiness, walls, watchdog (two minutes)'
	@echo 'make check-igb    hardware time stamps, over a network card of QEMU 10 that has a clock (three minutes)'
	@echo 'make check-kernels  the kernel selftests on 6.1, 6.12, 6.12 PREEMPT_RT and 7.2; armhf, arm64, s390x (an hour and a half)'
	@echo 'make check-long   each allocation fails, 1,000 loads, 1,000,000 bent netlink messages, ntpkd killed 200 times (three hours)'
	@echo 'make soak H=1     the whole path under load and random faults for so many hours'
	@echo 'make check-many   the times of ntpkd with a thousand sources, judged: on an idle machine'
	@echo 'make check-peers  ntpkd among the NTP programs of others, all of them'
	@echo 'make score        the estimator in simulation, all scenarios, 101 seeds, beside chrony (minutes)'
	@echo 'make score-first  the same beside the first version of the estimator, row by row'
	@echo 'make plot         one simulated run as SVG (SCENARIO=a_lan SEED=1), into build'
	@echo 'make bench        what an answer costs, beside chronyd and others (minutes; SUITE=...), into build/bench'
	@echo 'make lint         checkpatch, kernel-doc, cppcheck, clang-tidy, scan-build, gcc'\''s analyzer, W=1, sparse over all of it (minutes)'
	@echo 'make fuzz T=60    each fuzz target so many seconds, with a table (TARGET="conf mac": only those); needs clang'
	@echo 'make vm           a shell in a virtual machine with the module (SUITE=...)'
	@echo 'make user         ntpkd and ntpkctl, into build/user/bin'
	@echo 'make module       ntpk.ko for the running kernel (KDIR=... for another), into build/kmod'
	@echo 'make deps         install the packages that building and testing need'
	@echo 'make install      programs, module, man pages, systemd unit (DESTDIR=, PREFIX=); make uninstall'
	@echo 'make clean'

user: $(B)/bin/ntpkd $(B)/bin/ntpkctl

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC      $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) -O2 -g $(HARDEN) $(CFLAGS_ALL) $(CFLAGS) -c -o $@ $<

$(SAN)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC san  $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) $(SANFLAGS) $(CFLAGS_ALL) -c -o $@ $<

$(B)/bin/ntpkd: $(call obj,$(SRC_DAEMON) $(SRC_NL) $(SRC_CORE) $(SRC_PROTO))
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(LIBS_DAEMON)

$(B)/bin/ntpkctl: $(call obj,$(SRC_CTL) $(SRC_CONF) $(SRC_NL) $(SRC_PROTO))
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ $(LIBS_CTL)

# cmocka 2 gives assert_in_range() and others names that version 1 lacks.
$(SAN)/obj/userspace/tests/%.o: CFLAGS_ALL += -Wno-deprecated-declarations

$(SAN)/libntpk.a: $(call san,$(SRC_LIB))
	@rm -f $@
	$(call say,AR      $@)
	$(Q)$(AR) rcs $@ $^

$(SAN)/test_sim $(SAN)/test_sim_clock: $(SAN)/%: $(SAN)/obj/userspace/tests/sim/%.o $(call san,$(SRC_SIM)) $(SAN)/libntpk.a
	$(call say,LD san  $@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LIBS_TEST)

$(B)/bin/score: $(call obj,$(SRC_SCORE) $(SRC_SIM) $(SRC_CORE) $(SRC_PROTO))
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ -lm -lpthread

$(B)/bin/plot: $(call obj,$(SRC_PLOT) $(SRC_SIM) $(SRC_CORE) $(SRC_PROTO))
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^ -lm

$(B)/bin/acl_cost: $(call obj,userspace/tests/cost/acl_cost.c kmod/proto/ntp_acl.c)
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^

$(B)/bin/client_cost: $(call obj,userspace/tests/cost/client_cost.c $(wildcard kmod/proto/ntp_client*.c) kmod/proto/ntp_wire.c)
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -pie $(LDFLAGS) -o $@ $^

$(B)/pic/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC pic  $<)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS) -O2 -g -fPIC $(CFLAGS_ALL) -Wno-builtin-declaration-mismatch -c -o $@ $<

$(B)/lib/world.so: $(patsubst %.c,$(B)/pic/%.o,$(SRC_WORLD))
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -shared $(LDFLAGS) -o $@ $^ -lm

$(B)/lib/suspend.so: $(B)/pic/userspace/tests/suspend/suspend.o
	@mkdir -p $(@D)
	$(call say,LD      $@)
	$(Q)$(CC) -shared $(LDFLAGS) -o $@ $^

$(SAN)/test_fuzz_%: $(SAN)/obj/userspace/tests/fuzz/fuzz_%.o \
		$(SAN)/obj/userspace/tests/fuzz/replay.o $(SAN)/libntpk.a
	$(call say,LD san  $@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LIBS_TEST)

$(SAN)/test_%: $(SAN)/obj/userspace/tests/unit/test_%.o $(SAN)/libntpk.a
	$(call say,LD san  $@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LIBS_TEST)

# The programs themselves under the sanitizers, for the command line tests.
$(SAN)/ntpkd: $(call san,$(SRC_DAEMON) $(SRC_NL) $(SRC_CORE) $(SRC_PROTO))
	$(call say,LD san  $@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LIBS_DAEMON)

$(SAN)/ntpkctl: $(call san,$(SRC_CTL) $(SRC_CONF) $(SRC_NL) $(SRC_PROTO))
	$(call say,LD san  $@)
	$(Q)$(CC) $(SANFLAGS) -o $@ $^ $(LIBS_CTL)

tests: user $(UNIT) $(B)/bin/score $(B)/bin/plot $(B)/bin/acl_cost $(B)/bin/client_cost $(B)/lib/world.so $(B)/lib/suspend.so $(SAN)/ntpkd $(SAN)/ntpkctl

# Coverage-guided: clang's own copies of all objects.
$(FZ)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC fuzz $<)
	$(Q)clang $(CPPFLAGS_ALL) $(CPPFLAGS) $(SANFLAGS) -fsanitize=fuzzer-no-link $(CFLAGS_ALL) -c -o $@ $<

$(FZ)/fuzz_%: $(FZ)/obj/userspace/tests/fuzz/fuzz_%.o $(patsubst %.c,$(FZ)/obj/%.o,$(SRC_LIB))
	$(call say,LD fuzz $@)
	$(Q)clang $(SANFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_DAEMON)

fuzz:
	@command -v clang >/dev/null && command -v llvm-cov >/dev/null || \
		{ echo 'make fuzz needs clang and llvm-cov: apt-get install clang llvm' >&2; exit 1; }
	selftests/fuzz $(or $(T),60) $(TARGET)

unit-tests: $(UNIT)
.SECONDARY:

module:
	selftests/vm/module.sh host KDIR=$(KDIR)

deps:
	selftests/deps.sh

check: deps
	selftests/check all

check-unit check-lint check-rig check-debug check-kcsan check-peers check-faults check-flood check-systemd check-igb check-kernels check-long:
	selftests/check $(@:check-%=%)

# one of check-kernels, which starts two of these at a time
check-kernel-%:
	SUITE=$* selftests/check kernel

soak:
	NTPK_SOAK_H=$(or $(H),1) selftests/check soak

lint:
	selftests/deps.sh lint
	selftests/runner selftests/stage/modules selftests/static/lint

check-many: user
	NTPK_TIMING=1 selftests/host/test_many.py

score: $(B)/bin/score
	$< 101

score-first: $(B)/bin/score
	selftests/score-first 101

plot: $(B)/bin/plot
	$< $(or $(SCENARIO),a_lan) $(or $(SEED),1) >build/$(or $(SCENARIO),a_lan).svg
	@echo build/$(or $(SCENARIO),a_lan).svg

bench: deps user
	selftests/vm/peers.sh >/dev/null
	selftests/bench/bench --suite $(or $(SUITE),bookworm)

vm: deps user
	selftests/vm/vm shell --suite $(or $(SUITE),bookworm)

run: deps user
	selftests/run-demo

# Where things go.  An existing configuration is kept; the user ntpk and its folders
# are made at once where systemd is at work, else at its next start.
D_LIB := $(DESTDIR)$(PREFIX)/lib
D_MAN := $(DESTDIR)$(PREFIX)/share/man
MAN := $(wildcard Documentation/man/*.[1-8])

install: user
	install -Dm755 $(B)/bin/ntpkd $(DESTDIR)$(PREFIX)/sbin/ntpkd
	install -Dm755 $(B)/bin/ntpkctl $(DESTDIR)$(PREFIX)/bin/ntpkctl
	for m in $(MAN); do install -Dm644 $$m $(D_MAN)/man$${m##*.}/$${m##*/} || exit 1; done
	[ -e $(DESTDIR)/etc/ntpk.conf ] || install -Dm644 userspace/dist/ntpk.conf $(DESTDIR)/etc/ntpk.conf
	install -Dm644 userspace/dist/ntpk.logrotate $(DESTDIR)/etc/logrotate.d/ntpk
	install -Dm644 userspace/dist/ntpk.sysusers $(D_LIB)/sysusers.d/ntpk.conf
	install -Dm644 userspace/dist/ntpk.tmpfiles $(D_LIB)/tmpfiles.d/ntpk.conf
	sed 's,@SBINDIR@,$(PREFIX)/sbin,' userspace/dist/ntpkd.service.in | \
		install -Dm644 /dev/stdin $(D_LIB)/systemd/system/ntpkd.service
	if [ -d "$(KDIR)" ]; then \
		selftests/vm/module.sh host KDIR=$(KDIR) && \
		install -Dm644 build/kmod/$(KVER)/ntpk.ko $(DESTDIR)/lib/modules/$(KVER)/updates/ntpk.ko && \
		{ [ -n "$(DESTDIR)" ] || depmod $(KVER); }; \
	else echo "no kernel headers at $(KDIR): ntpk.ko not installed, ntpkd answers by itself"; fi
	if [ -z "$(DESTDIR)" ] && [ -d /run/systemd/system ]; then \
		systemd-sysusers $(PREFIX)/lib/sysusers.d/ntpk.conf && \
		systemd-tmpfiles --create $(PREFIX)/lib/tmpfiles.d/ntpk.conf && \
		systemctl daemon-reload; fi

# What the operator wrote and what ntpkd has learnt stay.
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/ntpkd $(DESTDIR)$(PREFIX)/bin/ntpkctl \
		$(foreach m,$(MAN),$(D_MAN)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) \
		$(DESTDIR)/etc/logrotate.d/ntpk $(D_LIB)/sysusers.d/ntpk.conf \
		$(D_LIB)/tmpfiles.d/ntpk.conf $(D_LIB)/systemd/system/ntpkd.service \
		$(DESTDIR)/lib/modules/$(KVER)/updates/ntpk.ko

clean:
	rm -rf build

-include $(shell find build -name '*.d' -type f 2>/dev/null)
