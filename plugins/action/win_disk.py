# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_action import WindowsAction
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_disks import Disks


class ActionModule(WindowsAction):

    ARGUMENT_SPEC = dict(
        disks=dict(type='list', elements='dict', required=True, options=dict(
            serial=dict(type='str', required=True),
            name=dict(type='str'),
            online=dict(type='bool', default=True),
            format=dict(type='bool', default=False),
            filesystem=dict(type='str', choices=['ntfs'], default='ntfs'),
            letter=dict(type='str'),
            label=dict(type='str'),
        )),
        timeout=dict(type='int', default=60),
        pause=dict(type='int', default=15),
    )

    def work(self, windows, params):
        wanted = [dict(entry, name=entry['name'] or entry['serial']) for entry in params['disks']]
        return Disks(windows, wanted, self.check_mode, time.sleep, params['timeout'], params['pause'])()
