# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iscsi_session: targets, portals, records, refusals. Discovery, interfaces and relogin have files of their own."""
import errno
import os
import shutil
import stat

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions

A = "iqn.2026-11.com.example:gw1"
B = "iqn.2026-11.com.example:gw2"
FOREIGN = "iqn.2026-11.com.example2:gw1"
P1, P2 = "10.0.0.1", "10.0.1.1"
CHAP = dict(user="joe", secret="secret-of-joe1")


@pytest.fixture
def run(run_session):
    return run_session


def target(name=A, *portals, **more):
    return dict(name=name, portals=list(portals or [P1]), **more)


def lines(result):
    return [(op["object"], op["action"], op["done"]) for op in result["operations"]]


def test_new_targets_are_logged_in_to_through_all_portals(run, client_host):
    options = dict(targets=[target(A, P1, "[FD00::00a1]:3261"), target(B, P2)])
    result = run(**options)
    assert result["changed"] and not result["failed"]
    assert [(s["target"], s["portal"], s["state"]) for s in result["sessions"]] == [
        (A, "10.0.0.1:3260", "LOGGED_IN"), (A, "[fd00::a1]:3261", "LOGGED_IN"), (B, "10.0.1.1:3260", "LOGGED_IN")]
    record = Records(str(client_host.nodes)).find((A, P1, 3260, "default"))
    assert record.settings()["node.startup"] == "automatic"
    second = run(**options)
    assert not second["changed"] and second["operations"] == []


def test_each_login_names_its_target_and_its_portal(run, tools):
    """Peers' users met a module that ignored the portal and logged in to all or none (community.general#3763)."""
    run(targets=[target(A, P1, P2)])
    logins = [call for call in tools.calls if call[-1] == "--login"]
    assert logins == [["iscsiadm", "-m", "node", "-T", A, "-p", portal + ":3260", "-I", "default", "--login"] for portal in (P1, P2)]


def test_check_mode_says_the_same_and_does_nothing(run, tools, client_host):
    result = run(targets=[target(A, P1)], chap=CHAP, check_mode=True)
    assert result["changed"] and [action for _o, action, _d in lines(result)] == [
        "create the node record", lines(result)[1][1], "log in"]
    assert tools.calls == [] and list(client_host.nodes.iterdir()) == []
    assert not any(done for _o, _a, done in lines(result))


@pytest.mark.parametrize("code, text", [
    (24, "CHAP failed"), (8, "nothing answered in time"), (19, "refused the login for good"), (20, "iscsid does not run"),
    (5, "may not know this initiator"), (12, "no iSCSI transport"), (77, "iscsiadm failed"),
])
def test_a_failed_login_is_explained_and_is_no_change(run, tools, client_host, code, text):
    """A failed login that reports a change is what open_iscsi's users met (facts: its arguments were swapped)."""
    run(targets=[target(A, P1)], require="none")
    client_host.record(B, P2)
    tools.codes = {P2 + ":3260": code}
    first = run(targets=[target(A, P1), target(B, P2)])
    assert first["failed"] and text in first["msg"] and B in first["msg"] and "exit code %d" % code in first["msg"]
    again = run(targets=[target(A, P1), target(B, P2)])
    assert again["failed"] and not again["changed"]
    assert [op["done"] for op in again["operations"]] == [False]


def test_a_session_that_iscsid_made_meanwhile_is_no_failure(run, tools, client_host):
    tools.codes = {P1 + ":3260": 15}
    client_host.record(A, P1)
    original = tools.run

    def race(argv):
        if argv[-1] == "--login":
            client_host.session(5, A, P1)
        return original(argv)
    tools.run = race
    assert not run(targets=[target(A, P1)])["failed"]


def test_a_login_that_leaves_no_session_is_a_failure(run, tools):
    tools.codes = {P1 + ":3260": 15}
    result = run(targets=[target(A, P1)])
    assert result["failed"] and "the kernel shows no session" in result["msg"]


@pytest.mark.parametrize("require, down, fails", [
    ("all", [P1], True), ("any", [P1], False), ("any", [P1, P2], True), ("none", [P1, P2], False), ("all", [], False)])
