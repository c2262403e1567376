# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VM for the role that builds SCST: no Ceph, a compiler, and a second kernel to be installed later."""
from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
from pathlib import Path

import accel
import cluster
import config
import image
import network
import rootfs
import ssh
from proc import run
from progress import LabError
from vm import Vm

PACKAGES = """
    linux-image-amd64 linux-headers-amd64 systemd-sysv udev dbus kmod busybox-static
    openssh-server iproute2 netbase procps python3 python3-apt
    dkms gcc make perl libc6-dev openssl bc bzip2 xz-utils mokutil
""".split()

# Of the same version: they share their common headers. In the guest, which reaches no mirror, dpkg installs them.
DEBS = "/var/cache/lab-debs"
DOWNLOAD = ('set -eu; first=$(ls "$1/lib/modules"); second=${first%-amd64}-cloud-amd64; mkdir -p "$1' + DEBS + '"; cd "$1' + DEBS + '"; '
            'APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get download -qq "linux-image-$second" "linux-headers-$second"')


def key():
    h = hashlib.sha256()
    for name in ("builder.py", "rootfs.py", "initrd.py", "image.py"):
        h.update((config.SHARED / "lab" / name).read_bytes())
    for path in sorted(p for p in config.GUEST_FILES.rglob("*") if p.is_file()):
        h.update(b"%s\0%s\0" % (str(path.relative_to(config.SHARED)).encode(), path.read_bytes()))
    h.update(("%s %s" % (config.SUITE, platform.machine())).encode())
    return "builder-" + h.hexdigest()[:16]


def up(progress, second=False):
    """Bring the VM up, with the second kernel when asked for; a running VM is left alone."""
    others = [vm.host.name for vm in cluster.vms(()) if vm.disk.exists()]
    if others:
        raise LabError("builder", "starting", "the site's VMs are there: %s" % ", ".join(others), "run make lab-down first: both use one ssh key")
    made = image.ensure(progress, name=key(), make=make)
    if second:
        made.kernel, made.initrd = second_boot(made)
    with progress.phase("up"):
        network.up()
        ssh.write_config(made)
        cluster.bring(progress, Vm(config.BUILDER), made, accel.choose(made, progress))


def second_boot(made):
    return made.folder / "second-kernel", made.folder / "second-initrd"


def make(progress, made):
    log = image.fresh_log()
    with progress.phase("image: Debian packages", lambda: image.size(made.root)):
        rootfs.build(made.root, PACKAGES, log, python_packages=(), hooks=[DOWNLOAD])
    release = rootfs.kernel_release(made.root)
    with progress.phase("image: kernels, initrds, own files"):
        # the lab's own files name the initiator there
        (made.root / "etc/iscsi").mkdir()
        rootfs.customise(made.root, log)
        image.let_in(made)
        image.boot_files(made.root, release, made.kernel, made.initrd)
        prepare_second(made, release.replace("-amd64", "-cloud-amd64"), log)
    with progress.phase("image: disk"):
        # With a journal, unlike the site's: this VM loses its power while it writes.
        run(["mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0,lazy_itable_init=0", "-L", "lab", "-d", str(made.root), str(made.disk),
             image.DISK_SIZE], "image", "writing the disk", log=log)


def prepare_second(made, release, log):
    """Boot files of a kernel that the guest does not have yet, and its packages in a form that an emulated guest unpacks quickly."""
    folder = made.root / DEBS.lstrip("/")
    for deb in sorted(folder.glob("*.deb")):
        with tempfile.TemporaryDirectory(dir=made.folder) as work:
            tree = Path(work, "tree")
            run(["dpkg-deb", "-R", deb, tree], "image", "unpacking %s" % deb.name, log=log)
            plain = folder / (deb.name.split("_")[0] + ".deb")
            run(["dpkg-deb", "-Znone", "--build", tree, plain], "image", "packing %s" % deb.name, log=log)
            if deb.name.startswith("linux-image-"):
                run(["depmod", "-b", tree, release], "image", "listing the modules of %s" % release, log=log)
                (tree / "bin").mkdir()
                shutil.copy(made.root / "bin/busybox", tree / "bin/busybox")
                image.boot_files(tree, release, *second_boot(made))
        os.remove(deb)
