# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible.errors import AnsibleError

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_action import WindowsAction
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_mpio_run import restart


class ActionModule(WindowsAction):

    ARGUMENT_SPEC = dict(
        delay=dict(type='int', default=5),
        timeout=dict(type='int', default=600),
    )

    def work(self, windows, params):
        if params['delay'] < 1:
            # With 0 the host is gone before it has answered.
            return dict(failed=True, changed=False, msg='delay is %d; it must be at least 1 second. Correct it.' % params['delay'])
        return restart(windows, self._connection.reset, time.sleep, time.monotonic, self.check_mode, (AnsibleError,), params['delay'],
                       params['timeout'])
