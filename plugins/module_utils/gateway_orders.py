# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operator's orders to a gateway, in a file beside the state file: they outlive restarts and runs of the playbook."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils import lasting
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


class Orders(object):
    """C(drain): the gateway is out of service until that is taken back. C(wants): devices that it is to get from others."""

    def __init__(self, state_path):
        self.path = os.path.join(os.path.dirname(os.path.abspath(state_path)), 'orders.json')

    def read(self):
        """{drain, wants}. Raises Refused when the file cannot be understood: then nobody knows what the operator wants."""
        try:
            with open(self.path) as handle:
                found = json.load(handle)
        except EnvironmentError as error:
            if os.path.lexists(self.path):
                raise Refused('%s cannot be read (%s). It tells whether this gateway is drained.' % (self.path, error.strerror))
            return dict(drain=False, wants=[])
        except ValueError:
            found = None
        if not isinstance(found, dict) or not isinstance(found.get('drain'), bool):
            raise Refused('%s holds no orders. Write them anew: cephgate drain, or cephgate undrain.' % self.path)
        return dict(drain=found['drain'], wants=[name for name in found.get('wants') or [] if isinstance(name, type(u'')) or isinstance(name, str)])

    def drained(self):
        return self.read()['drain']

    def give(self, drain=None, wants=None):
        """Change what is given, in one step and lasting. True when that was a change."""
        try:
            old = self.read()
        except Refused:
            old = None
        new = dict(old or dict(drain=False, wants=[]))
        if drain is not None:
            new['drain'] = drain
        if wants is not None:
            new['wants'] = sorted(wants)
        if new == old:
            return False
        lasting.write(self.path, json.dumps(new, sort_keys=True), 0o644)
        return True
