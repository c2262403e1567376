# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Growing and snapshots of an image whose lock a gateway keeps, below SCST: a real Ceph, a kernel's mapping as fenced has it, the modules' code.

The mapping is gw1's, the changes are made on gw2, as a playbook makes them on whichever gateway is the first. It has a client of its own (noshare),
so that nothing of the site depends on it.
"""
import time

import pytest

from labsite import on
from test_held_write import PAGE, mapped, script

IMAGE = "rbd/held-image"
# What rbd_image and rbd_snapshot do; prints what they would do then.
CHANGE = """
import sys
sys.path.insert(0, "/usr/local/lib/cephgate")
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, bounded_run
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import plan_images, plan_snapshots
image, size, snapshot = sys.argv[1], int(sys.argv[2]), sys.argv[3]
rbd = Rbd(bounded_run(), client="igw")
def plan():
    return (plan_images(rbd, rbd.images([image]), [dict(image=image, size=size)])
            + plan_snapshots(rbd, {image: rbd.snapshots(image)}, [dict(image=image, name=snapshot)], None, None))
for operation in plan():
    rbd.perform(operation)
print(len(plan()))
"""


@pytest.fixture
def device():
    on("gw1", "rbd --id igw create --size 8M --image-feature layering,exclusive-lock " + IMAGE)
    found = mapped("gw1", IMAGE, "noshare,exclusive")
    yield found
    on("gw1", "rbd unmap " + found)
    on("gw2", "rbd --id igw snap purge --no-progress %s; rbd --id igw rm --no-progress %s" % (IMAGE, IMAGE))


def test_an_image_grows_and_gets_a_snapshot_while_a_gateway_keeps_its_lock(device):
    for words in ("resize --no-progress --size 12M " + IMAGE, "snap create %s@plain" % IMAGE):
        assert on("gw2", "timeout 60 rbd --id igw %s > /dev/null 2>&1; echo $?" % words).strip() == "30", "rbd itself is refused, so this shows something"
    script("gw1", PAGE, device, "first")
    assert script("gw2", CHANGE, IMAGE, str(12 << 20), "nightly") == "0", "a second run has nothing to do"
    end = time.monotonic() + 10
    while on("gw1", "blockdev --getsize64 " + device).strip() != str(12 << 20):
        assert time.monotonic() < end, "the kernel that has the image mapped does not know that it grew"
        time.sleep(0.5)
    script("gw1", PAGE, device, "later")
    assert script("gw1", PAGE, device) == "later"
    kept = on("gw2", "rbd --id igw export --no-progress %s@nightly /run/held-image && head -c 8 /run/held-image; rm -f /run/held-image" % IMAGE)
    assert kept.strip() == "first"
    assert "10.99.0.11:" in on("gw2", "rbd --id igw lock ls " + IMAGE), "its lock was never given away"
