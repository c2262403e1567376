# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a running session: which are pending, and logging in anew one path at a time."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions

A = "iqn.2026-11.com.example:gw1"
P1, P2 = "10.0.0.1", "10.0.1.1"
CHAP = dict(user="joe", secret="secret-of-joe1")
INTERVAL = "node.conn[0].timeo.noop_out_interval"


@pytest.fixture
def run(run_session):
    return lambda **options: run_session(targets=[dict(name=A, portals=[P1, P2])], **options)


def pending(result):
    return {entry["portal"]: entry["settings"] for entry in result["pending"]}


def logouts(tools):
    return [call for call in tools.calls if call[-1] == "--logout"]


def test_what_is_pending_is_told_in_every_run_until_it_holds(run):
    run(settings={INTERVAL: 5})
    both = {"10.0.0.1:3260": [INTERVAL], "10.0.1.1:3260": [INTERVAL]}
    assert pending(run(settings={INTERVAL: 2}, check_mode=True)) == both
    assert pending(run(settings={INTERVAL: 2})) == both
    second = run(settings={INTERVAL: 2})
    assert not second["changed"] and pending(second) == both
    third = run(settings={INTERVAL: 2}, relogin=True)
    assert third["changed"] and pending(third) == {}
    fourth = run(settings={INTERVAL: 2}, relogin=True)
    assert not fourth["changed"] and pending(fourth) == {}


def test_without_being_asked_nothing_is_logged_out(run, tools):
    run()
    run(settings={INTERVAL: 2}, chap=CHAP)
    assert logouts(tools) == []


def test_a_new_session_has_nothing_pending(run):
    assert pending(run(settings={INTERVAL: 2}, chap=CHAP)) == {}


def test_a_changed_secret_is_pending_by_name_only(run):
    run(chap=CHAP)
    result = run(chap=dict(CHAP, secret="another-secret"))
    assert set(map(tuple, pending(result).values())) == {("node.session.auth.password",)}
    assert "another-secret" not in str(result) and "secret-of" not in str(result)
    assert pending(run(chap=dict(CHAP, secret="another-secret"))) == pending(result)
    # Going back to what the sessions have leaves nothing to wait for.
    assert pending(run(chap=CHAP)) == {}


def test_one_of_several_digests_is_the_targets_choice(run, tools, client_host):
    run(settings={"node.conn[0].iscsi.HeaderDigest": "None,CRC32C"})
    assert pending(run(settings={"node.conn[0].iscsi.HeaderDigest": "CRC32C,None"})) == {}
    assert set(map(tuple, pending(run(settings={"node.conn[0].iscsi.HeaderDigest": "CRC32C"})).values())) == {
        ("node.conn[0].iscsi.HeaderDigest",)}


@pytest.mark.parametrize("name, value", [
    ("node.conn[0].timeo.login_timeout", 5), ("node.session.initial_login_retry_max", 3),
    ("node.session.timeo.replacement_timeout", 20)])
def test_what_no_session_has_is_not_pending(run, name, value):
    run()
    assert pending(run(settings={name: value})) == {}


def test_what_the_kernel_does_not_show_is_told_in_the_run_that_changed_it(run):
    run()
    assert set(map(tuple, pending(run(settings={"node.session.scan": "manual"})).values())) == {("node.session.scan",)}
    assert pending(run(settings={"node.session.scan": "manual"})) == {}


@pytest.fixture
def disks(run, tools, client_host):
    """One multipath disk, mounted, with a path through each of two sessions; multipathd takes back what comes."""
    run()
    for sid, disk in zip([session.sid for session in sessions(str(client_host.sysfs))], ("sda", "sdb")):
        client_host.disk(disk, sid)
    client_host.map("dm-0", ["sda", "sdb"], name="db01")
    client_host.mount("dm-0", "/srv")
    letters = iter("cdefgh")
    seen = []

    def back(sid):
        disk = "sd" + next(letters)
        client_host.disk(disk, sid)
        client_host.hold(disk, "dm-0")
        seen.append(sorted(path.name for path in (client_host.sysfs / "block/dm-0/slaves").iterdir()))
    tools.on_login = back
    tools.paths = lambda: "".join("%s active ready 50\n" % path.name for path in (client_host.sysfs / "block").iterdir())
    return seen


def test_one_path_at_a_time(run, tools, disks, client_host):
    result = run(settings={INTERVAL: 2}, relogin=True)
    assert not result["failed"] and pending(result) == {}
    words = [call[-1] for call in tools.calls if call[-1] in ("--login", "--logout")][-4:]
    assert words == ["--logout", "--login", "--logout", "--login"]
    # Before the second one went, the first one was back in the map.
    assert disks == [["sdb", "sdc"], ["sdc", "sdd"]]
    assert [op["action"] for op in result["operations"]][-4:] == ["log out, to apply settings", "log in again"] * 2
    assert all(op["done"] for op in result["operations"])


def test_check_mode_says_so_and_does_nothing(run, tools, disks):
    result = run(settings={INTERVAL: 2}, relogin=True, check_mode=True)
    assert result["changed"] and [op["action"] for op in result["operations"]][-4:] == [
        "log out, to apply settings", "log in again"] * 2
    assert logouts(tools) == []


@pytest.mark.parametrize("spoil, text", [
    pytest.param(lambda tools, host: setattr(tools, "on_login", lambda sid: None), "the disk with serial number s1", id="no disk"),
    pytest.param(lambda tools, host: setattr(tools, "on_login", lambda sid: host.disk("sdx", sid)),
                 "sdx as a working path of dm-0", id="beside its map"),
    pytest.param(lambda tools, host: setattr(tools, "paths", lambda: "sdc failed faulty 50\n"),
                 "sdc as a working path of dm-0", id="faulty"),
])
def test_the_next_path_is_not_touched_before_the_first_one_works_again(run, tools, disks, client_host, spoil, text):
    spoil(tools, client_host)
    result = run(settings={INTERVAL: 2}, relogin=True)
    assert result["failed"] and text in result["msg"] and "No other session was touched" in result["msg"]
    assert len(logouts(tools)) == 1 and pending(result) == {"10.0.1.1:3260": [INTERVAL]}


def test_a_login_that_fails_ends_it(run, tools, disks):
    tools.codes = {P1 + ":3260": 24}
    result = run(settings={INTERVAL: 2}, relogin=True)
    assert result["failed"] and "CHAP failed" in result["msg"] and len(logouts(tools)) == 1
    assert [op["done"] for op in result["operations"]][-2:] == [True, False]


def test_the_last_path_of_a_used_disk_is_kept(run, tools, disks, client_host):
    (client_host.sysfs / "block/sdb/device/state").write_text("transport-offline\n")
    result = run(settings={INTERVAL: 2}, relogin=True)
    assert result["failed"] and "mounted on /srv" in result["msg"] and logouts(tools) == []


def test_a_path_that_multipathd_calls_failed_is_not_relied_on(run, tools, disks):
    """Its SCSI state stays running."""
    tools.paths = lambda: "sda active ready 50\nsdb failed faulty 10\n"
    result = run(settings={INTERVAL: 2}, relogin=True)
    assert result["failed"] and "mounted on /srv" in result["msg"] and "last working path" in result["msg"] and logouts(tools) == []


def test_a_session_without_connection_is_left_to_iscsid(run, tools, client_host):
    run()
    for session in sessions(str(client_host.sysfs)):
        (client_host.sysfs / ("class/iscsi_session/session%d/state" % session.sid)).write_text("FAILED\n")
    run(settings={INTERVAL: 2}, relogin=True, require="none")
    assert logouts(tools) == []