def test_a_dead_portal_does_not_stop_the_others(run, tools, require, down, fails):
    tools.down = set(down)
    result = run(targets=[target(A, P1), target(B, P2)], require=require)
    assert result["failed"] == fails
    assert {entry["portal"] for entry in result["failed_portals"]} == {address + ":3260" for address in down}
    # A login is only tried where something listens: iscsiadm itself would try for two minutes.
    assert len([call for call in tools.calls if call[-1] == "--login"]) == 2 - len(down)
    if fails:
        assert "no answer" in result["msg"] and "%d of 2 portals" % len(down) in result["msg"]


def test_secrets_are_only_in_the_record(run, tools, client_host):
    chap = dict(CHAP, mutual_user="tgt", mutual_secret="secret-of-tgt1")
    result = run(targets=[target(A, P1)], chap=chap)
    assert "secret-of" not in str(result) and "secret-of" not in str(tools.calls)
    record = Records(str(client_host.nodes)).find((A, P1, 3260, "default"))
    assert stat.S_IMODE((client_host.nodes / record.path).stat().st_mode) == 0o600
    settings = {name: value for name, value in record.settings().items() if ".auth." in name}
    assert settings == {
        "node.session.auth.authmethod": "CHAP", "node.session.auth.chap_algs": "MD5",
        "node.session.auth.username": "joe", "node.session.auth.password": "secret-of-joe1",
        "node.session.auth.username_in": "tgt", "node.session.auth.password_in": "secret-of-tgt1"}


def test_a_changed_secret_is_pending_until_the_next_login(run, client_host):
    run(targets=[target(A, P1)], chap=CHAP)
    result = run(targets=[target(A, P1)], chap=dict(CHAP, secret="another-secret"))
    assert result["changed"] and [entry["portal"] for entry in result["pending"]] == ["10.0.0.1:3260"]
    assert "secret-of-joe1" not in str(result) and "another-secret" not in str(result)


def test_chap_that_is_not_mentioned_stays_and_an_empty_one_turns_it_off(run, client_host):
    def settings():
        return Records(str(client_host.nodes)).find((A, P1, 3260, "default")).settings()
    run(targets=[target(A, P1)], chap=CHAP)
    assert not run(targets=[target(A, P1)])["changed"]
    assert settings()["node.session.auth.authmethod"] == "CHAP"
    assert run(targets=[target(A, P1)], chap={})["changed"]
    assert settings()["node.session.auth.authmethod"] == "None" and "node.session.auth.password" not in settings()


