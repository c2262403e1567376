# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runbooks of gateways in service, while a client writes: no error, no lost write, and the site has nothing left to do after each."""
import pytest

import gatewaylab as lab
from labsite import fingerprint, on
from runbooks import PLANNED, Load, served, sessions

pytestmark = pytest.mark.usefixtures("idempotent")


def test_preflight_changes_nothing_and_refuses_what_the_site_would_refuse(inventory):
    before = fingerprint()
    inventory.idle("preflight")
    luns = [dict(lun, hosts={"nobody": 0}) for lun in inventory.declared()["cephgate_luns"][:1]]
    refusals = [inventory.play(playbook, cephgate_luns=luns) for playbook in ("preflight", "site")]
    for run in refusals:
        assert run.code != 0 and "nobody" in run.error and not any(run.changed.values()), (run.changed, run.error)
    assert set(refusals[1].errors) <= set(refusals[0].errors), "in the same words"
    assert fingerprint() == before


def test_a_gateway_is_drained_and_undrained_under_load(inventory):
    lab.all_paths()
    with Load() as load:
        assert inventory.good("drain", cephgate_gateway="gw1").changed["gw1"]
        dummy, found = lab.status("gw1")
        assert found["drained"] and not found["enabled"] and sessions("gw1") == []
        inventory.idle("site")
        assert lab.status("gw1")[1]["drained"], "the site does not take it back"
        inventory.refused("drain", "client1", "gw1 is drained", cephgate_gateway="gw2")
        inventory.good("undrain", cephgate_gateway="gw1")
    assert load.longest < PLANNED
    print("all paths back after %.0f s" % lab.all_paths())
    served("gw1", "gw2")


def test_all_gateways_are_upgraded_under_load(inventory):
    lab.all_paths()
    with Load() as load:
        inventory.good("upgrade")
    assert load.longest < PLANNED
    lab.all_paths()
    served("gw1", "gw2")


def test_the_gateway_that_is_the_last_path_is_not_drained(inventory):
    target = "iqn.2026-11.com.example.cephgate:gw2"
    on("client1", "iscsiadm -m node -T %s -u" % target)
    try:
        inventory.refused("drain", "not logged in to gw2", "client1", cephgate_gateway="gw1")
        assert lab.status("gw1")[0] == 0
    finally:
        on("client1", "iscsiadm -m node -T %s -l" % target)
        lab.all_paths()
