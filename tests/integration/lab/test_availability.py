# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that loses its daemon, its power, its Ceph or its playbook helps itself, and the client's data stays whole.

On the site as it is declared, before anything else has changed it. What stays is one more image, rbd/fifth.
"""
import copy
import time

import pytest

import gatewaylab as lab
from labsite import disk, on

FIFTH = {"image": "rbd/fifth", "size": "64M", "gateway": "gw1", "hosts": {"app": 4}}
# Of an image: its name, as Ceph finds it. Without this object the image is gone for whoever maps it anew.
NAME = "rbd_id.small"


@pytest.fixture(scope="module", autouse=True)
def whole_site(site, declared):
    """What an earlier run has left would only be found after minutes of waiting for it."""
    images = sorted(lun["image"] for lun in declared["cephgate_luns"])
    for gateway in ("gw1", "gw2"):
        code, found = lab.status(gateway)
        assert code == 0 and not found["unfinished"] and sorted(entry["image"] for entry in found["images"]) == images, (
            "%s does not serve the declared site: make lab-down lab-up lab-site.run\n%s" % (gateway, found))


@pytest.fixture
def load():
    """Verified random writes (fio) and generations on LUN 0, which gw1 serves; a function that ends and judges them."""
    device = disk(0)
    on("client1", "rm -rf %s && mkdir -p %s" % (lab.proof.WORK, lab.proof.WORK))
    size = int(on("client1", "blockdev --getsize64 " + device))
    writer = lab.proof.Writer(device, size - lab.proof.TAIL)
    writer.start()
    time.sleep(4)
    done = []

    def finish(what):
        result = writer.finish()
        done.append(True)
        writer.check()
        longest = max(pause for pause, _at in result["pauses"])
        print("%s: generations: %d writes acknowledged, longest pause %.1f s, none lost, none reverted" % (what, result["writes"], longest))
        return longest

    finish.device, finish.size = device, size - lab.proof.TAIL
    yield finish
    if not done:
        writer.stop()


def test_iscsi_scstd_is_killed_under_load(load):
    lab.all_paths()
    fio = lab.proof.Fio(load.device, load.size, writes=800)
    fio.start()
    time.sleep(6)
    killed = time.time()
    times = lab.kill_daemon("gw1")
    paths = lab.all_paths()
    writes = fio.finish()
    assert writes[-1] > killed, "fio had ended before the kill"
    pause, dummy = lab.longest_pause(writes)
    print("kill -9: targets gone after %(gone).1f s, daemon back after %(daemon).1f s, target in service after %(served).1f s" % times)
    print("all paths of the client %.1f s later; fio: longest pause %.1f s, every block verified" % (paths, pause))
    assert load("kill -9") < 45 and pause < 45
    assert times["served"] - times["daemon"] < 20, "the service's own part"
    assert lab.status("gw1")[0] == 0


def test_a_reboot_with_one_of_three_images_removed_behind_its_back(load):
    def on_ceph(*words):
        lab.ceph.tool("rados", "-p", "rbd", *words)

    def remove():
        on_ceph("get", NAME, "/tmp/" + NAME)
        on_ceph("rm", NAME)

    before = on("gw1", "cat /proc/sys/kernel/random/boot_id")
    began = time.monotonic()
    lab.reboot("gw1", meanwhile=remove)
    assert on("gw1", "cat /proc/sys/kernel/random/boot_id") != before
    try:
        def two_serve():
            dummy, found = lab.status("gw1")
            return found["enabled"] and sum(entry["served"] for entry in found["images"]) == len(found["images"]) - 1
        lab.wait("the others serve", two_serve, 120)
        print("reboot: the other images in service %.0f s after the command" % (time.monotonic() - began))
        lab.wait("the reason is named", lambda: any(entry["reason"] for entry in lab.status("gw1")[1]["images"]), 60)
        code, found = lab.status("gw1")
        missing = [entry for entry in found["images"] if not entry["served"]]
        assert code == 1 and [entry["image"] for entry in missing] == ["rbd/small"]
        assert "does not exist" in missing[0]["reason"] and found["service"], missing
        load("reboot")
    finally:
        on_ceph("put", NAME, "/tmp/" + NAME)
    print("image back: in service %.0f s later, by itself" % lab.wait("it appears by itself", lambda: lab.status("gw1")[0] == 0, 90))
    lab.all_paths()


def test_ceph_is_away_while_a_gateway_boots():
    lab.power_cut("gw1")
    lab.stop_ceph()
    try:
        lab.power_on("gw1")
        lab.wait("the service runs", lambda: lab.status("gw1")[1]["service"], 60)
        code, found = lab.status("gw1")
        assert code == 1 and not any(entry["served"] for entry in found["images"])
        assert not found["enabled"], "nothing is there for a host to look at"
    finally:
        lab.start_ceph()
    print("Ceph away at boot: all in service %.0f s after it was back" % lab.wait(
        "it recovers by itself", lambda: lab.status("gw1")[0] == 0, 180))
    lab.all_paths()


def test_a_run_that_was_killed_is_completed_by_the_next(site, declared):
    luns = copy.deepcopy(declared["cephgate_luns"]) + [FIFTH]
    lab.kill_play_at("Make the target and its initiator groups", dict(cephgate_luns=luns))
    assert lab.status("gw1")[1]["unfinished"]
    lab.kill_daemon("gw1")
    lab.wait("the restarted gateway serves what was wanted", lambda: lab.status("gw1")[0] == 0, 60)
    code, found = lab.status("gw1")
    assert "rbd/fifth" in [entry["image"] for entry in found["images"] if entry["served"]] and found["unfinished"]
    run = site(variables=dict(cephgate_luns=luns))
    assert run.code == 0, run.error
    for gateway in ("gw1", "gw2"):
        code, found = lab.status(gateway)
        assert code == 0 and not found["unfinished"], found
    assert int(on("client1", "blockdev --getsize64 " + disk(4))) == 64 << 20
