# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: everything up, everything down, what is there now."""
from __future__ import annotations

import fcntl
import shutil
import threading
from contextlib import contextmanager

import accel
import ceph
import config
import image
import network
import scst
import ssh
from progress import LabError
from vm import Vm


@contextmanager
def locked():
    """One command at a time changes a checkout's lab."""
    config.STATE.mkdir(parents=True, exist_ok=True)
    config.LOG.mkdir(parents=True, exist_ok=True)
    with open(config.STATE / "lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def vms(names):
    unknown = [n for n in names if n not in config.ALL]
    if unknown:
        raise LabError("this machine", "reading the command line", "no such host: %s" % " ".join(unknown), "hosts: %s" % " ".join(config.HOSTS))
    return [Vm(config.ALL[n]) for n in names or config.HOSTS]


def up(progress, names=(), with_ceph=True):
    """Bring up what does not run: Ceph and the VMs at the same time, as both wait a lot."""
    wanted = vms(names)
    made = choose_image(progress)
    with progress.phase("up"):
        network.up()
        ssh.write_config(made)
        options = accel.choose(made, progress)
        with together() as start:
            if with_ceph:
                start(lambda: timed_ceph(progress, made))
            for vm in wanted:
                start(lambda vm=vm: bring(progress, vm, made, options))
        with together() as start:
            for vm in wanted:
                if vm.host.gateway:
                    start(lambda vm=vm: scst.provide(progress, vm.host))


def choose_image(progress):
    """The image that this lab already runs on, so that an edited recipe does not mix two; else the one wanted now."""
    for vm in vms(()):
        disk = vm.backing()
        if disk is None:
            continue
        used = image.Image(disk.parent)
        wanted = "real" if config.scst_source() else "emulated"
        if not (used.folder / "complete").exists():
            raise LabError(vm.host.name, "finding its image", "%s is gone" % used.folder, "run make lab-down, then make lab again")
        if used.flavour != wanted:
            raise LabError(vm.host.name, "reusing the lab", "it runs the flavour %r, wanted is %r" % (used.flavour, wanted),
                           "run make lab-down first" + ("" if config.scst_source() else ", or set SCST_SOURCE as before"))
        if used.folder.name != image.key():
            progress.say("note: the lab runs on an image made from older files; make lab-down, then make lab, takes the new ones")
        return used
    return image.ensure(progress)


def timed_ceph(progress, made):
    if set(ceph.state().values()) == {"running"}:
        ceph.publish()
        return
    with progress.phase("up: Ceph"):
        ceph.up(made)


def bring(progress, vm, made, options):
    """One VM: running, booted, reachable."""
    if vm.state() == "frozen":
        vm.thaw()
    if not vm.pid():
        ssh.forget(vm.host)
        with progress.phase("up: %s boots" % vm.host.name, vm.doing):
            vm.start(made, options)
            vm.wait()
    else:
        vm.wait()
    if ssh.call(vm.host, "hostname", "first ssh", check=False).stdout.strip() != vm.host.name:
        # a shared connection from before a restart may answer no more: once more without it
        ssh.forget(vm.host)
        ssh.call(vm.host, "hostname", "first ssh")


@contextmanager
def together():
    """Run several calls at the same time; at the end the first failure is raised, after all have ended."""
    threads, failures = [], []

    def start(call):
        def body():
            try:
                call()
            except Exception as e:  # noqa: BLE001 - carried to the main thread
                failures.append(e)
        thread = threading.Thread(target=body)
        thread.start()
        threads.append(thread)

    try:
        yield start
    finally:
        for thread in threads:
            thread.join()
    for failure in failures[1:]:
        print(failure, flush=True)
    if failures:
        raise failures[0]


def down(progress, drop_cache=False):
    """Leave nothing of this checkout's lab: processes, mounts, namespace, disks. Logs stay, for a look afterwards."""
    with progress.phase("down"):
        for vm in vms(config.ALL):
            if config.SSH_CONFIG.exists():
                ssh.forget(vm.host)
            vm.remove()
        ceph.down()
        network.down()
        shutil.rmtree(config.RUN, ignore_errors=True)
        for name in ("id_ed25519", "ssh_config", "ceph.conf", "ceph.client.%s.keyring" % ceph.CLIENT):
            (config.STATE / name).unlink(missing_ok=True)
    if drop_cache:
        # by name: the folder may be one that the user gave and keeps other things in
        for path in config.cache().glob("*"):
            if path.name.startswith(("emulated-", "real-", "builder-", "accel-")) or path.name == "debs":
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def status(out=print):
    """What is up, one line each. Gives back True when all of it is."""
    out("network   %s %s" % (config.NETNS, "up" if network.exists() else "absent"))
    for daemon, state in ceph.state().items():
        out("ceph      %-8s %s" % (daemon, state))
    good = network.exists() and set(ceph.state().values()) == {"running"}
    for vm in vms(()):
        state = vm.state()
        good = good and state == "running"
        line = "vm        %-8s %s" % (vm.host.name, state)
        if vm.pid():
            line += "  %s  %d MiB resident" % (vm.host.address, vm.rss_mib())
            line += "".join("  cut from network %d" % net for net in config.NETWORKS if network.is_cut(vm.host, net))
        out(line)
    return good
