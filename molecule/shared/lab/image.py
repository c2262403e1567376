# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest image: made once, kept under a key of all it is made from."""
from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import config
import initrd
import rootfs
import scst
from proc import run
from progress import LabError

DISK_SIZE = "4G"


class Image:
    """Paths of one finished image."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.root = self.folder / "root"
        self.disk = self.folder / "disk.raw"
        self.kernel = self.folder / "kernel"
        self.initrd = self.folder / "initrd"
        self.flavour = self.folder.name.split("-")[0]
        self.identity = self.folder / "id_ed25519"


def key():
    """Changes with everything the image is made from, except the versions that the mirror happens to hold."""
    h = hashlib.sha256()
    recipe = [config.SHARED / "lab" / n for n in ("rootfs.py", "initrd.py", "image.py")]
    for path in recipe + sorted(p for p in config.GUEST_FILES.rglob("*") if p.is_file()):
        h.update(b"%s\0%s\0" % (str(path.relative_to(config.SHARED)).encode(), path.read_bytes()))
    h.update(("%s %s" % (config.SUITE, platform.machine())).encode())
    source = config.scst_source()
    if source:
        h.update(scst.fingerprint(source).encode())
    return "%s-%s" % ("real" if source else "emulated", h.hexdigest()[:16])


@contextmanager
def locked(name):
    """Two clones may want the same image at once: the second waits and finds it."""
    config.cache().mkdir(parents=True, exist_ok=True)
    with open(config.cache() / (name + ".lock"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def find():
    """The finished image for what is asked now, or None."""
    folder = config.cache() / key()
    return Image(folder) if (folder / "complete").exists() else None


def ensure(progress, force=False, name=None, make=None):
    """Give back the image, making it when it is not in the cache. NAME and MAKE: of another image than the site's."""
    if os.geteuid() != 0:
        raise LabError("this machine", "making the guest image", "not root", "run as root: chroots, name spaces and taps need it")
    name = name or key()
    folder = config.cache() / name
    with locked(name):
        if force and folder.exists():
            shutil.rmtree(folder)
        if (folder / "complete").exists():
            (folder / "complete").touch()
            return Image(folder)
        prune(name.split("-")[0])
        work = config.cache() / (name + ".making")
        # left by a run that was interrupted
        for stale in (work, folder):
            if stale.exists():
                shutil.rmtree(stale)
        work.mkdir(parents=True)
        with progress.phase("image"):
            (make or make_site)(progress, Image(work))
        (work / "complete").touch()
        os.rename(work, folder)
    return Image(folder)


def prune(flavour, days=14):
    """Remove images of the same flavour that nobody has asked for lately: every edit of a recipe makes a new one of 1 GB."""
    for complete in config.cache().glob(flavour + "-*/complete"):
        if time.time() - complete.stat().st_mtime > days * 86400:
            shutil.rmtree(complete.parent)


def make_site(progress, image):
    log = fresh_log()
    real = config.scst_source()
    with progress.phase("image: Debian packages", lambda: size(image.root)):
        rootfs.build(image.root, rootfs.PACKAGES + (rootfs.BUILD_PACKAGES if real else []), log)
    release = rootfs.kernel_release(image.root)
    with progress.phase("image: kernel, initrd, own files"):
        rootfs.customise(image.root, log)
        let_in(image)
        boot_files(image.root, release, image.kernel, image.initrd)
    if real:
        with progress.phase("image: building SCST for kernel %s" % release):
            scst.build(real, image.root, release, config.LOG / "scst_build.log")
    with progress.phase("image: disk"):
        # With a journal: hosts of the lab lose their power, and their file systems are not checked at boot.
        run(["mke2fs", "-q", "-t", "ext4", "-J", "size=16", "-O", "^metadata_csum,^64bit", "-E", "root_owner=0:0,lazy_itable_init=0",
             "-L", "lab", "-d", str(image.root), str(image.disk), DISK_SIZE], "image", "writing the disk", log=log)


def let_in(image):
    """A key pair for ssh into the VMs of this image."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "cephgate lab", "-f", str(image.identity)], "image", "making the ssh key")
    shutil.copy(str(image.identity) + ".pub", image.root / "root/.ssh/authorized_keys")


def boot_files(root, release, kernel, target):
    """Write what QEMU boots: the kernel RELEASE of the tree ROOT to KERNEL, and its initrd to TARGET."""
    bzimage = root / "boot" / ("vmlinuz-" + release)
    if not initrd.unpack_kernel(bzimage, kernel):
        shutil.copy(bzimage, kernel)
    initrd.make(root, release, target)


def fresh_log():
    config.LOG.mkdir(parents=True, exist_ok=True)
    log = config.LOG / "image.log"
    log.write_text("")
    return log


def size(path):
    done = run(["du", "-sm", str(path)], "image", "measuring", check=False)
    return (done.stdout.split() or ["0"])[0] + " MB so far"
