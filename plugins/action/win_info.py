# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_host
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_action import WindowsAction


class ActionModule(WindowsAction):

    ARGUMENT_SPEC = dict()

    def work(self, windows, params):
        host = win_host.look(windows)
        return dict(changed=False, os_version='%d.%d' % host.version, powershell=host.powershell, booted=host.booted,
                    reboot_required=host.waits)
