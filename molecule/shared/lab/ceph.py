# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Ceph on the management network: one monitor and one OSD, native daemons in a chroot over the image's root.

No manager: nothing here needs one, and it costs 277 MiB and half of the start (measured). `ceph -s` works without it,
`ceph pg stat` hangs.
"""
from __future__ import annotations

import os
import shutil
import time
import uuid

import config
import network
import proc
from proc import run
from progress import LabError

FOLDER = config.STATE / "ceph"
ROOT = config.RUN / "ceph"
# Parts of the chroot that are written to: kept in this checkout, bound over the shared root; "run" lies in RUN.
WRITTEN = ("etc/ceph", "var/lib/ceph", "var/log/ceph", "tmp")
SYSTEM = ("proc", "sys", "dev")
CLIENT = "igw"
DONE = FOLDER / "var/lib/ceph/made"

CONF = """\
[global]
fsid = {fsid}
mon_host = [v2:{ip}:3300,v1:{ip}:6789]
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
"""

DAEMONS = """\
public_network = 10.99.0.0/24
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_crit = 1
mon_data_avail_warn = 2
osd_objectstore = {store}
osd_memory_target = 939524096
bluestore_cache_autotune = false
bluestore_cache_size = 67108864
bluestore_block_size = 17179869184
memstore_device_bytes = 4294967296
osd_op_num_shards = 1
osd_op_num_threads_per_shard = 2
"""


def tool(*argv, step=None, timeout=60, check=True):
    """Run a Ceph command in the chroot."""
    return run(network.inside(["chroot", ROOT, *argv]), "ceph", step or " ".join(argv), timeout=timeout, check=check)


def mount(image):
    """The shared root, read-only, with this checkout's own folders over it."""
    ROOT.mkdir(parents=True, exist_ok=True)
    mounted = mounts()
    if str(ROOT) not in mounted:
        run(["mount", "--bind", image.root, ROOT], "ceph", "mounting the chroot")
        run(["mount", "-o", "remount,bind,ro", ROOT], "ceph", "mounting the chroot read-only")
    for part in WRITTEN + ("run",):
        own = folder(part)
        own.mkdir(parents=True, exist_ok=True)
        if str(ROOT / part) not in mounted:
            run(["mount", "--bind", own, ROOT / part], "ceph", "mounting %s" % part)
    for part in SYSTEM:
        if str(ROOT / part) not in mounted:
            run(["mount", "--bind", "/" + part, ROOT / part], "ceph", "mounting /%s" % part)
    for part in ("var/lib/ceph/mon", "var/lib/ceph/osd", "run/ceph"):
        (ROOT / part).mkdir(exist_ok=True)


def folder(part):
    """Where a written part of the chroot really lies. Pid files must not outlive a reboot of this machine."""
    return config.RUN / "ceph-run" if part == "run" else FOLDER / part


def mounts():
    """Mount points below this lab's Ceph folder, in mounting order."""
    with open("/proc/self/mounts") as f:
        points = [line.split()[1] for line in f]
    return [p for p in points if p == str(ROOT) or p.startswith(str(ROOT) + "/")]


def pid(daemon):
    """Process id of a running daemon of this lab: only those have this chroot as their root."""
    running = proc.read_pid(config.RUN / "ceph-run/ceph" / (daemon + ".pid"), "ceph-" + daemon.split(".")[0])
    return running if running and os.readlink("/proc/%d/root" % running) == str(ROOT) else None


def start(daemon, log):
    kind, ident = daemon.split(".")
    run(network.inside(["chroot", ROOT, "ceph-" + kind, "-i", ident, "--pid-file", "/run/ceph/%s.pid" % daemon]),
        "ceph", "starting %s" % daemon, timeout=120, log=log)


def up(image):
    """Make the cluster when there is none, else start what does not run."""
    log = config.LOG / "ceph.log"
    if (FOLDER / "var/lib/ceph").exists() and not DONE.exists():
        # half made: nobody has used it
        down()
    mount(image)
    if not DONE.exists():
        make(log)
        DONE.touch()
    else:
        for daemon in ("mon.a", "osd.0"):
            if pid(daemon) is None:
                start(daemon, log)
        wait_osd()
    publish()


