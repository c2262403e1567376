# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scst.conf as scstadmin 3.10 reads it and brings it to SCST, as far as a test needs it: `parse` and `load`.

Written from its manual, its transcripts and its behaviour: comments from # to the end of the line unless escaped, a backslash
escapes one character, braces count even inside quotes, words are split at blanks unless quoted, a line has one to three words.
"""
import re


def parse(text):
    """Nested dictionaries {keyword: {value: {…}}}; LUN has one level more."""
    lines = [re.sub(r'(^|[^\\])#.*', r'', line) if not line.startswith('#') else '' for line in text.split('\n')]
    characters = iter(re.sub(r'\\(.)', r'\1', '\n'.join(lines)))
    return _section(characters)


def _section(characters):
    found, line = {}, ''
    for character in characters:
        if character == '{':
            _add(found, line, _section(characters))
            line = ''
        elif character == '}':
            return found
        elif character == '\n':
            _add(found, line, {})
            line = ''
        else:
            line += character
    return found


def _add(found, line, child):
    words = [quoted if quoted or not plain else plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', line)]
    assert len(words) <= 3, line
    where = found
    for word in words[:-1]:
        where = where.setdefault(word, {})
    if words:
        where[words[-1]] = child


ORDER = ('filename', 'blocksize', 'nv_cache', 'read_only', 'rotational', 'removable', 'thin_provisioned', 'tst', 'write_through', 'size',
         'active', 'bind_alua_state', 't10_dev_id', 'cluster_mode')
MANY = ('IncomingUser', 'OutgoingUser', 'allowed_portal')


def load(tree, config):
    """The commands that -config gives on an empty SCST, in the order of the transcripts."""
    for handler, inside in config.get('HANDLER', {}).items():
        for name, attributes in inside.get('DEVICE', {}).items():
            _device(tree, handler, name, {attribute: next(iter(value)) for attribute, value in attributes.items()})
    iscsi = config.get('TARGET_DRIVER', {}).get('iscsi', {})
    for name, inside in iscsi.get('TARGET', {}).items():
        _target(tree, name, inside)
    for attribute in MANY:
        for value in iscsi.get(attribute, ()):
            tree.write('targets/iscsi/mgmt', 'add_attribute %s %s' % (attribute, value))
    for name, inside in config.get('DEVICE_GROUP', {}).items():
        _device_group(tree, name, inside)
    for name, inside in iscsi.get('TARGET', {}).items():
        for value in inside.get('enabled', ()):
            tree.write('targets/iscsi/%s/enabled' % name, value)
    for value in iscsi.get('enabled', ()):
        tree.write('targets/iscsi/enabled', value)


def _device(tree, handler, name, attributes):
    usage = tree.read('handlers/%s/mgmt' % handler)
    given = [attribute for attribute in ORDER if attribute in attributes and re.search(r'[:,] %s\b' % attribute, usage)]
    given += ['size'] if handler == 'vdisk_nullio' and 'size' in attributes and 'size' not in given else []
    tree.write('handlers/%s/mgmt' % handler, 'add_device %s %s' % (name, '; '.join('%s=%s' % (key, attributes[key]) for key in given)))
    for attribute, value in attributes.items():
        if attribute not in given and attribute != 'size' and tree.exists('devices/%s/%s' % (name, attribute)):
            tree.write('devices/%s/%s' % (name, attribute), value or '\n')


def _target(tree, name, inside):
    folder = 'targets/iscsi/' + name
    tree.write('targets/iscsi/mgmt', 'add_target ' + name)
    for attribute, values in inside.items():
        for value in values:
            if attribute in MANY:
                tree.write('targets/iscsi/mgmt', 'add_target_attribute %s %s %s' % (name, attribute, value))
            elif attribute not in ('GROUP', 'LUN', 'enabled'):
                tree.write('%s/%s' % (folder, attribute), value or '\n')
    _luns(tree, folder, inside)
    for group, members in inside.get('GROUP', {}).items():
        tree.write(folder + '/ini_groups/mgmt', 'create ' + group)
        place = '%s/ini_groups/%s' % (folder, group)
        _luns(tree, place, members)
        for attribute, values in members.items():
            for value in values:
                if attribute == 'INITIATOR':
                    tree.write(place + '/initiators/mgmt', 'add ' + value)
                elif attribute != 'LUN':
                    tree.write('%s/%s' % (place, attribute), value or '\n')


def _luns(tree, folder, inside):
    for number, devices in inside.get('LUN', {}).items():
        (device, options), = devices.items()
        words = ['%s=%s' % (key, value) for key, values in options.items() for value in values]
        tree.write(folder + '/luns/mgmt', ' '.join(['add', device, number] + words))


def _device_group(tree, name, inside):
    folder = 'device_groups/' + name
    tree.write('device_groups/mgmt', 'create ' + name)
    for device in inside.get('DEVICE', ()):
        tree.write(folder + '/devices/mgmt', 'add ' + device)
    for tg, members in inside.get('TARGET_GROUP', {}).items():
        tree.write(folder + '/target_groups/mgmt', 'create ' + tg)
        place = '%s/target_groups/%s' % (folder, tg)
        for target, attributes in members.get('TARGET', {}).items():
            tree.write(place + '/mgmt', 'add ' + target)
            for attribute, values in attributes.items():
                tree.write('%s/%s/%s' % (place, target, attribute), next(iter(values)))
        for attribute, values in members.items():
            if attribute != 'TARGET':
                tree.write('%s/%s' % (place, attribute), next(iter(values)))
