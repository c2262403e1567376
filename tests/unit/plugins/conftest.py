# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of files: sysfs, /proc and the node database as the kernel and open-iscsi lay them out."""
import os
import pathlib

import pytest

RECORD = """\
# BEGIN RECORD 2.1.8
node.name = {target}
node.tpgt = {tag}
node.startup = manual
node.leading_login = No
iface.iscsi_ifacename = {iface}
iface.transport_name = tcp
node.discovery_type = static
node.session.initial_login_retry_max = 8
node.session.auth.authmethod = None
node.session.auth.chap_algs = MD5
node.session.timeo.replacement_timeout = 120
node.session.scan = auto
node.conn[0].address = {address}
node.conn[0].port = {port}
node.conn[0].startup = manual
node.conn[0].timeo.login_timeout = 15
node.conn[0].timeo.noop_out_interval = 5
node.conn[0].timeo.noop_out_timeout = 5
node.conn[0].iscsi.HeaderDigest = None
# END RECORD
"""


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
        path.write_bytes(text)
    else:
        path.write_text(text + "\n")


class Host:
    """Builds the trees; the code under test reads them with its own readers."""

    def __init__(self, top):
        self.top = pathlib.Path(top)
        self.sysfs = self.top / "sys"
        self.proc = self.top / "proc"
        self.dev = self.top / "dev"
        self.nodes = self.top / "iscsi" / "nodes"
        self.ifaces = self.top / "iscsi" / "ifaces"
        self.discovered = self.top / "iscsi" / "send_targets"
        for folder in (self.sysfs / "block", self.sysfs / "class/iscsi_session", self.proc / "1", self.dev, self.nodes):
            folder.mkdir(parents=True)
        put(self.proc / "1/mountinfo", "21 1 8:1 / / rw - ext4 /dev/root rw")
        put(self.proc / "swaps", "Filename Type Size Used Priority")
        self.minor = 0

    def record(self, target, address, port=3260, tag=None, iface="default"):
        """A node record in the layout that iscsiadm uses with or without a portal group tag."""
        text = RECORD.format(target=target, address=address, port=port, iface=iface, tag=-1 if tag is None else tag)
        place = self.nodes / target / (f"{address},{port}" if tag is None else f"{address},{port},{tag}")
        path = place if tag is None else place / iface
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def interface(self, name, **settings):
        self.ifaces.mkdir(exist_ok=True)
        text = "".join("iface.%s = %s\n" % pair for pair in dict(
            dict(iscsi_ifacename=name, transport_name="tcp"), **settings).items())
        (self.ifaces / name).write_text(text)

    def session(self, sid, target, address, port=3260, state="LOGGED_IN", iface="default", redirected=None):
        device = self.sysfs / f"devices/platform/host{sid}/session{sid}"
        info = device / f"iscsi_session/session{sid}"
        for name, value in dict(targetname=target, state=state, ifacename=iface).items():
            put(info / name, value)
        connection = device / f"connection{sid}:0/iscsi_connection/connection{sid}:0"
        put(connection / "persistent_address", address)
        put(connection / "persistent_port", str(port))
        put(connection / "address", redirected or address)
        put(connection / "port", str(port))
        (info / "device").symlink_to(os.path.relpath(device, info))
        link = self.sysfs / f"class/iscsi_session/session{sid}"
        link.symlink_to(os.path.relpath(info, link.parent))
        put(self.sysfs / f"class/scsi_host/host{sid}/scan", "")
        return device

    def show_settings(self, sid, settings):
        """What the kernel shows of a session that has just logged in with these settings of its record."""
        device = self.sysfs / f"devices/platform/host{sid}/session{sid}"
        for attribute in ("username", "password", "username_in", "password_in"):
            put(device / f"iscsi_session/session{sid}" / attribute, settings.get("node.session.auth." + attribute, "(null)"))
        connection = device / f"connection{sid}:0/iscsi_connection/connection{sid}:0"
        put(connection / "recv_tmo", settings["node.conn[0].timeo.noop_out_interval"])
        put(connection / "ping_tmo", settings["node.conn[0].timeo.noop_out_timeout"])
        put(connection / "header_digest", settings["node.conn[0].iscsi.HeaderDigest"].split(",")[0])

    def _block(self, device, name, size):
        self.minor += 16
        put(device / "size", str(size // 512))
        put(device / "dev", f"8:{self.minor}")
        (device / "holders").mkdir()
        (self.sysfs / "block" / name).symlink_to(os.path.relpath(device, self.sysfs / "block"))

    def disk(self, name, sid=None, serial="s1", size=1 << 20, lun=0, state="running", access_state="optimized"):
        base = self.sysfs / (f"devices/platform/host{sid}/session{sid}/target{sid}:0:0" if sid
                             else "devices/pci0/host99/target99:0:0")
        scsi = base / f"{sid or 99}:0:0:{lun}"
        device = scsi / "block" / name
        self._block(device, name, size)
        (device / "device").symlink_to("../..")
        put(scsi / "vpd_pg80", b"\x00\x80" + len(serial).to_bytes(2, "big") + serial.encode())
        put(scsi / "state", state)
        put(scsi / "access_state", access_state)
        put(scsi / "rescan", "")
        put(scsi / "delete", "")
        return device

    def map(self, dm, slaves, name=None, size=1 << 20, wwid="36db1a8a5b3f3c9d1", uuid=None):
        device = self.sysfs / "devices/virtual/block" / dm
        self._block(device, dm, size)
        put(device / "dm/uuid", uuid or f"mpath-{wwid}")
        put(device / "dm/name", name or wwid)
        (device / "slaves").mkdir()
        for slave in slaves:
            self.hold(slave, dm)
        return device

    def hold(self, slave, dm):
        (self.sysfs / "block" / slave / "holders" / dm).mkdir()
        if (self.sysfs / "block" / dm / "slaves").exists():
            (self.sysfs / "block" / dm / "slaves" / slave).mkdir()

    def partition(self, disk, name):
        folder = self.sysfs / "block" / disk / name
        self.minor += 1
        put(folder / "partition", "1")
        put(folder / "dev", f"8:{self.minor}")
        (folder / "holders").mkdir()

    def mount(self, name, point, part_of=None):
        folder = self.sysfs / "block" / (part_of or name)
        number = ((folder / name if part_of else folder) / "dev").read_text().strip()
        with open(self.proc / "1/mountinfo", "a") as handle:
            handle.write(f"99 21 {number} / {point} rw - ext4 /dev/{name} rw\n")

    def process(self, pid, name, opens, part_of=None):
        """A process with a device open: the descriptor leads to a device that every machine has, and that gets the disk's number."""
        put(self.proc / str(pid) / "comm", name)
        (self.proc / str(pid) / "fd").mkdir()
        (self.proc / str(pid) / "fd/3").symlink_to("/dev/null")
        whole = self.sysfs / "block" / (part_of or opens)
        put((whole if opens == (part_of or opens) else whole / opens) / "dev", "1:3")

    def written(self, path):
        return (self.sysfs / path).read_text().strip()


@pytest.fixture
def client_host(tmp_path):
    return Host(tmp_path / "host")
