# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Interfaces: each network's portals through its own device, with records that have room for several."""
import os
import socket
import subprocess
import sys

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import SO_BINDTODEVICE, connect
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_ifaces import Ifaces
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import in_networks
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions

A = "iqn.2026-11.com.example:gw1"
P1, P2, P6 = "10.0.1.11", "10.0.2.11", "fd00:2::11"
SAN = [dict(name="san1", device="eth1", networks=["10.0.1.0/24"]),
       dict(name="san2", device="eth2", networks=["10.0.2.0/24", "fd00:2::/64"])]


@pytest.fixture
def run(run_session):
    return run_session


def target(*portals, **more):
    return dict(more, name=A, portals=list(portals))


def keys(client_host):
    return sorted(record.key[1:] for record in Records(str(client_host.nodes)).all())


def test_each_network_has_its_own_interface(run, client_host):
    options = dict(targets=[target(P1, P2, P6, "10.9.9.9")], interfaces=SAN)
    result = run(**options)
    assert sorted((s["portal"], s["iface"]) for s in result["sessions"]) == [
        ("10.0.1.11:3260", "san1"), ("10.0.2.11:3260", "san2"), ("10.9.9.9:3260", "default"), ("[fd00:2::11]:3260", "san2")]
    assert (client_host.ifaces / "san1").read_text() == (
        "# BEGIN RECORD\niface.iscsi_ifacename = san1\niface.net_ifacename = eth1\niface.transport_name = tcp\n# END RECORD\n")
    assert (client_host.ifaces / "san1").stat().st_mode & 0o777 == 0o600
    assert sorted(entry.name for entry in client_host.ifaces.parent.iterdir()) == ["ifaces", "nodes"]
    assert run(**options)["operations"] == []


def test_a_dead_portal_is_asked_through_its_device_and_costs_no_login(run, tools):
    """iscsiadm tries for initial_login_retry_max x login_timeout: a minute for each portal of a dead gateway."""
    tools.down.add(P2)
    result = run(targets=[target(P1, P2, "10.9.9.9")], interfaces=SAN, require="any")
    assert not result["failed"] and [entry["portal"] for entry in result["failed_portals"]] == ["10.0.2.11:3260"]
    assert sorted(tools.probed) == [(P1, "eth1"), (P2, "eth2"), ("10.9.9.9", "")]
    assert not [call for call in tools.calls if "--login" in call and "10.0.2.11:3260" in call]


def test_the_device_of_an_interface(client_host):
    client_host.interface("bound", net_ifacename="eth1")
    client_host.interface("named", initiatorname="iqn.1993-08.org.debian:01:site")
    client_host.interface("card", hwaddress="52:54:00:AA:00:01")
    client_host.interface("hardware", transport_name="bnx2i")
    net = client_host.ifaces.parent / "net"
    for device, address in (("eth1", "52:54:00:aa:00:01"), ("eth2", "52:54:00:aa:00:02")):
        (net / device).mkdir(parents=True)
        (net / device / "address").write_text(address + "\n")
    ifaces = Ifaces(str(client_host.ifaces), str(net))
    found = {name: ifaces.device(name) for name in ("default", "bound", "named", "card", "hardware", "missing")}
    assert found == dict(default="", bound="eth1", named="", card="eth1", hardware=None, missing=None)


