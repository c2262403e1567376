# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Windows actions share: options, the way to the host, results."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.text.converters import to_native, to_text
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_shell import Windows

display = Display()

SETUP = ('Is it up, and does WinRM listen there? On the host, as administrator: "winrm quickconfig -q" makes the listener (port 5985; 80 on '
         'Server 2008 with WinRM 1.1). Best use ansible_winrm_transport: ntlm with ansible_port: 5985, which encrypts and needs no more. '
         'Basic over HTTP would need "winrm set winrm/config/service/auth @{Basic=\\"true\\"}" and AllowUnencrypted, and shows everything '
         'to the network.')


@contextlib.contextmanager
def unseen(hide):
    """With -vvvvv the connection shows the commands that it sends, in base64; not those with a secret."""
    before = display.verbosity
    try:
        if hide:
            display.verbosity = min(before, 3)
        yield
    finally:
        display.verbosity = before


class WindowsAction(ActionBase):
    """An action that runs on the controller and sends commands through the connection, whatever PowerShell the host has.

    A subclass has ARGUMENT_SPEC and CONSTRAINTS (arguments of validate_argument_spec), and work(windows, params).
    """

    TRANSFERS_FILES = False
    _requires_connection = True
    ARGUMENT_SPEC = {}
    CONSTRAINTS = {}

    def run(self, tmp=None, task_vars=None):
        super(WindowsAction, self).run(tmp, task_vars)
        dummy, params = self.validate_argument_spec(argument_spec=self.ARGUMENT_SPEC, **self.CONSTRAINTS)
        if not hasattr(self._connection, '_shell') or getattr(self._connection._shell, 'SHELL_FAMILY', '') != 'powershell':
            raise AnsibleActionFail('the connection %s does not lead to PowerShell. Set ansible_connection: winrm for this host.'
                                    % self._connection.transport)
        try:
            return self.work(Windows(self.execute), params)
        except (Refused, EnvironmentError) as error:
            return dict(failed=True, changed=False, msg=to_native(error))

    @property
    def check_mode(self):
        return self._task.check_mode

    def work(self, windows, params):
        raise NotImplementedError

    def execute(self, source, secret=False):
        try:
            with unseen(secret):
                rc, out, err = self._connection.exec_command(source)
        except AnsibleConnectionFailure as error:
            raise AnsibleConnectionFailure('the host does not answer over WinRM: %s. %s' % (to_native(error), SETUP))
        except Exception as error:  # pylint: disable=broad-except
            # pywinrm and requests have many; whatever it is, the command may or may not have run.
            raise AnsibleConnectionFailure('the connection broke: %s. Run again: what was done is seen, the rest is made up for.'
                                           % (type(error).__name__ if secret else to_native(error)))
        return rc, to_text(out, errors='replace'), to_text(err, errors='replace')
