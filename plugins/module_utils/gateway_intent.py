# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway is to serve from now on, written down before anything is changed.

A gateway that restarts while the playbook is at work, or after it was killed, is rebuilt from its state file
alone. So the file says what is wanted before the first step is taken: what was to be removed does not come back,
what was to be added comes. A mark tells that the steps have not all been taken by the playbook.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

MARK = 'unfinished'


def intended(old, new, complete, removed=()):
    """The state to write: C(new), and unless it is complete, what the old one has besides.

    The modules leave alone what is not listed, so it is served until the next restart; then it must not vanish.
    old: what the state file holds, or None. removed: LUNs [{target, group, lun}] that are to go whatever else is declared.
    Raises Refused when the mode changes and the old one has besides what the new one does not name.
    """
    if old is None or complete:
        return dict(new)
    result = dict(new)
    decided = set(_place(lun) for lun in list(new['luns']) + list(removed))
    result['luns'] = new['luns'] + [lun for lun in old['luns'] if _place(lun) not in decided]
    used = set(lun['device'] for lun in result['luns'])
    result['devices'] = _with(new['devices'], [entry for entry in old['devices'] if entry['name'] in used], 'name')
    behind = set(device['image'] for device in result['devices'])
    result['images'] = _with(new['images'], [entry for entry in old['images'] if entry['image'] in behind], 'image')
    if bool(new.get('ha')) != bool(old.get('ha')):
        left = sorted(set(entry['image'] for entry in result['devices']) - set(entry['image'] for entry in new['devices']))
        if left:
            raise Refused('image %s: this gateway serves it in another ha_mode, and it is not declared any more, so nobody knows what is to become of it '
                          'in the new mode. Declare it, or declare it with state: absent.' % ', '.join(left))
    listed = set(device for group in new['device_groups'] for device in group['devices'])
    earlier = dict((group['name'], [name for name in group['devices'] if name in used and name not in listed])
                   for group in old['device_groups'])
    # The groups themselves are those of today: a gateway that is gone must not come back as a target group.
    result['device_groups'] = [dict(group, devices=sorted(group['devices'] + earlier.get(group['name'], [])))
                               for group in new['device_groups']]
    if new.get('ha') and old.get('ha'):
        _keep_disks(result, old, used)
    result['targets'] = [_target(dict((entry['name'], entry) for entry in old['targets']).get(target['name']), target)
                         for target in new['targets']]
    return result


def _keep_disks(result, old, used):
    """In the mode fenced each disk has a group and an order of its own; of today's gateways."""
    ha = result['ha'] = dict(result['ha'], order=dict(result['ha']['order']), sizes=dict(result['ha']['sizes']))
    for name in sorted(used - set(ha['order'])):
        if name in old['ha']['order']:
            order = [gateway for gateway in old['ha']['order'][name] if gateway in ha['gateways']]
            ha['order'][name] = order + [gateway for gateway in ha['gateways'] if gateway not in order]
            ha['sizes'][name] = old['ha']['sizes'][name]
    there = set(group['name'] for group in result['device_groups'])
    result['device_groups'] += [group for group in old['device_groups'] if group['name'] in used and group['name'] not in there]


def reached(old, state):
    """Whether the state file says already what is intended, and that a run came to its end with it."""
    return old == state


def _place(lun):
    return lun['target'], lun['group'], lun['lun']


def _with(entries, more, key):
    known = set(entry[key] for entry in entries)
    return entries + [entry for entry in more if entry[key] not in known]


def _target(old, new):
    if old is None:
        return new
    result = dict(new)
    result['allowed_portals'] = new['allowed_portals'] + [entry for entry in old['allowed_portals']
                                                          if entry not in new['allowed_portals']]
    elsewhere = set(name for group in new['groups'] for name in group['initiators'])
    groups = dict((group['name'], group) for group in new['groups'])
    for group in old['groups']:
        # An initiator is in one group only; where it is now is what counts.
        kept = [name for name in group['initiators'] if name not in elsewhere]
        found = groups.get(group['name'], dict(group, initiators=[]))
        groups[group['name']] = dict(found, initiators=found['initiators'] + kept)
    result['groups'] = [groups[name] for name in sorted(groups)]
    if old.get('incoming_users'):
        result['incoming_users'] = _with(new.get('incoming_users') or [], old['incoming_users'], 'name')
    return result
