# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and snapshots on the lab's real Ceph, with the gateways' restricted key: what is made, refused, rolled back, deleted."""
import subprocess
import time

import pytest

import gatewaylab as lab

import network

from ansible_collections.cephgate.iscsi.plugins.module_utils import rbd_plan
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd

MIB = 1 << 20
ONE, TWO, CHILD = "rbd/test-one", "rbd/test-two", "rbd/test-child"


def run(argv, _stdin):
    done = subprocess.run(network.inside(["chroot", str(lab.ceph.ROOT), *argv]), capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


RBD = Rbd(run, client="igw")


def images(*entries):
    """What rbd_image does: the operations, in words."""
    plan = rbd_plan.plan_images(RBD, RBD.images([entry["image"] for entry in entries]), entries, ["layering", "exclusive-lock"],
                                rbd_plan.uses_of(RBD, {}))
    return [operation.line() for operation in perform(plan, RBD.perform)]


def snapshot(**entry):
    """What rbd_snapshot does with the snapshot s of ONE."""
    plan = rbd_plan.plan_snapshots(RBD, {ONE: RBD.snapshots(ONE)}, [dict(entry, image=ONE, name="s")], RBD.changed_since,
                                   rbd_plan.users_of(RBD, {}))
    return [operation.line() for operation in perform(plan, RBD.perform)]


@pytest.fixture(scope="module", autouse=True)
def made():
    if not lab.ceph.pid("mon.a"):
        pytest.fail("the lab's Ceph is not up: make lab-up")
    assert len(images(dict(image=ONE, size=64 * MIB, object_size=8 * MIB), dict(image=TWO, size=32 * MIB))) == 2
    yield
    for image in (CHILD, TWO):
        run(RBD.argv("rm", image), None)


@pytest.fixture
def watched():
    process = subprocess.Popen(network.inside(["chroot", str(lab.ceph.ROOT), *RBD.argv("watch", ONE)]), stdin=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for_watchers(True)
    yield
    process.stdin.close()
    process.terminate()
    process.wait()
    # Ceph misses a client that just went for 30 s.
    wait_for_watchers(False)


def wait_for_watchers(some):
    end = time.monotonic() + 60
    while bool(RBD.watchers(ONE)) != some:
        assert time.monotonic() < end, RBD.watchers(ONE)
        time.sleep(0.25)


def write():
    assert run(RBD.argv("bench", "--io-type", "write", "--io-size", "4096", "--io-total", "65536", ONE), None)[0] == 0


def test_an_image_has_its_object_size_and_is_made_once():
    assert "order 23" in run(RBD.argv("info", ONE), None)[1]
    assert images(dict(image=ONE, size=64 * MIB, object_size=8 * MIB), dict(image=TWO, size=32 * MIB)) == []


def test_a_snapshot_is_protected_and_an_image_like_it_is_not_rolled_back():
    assert len(snapshot(protected=True)) == 2 and RBD.snapshots(ONE) == {"s": True}
    assert snapshot(protected=True) == [] and snapshot(state="rolled_back") == []


def test_an_image_that_somebody_has_open_is_neither_rolled_back_nor_deleted(watched):
    write()
    for act in (lambda: snapshot(state="rolled_back"), lambda: images(dict(image=ONE, state="absent", delete="forever"))):
        with pytest.raises(Refused, match="have it open.*10.99.0.1:0/"):
            act()
    assert RBD.changed_since(ONE, "s")


def test_an_image_is_rolled_back():
    write()
    assert len(snapshot(state="rolled_back")) == 1
    assert not RBD.changed_since(ONE, "s") and snapshot(state="rolled_back") == []


def test_clones_and_protection_keep_what_they_need():
    assert run(RBD.argv("clone", ONE + "@s", CHILD), None)[0] == 0
    with pytest.raises(Refused, match="clones depend on it: " + CHILD):
        images(dict(image=ONE, state="absent", delete="trash"))
    with pytest.raises(Refused, match="is protected"):
        snapshot(state="absent")
    assert images(dict(image=CHILD, state="absent", delete="forever"))
    assert len(snapshot(state="absent", protected=False)) == 2 and RBD.snapshots(ONE) == {}


def test_images_are_deleted_or_put_into_the_trash():
    number = RBD.info(ONE)["image_id"]
    wanted = dict(image=ONE, state="absent", delete="trash"), dict(image=TWO, state="absent", delete="forever")
    assert len(images(*wanted)) == 2 and images(*wanted) == []
    assert run(RBD.argv("trash", "ls", "rbd"), None)[1].split() == [number, "test-one"]
    assert run(RBD.argv("trash", "restore", "rbd/" + number), None)[0] == 0
    assert RBD.info(ONE)["image_id"] == number, "it is the same disk again"
    assert images(dict(image=ONE, state="absent", delete="forever"))
