# SPDX-License-Identifier: GPL-2.0-only
"""The small initramfs of a test machine: busybox, the modules that reach the
root over 9p, and initramfs-init.  Written as newc cpio, cached by content."""
import hashlib
import lzma
import os
import stat
import subprocess

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WANTED = ("virtio_pci", "9pnet_virtio", "9p", "overlay")


def kernel_version(root):
    """The one kernel of a root; the newest name if there were several."""
    return sorted(os.listdir(os.path.join(root, "lib/modules")))[-1]


def kernel_image(root):
    return os.path.join(root, "boot", "vmlinuz-" + kernel_version(root))


def module_name(path):
    return os.path.basename(path).split(".ko")[0].replace("-", "_")


def load_order(moddir, wanted):
    """Paths of the wanted modules and all they need, in loading order."""
    deps, by_name, order = {}, {}, []
    with open(os.path.join(moddir, "modules.dep")) as f:
        for line in f:
            path, needs = line.split(":", 1)
            deps[path] = needs.split()
            by_name[module_name(path)] = path
    with open(os.path.join(moddir, "modules.builtin")) as f:
        builtin = {module_name(line.strip()) for line in f}

    def add(path):
        for need in deps[path]:
            add(need)
        if path not in order:
            order.append(path)

    for name in wanted:
        if name in by_name:
            add(by_name[name])
        elif name not in builtin:
            raise FileNotFoundError("no module %s in %s" % (name, moddir))
    return order


def read_module(path):
    """A module's bytes, decompressed: busybox's insmod takes no other."""
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq"], input=data, check=True,
                              stdout=subprocess.PIPE).stdout
    return data


def cpio_entry(name, mode, data=b""):
    name = name.encode() + b"\0"
    head = b"070701" + b"".join(b"%08X" % v for v in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def cpio(files):
    """files: (name, mode, bytes) in order, folders first."""
    return b"".join(cpio_entry(*f) for f in files) + cpio_entry("TRAILER!!!", 0)


def contents(root, with_modules):
    files = [(d, stat.S_IFDIR | 0o755) for d in ("bin", "modules")]
    with open(os.path.join(root, "bin/busybox"), "rb") as f:
        files.append(("bin/busybox", stat.S_IFREG | 0o755, f.read()))
    with open(os.path.join(HERE, "initramfs-init"), "rb") as f:
        files.append(("init", stat.S_IFREG | 0o755, f.read()))
    order = []
    if with_modules:
        moddir = os.path.join(root, "lib/modules", kernel_version(root))
        for path in load_order(moddir, WANTED):
            order.append(module_name(path) + ".ko")
            files.append(("modules/" + order[-1], stat.S_IFREG | 0o644,
                          read_module(os.path.join(moddir, path))))
    files.append(("modules/order", stat.S_IFREG | 0o644,
                  "\n".join(order).encode()))
    return files


def cache_key(root, with_modules):
    """What the image is made from, without reading the modules."""
    with open(os.path.join(HERE, "initramfs-init"), "rb") as f:
        text = f.read()
    with open(os.path.abspath(__file__), "rb") as f:
        text += f.read()
    text += ("%s %s %s" % (root, kernel_version(root), with_modules)).encode()
    return hashlib.sha256(text).hexdigest()[:12]


def build(root, cache, with_modules=True):
    """Path of the initramfs for the kernel of root."""
    folder = os.path.join(cache, "initrd")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "%s-%s" % (
        kernel_version(root) if with_modules else "uml",
        cache_key(root, with_modules)))
    if os.path.exists(path):
        return path
    tmp = "%s.%d.tmp" % (path, os.getpid())
    with open(tmp, "wb") as f:
        f.write(cpio(contents(root, with_modules)))
    os.rename(tmp, path)
    return path
