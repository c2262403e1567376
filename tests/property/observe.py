# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tree shows against what is declared, object by object, read by this file's own means."""
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_device, scst_target

HANDLERS = ['vdisk_blockio', 'vdisk_nullio']
ISCSI = 'targets/iscsi/'


def names(tree, path):
    return sorted(set(tree.listdir(path)) - {'mgmt'}) if tree.exists(path) else []


def first_line(tree, path):
    return tree.read(path).split('\n')[0]


def link(tree, path):
    try:
        return tree.readlink(path).rsplit('/', 1)[-1]
    except OSError:
        return None


def target_names(tree):
    return [name for name in names(tree, 'targets/iscsi') if tree.exists(ISCSI + name + '/ini_groups')]


def numbered(tree, folder, attribute):
    """The values of IncomingUser, IncomingUser1, …; None for one that cannot be read."""
    found = []
    for name in names(tree, folder):
        if name.startswith(attribute) and name[len(attribute):].strip('0123456789') == '':
            try:
                found.append(first_line(tree, folder + '/' + name))
            except OSError:
                found.append(None)
    return found


def luns(tree, target):
    """{(group, number): (device, read only)} of a target; the default group is None."""
    found = {}
    for group in [None] + names(tree, ISCSI + target + '/ini_groups'):
        folder = ISCSI + target + ('/ini_groups/%s/luns' % group if group else '/luns')
        for number in names(tree, folder):
            found[group, int(number)] = (link(tree, '%s/%s/device' % (folder, number)),
                                         first_line(tree, '%s/%s/read_only' % (folder, number)) == '1')
    return found


def differing(tree, declared, files):
    """{object: what differs}: objects that are declared and not so, and those that are there and not declared."""
    found = {}

    def compare(key, what, expected, actual):
        if expected != actual:
            found.setdefault(key, []).append('%s: expected %r, found %r' % (what, expected, actual))
    _devices(tree, declared, files, compare)
    _targets(tree, declared, compare)
    _luns(tree, declared, compare)
    _device_groups(tree, declared, compare)
    return found


def _devices(tree, declared, files, compare):
    wanted = {device['name']: device for device in scst_device.normalise(declared['devices'])}
    there = {name for handler in HANDLERS for name in names(tree, 'handlers/' + handler)} - {'type', 'trace_level'}
    for name in there - set(wanted):
        compare(('device', name), 'presence', False, True)
    for name, device in wanted.items():
        key, folder = ('device', name), 'devices/' + name
        compare(key, 'handler', device['handler'], link(tree, folder + '/handler'))
        if not tree.exists(folder + '/handler'):
            continue
        attributes = dict(device['attributes'], **{attribute: value for attribute, value in device['if_offered'].items()
                                                   if tree.exists(folder + '/' + attribute)})
        for attribute, value in attributes.items():
            compare(key, attribute, value, first_line(tree, folder + '/' + attribute) if tree.exists(folder + '/' + attribute) else None)
        if device['filename'] and tree.exists(folder + '/filename'):
            compare(key, 'filename', device['filename'], first_line(tree, folder + '/filename'))
            is_open = not tree.exists(folder + '/active') or first_line(tree, folder + '/active') == '1'
            if is_open and device['filename'] in files:
                compare(key, 'size', files[device['filename']]['size'], int(first_line(tree, folder + '/size')))


