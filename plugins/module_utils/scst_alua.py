# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALUA: device groups, their target groups, and the targets of this node and of others in them.

The order is the point (measured on SCST 3.10): a group with local targets, or with none at all, that leaves
active/nonoptimized makes the kernel close the backing devices of its device group (bind_alua_state), and setting
the state back does not always open them again. So targets come before states, and devices come last.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

STATES = ('active', 'nonoptimized', 'standby', 'unavailable', 'offline', 'transitioning')
OPEN = STATES[:2]
SCOPES = ('devices', 'target_groups', 'targets')
FORCE = 'Give one of them another, or set allow_duplicate_ids.'
DEFAULTS = dict(state='active', preferred='0', group_id='0')


def normalise(device_groups, allow_duplicate_ids=False):
    """The user's list, checked, every value in canonical form. Raises Refused."""
    wanted = []
    for item in names.mappings(device_groups, 'device_groups'):
        name = names.group(item.get('name'), 'device group name')
        thing = 'device group %s' % name
        group = dict(name=name, thing=thing, present=names.present(item, thing), devices=[], target_groups=[])
        group['exclusive'] = set(names.choice(scope, thing + ': exclusive', SCOPES) for scope in names.listed(item.get('exclusive'), thing + ': exclusive'))
        if group['present']:
            group['devices'] = [names.device(device, thing + ': device')
                                for device in names.listed(item.get('devices'), thing + ': devices')]
            group['target_groups'] = [_target_group(entry, thing)
                                      for entry in names.mappings(item.get('target_groups'), thing + ': target_groups')]
            tgs = group['target_groups']
            names.unique([(tg['name'], 'an entry of the list') for tg in tgs], thing + ': target group')
            names.unique([(target, tg['name']) for tg in tgs for target in tg['targets']], thing + ': target')
            if not allow_duplicate_ids:
                names.unique([(tg['group_id'], tg['name']) for tg in tgs if tg['group_id']], thing + ': group_id', FORCE)
                names.unique([(number, target) for tg in tgs for target, number in tg['targets'].items() if number],
                             thing + ': rel_tgt_id', FORCE)
        wanted.append(group)
    names.unique([(group['name'], 'an entry of the list') for group in wanted], 'device group')
    names.unique([(device, group['thing']) for group in wanted for device in group['devices']], 'device')
    return wanted


def _target_group(item, thing):
    name = names.group(item.get('name'), thing + ': target group name')
    what = '%s: target group %s' % (thing, name)
    group = dict(name=name)
    group['state'] = None if item.get('state') is None else names.choice(item['state'], what + ': state', STATES)
    group['preferred'] = None if item.get('preferred') is None else values.canonical('preferred', item['preferred'], what)
    group['group_id'] = None if item.get('group_id') is None else values.canonical('group_id', item['group_id'], what)
    group['targets'] = {}
    for target in names.mappings(item.get('targets'), what + ': targets'):
        target_name = names.target(target.get('name'), what + ': target')
        number = target.get('rel_tgt_id')
        if target_name in group['targets']:
            raise Refused('%s: target %s is listed twice.' % (what, target_name))
        group['targets'][target_name] = None if number is None else str(
            names.integer(number, '%s: %s: rel_tgt_id' % (what, target_name), 1, 65535))
    return group


def snapshot(sysfs, wanted, assume=False):
    """All device groups by name and member; values only of the target groups that are wanted."""
    present = read.names(sysfs, 'device_groups')
    listed = dict((group['name'], group) for group in wanted)
    if not assume and not sysfs.exists('device_groups'):
        raise Refused('device_groups does not exist: the kernel module scst is not loaded. Start the service scst.')
    current = dict(groups={}, local=read.targets(sysfs), devices=set(read.names(sysfs, 'devices')), assume=assume)
    for name in present:
        base = 'device_groups/' + name
        found = dict(devices=read.names(sysfs, base + '/devices'), target_groups={})
        if listed.get(name, {}).get('present'):
            for tg in read.names(sysfs, base + '/target_groups'):
                found['target_groups'][tg] = _snapshot_target_group(sysfs, '%s/target_groups/%s' % (base, tg))
        current['groups'][name] = found
    current['ports'] = _local_ports(sysfs, wanted, current)
    current['bound'] = {}
    for group in wanted:
        if group['present'] and _crossing(group, current):
            for device in set(group['devices']) & current['devices']:
                current['bound'][device] = read.value(sysfs, 'devices/%s/bind_alua_state' % device)
    return current


def _local_ports(sysfs, wanted, current):
    """The relative target ids of this node's targets that meet those of others in a device group, as {target: number}."""
    ports = {}
    for group in wanted:
        listed = [target for tg in group['target_groups'] for target in tg['targets'].items()]
        if any(number and target not in current['local'] for target, number in listed):
            for target, _number in listed:
                if target in current['local'] and target not in ports:
                    ports[target] = read.value(sysfs, current['local'][target] + '/rel_tgt_id')
    return ports


