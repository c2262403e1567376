# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_action import WindowsAction
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_mpio_plan import POLICIES, hardware_id
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_mpio_run import Mpio


class ActionModule(WindowsAction):

    ARGUMENT_SPEC = dict(
        hardware_ids=dict(type='list', elements='dict', default=[], options=dict(
            vendor=dict(type='str', required=True),
            product=dict(type='str', required=True),
        )),
        load_balance=dict(type='str', choices=sorted(POLICIES)),
        timers=dict(type='dict', default={}, options=dict(
            mpio=dict(type='dict'), msdsm=dict(type='dict'), disk=dict(type='dict'), iscsi=dict(type='dict'))),
    )

    def work(self, windows, params):
        timers = dict((group, dict((name, int(value)) for name, value in (values or {}).items()))
                      for group, values in params['timers'].items())
        ids = [hardware_id(entry['vendor'], entry['product']) for entry in params['hardware_ids']]
        return Mpio(windows, ids, params['load_balance'], timers, self.check_mode)()
