# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iscsi_session on a host of files, with an iscsiadm that changes those files as the real one (2.1.8) does."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import iscsiadm_relogin, iscsiadm_run
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import Disks
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import Iscsiadm, IscsiError
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_discovery import DiscoveryRecords
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_ifaces import Ifaces
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import Records
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions
from ansible_collections.cephgate.iscsi.plugins.modules import iscsi_session

DISCOVERY_RECORD = """\
# BEGIN RECORD 2.1.8
discovery.startup = manual
discovery.type = sendtargets
discovery.sendtargets.address = {0}
discovery.sendtargets.port = {1}
discovery.sendtargets.auth.authmethod = None
node.session.auth.chap_algs = MD5
discovery.sendtargets.use_discoveryd = No
# END RECORD
"""


class Tools:
    """iscsiadm, multipath and dmsetup. codes: exit code of the login at a portal; down: no TCP answer."""

    def __init__(self, host):
        self.host = host
        self.calls = []
        self.codes = {}
        self.down = set()
        self.probed = []
        self.opened = {}
        self.on_rescan = lambda: None
        self.on_login = lambda sid: None
        self.paths = lambda: ""
        self.answers = {}
        self.sid = 10

    def run(self, argv):
        self.calls.append(argv)
        words = dict(zip(argv, argv[1:]))
        if argv[0] == "dmsetup":
            return 0, "%d\n" % self.opened.get(argv[-1], 0), ""
        if argv[0] == "multipath":
            return self.codes.get(argv[-1], 0), "", "map in use"
        if argv[:2] == ["multipathd", "show"]:
            return 0, self.paths(), ""
        if words["-m"] == "session":
            return self._session(argv, words)
        address, port, tag = self._portal(words["-p"])
        if words["-m"] == "discoverydb":
            return self._discovery(argv, address, port)
        # Without -I the real one takes every interface of the portal.
        iface = words["-I"]
        if words.get("-o") == "new":
            if iface != "default" and not (self.host.ifaces / iface).exists():
                return 3, "", "iscsiadm: Could not read iface info for %s." % iface
            plain = self.host.nodes / words["-T"] / ("%s,%d" % (address, port))
            if tag is not None and plain.is_file():
                plain.unlink()
            self.host.record(words["-T"], address, port, tag, iface)
            return 0, "New iSCSI node added", ""
        found = [record for record in Records(str(self.host.nodes)).all()
                 if (record.target, record.address, record.port, record.iface) == (words["-T"], address, port, iface)]
        if words.get("-o") == "delete":
            for record in found:
                (self.host.nodes / record.path).unlink()
            return (0, "", "") if found else (21, "", "iscsiadm: No records found")
        assert argv[-1] == "--login", argv
        code = self.codes.get(words["-p"], 0) if found else 21
        if not code:
            self.sid += 1
            self.host.session(self.sid, words["-T"], address, port, iface=iface)
            self.host.show_settings(self.sid, found[0].settings())
            self.on_login(self.sid)
        return code, "", "iscsiadm: initiator reported error (%d - something)\niscsiadm: Could not log into all portals" % code

    def _discovery(self, argv, address, port):
        config = self.host.discovered / ("%s,%d" % (address, port)) / "st_config"
        if argv[-2:] == ["-o", "new"]:
            config.parent.mkdir(parents=True)
            config.write_text(DISCOVERY_RECORD.format(address, port))
            config.chmod(0o600)
            return 0, "New discovery record added", ""
        if argv[-2:] == ["-o", "delete"]:
            config.unlink()
            return 0, "", ""
        assert argv[-3:] == ["--discover", "-o", "nonpersistent"], argv
        code, text = self.answers[address]
        return code, text, "iscsiadm: something" if code else ""

    def _portal(self, text):
        rest, _comma, tag = text.partition(",")
        address, _colon, port = rest.rpartition(":")
        return address.strip("[]"), int(port), int(tag) if tag else None

    def _session(self, argv, words):
        if argv[-1] == "--rescan":
            self.on_rescan()
        else:
            assert argv[-1] == "--logout", argv
            name = "session" + words["-r"]
            (self.host.sysfs / "class/iscsi_session" / name).unlink()
            for block in (self.host.sysfs / "block").iterdir():
                if "/%s/" % name in str(block.resolve()):
                    self._forget(block)
        return 0, "", ""

    def _forget(self, block):
        """A disk that goes is taken out of its map, as multipathd does."""
        for holder in (block / "holders").iterdir():
            slave = self.host.sysfs / "block" / holder.name / "slaves" / block.name
            if slave.exists():
                slave.rmdir()
        block.unlink()

    def probe(self, address, port, device=""):
        self.probed.append((address, device))
        if address in self.down:
            raise IscsiError("%s:%d no answer" % (address, port))


@pytest.fixture
def tools(client_host, monkeypatch):
    fake = Tools(client_host)

    def iscsiadm(run, timeout):
        tool = Iscsiadm(fake.run, timeout)
        tool.probe = fake.probe
        return tool

    real = iscsi_session.Multipathd
    monkeypatch.setattr(iscsi_session, "Iscsiadm", iscsiadm)
    monkeypatch.setattr(iscsi_session, "Multipathd", lambda run: real(fake.run))
    monkeypatch.setattr(iscsi_session, "Records", lambda: Records(str(client_host.nodes)))
    monkeypatch.setattr(iscsi_session, "Ifaces", lambda: Ifaces(str(client_host.ifaces)))
    monkeypatch.setattr(iscsi_session, "DiscoveryRecords", lambda: DiscoveryRecords(str(client_host.discovered)))
    monkeypatch.setattr(iscsi_session, "network_devices", lambda: ["lo", "eth1", "eth2"])
    monkeypatch.setattr(iscsiadm_relogin, "LONGEST", 0)
    monkeypatch.setattr(iscsi_session, "Disks", lambda: Disks(str(client_host.sysfs), str(client_host.proc), str(client_host.dev)))
    monkeypatch.setattr(iscsi_session, "read_sessions", lambda: sessions(str(client_host.sysfs)))
    monkeypatch.setattr(iscsiadm_run, "SETTLE", 0)
    return fake


@pytest.fixture
def run_session(run_module, tools):
    return lambda **options: run_module(iscsi_session, **options)