def make(log):
    ip = config.CEPH_ADDRESS
    fsid = str(uuid.uuid4())
    store = config.ceph_store()
    if store not in ("bluestore", "memstore"):
        raise LabError("ceph", "reading CEPHGATE_LAB_STORE", "unknown object store %r" % store, "set it to bluestore or memstore")
    conf = FOLDER / "etc/ceph/ceph.conf"
    conf.write_text(CONF.format(fsid=fsid, ip=ip) + DAEMONS.format(store=store))
    tool("ceph-authtool", "--create-keyring", "/etc/ceph/mon.keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    tool("ceph-authtool", "--create-keyring", "/etc/ceph/ceph.client.admin.keyring", "--gen-key", "-n", "client.admin",
         "--cap", "mon", "allow *", "--cap", "osd", "allow *")
    tool("ceph-authtool", "/etc/ceph/mon.keyring", "--import-keyring", "/etc/ceph/ceph.client.admin.keyring")
    tool("monmaptool", "--create", "--clobber", "--addv", "a", "[v2:%s:3300,v1:%s:6789]" % (ip, ip), "--fsid", fsid, "/tmp/monmap")
    (FOLDER / "var/lib/ceph/mon/ceph-a").mkdir(parents=True)
    tool("ceph-mon", "--mkfs", "-i", "a", "--monmap", "/tmp/monmap", "--keyring", "/etc/ceph/mon.keyring", step="making the monitor's store")
    start("mon.a", log)
    tool("ceph", "mon", "enable-msgr2")
    osd = str(uuid.uuid4())
    (FOLDER / "var/lib/ceph/osd/ceph-0").mkdir(parents=True)
    tool("ceph", "osd", "new", osd)
    tool("ceph", "auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *", "-o", "/var/lib/ceph/osd/ceph-0/keyring")
    tool("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd, "--keyring", "/var/lib/ceph/osd/ceph-0/keyring", step="making the OSD's store",
         timeout=180)
    start("osd.0", log)
    wait_osd()
    tool("ceph", "osd", "pool", "create", "rbd", "8", "8")
    tool("ceph", "osd", "pool", "application", "enable", "rbd", "rbd")
    tool("ceph", "auth", "get-or-create", "client." + CLIENT, "mon", "profile rbd", "osd", "profile rbd",
         "-o", "/etc/ceph/ceph.client.%s.keyring" % CLIENT)
    # the pool is usable only when its placement groups are active: an I/O says so where the manager cannot
    tool("rbd", "create", "rbd/lab-probe", "-s", "4M", step="creating a first image", timeout=120)
    tool("rbd", "rm", "--no-progress", "rbd/lab-probe", timeout=120)


def wait_osd(seconds=120):
    end = time.monotonic() + seconds
    while True:
        # bounded: without a monitor the ceph command retries for five minutes
        if " 1 up" in tool("ceph", "--connect-timeout", "10", "osd", "stat", check=False).stdout:
            return
        if time.monotonic() > end:
            raise LabError("ceph", "waiting for the OSD", "not up after %d s" % seconds, "run make lab again",
                           FOLDER / "var/log/ceph/ceph-osd.0.log")
        time.sleep(0.3)


def publish():
    """What the inventory reads: a client's ceph.conf and the gateways' restricted key."""
    conf = (FOLDER / "etc/ceph/ceph.conf").read_text().splitlines(keepends=True)
    (config.STATE / "ceph.conf").write_text("".join(conf[:CONF.count("\n")]))
    name = "ceph.client.%s.keyring" % CLIENT
    target = config.STATE / name
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
        f.write((FOLDER / "etc/ceph" / name).read_text())
    os.chmod(target, 0o600)


def state():
    return {d: "running" if pid(d) else "down" for d in ("mon.a", "osd.0")}


def down():
    for daemon in ("osd.0", "mon.a"):
        running = pid(daemon)
        if running:
            proc.stop(running, patience=3)
    for point in reversed(mounts()):
        done = run(["umount", point], "ceph", "unmounting", check=False)
        if done.returncode:
            run(["umount", "-l", point], "ceph", "unmounting %s" % point)
    if mounts():
        raise LabError("ceph", "unmounting the chroot", "still mounted: %s" % mounts(), "unmount them by hand, then run make lab-down again")
    shutil.rmtree(FOLDER, ignore_errors=True)
