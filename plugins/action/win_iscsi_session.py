# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_action import WindowsAction
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_plan import Desired
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_run import Run


class ActionModule(WindowsAction):

    ARGUMENT_SPEC = dict(
        targets=dict(type='list', elements='dict', default=[], options=dict(
            name=dict(type='str', required=True),
            portals=dict(type='list', elements='str', default=[]),
        )),
        state=dict(type='str', choices=['present', 'absent'], default='present'),
        chap=dict(type='dict', options=dict(
            user=dict(type='str'), secret=dict(type='str', no_log=True),
            mutual_user=dict(type='str'), mutual_secret=dict(type='str', no_log=True))),
        exclusive=dict(type='list', elements='str', default=[]),
        initiator_name=dict(type='str'),
        require=dict(type='str', choices=['all', 'any', 'none'], default='all'),
    )

    def work(self, windows, params):
        desired = Desired(params['targets'], params['chap'], params['exclusive'], params['initiator_name'],
                          params['state'] == 'absent')
        run = Run(windows, desired, self.check_mode, time.sleep)
        result = run()
        problem = run.problem(params['require'], result)
        if problem:
            result.update(failed=True, msg=problem)
        return result