def test_a_connection_through_a_device():
    """Root alone may bind to a device; the loopback one is always there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect("127.0.0.1", server.getsockname()[1], 5).close()
        if os.geteuid() != 0:
            pytest.skip("needs root")
        made = connect("127.0.0.1", server.getsockname()[1], 5, "lo")
        assert made.getsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
        made.close()
        with pytest.raises(OSError):
            connect("127.0.0.1", server.getsockname()[1], 5, "nosuch0")


PROBE = """
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import Iscsiadm
for address in ("127.0.0.1", "192.0.2.9", "198.51.100.9"):
    try:
        print(Iscsiadm(None, connect_timeout=1).probe(address, 3260))
    except EnvironmentError as error:
        print(error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a network of its own")
def test_what_keeps_a_portal_from_answering_is_told_apart():
    """Nobody listens, nobody is there, no way leads there: in a network where nobody else is."""
    setup = ("ip link set lo up && ip link add d0 type veth peer name d1 && ip address add 192.0.2.1/24 dev d0 && ip link set d0 up && "
             "ip link set d1 up && exec")
    done = subprocess.run(["unshare", "--net", "sh", "-c", setup + ' "$@"', "sh", sys.executable, "-c", PROBE], text=True, check=True,
                          capture_output=True, env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
    refused, silent, unreachable = done.stdout.splitlines()
    assert refused.startswith("127.0.0.1:3260 connection refused: the host is up but no target listens there")
    assert silent.startswith("192.0.2.9:3260 no answer: is the gateway up")
    assert unreachable.startswith("198.51.100.9:3260 no route: check the address")


def test_check_mode_makes_no_interface(run, client_host, tools):
    result = run(targets=[target(P1)], interfaces=SAN, check_mode=True)
    assert [op["object"] for op in result["operations"]][:2] == ["interface san1", "interface san2"]
    assert not client_host.ifaces.exists() and tools.calls == []


def test_a_changed_device_reaches_the_records_and_waits_for_the_next_login(run, client_host):
    run(targets=[target(P1)], interfaces=SAN)
    moved = [dict(SAN[0], device="eth2"), SAN[1]]
    result = run(targets=[target(P1)], interfaces=moved)
    record = Records(str(client_host.nodes)).find((A, P1, 3260, "san1"))
    assert record.settings()["iface.net_ifacename"] == "eth2"
    assert [entry["settings"] for entry in result["pending"]] == [["iface.net_ifacename"]]
    assert "iface.net_ifacename = eth2" in (client_host.ifaces / "san1").read_text()


def test_other_interfaces_of_a_portal_stay_when_one_is_removed(run, tools, client_host):
    """Without "-I" iscsiadm deletes the records, and logs in through, all interfaces of the portal (seen with 2.1.8)."""
    client_host.interface("net1")
    client_host.interface("net2")
    run(targets=[target(P1)], ifaces=["net1", "net2"])
    result = run(targets=[target(P1)], ifaces=["net2"], exclusive=[A])
    assert result["changed"] and keys(client_host) == [(P1, 3260, "net2")]
    assert [session.iface for session in sessions(str(client_host.sysfs))] == ["net2"]
    assert all("-I" in call for call in tools.calls if call[:3] == ["iscsiadm", "-m", "node"])


def test_a_second_interface_does_not_lose_the_first_ones_record(run, tools, client_host):
    """A record without a group tag is one file: iscsiadm replaces it when a second interface comes (seen with 2.1.8)."""
    run(targets=[target(P1)], chap=dict(user="joe", secret="secret-of-joe1"),
        settings={"node.conn[0].timeo.noop_out_interval": 3})
    client_host.interface("net1")
    result = run(targets=[target(P1)], ifaces=["default", "net1"])
    assert not result["failed"] and keys(client_host) == [(P1, 3260, "default"), (P1, 3260, "net1")]
    settings = Records(str(client_host.nodes)).find((A, P1, 3260, "default")).settings()
    # What was there stays, whoever set it.
    assert settings["node.session.auth.password"] == "secret-of-joe1"
    assert settings["node.conn[0].timeo.noop_out_interval"] == "3" and settings["iface.iscsi_ifacename"] == "default"
    assert "secret-of" not in str(result) and "secret-of" not in str(tools.calls)
    assert run(targets=[target(P1)], ifaces=["default", "net1"])["operations"] == []
    assert sorted(session.iface for session in sessions(str(client_host.sysfs))) == ["default", "net1"]


def test_moving_a_portal_to_an_interface_ends_the_unbound_session(run, client_host):
    run(targets=[target(P1, P2)])
    result = run(targets=[target(P1, P2)], interfaces=SAN, exclusive=[A])
    assert not result["failed"] and keys(client_host) == [(P1, 3260, "san1"), (P2, 3260, "san2")]
    assert sorted(session.iface for session in sessions(str(client_host.sysfs))) == ["san1", "san2"]
    assert run(targets=[target(P1, P2)], interfaces=SAN, exclusive=[A])["operations"] == []


def test_an_interface_in_use_is_not_removed(run, client_host):
    run(targets=[target(P1)], interfaces=SAN)
    gone = [dict(name="san1", state="absent")]
    result = run(targets=[target(P2)], interfaces=gone)
    assert result["failed"] and "san1 cannot be removed" in result["msg"] and A in result["msg"]
    result = run(targets=[dict(name=A)], state="absent", interfaces=gone)
    assert result["changed"] and not (client_host.ifaces / "san1").exists() and (client_host.ifaces / "san2").exists()
    assert not run(targets=[dict(name=A)], state="absent", interfaces=gone)["changed"]


def test_an_initiator_name_of_its_own(run, client_host):
    own = [dict(name="site", initiator_name="iqn.1993-08.org.debian:01:site", networks=["10.0.1.0/24"])]
    run(targets=[target(P1)], interfaces=own)
    record = Records(str(client_host.nodes)).find((A, P1, 3260, "site"))
    assert record.settings()["iface.initiatorname"] == "iqn.1993-08.org.debian:01:site"


def test_an_interface_that_somebody_else_made_keeps_what_is_not_named(run, client_host):
    client_host.interface("san1", net_ifacename="eth1", mtu="9000")
    result = run(targets=[target(P1)], interfaces=SAN[:1])
    assert [op for op in result["operations"] if op["object"] == "interface san1"] == []
    assert "iface.mtu = 9000" in (client_host.ifaces / "san1").read_text()


@pytest.mark.parametrize("interface, text", [
    (dict(name="default", device="eth1"), "are its own"), (dict(name="a/b", device="eth1"), "a/b"),
    (dict(name="x\n", device="eth1"), "Choose a name"), (dict(name="x", hwaddress="zz"), 'hwaddress "zz" is no hardware address'),
    (dict(name="x", initiator_name="joe"), 'initiator_name "joe" is no iSCSI name'),
    (dict(name="x"), "binds to nothing"), (dict(name="x", device="eth7"), "no network device eth7"),
    (dict(name="x", device="eth1", networks=["10.0.0.0"]), "ADDRESS/LENGTH")])
def test_an_interface_that_cannot_work_is_refused(run, tools, client_host, interface, text):
    result = run(targets=[target(P1)], interfaces=[interface])
    assert result["failed"] and text in result["msg"] and tools.calls == [] and not client_host.ifaces.exists()


def test_an_interface_of_a_hardware_adapter_is_left_alone(run, client_host):
    client_host.interface("san1", transport_name="bnx2i")
    before = (client_host.ifaces / "san1").read_text()
    result = run(targets=[target(P1)], interfaces=SAN)
    assert result["failed"] and "hardware interface" in result["msg"] and (client_host.ifaces / "san1").read_text() == before


@pytest.mark.parametrize("address, network, inside", [
    ("10.0.1.255", "10.0.1.0/24", True), ("10.0.2.0", "10.0.1.0/24", False), ("10.0.1.7", "10.0.1.9/24", True),
    ("fd00:2::1", "fd00:2::/64", True), ("fd00:3::1", "fd00:2::/64", False), ("fe80::1%eth1", "fe80::/10", True),
    ("10.0.1.1", "fd00::/8", False), ("10.0.1.1", "0.0.0.0/0", True), ("::1", "::1/128", True)])
def test_networks(address, network, inside):
    assert in_networks(address, [network]) == inside


def test_an_interface_that_is_no_text_is_named(run, tools, client_host):
    client_host.interface("san1")
    (client_host.ifaces / "san1").write_bytes(b"# \xe9\n")
    result = run(targets=[target(P1)], interfaces=SAN[:1])
    assert result["failed"] and "%s: the byte at 2 is not UTF-8" % (client_host.ifaces / "san1") in result["msg"]
    assert tools.calls == [] and (client_host.ifaces / "san1").read_bytes() == b"# \xe9\n"
