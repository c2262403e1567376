# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_iscsi_session without Ansible: look at the host, plan, do the steps, and look again."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, report
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_text
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_errors import NOT_FOUND, SERVICE_STOPPED, explain, is_warning
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_plan import MARKS, Snapshot, connected, steps

# What Windows says when something that is to be removed is not there (any more). Whether it is gone is seen afterwards.
GONE = dict(forget=0xEFFF0042, logout=0xEFFF001C, extra=0xEFFF001C, broken=0xEFFF001C, portal=0xEFFF0043, unmark=1)

# Seconds that the service may take to start, and sessions to appear after their login.
PATIENCE = 30

LOOK = (
    ['sc.exe', 'query', 'msiscsi'],
    ['reg.exe', 'query', 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\MSiSCSI', '/v', 'Start'],
    ['reg.exe', 'query', MARKS],
    ['iscsicli.exe', 'SessionList'],
    ['iscsicli.exe', 'ListPersistentTargets'],
    ['iscsicli.exe', 'ListTargetPortals'],
    ['iscsicli.exe', 'ListTargets'],
    # Without arguments it asks for a command, and names the initiator in its prompt.
    "'x' | & 'iscsicli.exe'",
)


def look(windows):
    """The Snapshot of a host. Raises Refused when there is no iSCSI initiator, Unreadable for an output that is not understood."""
    query, start, marks, sessions, persistent, portals, targets, prompt = windows.ask(LOOK)
    if query.rc == 1060:
        raise Refused('service MSiSCSI: %s' % explain(1060))
    if query.rc is None or sessions.rc is None:
        raise Refused('sc.exe or iscsicli.exe is not there, which every Windows Server since 2008 has. Is this one?')
    running = win_text.service_state(query.out) == 4
    lists = [sessions, persistent, portals, targets]
    if any(answer.rc == SERVICE_STOPPED for answer in lists):
        running = False
    if not running:
        lists = [answer._replace(out='') for answer in lists]
    for answer in lists if running else []:
        if answer.rc:
            raise Refused('the iSCSI initiator cannot be read: %s' % explain(answer.rc, answer.out))
    values = win_text.values(marks.out) if marks.rc == 0 else {}
    return Snapshot(running, win_text.values(start.out).get('start'), win_text.node_name(prompt.out),
                    win_text.target_portals(lists[2].out), win_text.targets(lists[3].out), win_text.persistent(lists[1].out),
                    win_text.sessions(lists[0].out), values)


class Run(object):
    """windows: Windows; desired: Desired; sleep: callable(seconds)"""

    def __init__(self, windows, desired, check_mode, sleep):
        self.windows = windows
        self.desired = desired
        self.check_mode = check_mode
        self.sleep = sleep
        self.planned = []
        self.done = []
        self.failed = {}
        self.doubtful = {}

    def __call__(self):
        """The result of the module, with C(failed) and C(msg) when it has to fail."""
        snapshot = look(self.windows)
        plan = steps(snapshot, self.desired)
        if self.check_mode:
            self.planned, self.done = plan, [False] * len(plan)
            return self.result(snapshot)
        if not snapshot.running and not self.desired.absent:
            # What the lists would have said is only known with the service running, which may also log in by itself.
            self.perform([step for step in plan if step.kind == 'service'])
            snapshot = self.started()
            plan = steps(snapshot, self.desired) if snapshot.running else []
        elif not snapshot.running:
            raise Refused('service MSiSCSI does not run, so it is not known which sessions there are. Start it (sc.exe start msiscsi) '
                          'and run again.')
        self.perform(plan)
        snapshot = look(self.windows)
        self.verify(snapshot)
        return self.result(snapshot)

    def started(self):
        for dummy in range(PATIENCE):
            snapshot = look(self.windows)
            if snapshot.running or self.failed:
                break
            self.sleep(1)
        if not snapshot.running:
            self.failed.setdefault(None, 'service MSiSCSI: it does not run %d s after its start. See the System event log.' % PATIENCE)
        return snapshot

    def perform(self, plan):
        for step in plan:
            self.planned.append(step)
            fine = not self.blocked(step) and self.one(step)
            self.done.append(fine)

    def blocked(self, step):
        """Whether an earlier failure forbids the step."""
        if step.kind == 'mark':
            # A note of a secret that was not set would hide that.
            return any(one.key == step.key and one.kind in ('secret', 'persistent') and not fine
                       for one, fine in zip(self.planned, self.done))
        if step.kind == 'broken':
            # Without a new session for every portal, the old one is the only one that may come back.
            return any(key is not None and key[0] == step.key[0] for key in self.failed)
        if step.kind == 'logout':
            # While what should stay has failed, nothing that works is taken away.
            return bool(self.failed) and not self.desired.absent
        return False

    def one(self, step):
        operation = step.operation
        answer = self.windows.run(operation.target, secret=bool(operation.secrets))
        if answer.rc == NOT_FOUND and step.kind == 'login':
            # Discovery may have been made while the gateway did not know this host yet.
            self.windows.run(['iscsicli.exe', 'RefreshTargetPortal', step.key[1], '%d' % step.key[2]])
            answer = self.windows.run(operation.target, secret=bool(operation.secrets))
        if answer.rc == 0 or is_warning(answer.rc) or (step.kind == 'service' and answer.rc == 1056):
            return True
        portal = format_portal(step.key[1], step.key[2]) if step.key and step.key[1] not in (None, '*') else ''
        reason = operation.mask('%s: %s' % (operation.action, explain(
            answer.rc, answer.out, portal=portal, port=step.key[2] if step.key else 3260)))
        if answer.rc == GONE.get(step.kind):
            self.doubtful[step.key, step.kind, operation.action] = reason
            return True
        # The first reason is the cause of the others: discovery that cannot connect, then a login to a target not known.
        self.failed.setdefault(step.key, reason if step.key else '%s: %s' % (operation.thing, reason))
        return False

    def verify(self, snapshot):
        """Exit code 0 says little (iscsicli gives it with its usage, too): what was done must be seen."""
        left = [step for step in steps(snapshot, self.desired) if step.kind not in ('broken', 'refresh')]
        for step in left:
            mine = [fine for one, fine in zip(self.planned, self.done)
                    if (one.key, one.kind, one.operation.action) == (step.key, step.kind, step.operation.action)]
            doubt = self.doubtful.get((step.key, step.kind, step.operation.action))
            if doubt:
                self.failed.setdefault(step.key, doubt)
            elif mine and mine[-1]:
                self.failed.setdefault(step.key, '%s: %s: the host reported success, and it is not to be seen afterwards. See the System '
                                       'event log.' % (step.operation.thing, step.operation.line().partition(': ')[2]))
        if not self.failed and any(one.kind == 'broken' for one in steps(snapshot, self.desired)):
            self.failed.setdefault(None, 'a session without connection could not be logged out')

    def result(self, snapshot):
        operations = [step.operation for step in self.planned]
        result = report(operations, 0, self.check_mode)
        for entry, fine in zip(result['operations'], self.done):
            entry['done'] = fine
        if not self.check_mode:
            result['changed'] = any(self.done)
        keys = self.desired.keys
        result['initiator_name'] = snapshot.name
        result['sessions'] = [
            dict(id=session.id, target=session.target, portals=[format_portal(*portal) for portal in session.portals],
                 connected=bool(session.connections), disks=sorted(set(session.drives)))
            for session in snapshot.sessions if session.target in [target['name'] for target in self.desired.targets]]
        result['failed_portals'] = [] if self.desired.absent else [
            dict(target=key[0], portal=format_portal(key[1], key[2]), reason=self.reason(key, snapshot))
            for key in keys if self.reason(key, snapshot)]
        return result

    def reason(self, key, snapshot):
        if key in self.failed:
            return self.failed[key]
        if self.check_mode or connected(snapshot, key):
            return None
        return 'there is no session'

    def problem(self, require, result):
        """The message to fail with, or None."""
        others = [text for key, text in sorted(self.failed.items(), key=str) if key not in self.desired.keys]
        if others:
            return '; '.join(others)
        portals = result['failed_portals']
        if not portals or require == 'none' or (require == 'any' and len(portals) < len(self.desired.keys)):
            return None
        return '%d of %d portals have a problem. %s' % (len(portals), len(self.desired.keys), ' '.join(
            'Target %s, portal %s: %s.' % (entry['target'], entry['portal'], entry['reason'].rstrip('.')) for entry in portals))
