# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real iSCSI target for tests of the client role: the kernel's own (LIO), set up from a JSON description.

    lio.py up FILE      make what the description says; LUNs of its targets that it does not name go
    lio.py down FILE    remove it again

    {"folder": "/var/lib/lun-files",
     "luns": {"one": {"serial": "a1b2...", "size": 67108864}},
     "targets": {"iqn...:gw1": {"portals": ["10.99.1.11:3260"], "luns": {"0": "one"}, "tag": 1,
                 "initiators": {"iqn...": {"userid": "joe", "password": "..."}}}}}

The vendor and product of the product's LUNs are used, so that the client's own multipath rule applies.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys

CORE = pathlib.Path("/sys/kernel/config/target/core/fileio_77")
ISCSI = pathlib.Path("/sys/kernel/config/target/iscsi")


def write(path, value):
    path.write_text(str(value))


def make(path):
    if not path.exists():
        path.mkdir()
    return path


def lun_up(folder, name, lun):
    file = folder / name
    with open(file, "ab") as handle:
        handle.truncate(max(lun["size"], file.stat().st_size))
    device = CORE / name
    if device.exists():
        # LIO keeps a size of its own for a regular file, and takes a new one at any time.
        write(device / "control", f"fd_dev_size={file.stat().st_size}")
        return
    make(CORE)
    make(device)
    write(device / "control", f"fd_dev_name={file},fd_dev_size={lun['size']}")
    write(device / "enable", 1)
    write(device / "wwn/vendor_id", "CEPHGATE")
    write(device / "wwn/product_id", "RBD")
    write(device / "wwn/vpd_unit_serial", lun["serial"])


def target_up(name, target):
    group = make(make(ISCSI) and make(ISCSI / name) / f"tpgt_{target.get('tag', 1)}")
    for portal in target["portals"]:
        make(group / "np" / portal)
    for number, lun in target["luns"].items():
        slot = make(group / "lun" / f"lun_{number}")
        if not (slot / "disk").exists():
            (slot / "disk").symlink_to(CORE / lun)
    for slot in (group / "lun").iterdir():
        if slot.name.removeprefix("lun_") not in target["luns"]:
            lun_down(group, slot)
    write(group / "attrib/demo_mode_write_protect", 0)
    write(group / "attrib/authentication", int(any(target["initiators"].values())))
    for initiator, auth in target["initiators"].items():
        acl = make(group / "acls" / initiator)
        for attribute, value in auth.items():
            write(acl / "auth" / attribute, value)
        for number in target["luns"]:
            mapped = make(acl / f"lun_{number}")
            if not (mapped / "disk").exists():
                (mapped / "disk").symlink_to(group / "lun" / f"lun_{number}")
    write(group / "enable", 1)


def lun_down(group, slot):
    """A LUN is taken from the initiators first; the links are named by us."""
    for mapped in (group / "acls").glob("*/" + slot.name):
        (mapped / "disk").unlink()
        mapped.rmdir()
    (slot / "disk").unlink()
    slot.rmdir()


def remove(path):
    """A configfs folder with what was made in it: links first, then folders, deepest first."""
    if not path.exists():
        return
    for entry in sorted(path.rglob("*"), key=lambda entry: len(entry.parts), reverse=True):
        if entry.is_symlink():
            entry.unlink()
    for entry in sorted(path.rglob("*"), key=lambda entry: len(entry.parts), reverse=True):
        if entry.is_dir():
            with contextlib.suppress(OSError):  # the kernel's own folders go with their parent
                entry.rmdir()
    path.rmdir()


def up(site):
    subprocess.run(["modprobe", "-a", "target_core_file", "iscsi_target_mod"], check=True)
    if not os.path.ismount("/sys/kernel/config"):
        subprocess.run(["mount", "-t", "configfs", "configfs", "/sys/kernel/config"], check=True)
    folder = pathlib.Path(site["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    for name, lun in site["luns"].items():
        lun_up(folder, name, lun)
    for name, target in site["targets"].items():
        target_up(name, target)
    for device in CORE.iterdir():
        if (device / "enable").exists() and device.name not in site["luns"]:
            remove(device)
            (folder / device.name).unlink(missing_ok=True)


def down(site):
    for name, target in site["targets"].items():
        group = ISCSI / name / f"tpgt_{target.get('tag', 1)}"
        if group.exists():
            write(group / "enable", 0)
        remove(ISCSI / name)
    for name in site["luns"]:
        remove(CORE / name)
        pathlib.Path(site["folder"], name).unlink(missing_ok=True)


if __name__ == "__main__":
    {"up": up, "down": down}[sys.argv[1]](json.loads(pathlib.Path(sys.argv[2]).read_text()))
