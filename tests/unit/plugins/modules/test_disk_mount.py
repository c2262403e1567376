# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""disk_mount on a host of files: empty disks only, one line of fstab each, mounted before it is grown."""
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cephgate.iscsi.plugins.module_utils import disk_mounts, fstab
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.modules import disk_mount

GIB = 1 << 30
FSTAB = "# the root\nUUID=1 / ext4 errors=remount-ro 0 1\n/dev/sr0\t/media  auto noauto 0 0 # gr\u00fc\u00dfe\n"


class Machine:
    """blkid, mkfs, mount and the growers, as far as the module can tell."""

    def __init__(self, host, dev):
        self.host, self.dev = host, dev
        self.calls = []
        self.content = {}
        self.sizes = {}
        self.codes = {}
        self.opened = {}
        self.looking = 0

    def disk(self, name, dm, size=GIB):
        self.host.map(dm, [], name=name, size=size)
        (self.dev / dm).write_bytes(b"\0" * 512)
        (self.dev / name).symlink_to(dm)
        return str(self.dev / name)

    def run(self, argv):
        self.calls.append(argv)
        if argv[0] in self.codes:
            return self.codes[argv[0]], "", "%s: it went wrong" % argv[0]
        device = argv[-1]
        if argv[0] == "dmsetup":
            return 0, "%d\n" % (self.opened.get(argv[-1], 0) + self.looking), ""
        if argv[:2] == ["udevadm", "settle"]:
            self.looking = 0
        if argv[0] == "blkid":
            found = self.content.get(device)
            return (0, "".join("%s=%s\n" % pair for pair in found.items()), "") if found else (2, "", "")
        if argv[0].startswith("mkfs."):
            self.content[device] = {"TYPE": argv[0][5:]}
            self.sizes[device] = self.whole(device)
        elif argv[0] == "mount":
            fields = fstab.entry_for((self.host.top / "fstab").read_text(), argv[1])
            self.host.mount((self.dev / fields[0]).resolve().name, fstab.escape(argv[1]))
        elif argv[0] == "umount":
            text = (self.host.proc / "1/mountinfo").read_text()
            (self.host.proc / "1/mountinfo").write_text("".join(
                line + "\n" for line in text.splitlines() if line.split()[4] != argv[1]))
        elif argv[0] == "dumpe2fs":
            return 0, "dumpe2fs 1.47\nBlock count:              %d\nBlock size:               4096\n" % (self.sizes[device] // 4096), ""
        elif argv[0] == "xfs_info":
            size = self.sizes[self.mounted_on(device)]
            return 0, "meta-data=x isize=512\ndata     =                       bsize=4096   blocks=%d, imaxpct=25\n" % (size // 4096), ""
        elif argv[0] == "resize2fs":
            assert any("/dev/%s " % (self.dev / device).resolve().name in line for line in
                       (self.host.proc / "1/mountinfo").read_text().splitlines()), "ext4 wants a check before it grows unmounted"
            self.sizes[device] = self.whole(device)
        elif argv[0] == "xfs_growfs":
            self.sizes[self.mounted_on(device)] = self.whole(self.mounted_on(device))
        return 0, "", ""

    def whole(self, device):
        return int((self.host.sysfs / "block" / (self.dev / device).resolve().name / "size").read_text()) * 512

    def mounted_on(self, point):
        return fstab.entry_for((self.host.top / "fstab").read_text(), point)[0]

    def grow_disk(self, device, size):
        (self.host.sysfs / "block" / (self.dev / device).resolve().name / "size").write_text("%d\n" % (size // 512))


@pytest.fixture
def machine(client_host, tmp_path, monkeypatch):
    (tmp_path / "dev").mkdir()
    made = Machine(client_host, tmp_path / "dev")
    (client_host.top / "fstab").write_text(FSTAB)
    monkeypatch.setattr(disk_mount, "FSTAB", str(client_host.top / "fstab"))
    monkeypatch.setattr(disk_mount, "FsTools", lambda run: disk_mounts.FsTools(made.run))
    monkeypatch.setattr(disk_mount, "Disks", lambda: Disks(str(client_host.sysfs), str(client_host.proc), str(tmp_path / "dev")))
    monkeypatch.setattr(disk_mounts.FsTools, "can_make", staticmethod(lambda fstype: True))
    monkeypatch.setattr(disk_mount.os, "makedirs", lambda path: None)
    return made


@pytest.fixture
def run(run_module, machine):
    return lambda *mounts, **options: run_module(disk_mount, mounts=list(mounts), **options)


def verbs(machine):
    return [call[0] for call in machine.calls if call[0] not in ("blkid", "dmsetup", "dumpe2fs", "udevadm", "xfs_info", "systemctl")]


def table(machine):
    return (machine.host.top / "fstab").read_text()


def test_an_empty_disk_gets_a_file_system_and_is_mounted_now_and_at_boot(run, machine):
    disk = machine.disk("db01", "dm-0")
    mount = dict(device=disk, path="/srv/db", name="rbd/db01", options="noatime")
    result = run(mount)
    assert result["changed"] and verbs(machine) == ["mkfs.ext4", "mount"]
    assert table(machine) == FSTAB + "%s /srv/db ext4 _netdev,noatime 0 0\n" % disk
    assert "UUID=1" not in str(result["operations"]), "other people's lines are not shown"
    machine.calls.clear()
    again = run(mount)
    assert not again["changed"] and again["operations"] == [] and verbs(machine) == []


def test_check_mode_writes_nothing(run, machine):
    disk = machine.disk("db01", "dm-0")
    result = run(dict(device=disk, path="/srv/db"), check_mode=True)
    assert [op["action"].split()[0] for op in result["operations"]] == ["make", "/srv/db:", "mount"]
    assert result["changed"] and verbs(machine) == [] and table(machine) == FSTAB


@pytest.mark.parametrize("content, text", [
    ({"TYPE": "xfs"}, "holds xfs"), ({"PTTYPE": "gpt"}, "a partition table (gpt)"), ({"TYPE": "LVM2_member"}, "LVM2_member"),
    ({"USAGE": "other"}, "data of some kind")])
def test_a_disk_that_is_not_empty_is_never_formatted(run, machine, content, text):
    """mkfs without a terminal asks nobody: a partition table would be gone."""
    disk = machine.disk("db01", "dm-0")
    other = machine.disk("db02", "dm-1")
    machine.content[other] = content
    result = run(dict(device=disk, path="/srv/a"), dict(device=other, path="/srv/b"))
    assert result["failed"] and text in result["msg"] and "wipefs -a" in result["msg"]
    # Not even the first disk, which is fine, was touched.
    assert not result["changed"] and verbs(machine) == [] and table(machine) == FSTAB


def test_a_disk_that_blkid_cannot_judge_is_refused(run, machine):
    machine.codes["blkid"] = 8
    result = run(dict(device=machine.disk("db01", "dm-0"), path="/srv/a"))
    assert result["failed"] and "blkid cannot say" in result["msg"] and verbs(machine) == []


def test_a_disk_that_cannot_be_read_is_not_taken_for_empty(run, machine):
    """blkid ends with 2 for an empty disk, and also for one that it cannot open."""
    result = run(dict(device=str(machine.dev / "gone"), path="/srv/a"))
    assert result["failed"] and "gone cannot be read" in result["msg"] and verbs(machine) == [] and table(machine) == FSTAB


def test_an_empty_disk_that_somebody_uses_is_refused(run, machine):
    disk = machine.disk("db01", "dm-0")
    machine.host.map("dm-5", [], name="vg-lv", uuid="LVM-x")
    machine.host.hold("dm-0", "dm-5")
    result = run(dict(device=disk, path="/srv/a"))
    assert result["failed"] and "part of dm-5" in result["msg"] and verbs(machine) == []


@pytest.mark.parametrize("place", [0, 512, (1 << 20) - 1])
def test_a_disk_with_data_that_has_no_signature_is_never_formatted(run, machine, place):
    """A volume of a database, plain dm-crypt, a file system whose superblock is lost: blkid says of all of them that there is nothing."""
    disk = machine.disk("db01", "dm-0")
    (machine.dev / "dm-0").write_bytes(b"\0" * place + b"x" + b"\0" * (2 << 20))
    result = run(dict(device=disk, path="/srv/a"))
    assert result["failed"] and "%s has no signature" % disk in result["msg"] and "its first MiB is not empty" in result["msg"]
    assert "dd if=/dev/zero of=%s" % disk in result["msg"] and verbs(machine) == [] and table(machine) == FSTAB


def test_an_empty_disk_that_a_process_has_open_is_refused(run, machine):
    """sysfs shows no opener; the kernel's count of the map does."""
    disk = machine.disk("db01", "dm-0")
    machine.opened["db01"] = 1
    result = run(dict(device=disk, path="/srv/a"))
    assert result["failed"] and "have it open" in result["msg"] and "fuser /dev/dm-0" in result["msg"] and verbs(machine) == []


def test_udev_that_still_looks_at_a_new_disk_is_waited_for(run, machine):
    disk = machine.disk("db01", "dm-0")
    machine.looking = 2
    assert run(dict(device=disk, path="/srv/a"))["changed"] and verbs(machine) == ["mkfs.ext4", "mount"]


def test_an_empty_path_that_a_process_has_open_is_refused(run, machine):
    machine.host.disk("sda")
    (machine.dev / "sda").write_bytes(b"\0" * 512)
    machine.host.process(77, "postgres", opens="sda")
    result = run(dict(device=str(machine.dev / "sda"), path="/srv/a"))
    assert result["failed"] and "process 77 (postgres) has sda open" in result["msg"] and verbs(machine) == []


def test_creating_can_be_forbidden(run, machine):
    result = run(dict(device=machine.disk("db01", "dm-0"), path="/srv/a", create=False))
    assert result["failed"] and "is empty" in result["msg"] and verbs(machine) == []


@pytest.mark.parametrize("fstype, grower", [("ext4", ["resize2fs", "{disk}"]), ("xfs", ["xfs_growfs", "/srv/db"])])
def test_a_file_system_grows_with_its_disk_while_it_is_mounted(run, machine, fstype, grower):
    disk = machine.disk("db01", "dm-0")
    mount = dict(device=disk, path="/srv/db", fstype=fstype)
    run(mount)
    machine.grow_disk(disk, 2 * GIB)
    machine.calls.clear()
    assert [op["action"] for op in run(mount, check_mode=True)["operations"]] == [
        "grow %s from %d to %d bytes" % (fstype, GIB, 2 * GIB)]
    assert verbs(machine) == []
    result = run(mount)
    assert result["changed"] and [call for call in machine.calls if call[0] == grower[0]] == [
        [word.format(disk=disk) for word in grower]]
    assert run(mount)["operations"] == []


@pytest.mark.parametrize("fstype", ["ext4", "xfs"])
def test_a_disk_that_grew_while_it_was_not_mounted_is_mounted_first(run, machine, fstype):
    """xfs can only be grown while it is mounted, ext4 wants a file system check otherwise."""
    disk = machine.disk("db01", "dm-0", size=2 * GIB)
    machine.content[disk], machine.sizes[disk] = {"TYPE": fstype}, GIB
    assert run(dict(device=disk, path="/srv/db", fstype=fstype))["changed"]
    assert verbs(machine) == ["mount", {"ext4": "resize2fs", "xfs": "xfs_growfs"}[fstype]]
    assert machine.sizes[disk] == 2 * GIB


@pytest.mark.parametrize("less", [4096, 1 << 20, (4 << 20) - 4096])
def test_a_rest_that_no_file_system_can_use_is_no_growth(run, machine, less):
    disk = machine.disk("db01", "dm-0")
    run(dict(device=disk, path="/srv/db"))
    machine.sizes[disk] -= less
    assert run(dict(device=disk, path="/srv/db"))["operations"] == []


def test_growing_can_be_left_out(run, machine):
    disk = machine.disk("db01", "dm-0")
    run(dict(device=disk, path="/srv/db"))
    machine.grow_disk(disk, 2 * GIB)
    assert run(dict(device=disk, path="/srv/db", grow=False))["operations"] == []


def test_unmounting_comes_before_everything_else(run, machine):
    disk = machine.disk("db01", "dm-0")
    run(dict(device=disk, path="/srv/old"))
    machine.calls.clear()
    run(dict(device=disk, path="/srv/new"), dict(path="/srv/old", state="absent"))
    assert verbs(machine) == ["umount", "mount"]
    assert table(machine) == FSTAB + "%s /srv/new ext4 _netdev 0 0\n" % disk
    assert not run(dict(path="/srv/old", state="absent"))["changed"]


@pytest.mark.parametrize("uuid", ["LVM-x", ""])
@pytest.mark.parametrize("given", [False, True])
def test_what_is_not_the_disk_is_neither_unmounted_nor_taken_out_of_fstab(run, machine, uuid, given):
    """A mistyped path: /home of the host itself."""
    other = machine.disk("db01", "dm-0")
    home = machine.disk("vg-home", "dm-9")
    (machine.host.sysfs / "block/dm-9/dm/uuid").write_text(uuid)
    wrong = dict(dict(path="/home", name="rbd/old", state="absent"), **(dict(device=other) if given else {}))
    before = FSTAB + "%s /home ext4 defaults 0 2\n" % home
    (machine.host.top / "fstab").write_text(before)
    result = run(wrong)
    assert result["failed"] and "/home (rbd/old): fstab has %s there" % home in result["msg"] and table(machine) == before
    machine.host.mount("dm-9", "/home")
    result = run(wrong)
    assert result["failed"] and "/home (rbd/old): dm-9 is mounted there" in result["msg"]
    assert verbs(machine) == [] and table(machine) == before
    # Who names the disk means it.
    assert run(dict(path="/home", state="absent", device=home))["changed"] and table(machine) == FSTAB


def test_the_line_of_a_map_that_is_gone_can_be_removed(run, machine):
    (machine.host.top / "fstab").write_text(FSTAB + "/dev/mapper/cephgate-test-gone /srv/old ext4 _netdev 0 0\n")
    assert run(dict(path="/srv/old", state="absent"))["changed"] and table(machine) == FSTAB


def test_one_disk_at_two_places_is_refused(run, machine):
    """Each would get its own file system, the second over the first."""
    disk = machine.disk("db01", "dm-0")
    (machine.dev / "alias").symlink_to("dm-0")
    result = run(dict(device=disk, path="/srv/a", fstype="xfs"), dict(device=str(machine.dev / "alias"), path="/srv/b", fstype="ext4"))
    assert result["failed"] and "/srv/a" in result["msg"] and "/srv/b" in result["msg"] and "Remove one" in result["msg"]
    assert machine.calls == [] and table(machine) == FSTAB


@pytest.mark.parametrize("spelt", ["/srv/db/", "//srv/db", "/srv/./db"])
def test_a_mount_point_that_is_spelt_otherwise_in_fstab_is_the_same(run, machine, spelt):
    disk = machine.disk("db01", "dm-0")
    (machine.host.top / "fstab").write_text(FSTAB + "%s %s ext4 _netdev 0 0\n" % (disk, spelt))
    mount = dict(device=disk, path="/srv/db")
    assert run(mount)["changed"] and table(machine) == FSTAB + "%s /srv/db ext4 _netdev 0 0\n" % disk
    assert not run(mount)["changed"]
    (machine.host.top / "fstab").write_text(FSTAB + "%s %s ext4 _netdev 0 0\n" % (disk, spelt))
    assert run(dict(path="/srv/db", state="absent"))["changed"] and table(machine) == FSTAB


def test_a_mount_that_is_busy_stops_before_fstab_is_touched(run, machine):
    disk = machine.disk("db01", "dm-0")
    run(dict(device=disk, path="/srv/db"))
    before = table(machine)
    machine.codes["umount"] = 32
    result = run(dict(path="/srv/db", state="absent"))
    assert result["failed"] and "umount: it went wrong" in result["msg"] and not result["changed"] and table(machine) == before


def test_another_disk_at_the_mount_point_is_refused(run, machine):
    first, second = machine.disk("db01", "dm-0"), machine.disk("db02", "dm-1")
    run(dict(device=first, path="/srv/db"))
    result = run(dict(device=second, path="/srv/db"))
    assert result["failed"] and "dm-0 is mounted there" in result["msg"] and table(machine).count("/srv/db") == 1


def test_a_kind_that_is_not_the_mounted_one_is_refused(run, machine):
    """fstab with the wrong kind would stop the next boot."""
    disk = machine.disk("db01", "dm-0")
    run(dict(device=disk, path="/srv/db"))
    before = table(machine)
    assert run(dict(device=disk, path="/srv/db", fstype="xfs"))["failed"] and table(machine) == before


@pytest.mark.parametrize("mounts, text", [
    ([dict(path="srv", device="/dev/x")], "absolute path"), ([dict(path="/", device="/dev/x")], "absolute path"),
    ([dict(path="/a", device="/dev/x"), dict(path="/a", state="absent")], "listed twice"), ([dict(path="/a")], "no device"),
    ([dict(path="//a", device="/dev/x")], 'Write it as "/a"'),
    ([dict(path="/a/../etc", device="/dev/x")], 'Write it as "/etc"'), ([dict(path="/a/", device="/dev/x")], 'Write it as "/a"'),
    ([dict(path="/etc/passwd", device="/dev/x")], "no folder"), ([dict(path="/a", device="sdb")], "is no path"),
    ([dict(path="/a", device="/dev/null")], "no block device"), ([dict(path="/a", device="/dev/x", fstype="ext4; reboot")], "no kind of file system"),
    ([dict(path="/etc", device="/dev/x")], "is a place of the system itself"), ([dict(path="/proc/x", device="/dev/x")], "is a place of the system"),
    ([dict(path="/a", device="/dev/x", fstype="swap")], "swap is no file system"), ([dict(path="/a", device="/dev/x", fstype="ext4\n")], "no kind of"),
    ([None], "mounts[0] is no dictionary with the keys"), (["/a"], "mounts[0] is no dictionary"),
    ([dict(path="/a", device="/dev/x", options="ro, noatime")], "Separate them with commas")])
def test_a_wrong_declaration_is_refused(run, machine, mounts, text):
    result = run(*mounts)
    assert result["failed"] and text in result["msg"] and machine.calls == []


def test_what_nobody_can_make_is_refused_before_anything_is_done(run, machine, monkeypatch):
    monkeypatch.setattr(disk_mounts.FsTools, "can_make", staticmethod(lambda fstype: fstype != "nfs"))
    good, bad = machine.disk("36db1", "dm-0"), machine.disk("36db2", "dm-1")
    mounts = dict(device=good, path="/srv/a"), dict(device=bad, path="/srv/b", fstype="nfs")
    result = run(*mounts)
    assert result["failed"] and "/srv/b: this host has no mkfs.nfs" in result["msg"] and verbs(machine) == [] and table(machine) == FSTAB
    # What a play would install first is not there in check mode.
    assert not run(*mounts, check_mode=True)["failed"]


def test_200_disks_cost_two_short_commands_each(run, machine):
    mounts = [dict(device=machine.disk("d%d" % number, "dm-%d" % number), path="/srv/%d" % number) for number in range(200)]
    run(*mounts)
    machine.calls.clear()
    assert run(*mounts)["operations"] == [] and len(machine.calls) == 400


@pytest.mark.parametrize("name", ["\u65e5\u672c", "\u00e0 la", "\u00c5lesund"])
def test_mount_points_with_blanks_and_other_letters(run, machine, name):
    disk = machine.disk("db01", "dm-0")
    path = "/srv/m\u00e4 x/" + name
    run(dict(device=disk, path=path))
    assert not run(dict(device=disk, path=path))["changed"]
    assert (machine.host.top / "fstab").read_text(encoding="utf-8").endswith("/srv/m\u00e4\\040x/%s ext4 _netdev 0 0\n" % name.replace(" ", "\\040"))


lines = st.lists(st.one_of(st.sampled_from([
    "# comment", "", "UUID=1 / ext4 defaults 0 1", "/dev/a /srv/a ext4 defaults", "LABEL=x /with\\040blank xfs rw 0 0",
    "  tmpfs\t/tmp tmpfs size=1g", "none", "/dev/b\u00a0c /nbsp ext4 x"]), st.text(
        st.characters(max_codepoint=255, exclude_characters="\n"), max_size=12)), max_size=8).map("\n".join)


@given(lines, st.sampled_from(["/srv/a", "/with blank", "/new", "/"]))
def test_only_the_line_of_the_mount_point_changes(text, path):
    line = fstab.line_for("/dev/mapper/x", path, "ext4", "_netdev")

    def others(whole):
        return [old for old in whole.split("\n") if old and fstab.plain((fstab.fields_of(old) or ["", ""])[1]) != path]
    new = fstab.with_entry(text, path, line)
    assert fstab.entry_for(new, path)[:4] == ["/dev/mapper/x", path, "ext4", "_netdev"] and others(new) == others(text)
    assert fstab.with_entry(new, path, line) == new
    gone = fstab.with_entry(new, path, None)
    assert fstab.entry_for(gone, path) is None and others(gone) == others(text)
    if fstab.entry_for(text, path) is None:
        assert fstab.with_entry(text, path, None) == text


def test_lines_that_stay_stay_byte_for_byte():
    assert re.sub("/dev/x .*\n", "", fstab.with_entry(FSTAB, "/x", fstab.line_for("/dev/x", "/x", "xfs", "a"))) == FSTAB