@pytest.mark.parametrize("options, text", [
    pytest.param(dict(targets=[target(A, "gw1.example.com")]), "gw1.example.com", id="host name"),
    pytest.param(dict(targets=[target(A, "10.0.0.1:70000")]), "70000", id="port"),
    pytest.param(dict(targets=[target(A, "10.0.0.300")]), "10.0.0.300", id="address"),
    pytest.param(dict(targets=[target(A, P1, "10.0.0.1:3260")]), "listed twice", id="twice"),
    pytest.param(dict(targets=[dict(name=A)]), "has no portals", id="no portals"),
    pytest.param(dict(targets=[target("", P1)]), 'target "" is no iSCSI name', id="no name"),
    pytest.param(dict(targets=[target("../x", P1)]), "is no iSCSI name", id="a path for a name"),
    pytest.param(dict(targets=[target(A + "\n", P1)]), "is no iSCSI name", id="a line end in a name"),
    pytest.param(dict(targets=[target(A, P1)], connect_timeout=-1), "connect_timeout is -1", id="negative timeout"),
    pytest.param(dict(targets=[target(A, P1)], settings={"node.session.timeo.replacement_timeout": None}), "its value is missing", id="null"),
    pytest.param(dict(targets=[target()], chap=dict(user="joe")), "belong together", id="half of CHAP"),
    pytest.param(dict(targets=[target()], chap=dict(CHAP, mutual_user="t")), "belong together", id="half of mutual CHAP"),
    pytest.param(dict(targets=[target()], chap=dict(CHAP, mutual_user="t", mutual_secret=CHAP["secret"])),
                 "the same", id="one secret for both"),
    pytest.param(dict(targets=[target()], settings={"node.session.scan": "a\nb"}), "node.session.scan", id="two lines"),
    pytest.param(dict(targets=[target(A, "0.0.0.0")]), "0.0.0.0 is the address of no single host", id="unspecified address"),
    pytest.param(dict(targets=[target(A, "::")]), ":: is the address of no single host", id="unspecified IPv6 address"),
    pytest.param(dict(targets=[target(A, "[ff02::1]:3260")]), "ff02::1 is the address of no single host", id="multicast address"),
    pytest.param(dict(targets=[target(A, u"10.0.0.1:\u0663\u0662\u0666\u0660")]), "is not of the form", id="digits of another script"),
    pytest.param(dict(targets=[target(A, "10.0.0.1, 1")]), "is not of the form", id="a blank in a tag"),
    pytest.param(dict(targets=[], exclusive=["iqn.2026-11.com.example"]), "everything below it would be logged out", id="nothing declared and all else to go"),
    pytest.param(dict(targets=[target()], exclusive=[""]), 'exclusive: "" does not say whose', id="an empty prefix"),
    pytest.param(dict(targets=[target()], exclusive=["iqn"]), 'exclusive: "iqn" does not say whose', id="everybody's prefix"),
    pytest.param(dict(targets=[target()], exclusive=["iqn.2026-11"]), 'exclusive: "iqn.2026-11" does not say whose', id="a month's prefix"),
    pytest.param(dict(targets=[target()], ifaces=[]), "ifaces is empty", id="no interface"),
    pytest.param(dict(targets=[target()], ifaces=["default", "default"]), "ifaces: default is listed twice", id="interface twice"),
    pytest.param(dict(targets=[target()], ifaces=["../x"]), 'ifaces: "../x" is no name', id="a path for an interface"),
    pytest.param(dict(targets=[target()], ifaces=["san9"]), "this host has no interface san9 below /etc/iscsi/ifaces (it has none)", id="unknown interface"),
    pytest.param(dict(targets=[target()], settings={"node.name": B}), "that is what name and portals of the target say", id="another record's name"),
    pytest.param(dict(targets=[target()], settings={"node.conn[0].address": P2}), "that is what name and portals", id="another record's address"),
    pytest.param(dict(targets=[target()], settings={"iface.net_ifacename": "eth1"}), "that is what interfaces and ifaces say", id="interface's device"),
    pytest.param(dict(targets=[target()], settings={"node.startup": "manual"}), "that is what startup says", id="startup twice"),
    pytest.param(dict(targets=[target()], settings={"node.session.auth.username": "jim"}, chap=CHAP), "that is what chap says", id="user twice"),
    pytest.param(dict(targets=[target()], settings={"": 1}), 'setting "" is no name', id="setting without a name"),
    pytest.param(dict(targets=[target()], settings={"a = b\nc": 1}), "is no name of a setting", id="lines for a name"),
])
def test_what_breaks_a_rule_is_refused_before_anything_is_done(run, tools, client_host, options, text):
    result = run(**options)
    assert result["failed"] and not result["changed"] and text in result["msg"]
    assert tools.calls == [] and list(client_host.nodes.iterdir()) == []
    assert "secret-of" not in result["msg"]


@pytest.mark.parametrize("name, value, text", [
    ("node.conn[0].timeo.noop_out_interval", "often", '"often" is not a whole number'),
    ("node.conn[0].timeo.noop_out_interval", True, '"Yes" is not a whole number'),
    ("node.conn[0].timeo.noop_out_interval", 2.5, '"2.5" is not a whole number'),
    ("node.conn[0].timeo.noop_out_interval", -2, "-2 is negative"),
    ("node.leading_login", 1, '"1" is not Yes or No'),
    ("node.leading_login", "maybe", '"maybe" is not Yes or No'),
])
@pytest.mark.parametrize("known", [False, True])
def test_a_value_of_another_kind_is_never_logged_in_with(run, tools, client_host, name, value, text, known):
    """iscsiadm would take the digits that it finds: a ping every 0 s is none at all."""
    if known:
        client_host.record(A, P1)
    result = run(targets=[target(A, P1)], settings={name: value})
    assert result["failed"] and text in result["msg"] and name in result["msg"] and A in result["msg"]
    assert not [call for call in tools.calls if call[-1] == "--login"]
    assert Records(str(client_host.nodes)).all()[0].settings()[name] in ("5", "No")


