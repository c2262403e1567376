# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bugs that users of other initiator modules met, one test each, named after the report.

What only a kernel can show is in molecule/linux_client: that the size of a LUN which grew under a mounted file system
arrives (ceph-iscsi-cli#61, 45Drives/cockpit-file-sharing#197), and that a new LUN appears in a running session
(community.general#3763). test_multipath_map has the resize of maps, test_disk_mount that of file systems.
"""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions

NAS = "iqn.1991-05.com.example:nas2-stor-target"
# What the reporter's target said of itself: only the first portal could be reached.
TOLD = ["10.10.38.1", "10.10.37.1", "192.168.0.45", "[2002:c11c:2121::c111:112d]"]
NEAR, FAR = TOLD[0], {"10.10.37.1", "192.168.0.45", "2002:c11c:2121::c111:112d"}


@pytest.fixture
def run(run_session, tools):
    tools.answers = {NEAR: (0, "".join("%s:3260,1 %s\n" % (portal, NAS) for portal in TOLD))}
    tools.down = set(FAR)
    return run_session


def logins(tools):
    return [call[call.index("-p") + 1] for call in tools.calls if call[-1] == "--login"]


def test_ansible_29309_login_uses_only_the_named_portal(run, tools):
    """open_iscsi did not pass the portal on, so iscsiadm tried all portals of the target, and failed at those of other networks.

    ansible/ansible#29309, ansible/ansible-modules-extras#2137.
    """
    result = run(targets=[dict(name=NAS, portals=[NEAR])])
    assert not result["failed"] and logins(tools) == ["10.10.38.1:3260"]


def test_ansible_29309_with_discovery_portals_of_other_networks_are_not_even_recorded(run, tools, client_host):
    """The same, with discovery as the reporter had it."""
    result = run(discovery=dict(portals=[NEAR], networks=["10.10.38.0/24"]))
    assert not result["failed"] and logins(tools) == ["10.10.38.1:3260"]
    assert [record.address for record in Records(str(client_host.nodes)).all()] == [NEAR]


def test_ansible_29309_without_a_limit_the_unreachable_ones_are_named_and_stop_nobody(run, tools, client_host):
    result = run(discovery=dict(portals=[NEAR]), require="any")
    assert not result["failed"] and [session.address for session in sessions(str(client_host.sysfs))] == [NEAR]
    assert len(result["failed_portals"]) == 3


def test_ansible_29282_the_named_portal_wins_over_what_was_known_before(run, tools, client_host):
    """open_iscsi took the first record in the database, an address of the link-local range. ansible/ansible#29282."""
    client_host.record(NAS, "169.254.154.140", tag=0)
    client_host.record(NAS, "169.254.21.113", tag=0)
    run(targets=[dict(name=NAS, portals=["192.168.3.165"])])
    assert logins(tools) == ["192.168.3.165:3260"]


def test_community_general_2683_a_second_portal_of_a_target_with_a_session_is_logged_in_to(run, tools, client_host):
    """open_iscsi asked whether there is a session to the target, not to the portal, so the second path was never made."""
    first, second = "10.10.38.1", "10.10.38.2"
    run(targets=[dict(name=NAS, portals=[first])])
    result = run(targets=[dict(name=NAS, portals=[first, second])])
    assert result["changed"] and logins(tools) == [first + ":3260", second + ":3260"]
    assert sorted(session.address for session in sessions(str(client_host.sysfs))) == [first, second]


@pytest.mark.parametrize("new", [False, True])
def test_community_general_3763_a_rescan_brings_new_luns_and_is_a_change_only_then(run, tools, client_host, new):
    """The rescan that was added for this request reports every run as a change, and also rescans in check mode."""
    options = dict(targets=[dict(name=NAS, portals=[NEAR])])
    run(**options)
    client_host.disk("sda", tools.sid)
    if new:
        tools.on_rescan = lambda: client_host.disk("sdb", tools.sid, serial="s2", lun=1)
    tools.calls.clear()
    assert not run(rescan=True, check_mode=True, **options)["changed"] and tools.calls == []
    result = run(rescan=True, **options)
    assert result["changed"] == new and result["rescanned"] == (["sdb"] if new else [])
    assert [call for call in tools.calls if "--rescan" in call] == [
        ["iscsiadm", "-m", "session", "-r", str(tools.sid), "--rescan"]], "only the declared session"


def test_community_general_3763_a_block_device_that_comes_a_moment_later_is_waited_for(run, tools, client_host, monkeypatch):
    """The kernel returns from a scan when the LUN is known; its block device is made in the background."""
    monkeypatch.setattr("ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_run.SETTLE", 5)
    options = dict(targets=[dict(name=NAS, portals=[NEAR])])
    run(**options)
    lun = client_host.sysfs / f"devices/platform/host{tools.sid}/session{tools.sid}/target{tools.sid}:0:0/{tools.sid}:0:0:0"
    waits = []

    def scanned():
        lun.mkdir(parents=True)
        (lun / "type").write_text("0\n")

    def sleep(seconds):
        waits.append(seconds)
        client_host.disk("sda", tools.sid)
    tools.on_rescan = scanned
    monkeypatch.setattr("ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_run.time.sleep", sleep)
    assert run(rescan=True, **options)["rescanned"] == ["sda"] and len(waits) == 1


def test_a_rescan_that_fails_is_told(run, tools, client_host):
    options = dict(targets=[dict(name=NAS, portals=[NEAR])])
    run(**options)

    def fail():
        raise OSError("iscsiadm ended")
    tools.on_rescan = fail
    result = run(rescan=True, **options)
    assert result["failed"] and "rescan: iscsiadm ended" in result["msg"]


@pytest.mark.parametrize("rescan", [False, True])
def test_community_general_10006_discovery_needs_no_target_name(run, tools, rescan):
    """With discover, login and rescan but no target, open_iscsi called iscsiadm with an empty name."""
    result = run(discovery=dict(portals=[NEAR], networks=["10.10.38.0/24"]), rescan=rescan)
    assert not result["failed"] and [session["target"] for session in result["sessions"]] == [NAS]
    assert not [call for call in tools.calls if "" in call or "None" in call]


def test_open_iscsi_target_login_keeps_its_arguments_apart(run, tools):
    """open_iscsi hands the portal over where its function expects whether to fail, so the portal is ignored (plugins/modules/
    open_iscsi.py, target_login), and a failed login can be reported as a change."""
    tools.codes = {NEAR + ":3260": 24}
    first = run(targets=[dict(name=NAS, portals=[NEAR])])
    assert first["failed"] and "CHAP failed" in first["msg"]
    again = run(targets=[dict(name=NAS, portals=[NEAR])])
    assert again["failed"] and not again["changed"]
    login = [call for call in tools.calls if call[-1] == "--login"][-1]
    assert login == ["iscsiadm", "-m", "node", "-T", NAS, "-p", NEAR + ":3260", "-I", "default", "--login"]


def test_open_iscsi_discovery_resets_startup_but_not_here(run, client_host):
    """With iscsiadm's own discovery every run sets node.startup back to manual, so "automatic" is never idempotent
    (ansible/ansible#3365)."""
    options = dict(discovery=dict(portals=[NEAR], networks=["10.10.38.0/24"]))
    run(**options)
    for _time in range(2):
        assert run(**options)["operations"] == []
        assert [record.settings()["node.startup"] for record in Records(str(client_host.nodes)).all()] == ["automatic"]
