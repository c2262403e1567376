# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LIO's sessions as SCST's: read from the ACLs' info files and the kernel's connections."""
import re

from .session import Session


COUNTERS = (('read_mbytes', 'read_io_count_kb', 1024), ('write_mbytes', 'write_io_count_kb', 1024),
            ('num_cmds', 'unknown_cmd_count', 1))


def parse_info(text):
    """An ACL's info: (initiator, session id, client address), or None without a session.

    LIO tells only the newest session of an initiator there.
    """
    name = re.search(r'^InitiatorName: (\S+)', text, re.M)
    if not name:
        return None
    sid = re.search(r'ISID: 0x((?:[0-9a-f]{2} ?)+)', text)
    address = re.search(r'^\s+Address (\S+) ', text, re.M)
    return name.group(1), sid.group(1).replace(' ', '') if sid else '0', \
        address.group(1).strip('[]') if address else ''


class Sessions:
    """refresh(): make the tree's sessions those of LIO."""

    def __init__(self, core, configfs, connections):
        self.core = core
        self.fs = configfs
        self.connections = connections
        self.clients = {}          # client address -> initiator, as learned

    def refresh(self):
        iscsi = self.core.targets.iscsi if self.core.targets else None
        if iscsi is None:
            return
        connections = None
        for target in list(iscsi.targets.values()):
            active = self._active(target)
            if not active and not target.sessions:
                continue
            if active and connections is None:
                connections = self.connections()
            self._sync(target, self._expected(target, active, connections or ()))
            self._count(target)

    def _active(self, target):
        base = 'iscsi/%s/tpgt_1/acls' % target.name
        found = {}
        for initiator in self.fs.listdir(base):
            try:
                entry = parse_info(self.fs.read('%s/%s/info' % (base, initiator)))
            except OSError:
                continue
            if entry:
                found[entry[0]] = entry
                self.clients[entry[2]] = entry[0]
        for initiator in self._dynamic(target):
            found.setdefault(initiator, (initiator, '0', ''))
        return found

    def _dynamic(self, target):
        """Initiators without an ACL that LIO let in. It tells their names only."""
        try:
            text = self.fs.read('iscsi/%s/tpgt_1/dynamic_sessions' % target.name)
        except OSError:
            return []
        return text.replace('\0', '\n').split()

    def _expected(self, target, active, connections):
        """(initiator, client address, portal) of every session.

        A connection belongs to the initiator last seen at its client's address; from an unknown
        address, to the only initiator that is logged in.
        """
        expected = {}
        known = {getattr(session, 'origin', ())[1:] for session in target.sessions.values()}
        for client, portal in connections:
            # A portal that is allowed no more keeps the sessions that it has.
            if not target.allows_portal(portal) and (client, portal) not in known:
                continue
            initiator = self.clients.get(client)
            if initiator is None and len(active) == 1:
                initiator = next(iter(active))
            if initiator in active:
                expected[(initiator, client, portal)] = active[initiator][1]
        for initiator, (_name, sid, client) in active.items():
            if not any(key[0] == initiator for key in expected):
                expected[(initiator, client, '')] = sid
        return expected

    def _count(self, target):
        """I/O counters. LIO counts per initiator and LUN: an initiator's first session shows the sum."""
        seen = set()
        for session in sorted(target.sessions.values(), key=lambda session: session.name):
            plain = session.initiator.split('#')[0]
            if plain in seen:
                continue
            seen.add(plain)
            base = 'iscsi/%s/tpgt_1/acls/%s' % (target.name, plain)
            for file, name, factor in COUNTERS:
                session.counters[name] = factor * sum(
                    self._number('%s/%s/statistics/scsi_auth_intr/%s' % (base, lun, file))
                    for lun in self.fs.listdir(base) if lun.startswith('lun_'))

    def _number(self, path):
        try:
            return int(self.fs.read(path))
        except (OSError, ValueError):
            return 0

    def _sync(self, target, expected):
        known = {}
        for session in list(target.sessions.values()):
            key = getattr(session, 'origin', None)
            if key in expected:
                known[key] = session
            else:
                session.close()
                self.core.touch(target)      # what was kept for it in LIO can go
        for key in sorted(set(expected) - set(known)):
            initiator, client, portal = key
            name = '%s#%s' % (initiator, portal) if target.per_portal_acl and portal else initiator
            session = Session(target, name, expected[key], client, portal, target.negotiated())
            session.origin = key
