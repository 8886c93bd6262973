# SPDX-License-Identifier: GPL-2.0-only
"""One test machine: a stock kernel in QEMU (TCG) or the debug kernel (UML),
booted with one script, and a verdict at its end.  The machine's folder holds
console.log, output (of the script), dmesg, status and rig.env."""
import os
import shlex
import shutil
import subprocess

from . import console, initrd

TREE = os.path.dirname(os.path.dirname(initrd.HERE))
EXIT_TIMEOUT = 124
EXIT_RIG = 125
CACHE = os.environ.get("NTPK_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "ntpk")


class RigError(Exception):
    """Something that keeps a machine from being started at all."""


def tool(*argv):
    """Last line of one of the shell tools beside us."""
    run = subprocess.run([os.path.join(initrd.HERE, argv[0]), *argv[1:]],
                         stdout=subprocess.PIPE, text=True)
    if run.returncode:
        raise RigError("%s failed" % " ".join(argv))
    return run.stdout.splitlines()[-1]


def write_env(path, values):
    """Shell assignments; a list becomes an array."""
    with open(path, "w") as f:
        for name, value in values.items():
            if isinstance(value, (list, tuple)):
                value = "(%s)" % " ".join(shlex.quote(v) for v in value)
            else:
                value = shlex.quote(str(value))
            f.write("%s=%s\n" % (name, value))


def kernel_release(build):
    with open(os.path.join(build, "include/config/kernel.release")) as f:
        return f.read().strip()


class Machine:
    """Common to both kinds; a subclass gives command() and its environment."""
    allow = None

    def __init__(self, role, out, share, argv=(), nics=(), env=None, stay=False,
                 live=False, prefix="", shell=False):
        self.role, self.out, self.share = role, os.path.abspath(out), share
        self.argv, self.nics, self.stay = list(argv), list(nics), stay
        self.env = dict(env or {})
        self.live, self.prefix, self.shell = live, prefix, shell
        self.proc = self.follower = self.pump = None

    def path(self, name):
        return os.path.join(self.out, name)

    def prepare(self):
        os.makedirs(self.out, exist_ok=True)
        for old in ("status", "output", "dmesg", "console.log", "lockdep_stats"):
            if os.path.exists(self.path(old)):
                os.unlink(self.path(old))
        env = {"ROLE": self.role, "RIG_KVER": self.kver, "OUT": "/out",
               "NTPK_KO": "/ntpk/build/kmod/%s/ntpk.ko" % self.kver, **self.env}
        size = shutil.get_terminal_size((0, 0))
        write_env(self.path("rig.env"), {
            "RIG_ROLE": self.role, "RIG_STAY": int(self.stay),
            "RIG_SHELL": int(self.shell), "RIG_ARGV": self.argv,
            "RIG_ENV": ["%s=%s" % item for item in env.items()],
            "RIG_NICS": "\n".join(nic["guest"] for nic in self.nics),
            "RIG_TERM": os.environ.get("TERM", "linux"),
            "RIG_ROWS": size.lines, "RIG_COLS": size.columns})

    def start(self):
        self.prepare()
        # Should we be killed outright, the machine goes as well.
        command = ["setpriv", "--pdeathsig", "KILL"] + self.command()
        if self.shell:
            self.proc = subprocess.Popen(command)
            return
        self.proc = subprocess.Popen(command, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
        self.pump = console.pump(self.proc.stdout, self.path("console.log"),
                                 self.prefix + "# " if self.live else None)
        self.follower = console.Follower(self.path("output"), self.prefix)

    def stop(self):
        """Ask the script to end; the machine then powers off by itself."""
        try:
            self.proc.stdin.write(b"stop\n")
            self.proc.stdin.flush()
        except BrokenPipeError:
            pass

    def wait(self, timeout):
        """True when the machine has gone by itself."""
        try:
            self.proc.wait(timeout)
            return True
        except subprocess.TimeoutExpired:
            return False

    def close(self):
        """Kill what still runs (this process only) and collect its output."""
        if self.proc is None:
            return
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        if self.pump:
            self.pump.join()
            self.follower.close()

    def status(self):
        lines = console.read_lines(self.path("status"))
        return int(lines[0]) if lines and lines[0].isdigit() else None

    def complaint(self):
        """Why this run is no good whatever its script said, or None."""
        allowed = console.read_allowed(self.allow)
        for name in ("console.log", "dmesg"):
            splat = console.find_splat(console.read_lines(self.path(name)), allowed)
            if splat:
                return "kernel splat: " + splat
        return self.unfinished()

    def unfinished(self):
        if self.status() is None:
            up = any("rig: %s is up" % self.role in line
                     for line in console.read_lines(self.path("console.log")))
            return "died before its script ended" if up else "did not boot"
        return None


class Qemu(Machine):
    """A stock Debian kernel, whole-system emulation, no outside network."""

    def __init__(self, role, out, share, suite="bookworm", smp=2, mem=1024,
                 append="", shmem=None, icount=False, shift=0, qemu="", **kwargs):
        super().__init__(role, out, share, **kwargs)
        self.icount, self.shift, self.qemu = icount, shift, qemu.split()
        if icount:
            self.env["RIG_ICOUNT"] = "1"
        self.root = tool("root.sh", suite)
        self.kver = initrd.kernel_version(self.root)
        self.smp, self.mem, self.append, self.shmem = smp, mem, append, shmem
        self.image = initrd.kernel_image(self.root)
        self.initrd = initrd.build(self.root, CACHE)

    def cmdline(self):
        words = ["console=ttyS0", "loglevel=6", "panic=-1", "oops=panic",
                 "panic_on_warn=1", "clocksource=tsc", "tsc=reliable", "tsc=nowatchdog",
                 # a busy host delays the ticks that it would wait for, and panic
                 "no_timer_check",
                 "mitigations=off", "rig_fs=9p"]
        if self.shell:
            words += ["rig_cache=none", "loglevel=4"]
        return " ".join(words + self.append.split())

    def folder(self, tag, path, readonly):
        return ["-virtfs", "local,path=%s,mount_tag=%s,security_model=none,"
                "multidevs=remap%s" % (path.replace(",", ",,"), tag,
                                       ",readonly=on" if readonly else "")]

    def command(self):
        # one instruction is 2^shift nanoseconds of every clock inside
        accel = ["-accel", "tcg,thread=single", "-icount", "shift=%d,sleep=off" % self.shift] \
            if self.icount else ["-accel", "tcg,thread=multi"]
        # an emulated "rep movsb" takes its bytes one by one: kernels of such a processor
        # copy by eight, and what a test of the rig waits for are copies; counted are those
        # of a usual one
        cpu = "max" if self.icount else "max,-erms,-fsrm"
        cmd = ["qemu-system-x86_64", "-M", "q35", *accel, "-cpu", cpu,
               "-m", str(self.mem), "-smp", str(self.smp), "-nodefaults",
               "-no-user-config", "-display", "none", "-no-reboot", "-nic", "none",
               "-kernel", self.image, "-initrd", self.initrd,
               "-append", self.cmdline()]
        log = ",logfile=%s" % self.path("console.log") if self.shell else ""
        cmd += ["-chardev", "stdio,id=con,signal=%s%s" % (
            "off" if self.shell else "on", log), "-serial", "chardev:con"]
        cmd += self.folder("root", self.root, True)
        cmd += self.folder("ntpk", TREE, True)
        cmd += self.folder("out", self.out, False)
        cmd += self.folder("share", self.share, False)
        for n, nic in enumerate(self.nics):
            cmd += ["-netdev", nic["netdev"] % ("n%d" % n), "-device",
                    "%s,netdev=n%d,mac=%s" % (nic["model"], n, nic["mac"])]
        cmd += self.qemu
        if self.shmem:
            cmd += ["-object", "memory-backend-file,id=truth,share=on,size=64K,"
                    "mem-path=" + self.shmem, "-device", "ivshmem-plain,memdev=truth"]
        return cmd


class Kcsan(Qemu):
    """A kernel that looks for data races, of which those count that ntpk takes part in."""

    def __init__(self, role, out, share, **kwargs):
        super().__init__(role, out, share, **kwargs)
        build = os.path.join(tool("kcsan-build.sh"), "build")
        self.kver = kernel_release(build)
        self.image = os.path.join(build, "arch/x86/boot/bzImage")
        self.initrd = initrd.build(self.root, CACHE, with_modules=False)

    def cmdline(self):
        # each report would be a warning, others' too; an access is watched for as long as
        # a packet takes here
        return super().cmdline().replace(" panic_on_warn=1", "") + \
            " kcsan.early_enable=1 kcsan.skip_watch=1000 kcsan.udelay_interrupt=200"

    def complaint(self):
        lines = console.read_lines(self.path("console.log"))
        ours, others = console.data_races(lines)
        if ours:
            return "a data race of ntpk's:\n" + "\n".join(ours[0])
        splat = console.find_splat(others)
        return "kernel splat: " + splat if splat else self.unfinished()


class Uml(Machine):
    """The debug kernel: KASAN, lockdep; the Debian root through hostfs."""
    allow = os.path.join(initrd.HERE, "uml-allow.txt")

    def __init__(self, role, out, share, suite="bookworm", smp=2, mem=1024,
                 append="", **kwargs):
        super().__init__(role, out, share, **kwargs)
        self.root = tool("root.sh", suite)
        self.build = os.path.join(tool("uml-build.sh"), "build")
        self.kver = kernel_release(self.build)
        self.smp, self.mem, self.append = smp, mem, append

    def command(self):
        return [os.path.join(self.build, "linux"), "mem=%dM" % self.mem,
                "seccomp=on", "ncpus=%d" % self.smp, "con=null", "con0=fd:0,fd:1",
                "console=tty0", "loglevel=6", "panic=-1",
                "initrd=" + initrd.build(self.root, CACHE, with_modules=False),
                "rig_fs=hostfs", "rig_root=" + self.root, "rig_tree=" + TREE,
                "rig_out=" + self.out, "rig_share=" + self.share,
                *self.append.split()]

    def complaint(self):
        why = super().complaint()
        stats = console.read_lines(self.path("lockdep_stats"))
        on = any(line.split() == ["debug_locks:", "1"] for line in stats)
        if why is None and not on:
            return "lockdep had switched itself off at the end"
        return why
