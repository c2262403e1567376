# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbooks of the mode fenced: drain, undrain, and disks brought back when the operator says so, while a client writes.

A step of its own, make lab-failback: it puts the site into that mode, which needs real SCST (see molecule/shared/lab.mk), and back at the end.
"""
import pytest

import failover
import gatewaylab as lab
from runbooks import PLANNED, Load, served


def owners():
    return {entry["image"]: entry["owner"] for entry in lab.status("gw1")[1]["images"]}


def home(inventory):
    return {lun["image"]: lun["gateway"] for lun in inventory.declared()["cephgate_luns"]}


def switch(inventory, old, new):
    failover.leave(new)
    inventory.edit("cephgate_ha_mode: " + old, "cephgate_ha_mode: " + new)
    inventory.good("site")
    failover.healthy()


@pytest.fixture(scope="module", autouse=True)
def fenced(inventory):
    inventory.site.write_text(inventory.site.read_text() + "cephgate_ha_mode: shared\n")
    inventory.refused("failback", "nothing to move")
    switch(inventory, "shared", "fenced")
    yield
    switch(inventory, "fenced", "shared")
    lab.all_paths()


@pytest.fixture(autouse=True)
def idempotent_in_this_mode(idempotent):
    pass


def test_a_drained_gateway_gives_its_disks_away_and_failback_brings_them_home(inventory):
    inventory.good("failback")
    assert owners() == home(inventory)
    with Load() as load:
        inventory.good("drain", cephgate_gateway="gw1")
        assert set(owners().values()) == {"gw2"}
        inventory.idle("site")
        inventory.refused("failback", "gateway gw1 takes no disk: it is drained", cephgate_gateway="gw1")
        inventory.good("undrain", cephgate_gateway="gw1")
        assert set(owners().values()) == {"gw2"}, "nothing goes back by itself"
        inventory.idle("site")
        inventory.good("failback", cephgate_gateway="gw1")
        assert owners() == home(inventory)
        inventory.idle("failback")
    assert load.longest < PLANNED
    failover.healthy()
    served("gw1", "gw2")


def test_after_an_upgrade_the_disks_of_the_last_gateway_are_brought_back(inventory):
    with Load() as load:
        inventory.good("upgrade")
        assert set(owners().values()) == {"gw1"}
        inventory.good("failback", cephgate_gateway="gw2")
        assert owners() == home(inventory)
    assert load.longest < PLANNED
    failover.healthy()
