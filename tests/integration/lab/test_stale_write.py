# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stale write, made to happen: a write waits in the old gateway's kernel below SCST, a newer one goes through another gateway, the old
one is let go.

What holds it is a cut between the old gateway and Ceph: libceph keeps what it could not send, and sends it when it can. No step depends
on time, so the outcome of each mode is always the same: without the images' lock the old value overwrites the newer one, in mode
fenced Ceph refuses it.
"""
import copy
import subprocess
import time

import failover
from labsite import STATE, disk, on, play_site

import network

BARE = {"image": "rbd/bare", "size": "64M", "gateway": "gw1", "hosts": {"app": 5}}
OLD, NEW = "old", "newer"
DIRECT = """
import mmap, os, sys
fd, page, offset = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT), mmap.mmap(-1, 4096), int(sys.argv[2])
if len(sys.argv) > 3:
    page[:8] = sys.argv[3].encode().ljust(8)
    os.pwritev(fd, [page], offset)
else:
    os.preadv(fd, [page], offset)
    print(page[:8].decode().strip())
"""


def start(device, *words):
    """On the client, at the disk's first page, past all caches."""
    process = subprocess.Popen(["ssh", "-F", str(STATE / "ssh_config"), "client1", "python3 - %s 0 %s" % (device, " ".join(words))],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdin.write(DIRECT)
    process.stdin.close()
    process.stdin = None
    return process


def ended(process, seconds=180):
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out.strip()


def hold_and_let_go(device, gateway):
    """Leaves the old value held in that gateway, which is cut off; the newer one is on the disk. Then mends the networks."""
    host = failover.HOSTS[gateway]
    ended(start(device, "first"))
    try:
        network.cut(host, 0)
        old = start(device, OLD)
        time.sleep(1.5)
        assert old.poll() is None, "the write was to wait for Ceph in %s, and ended: is it served there?" % gateway
        network.cut(host, 1)
        network.cut(host, 2)
        # The client sends it again on its other paths, so it is told of the old value's success, and then writes the newer one.
        ended(old)
        ended(start(device, NEW))
        assert ended(start(device)) == NEW
    finally:
        for number in (0, 1, 2):
            network.mend(host, number)


def refused(gateway):
    """How many writes of that gateway's kernel Ceph has refused."""
    return int(on(gateway, "dmesg | grep -c 'rbd.*write.*result -108' || true"))


def test_in_shared_without_the_lock_an_old_write_overwrites_a_newer_one(declared):
    luns = copy.deepcopy(declared["cephgate_luns"])
    failover.leave("shared")
    run = play_site(variables={"cephgate_luns": luns + [BARE], "gateway_image_features": ["layering"]})
    assert run.code == 0, run.error
    try:
        # Which gateway the client uses, it says only after a write. It is not gw1 when that has just come back from something else.
        ended(start(disk(5), "first"))
        hold_and_let_go(disk(5), failover.owner("shared", BARE["image"]))
        end = time.monotonic() + 90
        while ended(start(disk(5))) != OLD:
            assert time.monotonic() < end, "the newer value stayed: does the image have a lock, or was the write not held?"
            time.sleep(1)
    finally:
        run = play_site(variables={"cephgate_luns": luns + [BARE], "cephgate_image": BARE["image"]}, playbook="cephgate.iscsi.remove_lun")
    assert run.code == 0, run.error


def test_in_fenced_ceph_refuses_the_old_write(declared):
    failover.switch("fenced", False)
    failover.healthy()
    gateway, device = failover.owner("fenced"), disk(failover.LUN)
    before = refused(gateway)
    hold_and_let_go(device, gateway)
    end = time.monotonic() + 120
    while refused(gateway) == before:
        assert time.monotonic() < end, "the old write has not come back from Ceph, so this shows nothing"
        time.sleep(1)
    for dummy in range(3):
        assert ended(start(device)) == NEW
        time.sleep(1)


def test_the_refused_gateway_comes_back_by_itself(declared):
    """Not on the emulator: LIO, its data plane, ends no session before the commands that the guard holds."""
    failover.healthy()
    assert ended(start(disk(failover.LUN))) == NEW
