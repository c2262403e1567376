# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device groups, target groups, ALUA states."""
import errno

from .text import KEY, c_string, fail, keyed, kstrtoul, lexem, sysfs_name
from .tree import Attr

STATES = ('active', 'nonoptimized', 'standby', 'unavailable', 'offline', 'transitioning')
GROUPS_USAGE = 'Usage: echo "create group_name" >mgmt\n       echo "del group_name" >mgmt\n'
DEVICES_USAGE = 'Usage: echo "add device" >mgmt\n       echo "del device" >mgmt\n'
MEMBERS_USAGE = 'Usage: echo "add target" >mgmt\n       echo "del target" >mgmt\n'


def _command(text, *names):
    """Command and object name of the first line; anything after them is ignored."""
    text = c_string(text).split('\n')[0]
    command, rest = lexem(text)
    name, _rest = lexem(rest)
    command = command.lower()
    if command not in names or not name:
        fail(errno.EINVAL)
    return command, name


class Member:
    """A target in a target group; target None: it is on another node."""

    def __init__(self, name, target):
        self.name = name
        self.target = target
        self.rel_tgt_id = 0


class TargetGroup:
    def __init__(self, device_group, name):
        self.core = device_group.core
        self.device_group = device_group
        self.name = name
        self.group_id = 0
        self.preferred = 0
        self.state = 'active'
        self.members = {}
        self.dir = None

    def manage(self, text):
        command, name = _command(text, 'add', 'del')
        if command == 'add':
            self.add(name)
        else:
            group = self.device_group.group_of_member(name) or fail(errno.EINVAL)
            group.remove(name)
        self.core.touch(self.device_group)

    def add(self, name):
        if self.device_group.group_of_member(name):
            fail(errno.EEXIST)
        member = Member(name, self.core.targets.find(name))
        if member.target:
            self.dir.link(name, member.target.dir)
        else:
            self.dir.mkdir(sysfs_name(name), MEMBER_ATTRS, member)
        self.members[name] = member

    def remove(self, name):
        self.dir.remove(name if self.members[name].target else sysfs_name(name))
        del self.members[name]

    def set_state(self, text):
        state = c_string(text).split('\n')[0]
        if state not in STATES:
            fail(errno.EINVAL)
        if state == self.state:
            return
        remote = any(member.target is None for member in self.members.values())
        local = {member.target for member in self.members.values() if member.target}
        for device in self.device_group.devices.values():
            # Devices hear of it through a session of a local member target; a group without
            # any remote member speaks for the node even when no session is there.
            seen = any(lun.group.sessions and lun.group.target in local for lun in device.luns)
            if seen or not remote:
                device.alua_state_changes(state)
                self.core.touch(device)
        self.state = state
        self.core.touch(self.device_group)

    def set_preferred(self, text):
        value = kstrtoul(text)
        if value > 1:
            fail(errno.EINVAL)
        self.preferred = value
        self.core.touch(self.device_group)


class DeviceGroup:
    def __init__(self, core, name):
        self.core = core
        self.name = name
        self.devices = {}
        self.target_groups = {}
        self.devices_dir = self.groups_dir = None

    def group_of_member(self, name):
        return next((group for group in self.target_groups.values() if name in group.members), None)

    def manage_devices(self, text):
        command, name = _command(text, 'add', 'del')
        if command == 'add':
            if any(name in group.devices for group in self.core.alua.groups.values()):
                fail(errno.EEXIST)
            device = self.core.devices.by_name.get(name) or fail(errno.EINVAL)
            self.devices_dir.link(name, device.dir)
            self.devices[name] = device
            device.device_group = self
        else:
            device = self.devices.get(name) or fail(errno.EINVAL)
            self.forget(device)
        self.core.touch(device)

    def forget(self, device):
        self.devices_dir.remove(device.name)
        del self.devices[device.name]
        device.device_group = None

    def manage_groups(self, text):
        command, name = _command(text, 'create', 'add', 'del')
        if command == 'del':
            group = self.target_groups.get(name) or fail(errno.EINVAL)
            del self.target_groups[name]
            self.groups_dir.remove(sysfs_name(group.name))
        else:
            if name in self.target_groups:
                fail(errno.EEXIST)
            group = TargetGroup(self, name)
            group.dir = self.groups_dir.mkdir(sysfs_name(name), TARGET_GROUP_ATTRS, group)
            self.target_groups[name] = group
        self.core.touch(self)


class Alua:
    """device_groups."""

    def __init__(self, core, parent):
        self.core = core
        self.groups = {}
        self.dir = parent.mkdir('device_groups', {'mgmt': ROOT_MGMT}, self)

    def manage(self, text):
        command, name = _command(text, 'create', 'add', 'del')
        if command == 'del':
            group = self.groups.get(name) or fail(errno.EINVAL)
            for device in list(group.devices.values()):
                group.forget(device)
                self.core.touch(device)
            del self.groups[name]
            self.dir.remove(sysfs_name(name))
            self.core.touch(group)
            return
        if name in self.groups:
            fail(errno.EEXIST)
        group = DeviceGroup(self.core, name)
        where = self.dir.mkdir(sysfs_name(name), {}, group)
        group.devices_dir = where.mkdir('devices', {'mgmt': DEVICES_MGMT}, group)
        group.groups_dir = where.mkdir('target_groups', {'mgmt': GROUPS_MGMT}, group)
        self.groups[name] = group
        self.core.touch(group)

    def forget_target(self, target):
        """A target that goes away leaves its target groups for good."""
        for group in self.groups.values():
            for target_group in group.target_groups.values():
                for member in list(target_group.members.values()):
                    if member.target is target:
                        target_group.remove(member.name)
                        self.core.touch(group)


def id_attr(name):
    """A number from 1 to 65535, always marked; at most seven characters are looked at."""
    def store(owner, text):
        value = kstrtoul(text[:7])
        if not 1 <= value <= 0xffff:
            fail(errno.EINVAL)
        setattr(owner, name, value)
        if isinstance(owner, TargetGroup):
            owner.core.touch(owner.device_group)
    return Attr(0o644, lambda owner: '%d\n%s' % (getattr(owner, name), KEY), store)


def _mgmt(usage, method):
    return Attr(0o644, lambda owner: usage, lambda owner, text: owner.core.work(getattr(owner, method), text))


# Groups of devices are made without SCST's work thread, so the last result does not change.
ROOT_MGMT = Attr(0o644, lambda owner: GROUPS_USAGE, lambda owner, text: owner.manage(text))
DEVICES_MGMT = _mgmt(DEVICES_USAGE, 'manage_devices')
GROUPS_MGMT = _mgmt(GROUPS_USAGE, 'manage_groups')
MEMBER_ATTRS = {'rel_tgt_id': id_attr('rel_tgt_id')}
TARGET_GROUP_ATTRS = {
    'mgmt': _mgmt(MEMBERS_USAGE, 'manage'),
    'group_id': id_attr('group_id'),
    'preferred': Attr(0o644, lambda group: keyed(group.preferred, group.preferred),
                      lambda group, text: group.core.work(group.set_preferred, text)),
    'state': Attr(0o644, lambda group: '%s\n%s' % (group.state, KEY),
                  lambda group, text: group.core.work(group.set_state, text)),
}