def test_what_is_for_ever_is_minus_one(run):
    assert not run(targets=[target(A, P1)], settings={"node.session.timeo.replacement_timeout": -1})["failed"]


def test_settings_change_only_where_they_differ(run, client_host):
    options = dict(targets=[target(A, P1, settings={"node.conn[0].timeo.noop_out_timeout": 3})],
                   settings={"node.conn[0].timeo.noop_out_interval": 5, "node.conn[0].timeo.noop_out_timeout": 2})
    client_host.record(A, P1)
    result = run(**options)
    change = [op for op in result["operations"] if op["how"] == "record"][0]
    assert change["data"] == ("node.conn[0].startup = automatic\nnode.conn[0].timeo.noop_out_timeout = 3\n"
                              "node.startup = automatic\n")
    assert not run(**options)["changed"]


def test_queue_depth_and_digests_are_settings_too(run, client_host):
    options = dict(targets=[target(A, P1)], settings={"node.session.queue_depth": 64,
                                                      "node.conn[0].iscsi.HeaderDigest": "CRC32C,None"})
    path = client_host.record(A, P1)
    # As Debian's open-iscsi writes it.
    path.write_text(path.read_text().replace("# END RECORD", "node.session.queue_depth = 32\n# END RECORD"))
    first = run(**options)
    assert first["changed"], first.get("msg")
    for line in ("node.session.queue_depth = 64", "node.conn[0].iscsi.HeaderDigest = CRC32C,None"):
        assert path.read_text().splitlines().count(line) == 1
    assert not run(**options)["changed"]


def test_portals_and_targets_that_the_site_no_longer_has_are_removed(run, client_host):
    for name, address in ((A, P1), (A, P2), (B, P2), (FOREIGN, P1)):
        client_host.record(name, address)
    for sid, (name, address) in enumerate([(A, P1), (A, P2), (B, P2), (FOREIGN, P1)], 1):
        client_host.session(sid, name, address)
    result = run(targets=[target(A, P1)], exclusive=["iqn.2026-11.com.example"])
    assert [(o, a) for o, a, _d in lines(result) if not a.startswith("set ")] == [
        ("target %s, portal %s:3260" % (name, P2), action)
        for name in (A, B) for action in ("log out", "delete the node record")]
    left = {(session.target, session.address) for session in sessions(str(client_host.sysfs))}
    assert left == {(A, P1), (FOREIGN, P1)}
    assert {record.target for record in Records(str(client_host.nodes)).all()} == {A, FOREIGN}


def two_paths(client_host):
    for sid, address in ((1, P1), (2, P2)):
        client_host.record(A, address)
        client_host.session(sid, A, address)
        client_host.disk("sd" + "ab"[sid - 1], sid)
    client_host.map("dm-0", ["sda", "sdb"], name="db01")


@pytest.mark.parametrize("use, text", [
    pytest.param(lambda h, t: h.mount("dm-0", "/srv"), "dm-0 is mounted on /srv", id="mounted"),
    pytest.param(lambda h, t: t.opened.update(db01=1), "have it open", id="open by a process"),
    pytest.param(lambda h, t: (h.map("dm-1", [], name="vg-lv", uuid="LVM-x"), h.hold("dm-0", "dm-1")),
                 "part of dm-1 (vg-lv)", id="LVM"),
    pytest.param(lambda h, t: (h.map("dm-1", [], name="db01-part1", uuid="part1-mpath-x"), h.hold("dm-0", "dm-1"),
                               h.mount("dm-1", "/srv")), "dm-1 is mounted on /srv", id="partition mounted"),
    pytest.param(lambda h, t: (h.proc / "swaps").write_text("Filename\n/dev/dm-0 partition 1 0 -2\n"),
                 "dm-0 is swap space", id="swap"),
])
def test_the_last_path_of_a_used_disk_is_not_given_up(run, tools, client_host, use, text):
    two_paths(client_host)
    use(client_host, tools)
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and not result["changed"] and text in result["msg"] and "db01" in result["msg"]
    assert not [call for call in tools.calls if call[0] != "dmsetup"]


