# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guest's root tree, from Debian packages. It serves the VMs (as a disk) and Ceph's daemons (as a chroot)."""
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import config
from proc import run
from progress import LabError

PACKAGES = """
    linux-image-amd64 systemd-sysv udev dbus kmod busybox-static
    openssh-server iproute2 iputils-ping netbase procps
    python3 python3-apt
    open-iscsi multipath-tools sg3-utils lsscsi fio
    xfsprogs e2fsprogs parted fdisk
    ceph-common ceph-mon ceph-osd
    fuse3 libfuse3-3
""".split()

# Real SCST is compiled in the root, for the guest's kernel.
BUILD_PACKAGES = "linux-headers-amd64 gcc make perl libc6-dev openssl bc bzip2 xz-utils".split()

# Pure Python, needed by the SCST emulator; not packaged in Debian 12.
PYTHON_PACKAGES = ("mfusepy==3.1.1",)

# What a storage guest on virtio never loads: less to unpack and to index (depmod), in a tree that is copied often.
UNUSED = """
    /usr/share/man/* /usr/share/info/* /usr/share/locale/* /usr/share/doc/*
    /usr/share/ceph/mgr/*
    /lib/modules/*/kernel/sound/* /lib/modules/*/kernel/drivers/gpu/* /lib/modules/*/kernel/drivers/media/*
    /lib/modules/*/kernel/drivers/net/wireless/* /lib/modules/*/kernel/drivers/net/ethernet/*
    /lib/modules/*/kernel/drivers/iio/* /lib/modules/*/kernel/drivers/staging/* /lib/modules/*/kernel/drivers/usb/*
    /lib/modules/*/kernel/drivers/bluetooth/* /lib/modules/*/kernel/net/bluetooth/* /lib/modules/*/kernel/net/wireless/*
    /lib/modules/*/kernel/net/mac80211/* /lib/modules/*/kernel/drivers/hwmon/* /lib/modules/*/kernel/drivers/input/*
    /etc/kernel/postinst.d/initramfs-tools
""".split()

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def sources():
    """apt source lines for the guest: this machine's own mirrors of Debian's own suites, main only.

    CEPHGATE_LAB_MIRROR (URL of a Debian mirror) is for machines that have none configured, such as Ubuntu.
    """
    option = "[signed-by=%s]" % KEYRING
    if not os.path.exists(KEYRING):
        raise LabError("image", "finding Debian's archive keys", "%s does not exist" % KEYRING, "install the package debian-archive-keyring")
    own = os.environ.get("CEPHGATE_LAB_MIRROR")
    if own:
        return ["deb %s %s %s main" % (option, own.rstrip("/") + "/", config.SUITE)]
    asked = run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(CODENAME)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)|$(CREATED_BY)"],
                "image", "asking apt for its mirrors")
    lines = []
    for row in asked.stdout.splitlines():
        origin, codename, release, component, uri, kind = row.split("|")
        if origin == "Debian" and kind == "Packages" and component == "main" and codename in (
                config.SUITE, config.SUITE + "-updates", config.SUITE + "-security"):
            line = "deb %s %s %s main" % (option, uri, release)
            if line not in lines:
                lines.append(line)
    if not any(line.endswith(" %s main" % config.SUITE) for line in lines):
        raise LabError("image", "asking apt for its mirrors", "no source of Debian %s main among apt's index files" % config.SUITE,
                       "run apt-get update; on a machine that is not Debian 12 set CEPHGATE_LAB_MIRROR to a Debian mirror's URL")
    return lines


def proxies():
    """apt's proxy settings of this machine, as options for mmdebstrap, which reads no apt configuration of its own accord."""
    dumped = run(["apt-config", "dump"], "image", "asking apt for its proxy").stdout
    return [line.rstrip(";") for line in dumped.splitlines()
            if line.startswith(("Acquire::http::Proxy ", "Acquire::https::Proxy "))]


def build(root, packages, log, python_packages=PYTHON_PACKAGES, hooks=()):
    """Make the tree ROOT. Needs root; mounts only inside mmdebstrap's own mount namespace. HOOKS: its customize hooks."""
    debs = config.cache() / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    archives = '"$1"/var/cache/apt/archives'
    argv = [
        "mmdebstrap", "--mode=root", "--variant=apt", "--format=directory",
        "--include=" + ",".join(packages),
        # keep the downloads until the last hook, which saves them for the next image
        "--skip=download/empty", "--skip=essential/unlink",
        "--setup-hook=mkdir -p %s && find '%s' -name '*.deb' -exec cp -t %s {} +" % (archives, debs, archives),
        "--customize-hook=find %s -name '*.deb' -exec cp -n -t '%s' {} +; rm -f %s/*.deb" % (archives, debs, archives),
        # the tree is thrown away when a step fails: no need to wait for the disk at every package
        "--dpkgopt=force-unsafe-io",
    ]
    argv += ["--customize-hook=" + hook for hook in hooks]
    argv += ["--dpkgopt=path-exclude=" + path for path in UNUSED]
    argv += ["--aptopt=" + option for option in proxies()]
    argv += [config.SUITE, str(root)] + sources()
    run(argv, "image", "installing Debian packages with mmdebstrap", timeout=1500, log=log)
    if not python_packages:
        return
    venv = config.CHECKOUT / ".venv/bin/python"
    run([venv if venv.exists() else sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--root-user-action=ignore",
         "--target", root / "usr/local/lib/python3.11/dist-packages"] + list(python_packages),
        "image", "installing Python packages with pip", timeout=300, log=log)


def customise(root, log):
    """Put the lab's own files in, and leave out what only slows an emulated boot."""
    for source in sorted(config.GUEST_FILES.rglob("*")):
        target = root / source.relative_to(config.GUEST_FILES)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            shutil.copy(source, target)
    run(["chroot", str(root), "/bin/sh", "/usr/local/lib/lab/finish"], "image", "finishing the guest's root", log=log)
    os.remove(root / "usr/local/lib/lab/finish")


def kernel_release(root):
    """Release of the one kernel in the tree."""
    found = sorted(p.name for p in Path(root, "lib/modules").iterdir())
    if len(found) != 1:
        raise LabError("image", "finding the guest's kernel", "kernels in the tree: %s" % found, "lab image --force")
    return found[0]
