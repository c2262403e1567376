# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""multipath_map on a host of files whose kernel and multipathd answer as the real ones do."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import multipath_wait
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks, serial_of_page
from ansible_collections.cephgate.iscsi.plugins.modules import multipath_map

MIB = 1 << 20
A = "iqn.2026-11.com.example:gw1"


class Clock:
    """Time that passes only while somebody sleeps; what is due happens then."""

    def __init__(self):
        self.now = 1000.0
        self.due = []

    def time(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        for moment, action in list(self.due):
            if moment <= self.now:
                self.due.remove((moment, action))
                action()

    def later(self, seconds, action):
        self.due.append((self.now + seconds, action))


class Host:
    """The tree, and what writes to it and commands cause."""

    def __init__(self, tree, clock):
        self.tree = tree
        self.clock = clock
        self.calls = []
        self.real_size = {}
        self.on_scan = {}
        self.on_claim = lambda device: None
        self.opened = {}
        self.codes = {}
        self.wwids = set()

    def run(self, argv):
        self.calls.append(argv)
        if argv[0] == "dmsetup":
            return 0, "%d\n" % self.opened.get(argv[-1], 0), ""
        if argv[:3] == ["multipathd", "show", "paths"]:
            return 0, "sda active ready 50\nsdb active ready 10\n", ""
        code = self.codes.get(argv[0], 0)
        if argv[:2] == ["multipathd", "resize"] and not code:
            device = next(entry for entry in (self.tree.sysfs / "block").iterdir()
                          if (entry / "dm/name").exists() and (entry / "dm/name").read_text().strip() == argv[-1])
            (device / "size").write_text("%d\n" % min(
                int((self.tree.sysfs / "block" / slave.name / "size").read_text())
                for slave in (device / "slaves").iterdir()))
        if argv[:3] == ["multipathd", "add", "path"]:
            self.on_claim(argv[-1])
        if argv[:2] == ["multipath", "-w"] and "forget" in self.codes:
            return self.codes["forget"], "", "failed"
        if argv[:2] in (["multipath", "-a"], ["multipath", "-w"]):
            (self.wwids.add if argv[1] == "-a" else self.wwids.discard)(argv[-1])
        if argv[:2] == ["multipath", "-f"]:
            code = self.codes.get("flush", code)
            if not code:
                self._remove_map(argv[-1])
        return code, "", "failed" if code else ""

    def write(self, operation):
        kind, name, verb = operation.target.split("/")[0], *operation.target.split("/")[1:3]
        if operation.target.endswith("/device/rescan"):
            if name in self.real_size:
                (self.tree.sysfs / "block" / name / "size").write_text("%d\n" % (self.real_size[name] // 512))
        elif operation.target.endswith("/device/delete"):
            assert not list((self.tree.sysfs / "block" / name / "holders").iterdir()), "a map still holds %s" % name
            (self.tree.sysfs / "block" / name).unlink()
        else:
            assert kind == "class" and operation.data == "- - -", operation
            self.on_scan.get(verb, lambda: None)()
        self.calls.append([operation.target])

    def _remove_map(self, name):
        for entry in list((self.tree.sysfs / "block").iterdir()):
            if (entry / "dm/name").exists() and (entry / "dm/name").read_text().strip() == name:
                for slave in (entry / "slaves").iterdir():
                    (self.tree.sysfs / "block" / slave.name / "holders" / entry.name).rmdir()
                entry.unlink()


@pytest.fixture
def host(client_host, monkeypatch):
    clock = Clock()
    fake = Host(client_host, clock)
    real_tool, real_work = multipath_map.Multipathd, multipath_map.Work
    monkeypatch.setattr(multipath_map, "Multipathd", lambda run: real_tool(fake.run))
    monkeypatch.setattr(multipath_map, "Disks", lambda: Disks(str(client_host.sysfs), str(client_host.proc), str(client_host.dev)))

    def work(disks, tool, check_mode):
        made = real_work(disks, tool, check_mode, clock.time, clock.sleep)
        plain = made.performer
        made.performer = lambda operation: fake.write(operation) if operation.how == "sysfs" else plain(operation)
        return made
    monkeypatch.setattr(multipath_map, "Work", work)
    return fake


@pytest.fixture
def run(run_module, host):
    return lambda **options: run_module(multipath_map, **options)


def actions(result):
    return [op["action"] for op in result["operations"]]


def two_sessions(tree):
    for sid, address in ((1, "10.0.0.1"), (2, "10.0.1.1")):
        tree.session(sid, A, address)


def whole(tree, size=MIB, serial="s1", lun=0, names=("sda", "sdb"), dm="dm-0"):
    for sid, name in enumerate(names, 1):
        tree.disk(name, sid, serial=serial, size=size, lun=lun)
    tree.map(dm, names, size=size, name="map-%s" % serial, wwid="3%s" % serial)


def test_a_complete_lun_is_described_without_any_change(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    result = run(maps=[dict(serial="s1", paths=2, size=MIB)])
    assert not result["changed"] and result["operations"] == []
    lun = result["maps"][0]
    assert (lun["device"], lun["dm"], lun["wwid"], lun["size"]) == ("/dev/mapper/map-s1", "dm-0", "3s1", MIB)
    assert [(p["device"], p["hctl"], p["target"], p["portal"], p["access_state"], p["checker_state"])
            for p in lun["paths"]] == [
        ("sda", "1:0:0:0", A, "10.0.0.1:3260", "optimized", "ready"),
        ("sdb", "2:0:0:0", A, "10.0.1.1:3260", "optimized", "ready")]


def test_200_complete_luns_need_one_command(run, client_host, host):
    two_sessions(client_host)
    for number in range(200):
        whole(client_host, serial="s%d" % number, lun=number, names=("sda%03d" % number, "sdb%03d" % number),
              dm="dm-%d" % number)
    result = run(maps=[dict(serial="s%d" % number, paths=2, size=MIB) for number in range(200)])
    assert not result["changed"] and len(result["maps"]) == 200
    assert host.calls == [["multipathd", "show", "paths", "raw", "format", "%d %t %T %p"]]


def test_a_new_lun_is_asked_for_only_where_it_is_missing(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    client_host.disk("sdc", 1, serial="s2", lun=1)

    def appear():
        client_host.disk("sdd", 2, serial="s2", lun=1)
        host.clock.later(1, lambda: client_host.map("dm-1", ["sdc", "sdd"], name="map-s2"))
    host.on_scan["host2"] = appear
    result = run(maps=[dict(serial="s1", paths=2), dict(serial="s2", paths=2)])
    assert result["changed"] and not result["failed"]
    assert [op["target"] for op in result["operations"]] == ["class/scsi_host/host2/scan"]


@pytest.mark.parametrize("used", [None, "held", "open"])
def test_a_disk_that_did_not_answer_the_scan_is_found_anew(run, client_host, host, used):
    """The kernel leaves it without size and VPD pages for ever, seen with 400 paths at once; one that somebody has stays."""
    two_sessions(client_host)
    client_host.disk("sda", 1)
    (client_host.disk("sdb", 2, size=0) / "device/vpd_pg80").unlink()
    if used == "held":
        client_host.hold("sdb", "md0")
    if used == "open":
        client_host.process(77, "dd", opens="sdb")

    def appear():
        if not (client_host.sysfs / "block/sdb").exists():
            client_host.disk("sdc", 2)
            client_host.map("dm-0", ["sda", "sdc"])
    host.on_scan["host2"] = appear
    result = run(maps=[dict(serial="s1", paths=2)], timeout=30)
    assert result["failed"] is bool(used)
    assert ("block/sdb/device/delete" in [op["target"] for op in result["operations"]]) is not bool(used)
    assert "block/sda/device/delete" not in [op["target"] for op in result["operations"]]


def test_disks_that_come_by_themselves_after_a_login_are_no_change(run, client_host, host):
    two_sessions(client_host)
    host.clock.later(1, lambda: whole(client_host))
    result = run(maps=[dict(serial="s1", paths=2)])
    assert not result["changed"] and not result["failed"]


def test_only_the_declared_lun_is_given_to_multipath(run, client_host, host):
    """find_multipaths strict, the default: no map of a new disk comes by itself."""
    two_sessions(client_host)
    for sid, name in ((1, "sda"), (2, "sdb")):
        client_host.disk(name, sid)
    client_host.disk("sdz", serial="local")

    def claimed(device):
        client_host.map("dm-0", ["sda", "sdb"], name="m")
    host.on_claim = claimed
    result = run(maps=[dict(serial="s1", paths=2)])
    assert not result["failed"], result["msg"]
    assert [op["target"] for op in result["operations"]] == [
        ["multipath", "-a", "/dev/sda"], ["multipathd", "add", "path", "sda"]]
    assert "sdz" not in str(host.calls)


def test_a_path_beside_its_map_is_added(run, client_host, host):
    two_sessions(client_host)
    for sid, name in ((1, "sda"), (2, "sdb")):
        client_host.disk(name, sid)
    client_host.map("dm-0", ["sda"], name="m")
    host.on_claim = lambda device: client_host.hold(device, "dm-0")
    result = run(maps=[dict(serial="s1", paths=2)])
    assert [op["target"] for op in result["operations"]] == [["multipathd", "add", "path", "sdb"]]


def test_ceph_iscsi_cli_61_a_grown_lun_grows_path_by_path_and_then_its_map(run, client_host, host):
    """Users resized an image and their hosts went on with the old size (ceph-iscsi-cli#61, 45Drives/cockpit-file-sharing#197).

    Each path has to be asked, and multipathd takes a new size only when all paths have it.
    """
    two_sessions(client_host)
    whole(client_host)
    host.real_size = dict(sda=4 * MIB, sdb=4 * MIB)
    client_host.mount("dm-0", "/srv")
    result = run(maps=[dict(serial="s1", paths=2, size=4 * MIB)])
    assert result["changed"] and not result["failed"]
    assert [op["target"] for op in result["operations"]] == [
        "block/sda/device/rescan", "block/sdb/device/rescan", ["multipathd", "resize", "map", "map-s1"]]
    assert result["maps"][0]["size"] == 4 * MIB
    assert not run(maps=[dict(serial="s1", paths=2, size=4 * MIB)])["changed"]


def test_cockpit_file_sharing_197_a_gateway_that_keeps_the_old_size_is_named(run, client_host, host):
    """SCST keeps the size that a disk had when it was opened; a client must say which path still shows the old one."""
    two_sessions(client_host)
    whole(client_host)
    host.real_size = dict(sda=4 * MIB)
    result = run(maps=[dict(serial="s1", paths=2, size=4 * MIB, name="rbd/db01")], timeout=10)
    assert result["failed"] and "LUN s1 (rbd/db01): sdb is of %d bytes, less than the expected %d" % (MIB, 4 * MIB) in result["msg"]
    # The map is left at the size that every path has.
    assert not [call for call in host.calls if call[:2] == ["multipathd", "resize"]]


def test_check_mode_foresees_the_growth(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    result = run(maps=[dict(serial="s1", paths=2, size=4 * MIB)], check_mode=True)
    assert result["changed"] and len(result["operations"]) == 3 and result["incomplete"]
    assert not [call for call in host.calls if call[:2] != ["multipathd", "show"]]


def test_check_mode_before_the_first_login_names_what_is_missing(run):
    result = run(maps=[dict(serial="s1", paths=2, name="rbd/db01")], check_mode=True)
    assert not result["failed"] and result["incomplete"] == ["LUN s1 (rbd/db01): 0 of 2 paths exist"]


def test_a_larger_disk_is_left_alone(run, client_host):
    two_sessions(client_host)
    whole(client_host, size=8 * MIB)
    assert not run(maps=[dict(serial="s1", paths=2, size=MIB)])["changed"]


@pytest.mark.parametrize("build, text", [
    pytest.param(lambda t: None, "0 of 2 paths exist", id="nothing"),
    pytest.param(lambda t: t.disk("sda", 1), "1 of 2 paths exist: sda", id="one path"),
    pytest.param(lambda t: (t.disk("sda", 1), t.disk("sdb", 2)), "no multipath map holds its paths sda and sdb", id="no map"),
    pytest.param(lambda t: (t.disk("sda", 1), t.disk("sdb", 2), t.map("dm-0", ["sda"])),
                 "dm-0 has 1 of 2 paths; sdb stand", id="a path beside the map"),
    pytest.param(lambda t: (t.disk("sda", 1, size=512), t.disk("sdb", 2), t.map("dm-0", ["sda", "sdb"])),
                 "sda is of 512 bytes, less than the expected %d" % MIB, id="a small path"),
])
def test_what_is_still_missing_when_time_is_over_is_said(run, client_host, build, text):
    two_sessions(client_host)
    build(client_host)
    result = run(maps=[dict(serial="s1", paths=2, size=MIB, name="rbd/db01")], timeout=20)
    assert result["failed"] and text in result["msg"] and "rbd/db01" in result["msg"]


def test_a_broken_session_is_not_scanned(run, client_host, host):
    """The kernel would hang in the scan until the session's timeout."""
    client_host.session(1, A, "10.0.0.1", state="FAILED")
    run(maps=[dict(serial="s1", paths=1)], timeout=10)
    assert not [call for call in host.calls if call[0].endswith("scan")]


def test_two_disks_in_one_map_are_refused(run, client_host):
    two_sessions(client_host)
    client_host.disk("sda", 1, serial="s1")
    client_host.disk("sdb", 2, serial="s2")
    client_host.map("dm-0", ["sda", "sdb"])
    result = run(maps=[dict(serial="s1", paths=1)])
    assert result["failed"] and "sdb, whose serial number is s2" in result["msg"]


def test_one_disk_in_two_maps_is_refused(run, client_host):
    two_sessions(client_host)
    client_host.disk("sda", 1)
    client_host.disk("sdb", 2)
    client_host.map("dm-0", ["sda"], wwid="3a")
    client_host.map("dm-1", ["sdb"], wwid="3b")
    result = run(maps=[dict(serial="s1", paths=2)])
    assert result["failed"] and "sda in dm-0, sdb in dm-1" in result["msg"] and "WWID" in result["msg"]


def test_removal_flushes_the_map_and_then_deletes_the_paths(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    whole(client_host, serial="s2", lun=1, names=("sdc", "sdd"), dm="dm-1")
    result = run(maps=[dict(serial="s1")], state="absent")
    assert actions(result) == ["let multipath forget its WWID", "flush", "delete", "delete"] and result["changed"]
    # While it knows the WWID, an event of a path makes multipathd build the map anew.
    assert [call[1:] for call in host.calls if call[0] == "multipath"] == [["-w", "/dev/sda"], ["-f", "map-s1"]]
    assert sorted(entry.name for entry in (client_host.sysfs / "block").iterdir()) == ["dm-1", "sdc", "sdd"]
    assert not run(maps=[dict(serial="s1")], state="absent")["changed"]


@pytest.mark.parametrize("use", [
    lambda tree, host: tree.mount("dm-0", "/srv"), lambda tree, host: host.opened.update({"map-s1": 1})])
def test_removal_of_a_used_disk_is_refused(run, client_host, host, use):
    two_sessions(client_host)
    whole(client_host)
    use(client_host, host)
    result = run(maps=[dict(serial="s1")], state="absent")
    assert result["failed"] and not result["changed"] and "in use" in result["msg"]


def test_a_map_that_cannot_be_flushed_stays_known_to_multipath(run, client_host, host):
    """Else the next boot would find plain disks in its place."""
    two_sessions(client_host)
    whole(client_host)
    host.codes = dict(flush=1)
    result = run(maps=[dict(serial="s1")], state="absent")
    assert result["failed"] and "multipath -f map-s1" in result["msg"]
    assert host.wwids == {"/dev/sda"} and host.calls.index(["multipath", "-w", "/dev/sda"]) < host.calls.index(["multipath", "-a", "/dev/sda"])


def test_a_disk_that_multipath_cannot_forget_is_let_go_of_all_the_same(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    host.codes = dict(forget=1)
    result = run(maps=[dict(serial="s1")], state="absent")
    assert not result["failed"] and actions(result) == ["flush", "delete", "delete"]


def test_a_resize_that_fails_is_tried_again_and_told_in_the_end(run, client_host, host):
    two_sessions(client_host)
    whole(client_host)
    host.real_size = dict(sda=4 * MIB, sdb=4 * MIB)
    host.codes = dict(multipathd=1)
    result = run(maps=[dict(serial="s1", paths=2, size=4 * MIB)], timeout=20)
    assert result["failed"] and result["changed"] and "multipathd resize map map-s1" in result["msg"]
    assert actions(result) == ["read its size again (%d, expected %d)" % (MIB, 4 * MIB)] * 2
    assert len([call for call in host.calls if call[:2] == ["multipathd", "resize"]]) == 4
    host.codes = {}
    assert actions(run(maps=[dict(serial="s1", paths=2, size=4 * MIB)])) == ["grow from %d to %d bytes" % (MIB, 4 * MIB)]


@pytest.mark.parametrize("page, serial", [
    (b"\x00\x80\x00\x04ab12", "ab12"), (b"\x00\x80\x00\x06ab12  ", "ab12"), (b"\x00\x80\x00\x04ab12\0\0\0", "ab12"),
    (b"\x00\x83\x00\x04ab12", None), (b"", None), (b"\x00\x80\x00\x00", None)])
def test_serial_numbers_of_vpd_page_80(page, serial):
    assert serial_of_page(page) == serial


def test_grace_and_repetition_are_short_against_the_default_timeout():
    assert multipath_wait.GRACE < multipath_wait.ASK_AGAIN < 60


@pytest.mark.parametrize("serial", ["", "  "])
def test_an_empty_serial_is_refused_at_once(run, client_host, host, serial):
    result = run(maps=[dict(serial=serial, name="rbd/a")])
    assert result["failed"] and "rbd/a" in result["msg"] and "serial is empty" in result["msg"]
    assert result["operations"] == []


@pytest.mark.parametrize("options, text", [
    (dict(maps=[dict(serial="a"), dict(serial="a")]), "listed twice"), (dict(maps=[dict(serial="a", paths=0)]), "paths is 0"),
    (dict(maps=[dict(serial="a", paths=-1)]), "paths is -1"), (dict(maps=[dict(serial="a")], timeout=-1), "timeout is -1 seconds")])
def test_what_cannot_be_meant_is_refused_at_once(run, client_host, host, options, text):
    result = run(**options)
    assert result["failed"] and text in result["msg"] and result["operations"] == []
