# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on the living site, while a client writes: no error, no lost write, and the site has nothing left to do after each."""
import copy
import time

import pytest

import gatewaylab as lab
from labsite import disk, on, play_site

# Measured under emulation: a planned move is a login on another path and one command that is sent again.
PLANNED = 20


@pytest.fixture(scope="module")
def luns(declared):
    return copy.deepcopy(declared["cephgate_luns"])


@pytest.fixture(autouse=True)
def idempotent(luns):
    yield
    run = play_site(variables={"cephgate_luns": luns})
    assert run.code == 0, run.error
    assert not any(run.changed.values()), (run.changed, run.operations)


def play(name, **variables):
    began = time.monotonic()
    run = play_site(variables=variables, playbook="cephgate.iscsi." + name)
    print("%s: %.0f s" % (name, time.monotonic() - began))
    return run


class Load:
    """Generations written to LUN 0, each acknowledged one read back at the end."""

    def __enter__(self):
        device = disk(0)
        on("client1", "rm -rf %s && mkdir -p %s" % (lab.proof.WORK, lab.proof.WORK))
        self.writer = lab.proof.Writer(device, int(on("client1", "blockdev --getsize64 " + device)) - lab.proof.TAIL)
        self.writer.start()
        time.sleep(3)
        return self

    def __exit__(self, kind, *_what):
        if kind:
            self.writer.stop()
            return
        result = self.writer.finish()
        self.writer.check()
        self.longest = max([pause for pause, _at in result["pauses"]] or [0])
        print("%d writes acknowledged, longest pause %.1f s, none lost, none reverted" % (result["writes"], self.longest))


def sessions(gateway):
    return [line for line in on(gateway, "ls %s/sessions 2>/dev/null || true" % (lab.TARGET + gateway)).split() if "client1" in line]


def test_a_gateway_is_drained_and_undrained_under_load():
    lab.all_paths()
    with Load() as load:
        run = play("drain", cephgate_gateway="gw1")
        assert run.code == 0 and run.changed["gw1"], run.error
        code, found = lab.status("gw1")
        assert found["drained"] and not found["enabled"] and sessions("gw1") == []
        again = play("drain", cephgate_gateway="gw1")
        assert again.code == 0 and not any(again.changed.values()), again.changed
        run = play("drain", cephgate_gateway="gw2")
        assert run.code != 0 and "client1" in run.error and "gw1 is drained" in run.error, run.error
        run = play("undrain", cephgate_gateway="gw1")
        assert run.code == 0, run.error
    assert load.longest < PLANNED
    print("all paths back after %.0f s" % lab.all_paths())
    assert lab.status("gw1")[0] == 0


def test_all_gateways_are_upgraded_under_load():
    lab.all_paths()
    with Load() as load:
        run = play("upgrade")
        assert run.code == 0, run.error
    assert load.longest < PLANNED
    lab.all_paths()
    for gateway in ("gw1", "gw2"):
        assert lab.status(gateway)[0] == 0 and len(sessions(gateway)) == 2


def test_a_mounted_lun_stays_and_one_that_nobody_uses_goes(luns):
    device = disk(2)
    on("client1", "mkfs.ext4 -q -F %s && mkdir -p /mnt/goes && mount %s /mnt/goes && echo data > /mnt/goes/file && sync" % (device, device))
    try:
        with Load():
            run = play("remove_lun", cephgate_image="rbd/grows")
        assert run.code != 0 and "rbd/grows" in run.error and "/mnt/goes" in run.error, run.error
        assert "data" in on("client1", "cat /mnt/goes/file")
    finally:
        on("client1", "umount /mnt/goes")
    with Load() as load:
        run = play("remove_lun", cephgate_image="rbd/grows")
    assert run.code == 0, run.error
    assert load.longest < 5, "the other LUNs are not touched"
    next(lun for lun in luns if lun["image"] == "rbd/grows")["state"] = "absent"
    for gateway in ("gw1", "gw2"):
        assert "grows" not in on(gateway, "cat /sys/bus/rbd/devices/*/name")
    with pytest.raises(AssertionError):
        disk(2)


def test_a_removed_lun_comes_back_with_its_data(luns):
    next(lun for lun in luns if lun["image"] == "rbd/grows").pop("state")
    run = play_site(variables={"cephgate_luns": luns})
    assert run.code == 0, run.error
    device = disk(2)
    assert "data" in on("client1", "mount %s /mnt/goes && cat /mnt/goes/file && umount /mnt/goes" % device)


def test_the_gateway_that_is_the_last_path_is_not_drained():
    target = "iqn.2026-11.com.example.cephgate:gw2"
    on("client1", "iscsiadm -m node -T %s -u" % target)
    try:
        run = play("drain", cephgate_gateway="gw1")
        assert run.code != 0 and "not logged in to gw2" in run.error and "client1" in run.error, run.error
        assert lab.status("gw1")[0] == 0
    finally:
        on("client1", "iscsiadm -m node -T %s -l" % target)
        lab.all_paths()
