# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Performing the steps of iscsi_session: one portal's failure stops that portal, not the others."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import by_key
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import changes_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, report

# iscsiadm returns when iscsid has the login response; the session's state in sysfs follows at once.
# Disks come a moment later, and waiting for them is for multipath_map.
SETTLE = 2.0


class Run(object):
    """One run of the module.

    tool: Iscsiadm; database: Records; look: callable() -> sessions; disks: Disks
    """

    def __init__(self, tool, database, check_mode, look, disks):
        self.tool = tool
        self.database = database
        self.check_mode = check_mode
        self.look = look
        self.disks = disks
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
        elif step.kind == 'login':
            # A bound interface may use another route than a plain connection would.
            self.tool.login(operation.target, step.key[1], step.key[2], probe=step.key[3] == 'default')
            self.confirm(step.key)
        else:
            self.tool.call(operation.target)

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
        result['pending'] = sorted(
            '%s %s' % (step.key[0], format_portal(step.key[1], step.key[2])) for index, step in enumerate(self.planned)
            if step.kind == 'settings' and step.key in before and (self.done[index] or self.check_mode)
            and not self._only_startup(step))
        result['failed_portals'] = [
            dict(target=item.target, portal=format_portal(item.portal.address, item.portal.port), iface=item.iface,
                 reason=self._reason(item.key, now))
            for item in wanted if self._reason(item.key, now)]
        return result

    @staticmethod
    def _only_startup(step):
        return all(name.endswith('.startup') for name in changes_of(step.operation.data))

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
        second = self._sizes([session for session in self.look() if session.sid in sids])
        return sorted(name for name in set(first) | set(second) if first.get(name) != second.get(name))

    def _sizes(self, sessions):
        return dict((name, self.disks.size(name)) for session in sessions for name in session.disks)

    def problem(self, wanted, require, result):
        """The message to fail with, or None."""
        portals = result['failed_portals']
        others = [text for key, text in sorted(self.failed.items(), key=str)
                  if key not in set(item.key for item in wanted)]
        if others:
            return '; '.join(others)
        if not portals or require == 'none' or (require == 'any' and len(portals) < len(wanted)):
            return None
        return '%d of %d portals have no working session. %s' % (len(portals), len(wanted), ' '.join(
            'Target %s, portal %s: %s.' % (entry['target'], entry['portal'], entry['reason'].rstrip('.'))
            for entry in portals))
