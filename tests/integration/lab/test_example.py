# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a newcomer's path: the example inventory, its vault encrypted, with the lab's addresses and Ceph laid over it, passes the preflight.

The rest of that path needs no machines: tests/docs/test_newcomer.py. The example's Windows host is left out: the lab has none.
"""
import shutil
import subprocess

import pytest
import yaml

from labsite import BIN, TOP, fingerprint, play_site

MACHINES = {"gw1.example.com": "gw1", "gw2.example.com": "gw2", "db1.example.com": "client1"}
FROM_THE_LAB = ("cephgate_ceph_fsid", "cephgate_ceph_mon_host", "cephgate_ceph_key", "cephgate_scst_install", "cephgate_sysfs_root")


@pytest.fixture(scope="module")
def example(declared):
    """The folder of the example, as a newcomer has edited it. As deep in the checkout as inventories/lab, whose variables it takes."""
    folder = TOP / "build/example"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(TOP / "inventories/example", folder)
    lab = yaml.safe_load((TOP / "inventories/lab/hosts.yml").read_text())["all"]
    hosts = yaml.safe_load((folder / "hosts.yml").read_text())
    hosts["all"]["vars"] = lab["vars"]
    for group in ("gateways", "linux_clients"):
        for name, variables in hosts["all"]["children"][group]["hosts"].items():
            variables["ansible_host"] = MACHINES[name]
            if group == "gateways":
                variables["cephgate_portals"] = lab["children"][group]["hosts"][MACHINES[name]]["cephgate_portals"]
    (folder / "hosts.yml").write_text(yaml.safe_dump(hosts))
    site = yaml.safe_load((folder / "group_vars/all/site.yml").read_text())
    site.update({name: declared[name] for name in FROM_THE_LAB})
    (folder / "group_vars/all/site.yml").write_text(yaml.safe_dump(site))
    (folder / "password").write_text("a newcomer\n")
    subprocess.run([BIN / "ansible-vault", "encrypt", "--vault-password-file", folder / "password", folder / "group_vars/all/vault.yml"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def test_the_example_passes_the_preflight_on_the_labs_machines(site, example):
    before = fingerprint()
    run = play_site("--vault-password-file", str(example / "password"), inventory=example / "hosts.yml", playbook="cephgate.iscsi.preflight",
                    limit="gateways:linux_clients")
    assert run.code == 0, run.error
    assert sorted(run.stats) == sorted(MACHINES) and not any(run.changed.values()), run.stats
    assert all(counts["ok"] > 2 and not counts["unreachable"] for counts in run.stats.values()), run.stats
    assert fingerprint() == before
