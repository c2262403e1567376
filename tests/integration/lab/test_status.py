# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runbook of the status: what it says of the living site, its exit status, its file, its page in a browser (pictures in build/page)."""
import json
import sys

import pytest

import gatewaylab as lab
from labsite import TOP, on

import network  # of molecule/shared/lab, which gatewaylab has put on the path

sys.path.insert(0, str(TOP / "tests/page"))

from test_page import LOOK, WIDTHS  # noqa: E402

pytestmark = pytest.mark.usefixtures("idempotent")

PICTURES = TOP / "build/page"
HOST = lab.config.HOSTS["gw1"]


def ask(inventory, browser, name, **variables):
    """(exit code, the report); its page is looked at in a browser, too."""
    page, report = PICTURES / (name + ".html"), PICTURES / (name + ".json")
    run = inventory.play("status", cephgate_status_html=str(page), cephgate_status_json=str(report), **variables)
    assert not any(run.changed.values()), run.changed
    for width in WIDTHS:
        browser.open(page, WIDTHS[width])
        assert browser.ask(LOOK)["problems"] == [] and browser.requests == ["file://%s" % page]
        browser.picture(PICTURES / ("%s-%s.png" % (name, width)), 4000)
    browser.paper(PICTURES / (name + ".pdf"))
    return run, json.loads(report.read_text())


def links(report, whole):
    """The client's ways that work wholly, or not: [(gateway, portal)]"""
    host = next(one for one in report["hosts"] if one["name"] == "client1")
    return sorted((link["gateway"], link["portal"]) for link in host["links"]
                  if (link["state"] == "up" and link["working"] == link["paths"]) == whole)


def test_a_healthy_site_is_called_so(inventory, browser):
    lab.all_paths()
    # That host is on no machine here, and a host that is to have disks and is not there is something wrong.
    inventory.edit("hosts: {app: 0, backup: 0}", "hosts: {app: 0}")
    inventory.good("site")
    run, report = ask(inventory, browser, "lab-healthy", cephgate_status_fail_on="degraded")
    assert run.code == 0, run.error
    assert report["health"] == "healthy" and report["problems"] == [], report["problems"]
    assert [gateway["name"] for gateway in report["gateways"]] == ["gw1", "gw2"] and not any(gateway["drift"] for gateway in report["gateways"])
    assert {image["image"]: image["serving"] for image in report["images"]} == {
        lun["image"]: ["gw1", "gw2"] for lun in inventory.declared()["cephgate_luns"]}
    assert links(report, True) == sorted((name, "10.99.%d.1%s:3260" % (net, name[-1])) for name in ("gw1", "gw2") for net in (1, 2))
    words = browser.ask("document.body.textContent")
    for name in ("Healthy", "client1", "rbd/shared", "10.99.2.12"):
        assert name in words


def test_a_path_that_is_cut_is_named_and_its_disks_work(inventory, browser):
    lab.all_paths()
    network.cut(HOST, 1)
    try:
        lab.wait("the client has noticed", lambda: "failed" in on("client1", "multipathd show paths raw format %t"), 90)
        run, report = ask(inventory, browser, "lab-path-degraded")
        assert run.code == 0, run.error
        assert report["health"] == "degraded" and report["summary"]["disks"]["broken"] == 0
        assert len(links(report, True)) == 3 and links(report, False) == [("gw1", "10.99.1.11:3260")], report["hosts"]
        assert {name for problem in report["problems"] for name in problem["objects"]} == {"client1"}, report["problems"]
        assert inventory.play("status", cephgate_status_fail_on="degraded").code != 0
    finally:
        network.mend(HOST, 1)
    print("all paths back after %.0f s" % lab.all_paths())