def _snapshot_target_group(sysfs, path):
    found = dict((name, read.value(sysfs, '%s/%s' % (path, name))) for name in DEFAULTS)
    found['targets'] = {}
    for name in read.names(sysfs, path):
        if name not in DEFAULTS:
            # A local target is a link; a name that was unknown when it was added is a folder of its own.
            local = read.link(sysfs, '%s/%s' % (path, name)) is not None
            found['targets'][name] = None if local else read.value(sysfs, '%s/%s/rel_tgt_id' % (path, name))
    return found


def _crossing(group, current):
    """The wanted target groups with targets of this node, when some are open and some are not."""
    local = [tg for tg in group['target_groups'] if tg['state'] and any(target in current['local'] for target in tg['targets'])]
    return local if len(set(tg['state'] in OPEN for tg in local)) > 1 else []


def plan(current, wanted, exclusive_device_groups=False, allow_mixed_states=False, allow_duplicate_ids=False):
    """The operations that lead from C(current) to C(wanted). Raises Refused."""
    operations, leaving, joining = [], [], []
    listed = set(group['name'] for group in wanted)
    gone = set(group['name'] for group in wanted if not group['present'] and group['name'] in current['groups'])
    if exclusive_device_groups:
        gone |= set(current['groups']) - listed
    where = dict((device, name) for name, found in current['groups'].items() if name not in gone for device in found['devices'])
    complete = set(group['name'] for group in wanted if group['present'] and 'devices' in group['exclusive'])
    for name in sorted(gone):
        operations.append(read.write('device group %s' % name, 'remove', 'device_groups/mgmt', 'del ' + name))
    for group in wanted:
        if not group['present']:
            continue
        found = current['groups'].get(group['name'])
        if found is None:
            operations.append(read.write(group['thing'], 'create', 'device_groups/mgmt', 'create ' + group['name']))
            found = dict(devices=[], target_groups={})
        if not allow_mixed_states:
            _check_crossing(group, current)
        operations += _Groups(group, found, current, allow_duplicate_ids).operations()
        leave, join = _devices(group, found, where, complete, listed, current)
        leaving += leave
        joining += join
    return operations + leaving + joining


def _check_crossing(group, current):
    mixed = _crossing(group, current)
    bound = sorted(device for device, value in current['bound'].items() if value == '1' and device in group['devices'])
    if mixed and bound:
        raise Refused('%s: target groups %s hold targets of this node in states on both sides of the line between '
                      'active/nonoptimized and the rest; the kernel would close %s for all of them. Give them states on one side, '
                      'set bind_alua_state=0 on the devices, or set allow_mixed_states.' % (
                          group['thing'], ', '.join('%s (%s)' % (tg['name'], tg['state']) for tg in mixed), ', '.join(bound[:3])))


def _devices(group, found, where, complete, listed, current):
    leave, join = [], []
    path = 'device_groups/%s/devices/mgmt' % group['name']
    for device in group['devices']:
        now = where.get(device)
        if now == group['name']:
            continue
        if device not in current['devices'] and not current['assume']:
            raise Refused('%s: device %s does not exist on this node. Create it with scst_device first.' % (group['thing'], device))
        if now and now in listed and now not in complete:
            # Both groups are declared here, and a device can be in one only: the declaration says where it goes.
            leave.append(read.write('device group %s' % now, 'remove device %s' % device,
                                    'device_groups/%s/devices/mgmt' % now, 'del ' + device))
        elif now and now not in complete:
            raise Refused('%s: device %s is in device group %s, and can be in one only. Take it out of there first, or declare that '
                          "group's devices complete." % (group['thing'], device, now))
        join.append(read.write(group['thing'], 'add device %s' % device, path, 'add ' + device))
    if 'devices' in group['exclusive']:
        for device in found['devices']:
            if device not in group['devices']:
                leave.append(read.write(group['thing'], 'remove device %s' % device, path, 'del ' + device))
    return leave, join