def test_one_of_two_paths_of_a_used_disk_may_go(run, client_host):
    two_paths(client_host)
    client_host.mount("dm-0", "/srv")
    result = run(targets=[dict(name=A, portals=[P1])], state="absent")
    assert result["changed"] and [s.address for s in sessions(str(client_host.sysfs))] == [P2]


def test_a_path_that_is_dead_does_not_count_as_the_other_one(run, client_host):
    two_paths(client_host)
    client_host.mount("dm-0", "/srv")
    (client_host.sysfs / "block/sdb/device/state").write_text("transport-offline\n")
    result = run(targets=[dict(name=A, portals=[P1])], state="absent")
    assert result["failed"] and "last working path" in result["msg"] and "sdb" in result["msg"]


def test_a_path_that_multipathd_calls_failed_does_not_count_as_the_other_one(run, tools, client_host):
    """A path that the checker (TUR) failed keeps the SCSI state running."""
    two_paths(client_host)
    client_host.mount("dm-0", "/srv")
    tools.paths = lambda: "sda active ready 50\nsdb failed faulty 10\n"
    result = run(targets=[dict(name=A, portals=[P1])], state="absent")
    assert result["failed"] and not result["changed"] and "last working path" in result["msg"] and "sdb" in result["msg"]
    assert len(sessions(str(client_host.sysfs))) == 2


def test_a_standby_path_counts_as_the_other_one(run, tools, client_host):
    """The gateway that stands by answers TUR as not ready: ghost for multipathd, and active for the kernel."""
    two_paths(client_host)
    client_host.mount("dm-0", "/srv")
    tools.paths = lambda: "sda active ready 50\nsdb active ghost 1\n"
    assert run(targets=[dict(name=A, portals=[P1])], state="absent")["changed"]


def test_a_partitioned_map_that_nobody_uses_can_go(run, tools, client_host):
    """kpartx's map of a partition holds its parent open."""
    two_paths(client_host)
    for dm, number in (("dm-1", 1), ("dm-2", 2)):
        client_host.map(dm, [], name="db01-part%d" % number, uuid="part%d-mpath-x" % number)
        client_host.hold("dm-0", dm)
    tools.opened.update(db01=2)
    assert not run(targets=[dict(name=A)], state="absent", check_mode=True)["failed"]
    tools.opened.update(db01=3)
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and '1 process(es) have it open ("fuser /dev/dm-0"' in result["msg"]
    tools.opened.update({"db01": 2, "db01-part2": 1})
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and "fuser /dev/dm-2" in result["msg"] and not result["changed"]


@pytest.mark.parametrize("device", ["sda", "sda1"])
def test_a_disk_without_multipath_that_a_process_has_open_is_guarded(run, client_host, device):
    client_host.session(1, A, P1)
    client_host.disk("sda", 1)
    client_host.partition("sda", "sda1")
    client_host.process(77, "postgres", opens=device, part_of="sda")
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and "process 77 (postgres) has %s open" % device in result["msg"] and not result["changed"]


def test_multipathd_has_its_paths_open_and_is_no_user(run, client_host):
    client_host.session(1, A, P1)
    client_host.disk("sda", 1)
    client_host.process(77, "multipathd", opens="sda")
    assert run(targets=[dict(name=A)], state="absent")["changed"]


@pytest.mark.parametrize("code, state, used", [
    (errno.EBUSY, "running", True), (errno.ENXIO, "running", False), (errno.EBUSY, "transport-offline", False)])
