# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions: who is logged in, which group it falls into, which LUNs it has open."""
import errno

from .text import fail, sysfs_name
from .tree import Attr

NEGOTIATED = ('InitialR2T', 'ImmediateData', 'MaxRecvDataSegmentLength', 'MaxXmitDataSegmentLength',
              'MaxBurstLength', 'FirstBurstLength', 'MaxOutstandingR2T', 'HeaderDigest', 'DataDigest')
LATENCY = tuple(kind + str(512 << step) for kind in 'rwbn' for step in range(11))


class Session:
    """One session. gain, lose: a LUN of its group comes or goes."""

    def __init__(self, target, initiator, sid='0', client=None, portal=None, values=None):
        self.core = target.core
        self.target = target
        self.initiator = initiator
        self.sid = sid
        self.values = values or {}
        self.group = target.group_of(initiator)
        self.name = self._free_name()
        self.counters = {}
        self.dir = target.sessions_dir.mkdir(sysfs_name(self.name), self._attrs(), self)
        target.sessions[self.name] = self
        if client:
            self.add_connection(client, portal)
        if self.core.personality.copy_manager:
            self.dir.mkdir('latency', {name: COUNT_RW for name in LATENCY}, self)
        self._join()

    def _free_name(self):
        """A second session of the same initiator gets a number."""
        name, number = self.initiator, 1
        while sysfs_name(name) in self.target.sessions_dir:
            name = '%s_%d' % (self.initiator, number)
            number += 1
        return name

    def _attrs(self):
        attrs = {name: SESSION_ATTRS.get(name) or counter(name) for name in self.core.personality.session_attrs}
        if self.values:
            attrs.update((name, parameter(name)) for name in NEGOTIATED)
        return attrs

    def add_connection(self, client, portal):
        where = self.dir.mkdir(client, {}, self)
        values = dict(cid='0', ip=client, state='established idle ', target_ip=portal, transport='iSCSI-TCP\n')
        for name in self.core.personality.connection_attrs:
            where.put_file(name, CONSTANT, values[name])

    def _join(self):
        self.group.sessions.append(self)
        self.dir.link('luns', self.group.luns_dir)
        for lun in self.group.luns.values():
            self.gain(lun)

    def _leave(self):
        for lun in self.group.luns.values():
            self.lose(lun)
        self.dir.remove('luns')
        self.group.sessions.remove(self)

    def gain(self, lun):
        lun.device.use()
        attrs = {name: COUNT_RO for name in self.core.personality.tgt_dev_attrs}
        name = 'lun%d' % lun.number
        if name not in self.dir:
            self.dir.mkdir(name, attrs, self)

    def lose(self, lun):
        if 'lun%d' % lun.number in self.dir:
            self.dir.remove('lun%d' % lun.number)
            lun.device.unuse()

    def reassign(self):
        """Names of the groups changed: the session moves to the group that matches now."""
        group = self.target.group_of(self.initiator)
        if group is not self.group:
            self._leave()
            self.group = group
            self._join()

    def close(self):
        self._leave()
        self.target.sessions_dir.remove(sysfs_name(self.name))
        del self.target.sessions[self.name]


def _force_close(session, _text):
    session.core.cut(session)


def counter(name):
    """A count since login; writing resets it. A data plane may keep Session.counters."""
    def show(session):
        return '%d\n' % session.counters.get(name, 0)

    def reset(session, _text):
        session.counters[name] = 0
    return Attr(0o644, show, reset)


def parameter(name):
    return Attr(0o444, lambda session: session.values.get(name, '') + '\n')


CONSTANT = Attr(0o444, lambda text: text)
COUNT_RW = Attr(0o644, lambda session: '0\n', lambda session, text: None)
COUNT_RO = Attr(0o444, lambda session: '0\n')
SESSION_ATTRS = {
    'initiator_name': Attr(0o444, lambda session: session.initiator + '\n'),
    'sid': Attr(0o444, lambda session: session.sid + '\n'),
    'commands': COUNT_RO,
    'active_commands': COUNT_RO,
    'thread_pid': COUNT_RO,
    'force_close': Attr(0o200, None, _force_close),
    'reinstating': Attr(0o444, lambda session: '0\n'),
}


def login(target, initiator, client='127.0.0.1', portal='127.0.0.1', sid='0', values=None):
    """A session from an initiator through a portal, if the target lets it in. Returns it.

    EACCES: the target or its driver is disabled, the portal not allowed, or there is no LUN
    for the initiator (SCST hides a target that has none for it).
    """
    name = '%s#%s' % (initiator, portal) if target.per_portal_acl else initiator
    if not target.enabled or not target.driver.enabled or not target.allows_portal(portal):
        fail(errno.EACCES)
    if not target.group_of(name).luns:
        fail(errno.EACCES)
    if target.max_sessions and len(target.sessions) >= target.max_sessions:
        fail(errno.EACCES)
    return Session(target, name, sid, client, portal, values or target.negotiated())
