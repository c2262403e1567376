# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks of hosts and LUNs: their playbooks write the declaration, and do not touch the disks that others write to.

That the same answers again change nothing is shown where it costs less: tests/controller/test_jobs.py.
"""
import pytest

import gatewaylab as lab
from labsite import disk, on, serial
from runbooks import Load, mapped

pytestmark = pytest.mark.usefixtures("idempotent")

MIB = 1 << 20
WEB = "iqn.1993-08.org.debian:01:web1"
# What a disk that is not touched shows of a playbook that makes all hosts work.
UNTOUCHED = 5


def test_a_host_is_attached_on_all_gateways(inventory):
    """SCST lets nobody log in who has no LUN, so that is as far as it goes without one."""
    asked = dict(cephgate_new_host="web", cephgate_new_initiators=WEB)
    inventory.refused("attach_host", "cephgate_site_file", "Nothing was done", **asked)
    asked.update(cephgate_site_file=str(inventory.site))
    inventory.refused("attach_host", "client1", "app", **dict(asked, cephgate_new_initiators="iqn.1993-08.org.debian:01:client1"))
    with Load() as load:
        inventory.good("attach_host", **asked)
    assert load.longest < UNTOUCHED
    assert inventory.declared()["cephgate_hosts"]["web"] == {"initiators": [WEB]}
    assert "# two hosts see it" in inventory.site.read_text(), "comments stay"
    for gateway in ("gw1", "gw2"):
        assert WEB in on(gateway, "ls %s%s/ini_groups/web/initiators" % (lab.TARGET, gateway)).split()


def test_a_lun_is_added_without_touching_the_others(inventory):
    asked = dict(cephgate_site_file=str(inventory.site), cephgate_image="rbd/added", cephgate_lun_host="app")
    inventory.refused("add_lun", "rbd/added does not exist in Ceph", "no size", **asked)
    assert "rbd/added" not in inventory.site.read_text(), "what cannot be is not declared"
    asked.update(cephgate_size="64M")
    inventory.refused("add_lun", "LUN 1 of host app is image rbd/small", **dict(asked, cephgate_lun_number=1))
    with Load() as load:
        inventory.good("add_lun", **asked)
    assert load.longest < UNTOUCHED
    entry = next(lun for lun in inventory.declared()["cephgate_luns"] if lun["image"] == "rbd/added")
    assert entry["hosts"] == {"app": 3}, "the next free number"
    assert int(on("client1", "blockdev --getsize64 " + disk(3))) == 64 * MIB
    lab.all_paths()
    for gateway in ("gw1", "gw2"):
        assert "rbd/added" in [image["image"] for image in lab.status(gateway)[1]["images"] if image["served"]]


def test_a_lun_grows_while_it_is_mounted(inventory):
    device = disk(3)
    asked = dict(cephgate_site_file=str(inventory.site), cephgate_image="rbd/added", cephgate_size="32M")
    inventory.refused("grow_lun", "rbd/added", "64", **asked)
    on("client1", "mkfs.ext4 -q -F %s && mkdir -p /mnt/added && mount %s /mnt/added && echo data > /mnt/added/file && sync" % (device, device))
    try:
        with Load() as load:
            inventory.good("grow_lun", **dict(asked, cephgate_size="128M"))
        assert load.longest < UNTOUCHED
        assert int(on("client1", "blockdev --getsize64 " + device)) == 128 * MIB
        assert "data" in on("client1", "resize2fs %s 2>&1; cat /mnt/added/file" % device)
        assert int(on("client1", "stat -f -c '%b %S' /mnt/added | awk '{print $1 * $2}'")) > 100 * MIB
    finally:
        on("client1", "umount /mnt/added")
    assert next(lun for lun in inventory.declared()["cephgate_luns"] if lun["image"] == "rbd/added")["size"] == "128M"


def test_a_mounted_lun_stays_and_one_that_nobody_uses_goes(inventory):
    device = disk(2)
    on("client1", "mkfs.ext4 -q -F %s && mkdir -p /mnt/goes && mount %s /mnt/goes && echo data > /mnt/goes/file && sync" % (device, device))
    try:
        with Load():
            inventory.refused("remove_lun", "rbd/grows", "/mnt/goes", cephgate_image="rbd/grows")
        assert "data" in on("client1", "cat /mnt/goes/file")
    finally:
        on("client1", "umount /mnt/goes")
    with Load() as load:
        inventory.good("remove_lun", cephgate_image="rbd/grows")
    assert load.longest < UNTOUCHED
    inventory.edit("  - image: rbd/grows #", "  - state: absent\n    image: rbd/grows #")
    for gateway in ("gw1", "gw2"):
        assert "grows" not in mapped(gateway) and "rbd/grows" not in [image["image"] for image in lab.status(gateway)[1]["images"]]
    with pytest.raises(AssertionError, match="no multipath device for LUN 2"):
        disk(2)


def test_a_removed_lun_comes_back_as_the_same_disk(inventory):
    inventory.edit("  - state: absent\n    image: rbd/grows #", "  - image: rbd/grows #")
    inventory.good("site")
    assert "data" in on("client1", "mount %s /mnt/goes && cat /mnt/goes/file && umount /mnt/goes" % disk(2))
    assert len({serial(lun) for lun in range(4)}) == 4
