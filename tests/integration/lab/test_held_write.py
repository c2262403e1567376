# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stale write of test_stale_write.py below SCST, which needs no client and no real SCST: two gateways' kernels and Ceph.

A write waits in the kernel of gw1, which is cut off from Ceph; a newer one goes through gw2; the cut is mended. Between two mappings as
shared has them, of an image without exclusive lock, the old value overwrites the newer one. Between two as fenced has them,
with the fence of the agents between, Ceph refuses the old write. No step depends on time. The mappings have a client of their own
(noshare): the fence must not hit what the site serves.
"""
import json
import time

import pytest

import failover
from labsite import on

import network

OLD, NEW = "old", "newer"
RESULT = "/run/held-write.json"
# Writes, or reads, the image's first page past all caches. With a file as third word it waits until Ceph is out of reach, says what came of it, and when.
PAGE = """
import json, mmap, os, subprocess, sys, time
fd, page = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT), mmap.mmap(-1, 4096)
if len(sys.argv) == 2:
    os.preadv(fd, [page], 0)
    print(page[:8].decode().strip())
    sys.exit()
page[:8] = sys.argv[2].encode().ljust(8)
if len(sys.argv) == 3:
    os.pwritev(fd, [page], 0)
    sys.exit()
while not subprocess.run(["ping", "-c", "1", "-W", "1", "10.99.0.1"], stdout=subprocess.DEVNULL).returncode:
    pass
began, error = time.time(), None
try:
    os.pwritev(fd, [page], 0)
except OSError as failed:
    error = failed.errno
with open(sys.argv[3] + ".new", "w") as file:
    json.dump(dict(held=time.time() - began, error=error), file)
os.rename(sys.argv[3] + ".new", sys.argv[3])
"""
# As an agent does it: the holder of the image's lock, blocklisted by the gateway's own key.
FENCE = """
import sys
sys.path.insert(0, "/usr/local/lib/cephgate")
from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_state, ha_agent
ceph = ha_agent.ceph_of(gateway_state.load("/etc/cephgate/state.json"))
holder = ceph.holder(sys.argv[1])
print(holder, ceph.fence(holder))
"""


def script(gateway, text, *words, before=""):
    return on(gateway, "%spython3 -c '%s' %s" % (before, text.replace("'", "'\\''"), " ".join(words))).strip()


@pytest.fixture(params=["layering", "exclusive-lock"])
def image(request):
    name = "rbd/held-" + request.param
    on("gw1", "rbd --id igw create --size 8M --image-feature %s %s" % (request.param, name))
    yield name
    for gateway in failover.GATEWAYS:
        on(gateway, "for device in $(rbd --id igw device list | awk -v name=%s '$3 == name {print $NF}'); do rbd unmap -o force $device; done" % name[4:])
    end = time.monotonic() + 90  # Ceph misses a client that was cut off for 30 s
    while True:
        try:
            on("gw2", "rbd --id igw rm --no-progress " + name)
            return
        except AssertionError:
            if time.monotonic() > end:
                raise
        time.sleep(3)


def mapped(gateway, image, options):
    return on(gateway, "rbd --id igw map -o %s %s" % (options, image)).strip()


def hold(device):
    """gw1 holds the old value from now on. Ends when its network is cut."""
    on("gw1", "rm -f %s; systemctl reset-failed held-write 2>/dev/null || true" % RESULT)
    script("gw1", PAGE, device, OLD, RESULT, before="systemd-run --quiet --unit held-write ")
    network.cut(failover.HOSTS["gw1"], 0)
    time.sleep(6)  # for its ping to fail; were that not enough, it would show in what gw1 says


def let_go():
    network.mend(failover.HOSTS["gw1"], 0)
    end = time.monotonic() + 120
    while on("gw1", "test -e %s && echo there || true" % RESULT).strip() != "there":
        assert time.monotonic() < end, "gw1's write has not ended 2 min after the network was mended"
        time.sleep(1)
    found = json.loads(on("gw1", "cat " + RESULT))
    assert found["held"] > 1, "the write was not held, so this shows nothing: %s" % found
    return found


def test_a_held_write_overwrites_a_newer_one_unless_ceph_has_fenced_it(image):
    locked = image.endswith("exclusive-lock")
    options = "noshare,exclusive" if locked else "noshare"
    first = mapped("gw1", image, options)
    script("gw1", PAGE, first, "first")
    try:
        hold(first)
        if locked:
            script("gw2", FENCE, image)
        second = mapped("gw2", image, options)
        script("gw2", PAGE, second, NEW)
        assert script("gw2", PAGE, second) == NEW
    finally:
        network.mend(failover.HOSTS["gw1"], 0)
    found = let_go()
    assert script("gw2", PAGE, second) == (NEW if locked else OLD)
    assert bool(found["error"]) == locked, found
