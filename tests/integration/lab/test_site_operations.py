# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks that change what the site is made of: a gateway that died is replaced, one leaves, one joins; at the end the site is purged.

The last ones of make lab-operations. What they leave is the site as inventories/lab declares it.
"""
import pytest

import gatewaylab as lab
from labsite import disk, on, serial
from runbooks import PLANNED, Load, mapped, served, sessions
from test_status import ask

pytestmark = pytest.mark.usefixtures("idempotent")

PREFIX = "iqn.2026-11.com.example.cephgate"
GW2 = """\
        gw2:
          cephgate_gateway_id: %d
          cephgate_portals: [10.99.1.12, 10.99.2.12]
"""


def objects(gateway):
    """What of the site a gateway's SCST and kernel have."""
    return on(gateway, "ls {0}/targets/iscsi {0}/devices {0}/device_groups".format(lab.TREE)).count("cephgate") + len(mapped(gateway))


def test_a_gateway_that_died_is_told_and_replaced_by_another_machine(inventory, browser):
    """gw1, which serves what is written to."""
    lab.all_paths()
    with Load() as load:
        lab.power_cut("gw1")
        run = inventory.play("preflight")
        assert run.code == 4 and run.stats["gw1"]["unreachable"] and not run.stats["gw2"]["failures"], run.error
        run, report = ask(inventory, browser, "lab-gateway-down")
        assert run.code == 0, run.error
        assert report["health"] == "degraded" and report["summary"]["disks"]["broken"] == 0
        assert report["problems"][0]["kind"] == "gateway" and report["problems"][0]["objects"] == ["gw1"], report["problems"]
        lab.another_machine("gw1")
        assert objects("gw1") == 0 and on("gw1", "ls /etc/cephgate 2>&1 || true").find("No such file") > 0
        assert inventory.good("site").changed["gw1"]
    assert load.longest < lab.proof.LONGEST_PAUSE
    print("all paths back after %.0f s" % lab.all_paths())
    served("gw1", "gw2")


def test_a_gateway_leaves_the_site_under_load(inventory):
    inventory.refused("remove_gateway", "rbd/small", "prefers gateway gw2", cephgate_gateway="gw2")
    inventory.edit("gateway: gw2", "gateway: gw1")
    inventory.good("site")
    with Load() as load:
        inventory.good("remove_gateway", cephgate_gateway="gw2")
    assert load.longest < PLANNED
    inventory.edit(GW2 % 2, "", inventory.hosts)
    assert objects("gw2") == 0 and len(sessions("gw1")) == 2
    assert ":gw2" not in on("client1", "iscsiadm -m node; iscsiadm -m session")
    inventory.refused("remove_gateway", "the only one", "purge", cephgate_gateway="gw1")


def test_a_gateway_joins_the_site_under_load(inventory):
    """Under an id that no gateway had."""
    inventory.hosts.write_text(inventory.hosts.read_text().replace("    linux_clients:", GW2 % 3 + "    linux_clients:"))
    with Load() as load:
        assert inventory.good("site").changed["gw2"]
    assert load.longest < PLANNED
    lab.all_paths()
    served("gw1", "gw2")


def test_the_site_is_purged_when_it_is_meant_and_comes_back_with_its_data(inventory):
    inventory.refused("purge", "cephgate_purge_confirm is not set")
    inventory.refused("purge", "another name", cephgate_purge_confirm="yes")
    inventory.refused("purge", "client1", "logged in", cephgate_purge_confirm=PREFIX)
    on("client1", "head -c 65536 /dev/urandom > /run/kept && dd if=/run/kept of=%s oflag=direct bs=4k status=none" % disk(1))
    before, there = serial(1), set(lab.ceph.tool("rbd", "ls").stdout.split())
    assert {"shared", "small", "grows"} <= there
    on("client1", "multipath -F; iscsiadm -m node -u")
    inventory.good("purge", cephgate_purge_confirm=PREFIX)
    for gateway in ("gw1", "gw2"):
        assert objects(gateway) == 0
        assert on(gateway, "ls /etc/cephgate /usr/local/sbin/cephgate 2>/dev/null || true") == ""
    lab.wait("the client has no disk of it", lambda: on("client1", "ls /dev/mapper").split() == ["control"], 30)
    assert set(lab.ceph.tool("rbd", "ls").stdout.split()) == there, "images stay"

    # As it was before all these tests, so that they can be run again. The tests of LUNs have added one, where they were run, too.
    if "added" in there:
        lab.ceph.tool("rbd", "rm", "added")
    inventory.reset()
    inventory.good("site")
    lab.all_paths()
    served("gw1", "gw2")
    assert serial(1) == before
    on("client1", "dd if=%s bs=4k count=16 iflag=direct status=none | cmp - /run/kept" % disk(1))