class _Groups(object):
    """The operations on the target groups of one device group."""

    def __init__(self, group, found, current, allow_duplicate_ids=False):
        self.group = group
        self.found = found['target_groups']
        self.current = current
        self.base = 'device_groups/%s/target_groups' % group['name']
        self.listed = dict((tg['name'], tg) for tg in group['target_groups'])
        self.going = sorted(set(self.found) - set(self.listed)) if 'target_groups' in group['exclusive'] else []
        if not allow_duplicate_ids:
            self._check_ids()

    def operations(self):
        first, joining, leaving, raising, lowering = [], [], [], [], []
        for name in self.going:
            first.append(read.write(self._thing(name), 'remove', self.base + '/mgmt', 'del ' + name))
        for tg in self.group['target_groups']:
            found = self.found.get(tg['name'])
            if found is None:
                first.append(read.write(self._thing(tg['name']), 'create', self.base + '/mgmt', 'create ' + tg['name']))
            found = found or dict(DEFAULTS, targets={})
            # A group must not be without a target while its state changes, so who leaves without replacement leaves last.
            join, leave = self._members(tg, found)
            joining += join
            leaving += leave
            for name in ('group_id', 'preferred'):
                if tg[name] is not None and tg[name] != found[name]:
                    first.append(read.set_attribute(self._thing(tg['name']), '%s/%s' % (self.base, tg['name']), name, tg[name],
                                                    found[name]))
            if tg['state'] is not None and tg['state'] != found['state']:
                self._check_has_target(tg, found)
                change = read.set_attribute(self._thing(tg['name']), '%s/%s' % (self.base, tg['name']), 'state', tg['state'],
                                            found['state'])
                (raising if tg['state'] in OPEN else lowering).append(change)
        return first + joining + raising + lowering + leaving

    def _thing(self, name):
        return '%s: target group %s' % (self.group['thing'], name)

    def _check_ids(self):
        """group_id and rel_tgt_id are unique among all that will be in the device group; SCST checks neither."""
        ids, ports = {}, {}
        for tg in self.group['target_groups']:
            found = self.found.get(tg['name'])
            ids[tg['group_id'] or (found and found['group_id'])] = tg['name']
        for name, found in self.found.items():
            if name in self.listed or name in self.going:
                continue
            if found['group_id'] != '0' and ids.get(found['group_id']):
                raise Refused('%s: group_id %s is that of target group %s. It must be unique in the device group: give one of them '
                              'another, or set allow_duplicate_ids.' % (self._thing(ids[found['group_id']]), found['group_id'], name))
            ports.update((number, target) for target, number in found['targets'].items() if number and number != '0')
        for tg in self.group['target_groups']:
            for target in tg['targets']:
                number = self.current['ports'].get(target)
                if number and number != '0':
                    ports[number] = target
        for tg in self.group['target_groups']:
            for target, number in sorted(tg['targets'].items()):
                if number and target not in self.current['local'] and ports.get(number, target) != target:
                    raise Refused('%s: rel_tgt_id %s of %s is that of %s. It must be unique on all gateways: give one of them another, '
                                  'or set allow_duplicate_ids.' % (self._thing(tg['name']), number, target, ports[number]))

    def _members(self, tg, found):
        join, leave = [], []
        thing, path = self._thing(tg['name']), '%s/%s' % (self.base, tg['name'])
        for target, number in sorted(tg['targets'].items()):
            local = target in self.current['local']
            there = target in found['targets']
            if there and local and found['targets'][target] is not None:
                # It was added before the target existed here and stays a stranger until it is added anew.
                join.append(read.write(thing, 'remove remote target %s' % target, path + '/mgmt', 'del ' + target))
                there = False
            if not there:
                join += self._take_from_others(tg, target)
                join.append(read.write(thing, 'add target %s' % target, path + '/mgmt', 'add ' + target))
            if number and not local and number != (found['targets'].get(target) if there else None):
                join.append(read.set_attribute(thing, '%s/%s' % (path, target), 'rel_tgt_id', number,
                                               found['targets'].get(target) if there else None))
        if 'targets' in self.group['exclusive']:
            wanted_elsewhere = set(target for other in self.group['target_groups'] for target in other['targets'])
            leave = [read.write(thing, 'remove target %s' % target, path + '/mgmt', 'del ' + target)
                     for target in sorted(found['targets']) if target not in tg['targets'] and target not in wanted_elsewhere]
        return join, leave

    def _take_from_others(self, tg, target):
        """A target is in one target group of a device group only."""
        for name, found in self.found.items():
            if name == tg['name'] or name in self.going or target not in found['targets']:
                continue
            if name not in self.listed or 'targets' not in self.group['exclusive']:
                raise Refused("%s: target %s is in target group %s, and can be in one only. Take it out of there first, or declare "
                              "the targets complete." % (self._thing(tg['name']), target, name))
            return [read.write(self._thing(name), 'remove target %s' % target, '%s/%s/mgmt' % (self.base, name), 'del ' + target)]
        return []

    def _check_has_target(self, tg, found):
        if tg['state'] not in OPEN and not tg['targets'] and not found['targets']:
            raise Refused('%s: has no target; the kernel would close the backing devices of the device group when its state becomes '
                          '%s. List its targets, those of other nodes too.' % (self._thing(tg['name']), tg['state']))
