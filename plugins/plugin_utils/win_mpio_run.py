# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""win_mpio and win_restart without Ansible."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Operation, Refused, perform, report
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_host, win_mpio_plan
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_errors import explain

# ServerManagerCmd: done before (1003), done and waits for a reboot (3010, of DISM and ocsetup too).
FINE = (0, 1003, 3010)
SERVER_MANAGER = {
    4: 'it does not take these arguments',
    110: 'it could not read its files',
    1004: 'another Server Manager wizard or a Windows update is at work. Wait for it, and run again',
}


class Mpio(object):
    """hardware_ids: of hardware_id(); load_balance: key of POLICIES or None; timers: {group: {name: number}}"""

    def __init__(self, windows, hardware_ids, load_balance, timers, check_mode):
        self.windows = windows
        self.wanted = (hardware_ids, load_balance, timers)
        self.check_mode = check_mode
        self.written = []

    def __call__(self):
        snapshot = win_mpio_plan.look(self.windows)
        operations = win_mpio_plan.steps(snapshot, *self.wanted)
        done, failure = 0, None
        if not self.check_mode:
            try:
                done = len(perform(operations, lambda operation: self.one(snapshot, operation)))
            except Failed as error:
                done, failure = len(error.done), error
        result = report(operations, done, self.check_mode)
        if failure is not None:
            result.update(failed=True, msg='%s. %d of %d operations were done before it and stay; run again to finish.' % (
                failure, done, len(operations)))
        elif operations and not self.check_mode:
            snapshot = win_mpio_plan.look(self.windows)
            left = win_mpio_plan.steps(snapshot, *self.wanted)
            if left:
                # On 2008 mpclaim's exit code means nothing: only what is there afterwards counts.
                result.update(failed=True, msg='the host reported success, and this is not to be seen afterwards: %s. Run the command by hand '
                              'to see what it says: %s' % ('; '.join(one.line() for one in left), left[0].as_dict(False)['target']))
        result['reboot_required'] = win_mpio_plan.reboot_required(snapshot) or (
            self.check_mode and any('note that a reboot' in one.action for one in operations))
        result['os_version'] = '%d.%d' % snapshot.host.version
        result['claims'] = [claim.rstrip() for claim in snapshot.claims or []]
        return result

    def one(self, snapshot, operation):
        answer = self.windows.run(operation.target)
        program = operation.target[0].lower() if operation.how == 'run' else ''
        if operation.how == 'powershell':
            if 'Success=True' not in answer.out:
                raise Refused('Install-WindowsFeature said: %s. See the Setup event log' % (' '.join(answer.out.split()) or 'nothing'))
        elif answer.rc is None and program == 'mpclaim.exe' and snapshot.feature != 'installed' and '-d' in operation.target:
            self.write_claim(snapshot, operation.target[-1])
        elif answer.rc is None:
            raise Refused(explain(None, answer.out))
        elif program == 'mpclaim.exe' and snapshot.host.version < (6, 1):
            return
        elif answer.rc not in FINE:
            known = SERVER_MANAGER.get(answer.rc) if program == 'servermanagercmd.exe' else None
            raise Refused(known or explain(answer.rc, answer.out))

    def write_claim(self, snapshot, hardware_id):
        """Where mpclaim comes with the reboot only: what it would write, so that one reboot is enough."""
        self.written.append(hardware_id)
        answer = self.windows.run(['reg.exe', 'add', win_mpio_plan.MPDEV, '/v', win_mpio_plan.CLAIMS, '/t', 'REG_MULTI_SZ', '/d',
                                   '\\0'.join((snapshot.claims or []) + self.written), '/f'])
        if answer.rc:
            raise Refused(explain(answer.rc, answer.out))


def restart(windows, reconnect, sleep, clock, check_mode, away, delay=5, timeout=600):
    """Reboot the host and wait until it is back: the result of win_restart.

    reconnect: callable() that forgets the connection
    clock: callable() -> seconds
    away: exceptions that it, and commands, may raise while the host is away
    """
    operation = Operation('host', 'reboot', 'run', ['shutdown.exe', '/r', '/f', '/t', '%d' % delay, '/d', 'p:2:4'])
    before = win_host.booted(windows)
    if check_mode:
        return report([operation], 0, True)
    started = clock()
    answer = windows.run(operation.target)
    # 1190: somebody's reboot is on its way.
    if answer.rc not in (0, 1190):
        return dict(report([operation], 0, False), failed=True, msg='the host cannot be rebooted: %s' % explain(answer.rc, answer.out))
    result = report([operation], 1, False)
    reason = 'it still runs'
    while clock() - started < timeout:
        sleep(2)
        try:
            reconnect()
            if abs(win_host.booted(windows) - before) > win_host.SAME_BOOT:
                result['elapsed'] = int(clock() - started)
                return result
            reason = 'it still runs'
        except away + (EnvironmentError, Refused) as error:
            reason = str(error)
    return dict(result, failed=True, msg='the host was told to reboot and is not back after %d s: %s. Look at its console; when it is up, '
                'run again.' % (timeout, reason))
