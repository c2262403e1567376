# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a fresh lab, before the first run: check mode tells all and does nothing; wrong declarations stop at once."""
import copy

import pytest

from labsite import fingerprint

IMAGES = ("rbd/shared", "rbd/small", "rbd/grows")


@pytest.fixture(scope="module")
def fresh():
    before = fingerprint()
    for host, found in before.items():
        assert "example.cephgate" not in found and "\nshared\n" not in "\n" + found, "%s is not fresh: make lab-down first\n%s" % (host, found)
    return before


def test_wrong_declarations_are_all_named_before_anything_is_changed(site, declared, fresh):
    wrong = {key: copy.deepcopy(declared[key]) for key in ("cephgate_luns", "cephgate_hosts")}
    wrong["cephgate_luns"][1]["hosts"] = {"app": 0}
    wrong["cephgate_hosts"]["app"]["initiators"] = ["iqn.1993.debian:client1"]
    wrong["cephgate_luns"][0]["gateway"] = "gw7"
    run = site(variables=wrong)
    assert run.code != 0
    for word in ("LUN 0", "host app", "rbd/small", "another number", "iqn.1993.debian:client1", "RFC 7143", "Correct it",
                 "rbd/shared", "gw7", "gw1, gw2", "Correct the name"):
        assert word in run.error, run.error
    assert not any(run.changed.values()), run.changed
    assert fingerprint() == fresh


def test_an_scst_that_the_kernels_cannot_run_stops_before_anything_is_changed(site, fresh):
    run = site(variables={"cephgate_scst_install": True, "scst_version": "3.0.1"})
    assert run.code != 0
    for word in ("gw1 runs 6.", "SCST 3.0.1 supports Linux 2.6.26 to 3.18", "set scst_version to 3.10"):
        assert word in run.error, run.error
    assert not any(run.changed.values()), run.changed
    assert fingerprint() == fresh


def test_a_portal_that_no_interface_has_stops_before_anything_is_changed(site, fresh, tmp_path):
    (tmp_path / "hosts.yml").write_text("gateways: {hosts: {gw1: {cephgate_portals: [10.99.1.11, 10.99.7.11]}}}\n")
    run = site("-i", str(tmp_path))
    assert run.code != 0
    for word in ("gw1", "10.99.7.11", "no interface", "Correct cephgate_portals"):
        assert word in run.error, run.error
    assert "10.99.1.11" not in run.error.split("(addresses")[0]
    assert not any(run.changed.values()), run.changed
    assert fingerprint() == fresh


def test_check_mode_says_what_it_would_do_and_does_nothing(site, fresh):
    run = site("--check", "--diff")
    assert run.code == 0, run.error
    assert fingerprint() == fresh
    assert not any(operation["done"] for operation in run.operations)
    said = {(operation["host"], "%(object)s: %(action)s" % operation) for operation in run.operations}
    for image in IMAGES:
        assert any(text.startswith("image %s: create" % image) for _host, text in said), said
        for gateway in ("gw1", "gw2"):
            assert (gateway, "image %s: map" % image) in said
    for gateway in ("gw1", "gw2"):
        texts = "\n".join(sorted(text for host, text in said if host == gateway)) + "\n"
        for word in ("create with vdisk_blockio", "allow portal", "LUN 0: add device shared", ":%s: enable\n" % gateway):
            assert word in texts, (gateway, word, texts)
    assert all(run.changed[host] > 0 for host in ("gw1", "gw2", "client1")), run.changed
