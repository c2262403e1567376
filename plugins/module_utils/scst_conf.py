# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules' input as the text of an scst.conf, which scstadmin understands. Touches no host."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_alua, scst_device, scst_lun, scst_target
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

PARTS = ('devices', 'targets', 'driver', 'luns', 'device_groups')


def render(config):
    """The text for C(config): any of C(devices), C(targets), C(driver), C(luns), C(device_groups), as the modules take them.

    The same checks as in the modules apply (Refused); absent objects are left out.
    """
    for part in names.mapping(config, 'the configuration'):
        if part not in PARTS:
            raise Refused('%s is none of %s.' % (part, ', '.join(PARTS)))
    devices = scst_device.normalise(config.get('devices'))
    targets, driver = scst_target.normalise(config.get('targets'), config.get('driver'))
    luns, _scopes = scst_lun.normalise(config.get('luns'))
    groups = scst_alua.normalise(config.get('device_groups'))
    blocks = _handlers([device for device in devices if device['present']])
    blocks += _driver([target for target in targets if target['present']], driver, [lun for lun in luns if lun['present']])
    blocks += [_device_group(group) for group in groups if group['present']]
    return '\n'.join(_text(block) for block in blocks)


def secrets(config):
    """Every secret in C(config), to be masked; none is missed because something else is wrong with it."""
    found = set()
    owners = [config.get('driver')] + list(config.get('targets') or () if isinstance(config.get('targets'), (list, tuple)) else ())
    for owner in owners:
        if isinstance(owner, dict):
            users = owner.get('incoming_users')
            for user in list(users if isinstance(users, (list, tuple)) else ()) + [owner.get('outgoing_user')]:
                if isinstance(user, dict) and user.get('secret'):
                    found.add(str(user['secret']))
    return found


def _text(block, depth=0):
    title, lines = block
    tabs = '\t' * depth
    if not lines:
        return '%s%s\n' % (tabs, title)
    inner = ''.join(_text(line, depth + 1) if isinstance(line, tuple) else '%s\t%s\n' % (tabs, line) for line in lines)
    return '%s%s {\n%s%s}\n' % (tabs, title, inner, tabs)


def _word(value):
    """A name or value as scstadmin's parser takes it.

    It takes braces for the ends of a section even inside quotes, C(#) for a comment and a backslash for an escape of either;
    a quote ends quotes whatever stands before it.
    """
    if '{' in value or '}' in value or ('"' in value and (' ' in value or value.startswith('"'))):
        raise Refused("%s: holds a brace or a quote where scstadmin's parser of scst.conf ends a section or a value, and has no escape for "
                      'it. Choose another text, or let the modules set it.' % names.shown(value))
    value = value.replace('\\', '\\\\').replace('#', '\\#')
    return '"%s"' % value if ' ' in value or not value else value


def _pair(name, value):
    return '%s %s' % (name, _word(value))


def _user(attribute, user):
    try:
        return _pair(attribute, '%s %s' % (user['name'], user['secret']))
    except Refused:
        raise Refused("%s %s: the name or the secret holds a brace or a quote, which an scst.conf cannot hold. Choose another." % (
            attribute, names.shown(user['name'])))


def _pairs(attributes):
    return [_pair(name, value) for name, value in sorted(attributes.items())]


def _handlers(devices):
    blocks = []
    for handler in sorted(set(device['handler'] for device in devices)):
        inner = []
        for device in sorted((device for device in devices if device['handler'] == handler), key=lambda device: device['name']):
            attributes = dict(device['if_offered'], **device['attributes'])
            if device['filename']:
                attributes['filename'] = device['filename']
            inner.append((_pair('DEVICE', device['name']), _pairs(attributes)))
        blocks.append(('HANDLER ' + handler, inner))
    return blocks


def _users(owner):
    lines = [_user('IncomingUser', user) for user in owner['incoming'] if user['present']]
    if owner['outgoing'] and owner['outgoing']['present']:
        lines.append(_user('OutgoingUser', owner['outgoing']))
    return lines


def _driver(targets, driver, luns):
    lines = []
    if driver:
        lines += _users(driver) + _pairs(driver['attributes'])
        if driver['enabled'] is not None:
            lines.append('enabled ' + driver['enabled'])
    by_place = {}
    for lun in luns:
        by_place.setdefault((lun['target'], lun['group']), []).append(lun)
    listed = set(target['name'] for target in targets)
    for target in targets:
        lines.append(_target(target, by_place))
    # LUNs may be rendered without the targets that they belong to.
    for name in sorted(set(place[0] for place in by_place) - listed):
        bare = dict(name=name, incoming=[], outgoing=None, attributes={}, if_offered={}, allowed_portals=[], groups=[],
                    rel_tgt_id=None, enabled=None)
        lines.append(_target(bare, by_place))
    return [('TARGET_DRIVER iscsi', lines)] if lines else []


def _target(target, by_place):
    lines = _users(target) + _pairs(dict(target['if_offered'], **target['attributes']))
    lines += [_pair('allowed_portal', portal) for portal in target['allowed_portals']]
    if target['rel_tgt_id']:
        lines.append('rel_tgt_id %d' % target['rel_tgt_id'])
    if target['enabled'] is not None:
        lines.append('enabled ' + target['enabled'])
    lines += _luns(by_place.get((target['name'], None), ()))
    groups = dict((group['name'], group) for group in target['groups'] if group['present'])
    group_names = set(groups) | set(place[1] for place in by_place if place[0] == target['name'] and place[1])
    for name in sorted(group_names):
        group = groups.get(name, dict(initiators=None, attributes={}))
        inner = _luns(by_place.get((target['name'], name), ()))
        inner += [_pair('INITIATOR', initiator) for initiator in group['initiators'] or ()]
        lines.append((_pair('GROUP', name), inner + _pairs(group['attributes'])))
    return _pair('TARGET', target['name']), lines


def _luns(luns):
    return [('LUN %d %s' % (lun['lun'], _word(lun['device'])), ['read_only 1'] if lun['read_only'] == '1' else [])
            for lun in sorted(luns, key=lambda lun: lun['lun'])]


def _device_group(group):
    lines = [_pair('DEVICE', device) for device in sorted(group['devices'])]
    for tg in group['target_groups']:
        inner = ['%s %s' % (name, tg[name]) for name in ('group_id', 'preferred', 'state') if tg[name] is not None]
        inner += [(_pair('TARGET', target), ['rel_tgt_id ' + number] if number else []) for target, number in sorted(tg['targets'].items())]
        lines.append((_pair('TARGET_GROUP', tg['name']), inner))
    return _pair('DEVICE_GROUP', group['name']), lines
