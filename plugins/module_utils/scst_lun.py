# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUNs: which device has which number in which initiator group."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

HIGHEST = 16383


def normalise(luns, exclusive=()):
    """The user's lists, checked. Returns (luns, scopes). Raises Refused.

    luns:   [{target, group, lun, device, read_only, present}]; group None is the target's default LUNs
    scopes: {(target, group)} inside which what is not listed goes; (target, '*') is all of a target
    """
    wanted, places = [], {}
    for item in names.mappings(luns, 'luns'):
        key = repr((item.get('target'), item.get('group')))
        if key not in places:  # thousands of LUNs are in a few groups
            target = names.target(item.get('target'))
            group = None if item.get('group') is None else names.group(item['group'])
            places[key] = target, group, place(target, group)
        target, group, where = places[key]
        number = names.integer(item.get('lun'), where + ': lun', 0, HIGHEST)
        what = '%s: LUN %d' % (where, number)
        lun = dict(target=target, group=group, lun=number, thing=what, present=names.present(item, what))
        if lun['present']:
            lun['device'] = names.device(item.get('device'), what + ': device')
            lun['read_only'] = values.canonical('read_only', item.get('read_only') or False, what)
        wanted.append(lun)
    names.unique([((lun['target'], lun['group'], lun['lun']), lun.get('device', 'an absent entry')) for lun in wanted],
                 '(target, group, LUN)')
    scopes = set()
    for scope in names.mappings(exclusive, 'exclusive'):
        target = names.target(scope.get('target'), 'exclusive: target')
        scopes.add((target, '*' if scope.get('group') is None else names.group(scope['group'], 'exclusive: group')))
    return wanted, scopes


def place(target, group):
    return 'target %s: %s' % (target, 'group %s' % group if group else 'default LUNs')


def folder(target, group):
    base = '%s/%s' % (read.DRIVER, target)
    return '%s/ini_groups/%s/luns' % (base, group) if group else base + '/luns'


def snapshot(sysfs, wanted, scopes=(), assume=False):
    """The LUNs of the groups in question. C(assume): devices and groups that are missing will be made (check mode)."""
    places = {}
    for lun in wanted:
        places.setdefault((lun['target'], lun['group']), []).append(lun)
    targets = set(place[0] for place in places) | set(scope[0] for scope in scopes)
    present = set(read.names(sysfs, read.DRIVER))
    current = dict(luns={}, sessions={}, groups={}, targets=present & targets, assume=assume)
    current['devices'] = set(read.names(sysfs, 'devices')) if wanted else set()
    for target in sorted(current['targets']):
        current['groups'][target] = read.names(sysfs, '%s/%s/ini_groups' % (read.DRIVER, target))
        for group in [None] + current['groups'][target]:
            if (target, '*') in scopes or (group is not None and (target, group) in scopes):
                places.setdefault((target, group), [])
    for (target, group), luns in places.items():
        if target in current['targets'] and (group is None or group in current['groups'][target]):
            current['luns'][target, group] = _snapshot_place(sysfs, target, group, luns)
    for target in sorted(set(place[0] for place in current['luns'] if _may_remove(current, place, places[place], scopes))):
        current['sessions'][target] = read.sessions(sysfs, target)
    return current


def _snapshot_place(sysfs, target, group, luns):
    path = folder(target, group)
    found = dict((int(name), None) for name in read.names(sysfs, path))
    for lun in luns:
        if lun['lun'] in found and lun['present']:
            # The device comes from the link: a thousand of them are read in milliseconds.
            found[lun['lun']] = dict(device=read.link(sysfs, '%s/%d/device' % (path, lun['lun'])),
                                     read_only=read.value(sysfs, '%s/%d/read_only' % (path, lun['lun'])))
    return found


def _complete(place, scopes):
    return place in scopes or (place[0], '*') in scopes


