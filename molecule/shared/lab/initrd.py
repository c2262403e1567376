# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel and initial RAM disk for a direct boot.

Written here instead of by initramfs-tools: that one starts a second udev and took most of the seconds of an emulated
boot; a VM whose root is always /dev/vda with ext4 needs a dozen modules and a mount.
"""
from __future__ import annotations

import gzip
import lzma
from pathlib import Path

from progress import LabError

MODULES = "virtio_pci virtio_blk virtio_net virtio_rng ext4".split()

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root
/bin/busybox mount -t proc proc /proc
case "$(/bin/busybox cat /proc/cmdline)" in *lab.probe*)
    echo "lab: probe ok"
    /bin/busybox poweroff -f;;
esac
/bin/busybox mount -t devtmpfs dev /dev
for m in $(/bin/busybox cat /modules); do /bin/busybox insmod /m/$m || echo "lab: initrd: cannot load $m"; done
n=0
until [ -b /dev/vda ] || [ $n -ge 100 ]; do n=$((n + 1)); /bin/busybox usleep 50000; done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root || { echo "lab: initrd: no root file system on /dev/vda"; /bin/busybox poweroff -f; }
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
"""


def make(root, release, target):
    """Write the initrd for kernel RELEASE of the tree ROOT to TARGET (gzip: quickest to unpack under emulation that any kernel knows)."""
    modules = closure(Path(root, "lib/modules", release), MODULES)
    entries = [("init", 0o100755, INIT.encode()), ("bin", 0o040755, b""), ("m", 0o040755, b""),
               ("bin/busybox", 0o100755, Path(root, "bin/busybox").read_bytes()),
               ("modules", 0o100644, "\n".join(m.name for m in modules).encode() + b"\n")]
    entries += [("m/" + m.name, 0o100644, m.read_bytes()) for m in modules]
    # /dev/console must exist before init runs, or its messages are lost
    data = b"".join([cpio("dev", 0o040755, b"", 1), cpio("dev/console", 0o020600, b"", 2, (5, 1))]
                    + [cpio(name, mode, body, 3 + n) for n, (name, mode, body) in enumerate(entries)]
                    + [cpio("TRAILER!!!", 0, b"", 0)])
    Path(target).write_bytes(gzip.compress(data, 6, mtime=0))


def closure(folder, names):
    """Module files for NAMES and all they depend on, in loading order; built-in ones need no file."""
    depends = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, needed = line.split(":", 1)
        depends[Path(path).name.split(".ko")[0].replace("-", "_")] = (path, needed.split())
    builtin = {Path(p).name.split(".ko")[0].replace("-", "_") for p in (folder / "modules.builtin").read_text().splitlines()}
    order = []
    # crc32c is asked for by ext4 at run time (crypto API), not by symbol: depmod does not know of it
    for name in names + ["crc32c_generic"]:
        if name in builtin:
            continue
        if name not in depends:
            raise LabError("image", "making the initrd", "kernel in %s has no module %s" % (folder, name), "use a generic kernel, not a cloud one")
        path, needed = depends[name]
        for one in list(reversed(needed)) + [path]:
            if folder / one not in order:
                order.append(folder / one)
    return order


def cpio(name, mode, body, inode, device=(0, 0)):
    """One member of a "newc" cpio archive (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    raw = name.encode() + b"\0"
    fields = [inode, mode, 0, 0, 1, 0, len(body), 0, 0, device[0], device[1], len(raw), 0]
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    return pad(head) + pad(body)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def unpack_kernel(bzimage, target):
    """Write the ELF image inside a bzImage: QEMU boots it directly (PVH), which saves unpacking it in the emulated processor.

    Gives back False when the image is not packed with xz; then the bzImage itself serves.
    """
    data = Path(bzimage).read_bytes()
    at = data.find(b"\xfd7zXZ\0")
    while at >= 0:
        try:
            body = lzma.LZMADecompressor(format=lzma.FORMAT_XZ).decompress(data[at:])
        except lzma.LZMAError:
            body = b""
        if body[:4] == b"\x7fELF":
            Path(target).write_bytes(body)
            return True
        at = data.find(b"\xfd7zXZ\0", at + 1)
    return False
