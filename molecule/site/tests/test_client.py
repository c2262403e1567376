# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, asked as a host sees itself: sessions, disks, multipath devices, access states."""
import re

import netaddr
import pytest

testinfra_hosts = ["ansible://linux_clients"]

SIZES = {0: 512 << 20, 1: 64 << 20, 2: 256 << 20}
PREFERRED = {0: "gw1", 1: "gw2", 2: "gw1"}


def sessions(host):
    """{(address, IQN)} of the logged-in sessions, from sysfs."""
    listing = host.check_output(
        "for c in /sys/class/iscsi_connection/*; do s=${c##*/connection}; s=${s%%:*};"
        " echo $(cat $c/persistent_address) $(cat /sys/class/iscsi_session/session$s/targetname)"
        " $(cat /sys/class/iscsi_session/session$s/state); done")
    return [tuple(line.split()) for line in listing.splitlines()]


def paths(host):
    """The paths of all maps: dicts of LUN, map, target node name, kernel state, checker state, priority."""
    listing = host.check_output("multipathd show paths raw format '%i|%m|%n|%t|%T|%p|%d|%w'")
    found = []
    for line in listing.splitlines():
        hcil, name, node, dm, chk, prio, dev, wwid = [word.strip() for word in line.split("|")]
        found.append(dict(lun=int(hcil.rsplit(":", 1)[1]), map=name, node=node, dm=dm, checker=chk,
                          prio=int(prio), dev=dev, wwid=wwid))
    return found


def test_there_is_one_session_for_each_portal_of_each_gateway(host):
    found = sessions(host)
    assert {state for _address, _iqn, state in found} == {"LOGGED_IN"}
    assert sorted((netaddr.IPAddress(a), iqn.rsplit(":", 1)[1]) for a, iqn, _state in found) == [
        (netaddr.IPAddress("10.99.%d.%d" % (net, 10 + n)), "gw%d" % n) for net in (1, 2) for n in (1, 2)]


def test_every_lun_is_one_multipath_device_with_two_paths_to_each_gateway(host):
    found = paths(host)
    assert {p["lun"] for p in found} == set(SIZES)
    for lun in SIZES:
        mine = [p for p in found if p["lun"] == lun]
        assert len(mine) == 4, mine
        assert len({p["map"] for p in mine}) == 1 and len({p["wwid"] for p in mine}) == 1
        assert {(p["dm"], p["checker"]) for p in mine} == {("active", "ready")}
    assert len({p["wwid"] for p in found}) == len(SIZES)


@pytest.mark.parametrize("lun", sorted(PREFERRED))
def test_the_preferred_gateway_has_the_better_access_state(host, lun):
    mine = [p for p in paths(host) if p["lun"] == lun]
    target = {p["dev"]: host.check_output("cat /sys/block/%s/device/access_state", p["dev"]) for p in mine}
    by_node = {}
    for dev in target:
        session = re.search(r"/session(\d+)/", host.check_output("readlink -f /sys/block/%s/device", dev)).group(1)
        node = host.check_output("cat /sys/class/iscsi_session/session%s/targetname", session).rsplit(":", 1)[1]
        by_node.setdefault(node, set()).add(target[dev])
    other = "gw2" if PREFERRED[lun] == "gw1" else "gw1"
    assert by_node[PREFERRED[lun]] == {"active/optimized"}, by_node
    assert by_node[other] == {"active/non-optimized"}, by_node
    best = max(p["prio"] for p in mine)
    assert len([p for p in mine if p["prio"] == best]) == 2


@pytest.mark.parametrize("lun", sorted(SIZES))
def test_the_multipath_device_has_the_declared_size(host, lun):
    name = {p["map"] for p in paths(host) if p["lun"] == lun}.pop()
    assert int(host.check_output("blockdev --getsize64 /dev/mapper/%s", name)) >= SIZES[lun]


def test_the_services_that_bring_the_disks_back_after_a_reboot_are_enabled(host):
    # iscsid itself is started by the first iscsiadm (iscsid.startup in iscsid.conf).
    for service in ("open-iscsi", "multipathd"):
        assert host.service(service).is_enabled, service