def test_a_disk_that_the_kernel_holds_exclusively_is_guarded(run, client_host, monkeypatch, code, state, used):
    """O_EXCL on a block device: the kernel says EBUSY when somebody else has it so. A disk that is not running is not opened: that may hang."""
    client_host.session(1, A, P1)
    client_host.disk("sda", 1, state=state)
    asked, plain = [], os.open

    def opening(path, flags, *more, **named):
        if not str(path).endswith("/dev/sda"):
            return plain(path, flags, *more, **named)
        asked.append(flags & os.O_EXCL)
        raise OSError(code, os.strerror(code))
    monkeypatch.setattr(disks.os, "open", opening)
    result = run(targets=[dict(name=A)], state="absent")
    assert asked == ([os.O_EXCL] if state == "running" else [])
    assert result["failed"] == used and (not used or "sda is held exclusively" in result["msg"]), result


def test_a_disk_without_multipath_is_guarded_too(run, client_host):
    client_host.session(1, A, P1)
    client_host.disk("sda", 1)
    client_host.partition("sda", "sda1")
    client_host.mount("sda1", "/with\\040blank", part_of="sda")
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and "sda1 is mounted on /with blank" in result["msg"]


def test_an_unused_map_is_flushed_before_its_last_path_goes(run, tools, client_host):
    two_paths(client_host)
    result = run(targets=[dict(name=A)], state="absent")
    assert [action for _o, action, _d in lines(result)] == [
        "flush: its last paths go"] + ["log out", "delete the node record"] * 2
    assert not run(targets=[dict(name=A)], state="absent")["changed"]


def test_a_map_that_cannot_be_flushed_keeps_its_paths(run, tools, client_host):
    two_paths(client_host)
    tools.codes = {"db01": 1}
    result = run(targets=[dict(name=A)], state="absent")
    assert result["failed"] and not result["changed"] and len(sessions(str(client_host.sysfs))) == 2


@pytest.mark.parametrize("grow, expected", [(False, []), (True, ["sda"])])
def test_a_rescan_is_a_change_only_when_something_changed(run, tools, client_host, grow, expected):
    """open_iscsi reports every rescan as a change (ansible#29309); a resize must be seen (ceph-iscsi-cli#61)."""
    client_host.record(A, P1)
    client_host.session(1, A, P1)
    client_host.disk("sda", 1)
    run(targets=[target(A, P1)])
    if grow:
        tools.on_rescan = lambda: (client_host.sysfs / "block/sda/size").write_text("4096\n")
    result = run(targets=[target(A, P1)], rescan=True)
    assert result["changed"] == grow and result["rescanned"] == expected
    tools.calls.clear()
    assert not run(targets=[target(A, P1)], rescan=True, check_mode=True)["changed"] and tools.calls == []


def test_a_session_that_lost_its_connection_is_named_and_not_made_twice(run, tools, client_host):
    client_host.record(A, P1)
    client_host.session(1, A, P1, state="FAILED")
    result = run(targets=[target(A, P1), target(B, P2)], require="any")
    assert not result["failed"] and "state FAILED" in result["failed_portals"][0]["reason"]
    assert [call for call in tools.calls if call[-1] == "--login" and A in call] == []


def test_a_redirected_session_is_known_by_the_portal_that_was_asked(run, tools, client_host):
    client_host.record(A, P1)
    client_host.session(1, A, P1, redirected="10.9.9.9")
    run(targets=[target(A, P1)])
    assert not [call for call in tools.calls if call[-1] == "--login"]


def test_interfaces_give_one_session_each(run, client_host):
    client_host.interface("net1")
    client_host.interface("net2")
    result = run(targets=[target(A, P1)], ifaces=["net1", "net2"])
    assert {session["iface"] for session in result["sessions"]} == {"net1", "net2"}
    assert not run(targets=[target(A, P1)], ifaces=["net1", "net2"])["changed"]


def test_removing_what_is_not_there_is_no_change(run):
    assert not run(targets=[dict(name=A)], state="absent")["changed"]


def test_the_fake_removes_what_it_says(client_host, tools):
    client_host.session(1, A, P1)
    client_host.disk("sda", 1)
    tools.run(["iscsiadm", "-m", "session", "-r", "1", "--logout"])
    assert sessions(str(client_host.sysfs)) == [] and Disks(str(client_host.sysfs)).names() == []
    shutil.rmtree(client_host.top)