def _targets(tree, declared, compare):
    wanted = {target['name']: target for target in declared['targets']}
    for name in set(target_names(tree)) - set(wanted):
        compare(('target', name), 'presence', False, True)
    for name, target in wanted.items():
        key, folder = ('target', name), ISCSI + name
        if not tree.exists(folder):
            compare(key, 'presence', True, False)
            continue
        normal = scst_target.normalise([target])[0][0]
        compare(key, 'rel_tgt_id', str(target['rel_tgt_id']), first_line(tree, folder + '/rel_tgt_id'))
        compare(key, 'enabled', str(int(target['enabled'])), first_line(tree, folder + '/enabled'))
        for attribute, value in normal['attributes'].items():
            compare(key, attribute, value, first_line(tree, folder + '/' + attribute))
        compare(key, 'portals', sorted(normal['allowed_portals']), sorted(numbered(tree, folder, 'allowed_portal')))
        _users(tree, key, folder, target, compare)
        compare(key, 'groups', {group['name']: sorted(group['initiators']) for group in target['groups']},
                {group: names(tree, '%s/ini_groups/%s/initiators' % (folder, group)) for group in names(tree, folder + '/ini_groups')})
    if tree.exists('targets/iscsi/enabled'):
        _users(tree, ('driver',), 'targets/iscsi', declared['driver'], compare)
        compare(('driver',), 'enabled', str(int(declared['driver']['enabled'])), first_line(tree, 'targets/iscsi/enabled'))


def _users(tree, key, folder, owner, compare):
    compare(key, 'incoming', sorted('%s %s' % (user['name'], user['secret']) for user in owner['incoming_users']),
            sorted(numbered(tree, folder, 'IncomingUser'), key=str))
    outgoing = owner.get('outgoing_user')
    compare(key, 'outgoing', ['%s %s' % (outgoing['name'], outgoing['secret'])] if outgoing else [], numbered(tree, folder, 'OutgoingUser'))


def _luns(tree, declared, compare):
    wanted = {(lun['target'], lun['group'], lun['lun']): (lun['device'], lun['read_only']) for lun in declared['luns']}
    there = {(target['name'],) + place: value for target in declared['targets'] if tree.exists(ISCSI + target['name'])
             for place, value in luns(tree, target['name']).items()}
    for place in set(wanted) | set(there):
        compare(('lun',) + place, 'device', wanted.get(place), there.get(place))


def _device_groups(tree, declared, compare):
    wanted = {group['name']: group for group in declared['device_groups']}
    for name in set(names(tree, 'device_groups')) - set(wanted):
        compare(('device group', name), 'presence', False, True)
    for name, group in wanted.items():
        key, folder = ('device group', name), 'device_groups/' + name
        compare(key, 'devices', sorted(group['devices']) if tree.exists(folder) else None,
                names(tree, folder + '/devices') if tree.exists(folder) else 'no such group')
        local = {target: True for target in target_names(tree)}
        expected = {tg['name']: (tg['state'], tg['preferred'], tg['group_id'], {
            target['name']: local.get(target['name']) or target.get('rel_tgt_id') for target in tg['targets']}) for tg in group['target_groups']}
        compare(key, 'target groups', expected, {tg: _target_group(tree, folder + '/target_groups/' + tg)
                                                 for tg in names(tree, folder + '/target_groups')})


def _target_group(tree, folder):
    """Targets of this node are links, shown as True; others are folders with a rel_tgt_id."""
    members = {name: True if link(tree, folder + '/' + name) else int(first_line(tree, '%s/%s/rel_tgt_id' % (folder, name)))
               for name in names(tree, folder) if name not in ('group_id', 'preferred', 'state')}
    return (first_line(tree, folder + '/state'), first_line(tree, folder + '/preferred') == '1',
            int(first_line(tree, folder + '/group_id')), members)


def object_of(path, data):
    """The object that a write is about, in the keys of differing()."""
    parts, words = path.split('/'), data.split()
    if parts[0] == 'handlers':
        return 'device', words[1]
    if parts[0] == 'devices':
        return 'device', parts[1]
    if parts[0] == 'device_groups':
        return 'device group', words[1] if parts[1] == 'mgmt' else parts[1]
    if parts[1:] == ['iscsi', 'mgmt']:
        return ('driver',) if words[0] in ('add_attribute', 'del_attribute') else ('target', words[1])
    if len(parts) == 3:
        return ('driver',)
    if 'luns' in parts:
        group = parts[4] if parts[3] == 'ini_groups' else None
        return 'lun', parts[2], group, int(words[1] if words[0] == 'del' else words[2])
    return 'target', parts[2]
