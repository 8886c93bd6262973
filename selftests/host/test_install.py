#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`make install` and `make uninstall` into a folder, and the man page of ntpkd.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Without kernel headers on
purpose (KDIR points nowhere): the module's build has tests of its own.
"""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.environ.get("NTPKD", os.path.join(TOP, "build/san/ntpkd"))
CONF = "etc/ntpk.conf"
EXPECTED = {
    "usr/sbin/ntpkd": 0o755,
    "usr/bin/ntpkctl": 0o755,
    CONF: 0o644,
    "etc/logrotate.d/ntpk": 0o644,
    "usr/lib/systemd/system/ntpkd.service": 0o644,
    "usr/lib/sysusers.d/ntpk.conf": 0o644,
    "usr/lib/tmpfiles.d/ntpk.conf": 0o644,
    "usr/share/man/man8/ntpkd.8": 0o644,
}
dest = None


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def make(target, **variables):
    args = ["%s=%s" % item for item in variables.items()]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    r = subprocess.run(["make", "-s", "-C", TOP, target, "DESTDIR=" + dest, "PREFIX=/usr",
                        "KDIR=/nonexistent", *args], capture_output=True, text=True, env=env,
                       stdin=subprocess.DEVNULL, timeout=600)
    check(r.returncode == 0, "make %s: %s%s" % (target, r.stdout, r.stderr))


def listing():
    found = {}
    for folder, _, names in os.walk(dest):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, dest)] = os.stat(path).st_mode & 0o7777
    return found


def read(path):
    with open(os.path.join(dest, path)) as f:
        return f.read()


def test_install():
    make("install")
    found = listing()
    for path, mode in EXPECTED.items():
        check(found.get(path) == mode, "%s: %s" % (path, found.get(path)))
    check(not [path for path in found if path.endswith("~")], found)


def test_paths():
    unit = read("usr/lib/systemd/system/ntpkd.service")
    check("\nExecStart=/usr/sbin/ntpkd -n\n" in unit and "@" not in unit, unit)
    check("Type=notify" in unit and "systemd-timesyncd.service" in unit, unit)


def test_default_conf():
    r = subprocess.run([os.path.join(dest, "usr/sbin/ntpkd"), "-t", "-f",
                        os.path.join(dest, CONF)], capture_output=True, text=True, timeout=20)
    check(r.returncode == 0 and not r.stderr, r)


def test_conf_kept():
    with open(os.path.join(dest, CONF), "a") as f:
        f.write("port 0\n")
    make("install")
    check(read(CONF).endswith("port 0\n"), "an existing configuration was overwritten")


def test_uninstall():
    os.makedirs(os.path.join(dest, "var/lib/ntpk"))
    with open(os.path.join(dest, "var/lib/ntpk/drift"), "w") as f:
        f.write("0 1\n")
    make("uninstall")
    check(set(listing()) == {CONF, "var/lib/ntpk/drift"}, listing())


def man_text():
    with open(os.path.join(TOP, "Documentation/man/ntpkd.8")) as f:
        return f.read()


def test_man_options():
    text = subprocess.run([NTPKD, "-h"], capture_output=True, text=True, timeout=20).stdout
    usage = set(re.findall(r"^  -(\w) ", text, re.M))
    section = man_text().split(".SH OPTIONS", 1)[1].split(".SH", 1)[0]
    man = set(re.findall(r"^\.TP\n\.\w+ \\-(\w)", section, re.M))
    check(usage and usage == man, "usage %s, man page %s" % (sorted(usage), sorted(man)))
    with open(os.path.join(TOP, "userspace/daemon/options.c")) as f:
        table = re.search(r'getopt\(argc, argv, ":([^"]+)"', f.read()).group(1)
    check(usage == set(table.replace(":", "")), "usage %s, table %s" % (sorted(usage), table))


def test_man_signals():
    with open(os.path.join(TOP, "userspace/daemon/signals.c")) as f:
        used = set(re.findall(r"sigaction\((SIG\w+)", f.read()))
    missing = [s for s in used if s not in man_text()]
    check(used and not missing, missing)


TESTS = [
    (test_install, "installs programs, unit, man page and configuration"),
    (test_paths, "the unit names the installed program"),
    (test_default_conf, "the installed configuration passes ntpkd -t"),
    (test_conf_kept, "an existing configuration is kept"),
    (test_uninstall, "uninstalling leaves configuration and state alone, and nothing else"),
    (test_man_options, "the man page has every option, and no other"),
    (test_man_signals, "the man page has every signal"),
]


def run(number, test, text):
    try:
        test()
        print("ok %d - %s" % (number, text))
        return True
    except (Failed, OSError, subprocess.SubprocessError) as e:
        print("not ok %d - %s\n# %s" % (number, text, str(e).replace("\n", "\n# ")))
        return False


def main():
    global dest
    print("TAP version 13\n1..%d" % len(TESTS))
    with tempfile.TemporaryDirectory() as dest:
        passed = [run(i + 1, *test) for i, test in enumerate(TESTS)]
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
