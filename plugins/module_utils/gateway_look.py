# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway as it is, for people and programs that watch it. Reads only, and asks Ceph nothing: it answers when Ceph does not.

Each part is read on its own; one that cannot be read costs itself and is named in C(errors).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_ha, gateway_state, lock, scst_info
from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph import conf_fsid
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_fenced import FencedGateway
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_guard import Guards
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import mapped as read_mapped


class Look(object):
    """sysfs: SCST's tree; path: the state file; run: folder of locks; mapped: () -> the mappings"""

    def __init__(self, sysfs, path, run=None, mapped=read_mapped):
        self.sysfs = sysfs
        self.path = path
        self.run = run
        self.mapped = mapped
        self.errors = {}

    def part(self, name, function, otherwise):
        try:
            return function()
        except (Refused, Failed, EnvironmentError, ValueError) as error:
            self.errors[name] = str(error)
            return otherwise

    def gateway(self, state):
        if state.get('ha'):
            return FencedGateway(state, Rbd(refuse_to_run), self.sysfs, self.mapped, Guards())
        return gateway_state.Gateway(state, Rbd(refuse_to_run), self.sysfs, self.mapped)

    def state(self):
        """The state file, or None; it may hold secrets, so nothing of it is returned as it is."""
        if not os.path.exists(self.path):
            return None
        return self.part('state', lambda: gateway_state.load(self.path), None)

    def reasons(self):
        """What the service cephgate says of images that it cannot serve: {image: reason}."""
        try:
            with open(os.path.join(self.run or lock.FOLDER, 'cephgate-problems.json')) as handle:
                return json.load(handle)
        except (EnvironmentError, ValueError):
            return {}

    def drained(self):
        return Orders(self.path).drained()

    def all(self):
        state = self.state()
        service = lock.Lock('serve', 'status', folder=self.run).held()
        kept = None
        if state is not None:
            kept = dict(ha_mode='fenced' if state.get('ha') else 'shared', unfinished=bool(state.get('unfinished')), written=int(os.stat(self.path).st_mtime),
                        images=self.part('images', lambda: self.images(state, self.reasons() if service else {}), []))
        mapped = self.part('mapped', self.mapped, {})
        for entry in mapped.values():
            # Older kernels do not tell the cluster.
            entry['fsid'] = entry['fsid'] or conf_fsid('ceph')
        found = dict(
            scst=self.part('scst', lambda: scst_info.collect(self.sysfs, scst_info.FAST), None),
            daemon=self.part('daemon', lambda: self.sysfs.exists('targets/iscsi/enabled'), False),
            state=kept, service=service, drained=self.part('orders', self.drained, False), mapped=mapped, kernel=os.uname()[2], errors=self.errors)
        if state is not None and state.get('ha'):
            found['agent'] = gateway_ha.heard(self.run)
            # Images are not mapped here, so what is declared cannot be derived without Ceph: the state file stands for it.
            found['plan'] = self.part('plan', lambda: self.lines(state), None)
        return found

    def lines(self, state):
        operations, problems = self.plan(state)
        return dict(operations=[operation.line() for operation in operations], problems=problems)

    def images(self, state, reasons):
        report = self.gateway(state).status()
        for entry in report:
            entry['reason'] = None if entry['served'] else reasons.get(entry['image'])
        return report

    def plan(self, state):
        """What applying C(state) would do now: (operations, {image: why it cannot be served}). Who is drained stays out of service."""
        return self.gateway(state).plan(not self.part('orders', self.drained, False))


def refuse_to_run(argv, dummy):
    raise Refused('%s: nothing is run to look at a gateway' % ' '.join(argv))
