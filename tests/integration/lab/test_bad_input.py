# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong declaration stops before anything is changed, and the error names the object and the remedy."""
import copy

import pytest

from conftest import on


def fingerprint():
    """What the site playbook could have changed on a gateway and on the client."""
    look = ("cat /sys/bus/rbd/devices/*/name 2>/dev/null; ls -l --time-style=full-iso /etc/ceph /etc/iscsi /etc/multipath.conf 2>&1;"
            " find /run/scst_tgt/targets /sys/kernel/scst_tgt/targets -maxdepth 4 2>/dev/null | sort; ls /sys/class/iscsi_session 2>&1")
    return {host: on(host, look) for host in ("gw1", "gw2", "client1")}


def duplicate_lun(site):
    site["cephgate_luns"][1]["hosts"] = {"app": 0}


def invalid_iqn(site):
    site["cephgate_hosts"]["app"]["initiators"] = ["iqn.1993.debian:client1"]


def unknown_gateway(site):
    site["cephgate_luns"][0]["gateway"] = "gw7"


def portal_nowhere(site):
    site["gateway_portals"] = ["10.99.7.11"]


def missing_image(site):
    site["cephgate_luns"].append({"image": "rbd/nosuch", "hosts": {"app": 9}})


@pytest.mark.parametrize("spoil, words", [
    (duplicate_lun, ["LUN 0", "host app", "rbd/shared", "rbd/small", "another number"]),
    (invalid_iqn, ["host app", "iqn.1993.debian:client1", "RFC 7143", "Correct it"]),
    (unknown_gateway, ["rbd/shared", "gw7", "gw1, gw2", "Correct the name"]),
    (portal_nowhere, ["gw1", "10.99.7.11", "no interface", "Correct cephgate_portals"]),
    (missing_image, ["rbd/nosuch", "does not exist", "give it a size"]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_a_wrong_declaration_changes_nothing(site, declared, spoil, words):
    wrong = {key: copy.deepcopy(declared[key]) for key in ("cephgate_luns", "cephgate_hosts")}
    spoil(wrong)
    before = fingerprint()
    run = site(variables=wrong)
    assert run.code != 0
    for word in words:
        assert word in run.error, run.error
    assert not any(run.changed.values()), run.changed
    assert fingerprint() == before