def _may_remove(current, place, luns, scopes):
    found = current['luns'][place]
    if not found:
        return False
    kept = set(lun['lun'] for lun in luns if lun['present'])
    return (_complete(place, scopes) and not kept.issuperset(found)) or any(
        lun['lun'] in found and (not lun['present'] or found[lun['lun']]['device'] != lun['device']) for lun in luns)


def plan(current, wanted, scopes=(), disrupt_sessions=False, allow_default_luns=False):
    """The operations that lead from C(current) to C(wanted). Raises Refused.

    First what is replaced in place and added, then what is removed: a device that gets another number is never
    without one, and a LUN that stays is never touched.
    """
    changes, removals = [], []
    kept = {}
    for lun in wanted:
        where = lun['target'], lun['group']
        if not lun['present']:
            if lun['lun'] in current['luns'].get(where, ()):
                removals.append(_remove(where, lun['lun'], current, disrupt_sessions))
            continue
        kept.setdefault(where, set()).add(lun['lun'])
        _check(lun, current, allow_default_luns)
        change = _present(lun, where, current, disrupt_sessions)
        if change:
            changes.append(change)
    for where in sorted(current['luns'], key=lambda item: (item[0], item[1] or '')):
        if _complete(where, scopes):
            listed = set(lun['lun'] for lun in wanted if (lun['target'], lun['group']) == where and not lun['present'])
            for number in sorted(set(current['luns'][where]) - kept.get(where, set()) - listed):
                removals.append(_remove(where, number, current, disrupt_sessions))
    return changes + removals


def _check(lun, current, allow_default_luns):
    thing = lun['thing']
    if not current['assume']:
        if lun['target'] not in current['targets']:
            raise Refused('%s: the target does not exist on this node. Create it with scst_target first.' % thing)
        if lun['group'] is not None and lun['group'] not in current['groups'][lun['target']]:
            raise Refused('%s: the group does not exist. Create it with scst_target first.' % thing)
        if lun['device'] not in current['devices']:
            raise Refused('%s: device %s does not exist on this node. Create it with scst_device first.' % (thing, lun['device']))
    if lun['group'] is None and current['groups'].get(lun['target']) and not allow_default_luns:
        raise Refused('%s: the target has initiator groups (%s), and an initiator in none of them would see this LUN. Put it into '
                      'a group, or set allow_default_luns.' % (thing, ', '.join(current['groups'][lun['target']][:3])))


def _present(lun, where, current, disrupt_sessions):
    """The operation that makes a LUN what is declared; None when it is that."""
    found = current['luns'].get(where, {}).get(lun['lun'])
    if found and found['device'] == lun['device'] and found['read_only'] == lun['read_only']:
        return None
    thing, path = lun['thing'], folder(*where) + '/mgmt'
    words, note = '%s %d' % (lun['device'], lun['lun']), ''
    if lun['read_only'] == '1':
        words, note = words + ' read_only=1', ', read only'
    if found is None:
        return read.write(thing, 'add device ' + lun['device'] + note, path, 'add ' + words)
    if found['device'] != lun['device']:
        _guard(thing, where, current, disrupt_sessions, 'show another disk (%s, not %s)' % (lun['device'], found['device']))
        return read.write(thing, 'replace device %s by %s%s' % (found['device'], lun['device'], note), path, 'replace ' + words)
    # read_only cannot be written; replacing a device by itself changes it and disturbs nobody.
    return read.write(thing, 'make it %s' % ('read only' if lun['read_only'] == '1' else 'writable'), path, 'replace ' + words)


def _remove(where, number, current, disrupt_sessions):
    thing = '%s: LUN %d' % (place(*where), number)
    _guard(thing, where, current, disrupt_sessions, 'vanish')
    return read.write(thing, 'remove', folder(*where) + '/mgmt', 'del %d' % number)


def _guard(thing, where, current, disrupt_sessions, fate):
    using = sorted(session for session, group in current['sessions'].get(where[0], {}).items() if group == where[1])
    if using and not disrupt_sessions:
        raise Refused('%s: would %s under live sessions (%s). Let them stop using it first, or set disrupt_sessions.' % (
            thing, fate, ', '.join(using[:3])))
