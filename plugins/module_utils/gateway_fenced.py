# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway in C(ha_mode: fenced), as far as its state file alone decides: everything in place, every path passive.

Which images are mapped, which paths are active and whether the target is open is the agent's business (ha_loop), and nothing
here touches it. A new device is made on a stand-in of the image's size, closed at once, and the stand-in goes: the device remembers the
size, which initiators see while another gateway has the disk.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_guard
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_state import Gateway
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human


class FencedGateway(Gateway):
    """guards: ha_guard.Guards."""

    def __init__(self, state, rbd, sysfs, mapped, guards, size_of=read.backing_size):
        super(FencedGateway, self).__init__(state, rbd, sysfs, mapped, size_of)
        self.guards = guards
        self._write = self.perform
        self.perform = self._perform

    def _perform(self, operation):
        if operation.how != 'stand-in':
            self._write(operation)
        elif operation.data:
            self.guards.create(operation.target, ha_guard.stand_in(int(operation.data)))
        else:
            self.guards.remove(operation.target)

    def _usable(self, problems):
        return [entry['image'] for entry in self.state['images']]

    def _size(self, device):
        """What a device that is made now is to show; the image may have grown since the state was written, which its owner tells."""
        return self.state['ha']['sizes'][device]

    def _stages(self, images, enable):
        devices = [device for device in self.state['devices'] if device['image'] in images]
        names = set(device['name'] for device in devices)
        targets = [dict(target, enabled=None) for target in self.state['targets']]
        groups = [group for group in self.state['device_groups'] if set(group['devices']) <= names]
        yield self._devices, devices
        yield self._targets, (targets, None)
        yield self._alua, groups
        yield self._luns, [lun for lun in self.state['luns'] if lun['device'] in names]
        if enable:
            yield self._targets, ([], dict(enabled=True))  # of the driver; the agent opens the target

    def _devices(self, devices, assume):
        present = set(read.names(self.sysfs, 'devices'))
        for device in devices:
            found = read.value(self.sysfs, 'devices/%s/filename' % device['name']) if device['name'] in present else None
            if found not in (None, ha_guard.path(device['name'])):
                raise Refused('device %s: its filename is %s, so it was made in another ha_mode. A gateway changes its mode out of service: '
                              'systemctl stop cephgate, cephgate release, then run the site playbook.' % (device['name'], found))
        operations = []
        for device in devices:
            name = device['name']
            plan = self._plan_device(dict(device, filename=ha_guard.path(name)), name in present)
            if name not in present:
                thing = 'device %s' % name
                plan.append(read.write(thing, 'close', 'devices/%s/active' % name, '0'))
                if self.guards.found(name) is None:
                    operations.append(Operation(thing, 'stand in for its image: %s' % human(self._size(name)), 'stand-in', name,
                                                str(self._size(name))))
                    plan.append(Operation(thing, 'remove the stand-in', 'stand-in', name))
            operations += plan
        return operations

    def _plan_device(self, device, there):
        """The size of a closed device is not its guard's, which is not there; of an open one it is."""
        name = device['name']

        def size_of(path):
            found = self.size_of(path)
            if found is not None:
                return found
            return int(read.value(self.sysfs, 'devices/%s/size' % name) or 0) if there else self._size(name)

        return self._plan_devices([device], size_of)

    def _alua(self, groups, assume):
        """States belong to the agent; only new ones are set, to passive: SCST makes a target group active.

        A gateway that has left the site must not stay as one: initiators would count its ports in, and its number could not be given again.
        """
        listed = []
        for group in groups:
            there = set(read.names(self.sysfs, 'device_groups/%s/target_groups' % group['name']))
            listed.append(dict(group, exclusive=['target_groups'], target_groups=[
                dict(entry, state=None) if entry['name'] in there else entry for entry in group['target_groups']]))
        return super(FencedGateway, self)._alua(listed, assume)

    def plan(self, enable=True):
        """What apply would do now: (operations, problems)."""
        operations = []
        for plan, arguments in self._stages(self._usable(None), True):
            operations += plan(arguments, True)
        return operations, {}

    def status(self):
        """For each image whether all is ready for it here; who has it, the agent knows."""
        elsewhere = dict((entry['image'], entry) for entry in self.state['images'])
        mapped, self.mapped = self.mapped, lambda: elsewhere
        try:
            return super(FencedGateway, self).status()
        finally:
            self.mapped = mapped

    def is_open(self):
        return super(FencedGateway, self).in_place()

    def unguard(self, image):
        """Before an image is unmapped."""
        for device in self.state['devices']:
            if device['image'] == image:
                self.guards.remove(device['name'])

    def in_place(self, enabled=True):
        """Whether the targets exist; whether they are open is the agent's."""
        return super(FencedGateway, self).in_place(enabled=False)
