# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Performing the steps of iscsi_session: one portal's failure stops that portal, not the others."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import NO_OBJECTS
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_pending import pending
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import Step, by_key
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import changes_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, report

# iscsiadm returns when iscsid has the login response; the session's state in sysfs follows at once.
# Disks come a moment later, and waiting for them is for multipath_map.
SETTLE = 2.0


class Run(object):
    """One run of the module.

    tool: Iscsiadm; database: Records; ifaces: Ifaces; look: callable() -> sessions; disks: Disks
    """

    def __init__(self, tool, database, ifaces, check_mode, look, disks):
        self.tool = tool
        self.database = database
        self.ifaces = ifaces
        self.check_mode = check_mode
        self.look = look
        self.disks = disks
        self.broken = None
        self.planned = []
        self.done = []
        self.failed = {}

    def steps(self, steps):
        self.planned = steps
        for step in steps:
            fine = False
            # A map that could not be flushed still needs its paths: then nothing is logged out.
            blocked = step.key in self.failed or (None in self.failed and step.kind in ('logout', 'delete'))
            if not self.check_mode and not blocked:
                try:
                    self.perform(step)
                    fine = True
                except (Refused, EnvironmentError) as error:
                    self.failed[step.key] = step.operation.mask('%s: %s' % (step.operation.action
                                                                            if step.kind != 'settings' else 'settings',
                                                                            error))
            self.done.append(fine)

    def perform(self, step):
        operation = step.operation
        if step.kind == 'settings':
            self.database.update(step.key, changes_of(operation.data))
        elif step.kind == 'iface':
            self.ifaces.update(step.key[1], changes_of(operation.data))
        elif step.kind == 'remove iface':
            self.ifaces.remove(step.key[1])
        elif step.kind == 'delete':
            # A record that another one replaced is gone already, which is what was wanted.
            self.tool.call(operation.target, accept=(NO_OBJECTS,))
        elif step.kind == 'login':
            self.login(step.key, operation.target)
        else:
            self.tool.call(operation.target)

    def login(self, key, argv):
        self.tool.login(argv, key[1], key[2], self.ifaces.device(key[3]))
        self.confirm(key)

    def confirm(self, key):
        """A login counts when the kernel shows the session, not when a command says so."""
        end = time.time() + SETTLE
        while True:
            session = by_key(self.look()).get(key)
            if session and session.state == 'LOGGED_IN':
                return
            if time.time() > end:
                raise Refused('iscsiadm reported success, but the kernel shows %s for this portal. '
                              '"journalctl -u iscsid" may tell why.'
                              % ('the session in state %s' % session.state if session else 'no session'))
            time.sleep(0.1)

    def result(self, wanted, before):
        """What the module returns; C(changed) counts only what succeeded."""
        result = report([step.operation for step in self.planned], 0, self.check_mode)
        for index, entry in enumerate(result['operations']):
            entry['done'] = self.done[index]
        if not self.check_mode:
            result['changed'] = any(self.done)
        now = by_key(self.look())
        keys = set(item.key for item in wanted)
        result['sessions'] = [now[key].as_dict() for key in sorted(keys & set(now))]
        result['pending'] = [
            dict(target=item.target, portal=format_portal(item.portal.address, item.portal.port), iface=item.iface,
                 settings=names)
            for item, names in self.pending(wanted, before, now)]
        result['failed_portals'] = [
            dict(target=item.target, portal=format_portal(item.portal.address, item.portal.port), iface=item.iface,
                 reason=self._reason(item.key, now))
            for item in wanted if self._reason(item.key, now)]
        return result

    def pending(self, wanted, before, now):
        """[(Wanted, names of settings)] of sessions that do not have what their records say."""
        changed = {}
        for index, step in enumerate(self.planned):
            if step.kind == 'settings' and (self.done[index] or self.check_mode):
                changed.setdefault(step.key, {}).update(changes_of(step.operation.data))
        records = dict((record.key, record) for record in self.database.all()) if wanted else {}
        found = []
        for item in wanted:
            session, record = now.get(item.key), records.get(item.key)
            if session is None or record is None:
                continue
            settings = record.settings()
            # In check mode the record does not say it yet.
            settings.update(changed.get(item.key, {}))
            # A session that was made in this run has everything.
            old = item.key in before and before[item.key].sid == session.sid
            names = pending(session, settings, item.settings, changed.get(item.key, {}) if old else ())
            if names:
                found.append((item, names))
        return found

    def relogin(self, relogin, wanted, before):
        """Log in anew where settings are pending, one session after the other; the first failure ends it."""
        now = by_key(self.look())
        for item, dummy in self.pending(wanted, before, now):
            session = now[item.key]
            if session.state != 'LOGGED_IN':
                continue
            record = self.database.find(item.key)
            operations = relogin.operations(session, record.portal)
            start = len(self.planned)
            self.planned = self.planned + [Step(item.key, 'relogin', operation) for operation in operations]
            self.done += [False] * len(operations)
            if self.check_mode:
                continue
            try:
                for number in relogin.perform(session, operations):
                    self.done[start + number] = True
            except (Refused, EnvironmentError) as error:
                self.broken = 'settings of target %s, portal %s are still pending: %s' % (item.target, session.portal, error)
                return

    def _reason(self, key, now):
        if key in self.failed:
            return self.failed[key]
        session = now.get(key)
        if session and session.state != 'LOGGED_IN':
            return ('the session is in state %s: its connection broke and iscsid tries to make it again. Is the '
                    'gateway up?' % session.state)
        if session is None and not self.check_mode:
            return 'there is no session'
        return None

    def rescan(self, wanted, before):
        """Rescan the declared sessions that were there before; the disks that differ afterwards."""
        keys = set(item.key for item in wanted)
        old = [session for key, session in sorted(before.items()) if key in keys and session.state == 'LOGGED_IN']
        first = self._sizes(old)
        for session in old:
            try:
                self.tool.rescan(session.sid)
            except EnvironmentError as error:
                self.failed[session.key] = 'rescan: %s' % error
        sids = set(session.sid for session in old)
        second = self._sizes(self._settled(sids))
        return sorted(set((second.get(hctl) or first[hctl])[0] for hctl in set(first) | set(second)
                          if first.get(hctl) != second.get(hctl)))

    def _settled(self, sids):
        """The sessions, once each disk has its block device: the kernel makes those after the scan has returned."""
        end = time.time() + SETTLE
        while True:
            found = [session for session in self.look() if session.sid in sids]
            if time.time() > end or not any(self.disks.is_disk(session.folders['session'], hctl)
                                            for session in found for hctl in session.luns if not session.luns[hctl]):
                return found
            time.sleep(0.1)

    def _sizes(self, sessions):
        """{address of a LUN: (name, size, serial number)}: another disk under an old number is a change too."""
        found = {}
        for session in sessions:
            for hctl in session.luns:
                names = session.luns[hctl]
                found[hctl] = (names[0], self.disks.size(names[0]), self.disks.serial(names[0])) if names else (hctl, 0, None)
        return found

    def problem(self, wanted, require, result):
        """The message to fail with, or None."""
        portals = result['failed_portals']
        silent = result.get('failed_discovery') or []
        others = [text for key, text in sorted(self.failed.items(), key=str)
                  if key not in set(item.key for item in wanted)]
        if others:
            return '; '.join(others)
        if self.broken:
            return self.broken
        if not (portals or silent) or require == 'none' or (require == 'any' and len(portals) < len(wanted)):
            return None
        texts = ['Target %s, portal %s: %s.' % (entry['target'], entry['portal'], entry['reason'].rstrip('.'))
                 for entry in portals]
        if portals:
            texts.insert(0, '%d of %d portals have no working session.' % (len(portals), len(wanted)))
        texts += ['Discovery at %s: %s.' % (entry['portal'], entry['reason'].rstrip('.')) for entry in silent]
        return ' '.join(texts)
