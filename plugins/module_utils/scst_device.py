# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCST devices: what is wanted, what is there, how to get from one to the other."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_identity as identity
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_names import HCIL

HANDLERS = ('vdisk_blockio', 'vdisk_fileio', 'vdisk_nullio')
WITH_FILE = HANDLERS[:2]

# Read-only once the device exists (mode 0444).
CREATION_ONLY = frozenset((
    'blocksize', 'dif_filename', 'dif_mode', 'dif_static_app_tag', 'dif_type', 'dummy', 'nv_cache', 'o_direct', 'read_only',
    'removable', 'rotational', 'thin_provisioned', 'tst', 'write_through'))

# Given on creation where the handler takes it, because a device must not exist without it for a moment:
# with active=0 the backing device may be missing. Changed in place later. t10_dev_id, because it saves a write for each device.
AT_CREATION = frozenset(('active', 'async', 'bind_alua_state', 'cluster_mode', 'numa_node_id', 'size', 'size_mb', 't10_dev_id'))

# What devices are known to have; it counts only while there is no device to look at.
ELSE = frozenset(('eui64_id', 'expl_alua', 'inq_vend_specific', 'lb_per_pb_exp', 'max_tgt_dev_commands', 'naa_id', 'opt_trans_len',
                  'pr_file_name', 'prod_id', 'prod_rev_lvl', 'read_zero', 'scsi_device_name', 't10_dev_id', 't10_vend_id',
                  'threads_num', 'threads_pool_type', 'usn', 'vend_specific_id'))

NOT_ATTRIBUTES = frozenset(('block', 'dump_prs', 'exported', 'filename', 'gen_tp_soft_threshold_reached_UA', 'handler',
                            'resync_size', 'sync', 'type'))

NOT_OFFERED = '%s: this SCST does not offer %s. Leave it out, or give it under attributes_if_offered.'


def normalise(devices, exclusive_handlers=(), allow_duplicate_identity=False):
    """The user's list, checked and with every value in its canonical form. Raises Refused."""
    wanted = []
    for item in names.mappings(devices, 'devices'):
        name = names.device(item.get('name'))
        thing = 'device %s' % name
        device = dict(name=name, thing=thing, present=names.present(item, thing))
        if device['present']:
            handler = names.choice(item.get('handler') or HANDLERS[0], thing + ': handler', HANDLERS)
            device.update(handler=handler, filename=_filename(item.get('filename'), handler, thing))
            device['attributes'] = _attributes(item.get('attributes'), handler, thing)
            device['if_offered'] = _attributes(item.get('attributes_if_offered'), handler, thing)
            twice = set(device['attributes']).intersection(device['if_offered'])
            if twice:
                raise Refused('%s: %s is given both under attributes and under attributes_if_offered. Give it once.' % (
                    thing, ', '.join(sorted(twice))))
        wanted.append(device)
    names.unique([(device['name'], 'an entry of the list') for device in wanted], 'device')
    if not allow_duplicate_identity:
        identity.check([device for device in wanted if device['present']])
    _check_backing(wanted)
    for handler in exclusive_handlers or ():
        names.choice(handler, 'exclusive_handlers', HANDLERS)
    return wanted


def _filename(filename, handler, thing):
    if handler not in WITH_FILE:
        if filename:
            raise Refused('%s: %s has no backing device. Leave filename out.' % (thing, handler))
        return None
    if not filename:
        raise Refused('%s: filename is missing: %s needs the path of its backing device.' % (thing, handler))
    filename = names.word(filename, thing + ': filename', 1024, ';=')
    if not filename.startswith('/'):
        raise Refused("%s: filename '%s' is not an absolute path." % (thing, filename))
    return filename


def _attributes(given, handler, thing):
    attributes = {}
    for name, value in names.mapping(given, thing + ': attributes').items():
        if values.is_plain(name, value):
            attributes[name] = value
            continue
        name = values.attribute(name, thing)
        if name in NOT_ATTRIBUTES:
            raise Refused('%s: %s is not an attribute that can be set here.' % (thing, name))
        if name in ('size', 'size_mb') and handler in WITH_FILE:
            raise Refused('%s: %s cannot be set: the size is that of the backing device.' % (thing, name))
        if value is not None:
            attributes[name] = values.canonical(name, value, thing)
    return attributes


def _check_backing(wanted):
    # SCST 3.0 lets two vdisk_blockio devices open one block device; later ones refuse with EBUSY.
    names.unique([(device['filename'], device['thing']) for device in wanted
                  if device['present'] and device['filename']], 'filename')


def snapshot(sysfs, wanted, exclusive_handlers=(), assume=False, size_of=read.backing_size):
    """What is there, as far as C(wanted) needs it. C(assume): nothing is missing that another step makes (check mode)."""
    present = set(read.names(sysfs, 'devices'))
    current = dict(devices={}, usage={}, offered={}, others={}, away=set())
    for device in wanted:
        if device['name'] in present:
            found = current['devices'][device['name']] = _snapshot_one(sysfs, device, size_of)
            if device['present'] and device['filename'] and not assume and found['backing'] is None and _fixed(device, found):
                current['away'].add(device['name'])  # once removed it could not be made again
        elif device['present'] and device['filename'] and not assume and size_of(device['filename']) is None:
            current['away'].add(device['name'])
    listed = set(device['name'] for device in wanted)
    current['unlisted'] = {}
    for handler in exclusive_handlers or ():
        for name in read.devices(sysfs, handler):
            if name not in listed:
                current['unlisted'][name] = dict(handler=handler, exports=exports(sysfs, name))
    for handler in sorted(set(device['handler'] for device in wanted if device['present'])):
        if all(device['name'] in present for device in wanted if device.get('handler') == handler) and \
                not any(_differs(device, current['devices'][device['name']]) for device in wanted
                        if device.get('handler') == handler):
            continue
        current['usage'][handler] = _usage(sysfs, handler)
        current['offered'][handler] = _offered(sysfs, handler)
        if current['usage'][handler] is None and not assume:
            raise Refused('handlers/%s does not exist: the kernel module scst_vdisk is not loaded. Start the service scst.' % handler)
    others = [name for name in present if name not in listed and name not in current['unlisted'] and not HCIL.match(name)]
    wanted_ids = identity.new(wanted, current['devices']) if others else ()
    if wanted_ids:
        current['others'] = identity.read(sysfs, others, wanted_ids)
    return current


def _snapshot_one(sysfs, device, size_of):
    folder = 'devices/' + device['name']
    found = dict(handler=read.link(sysfs, folder + '/handler'))
    if not device['present']:
        found['exports'] = exports(sysfs, device['name'])
        return found
    attributes = list(device['attributes']) + list(device['if_offered'])
    found['attributes'] = dict((name, read.value(sysfs, '%s/%s' % (folder, name))) for name in attributes)
    if device['filename']:
        # The only thing that tells whose data the device serves, so it is worth its slow read.
        found['filename'] = read.value(sysfs, folder + '/filename')
        # A gateway that restores itself may be faster than udev, which gives a mapped image its lasting name.
        if found['filename'] != device['filename'] and read.same_file(found['filename'], device['filename']):
            found['filename'] = device['filename']
        found['backing'] = size_of(device['filename'])
        found['size'] = int(read.value(sysfs, folder + '/size') or 0)
    if _differs(device, found):
        found['active'] = read.value(sysfs, folder + '/active')
        found['exports'] = exports(sysfs, device['name'])
    return found


def _differs(device, found):
    if not device['present'] or found['handler'] != device['handler']:
        return True
    if device['filename'] and (found['filename'] != device['filename'] or
                               found['backing'] not in (None, found['size'])):
        return True
    wanted = dict(device['attributes'], **device['if_offered'])
    return any(found['attributes'][name] != value for name, value in wanted.items())


def exports(sysfs, name):
    """Where initiators can see the device: the folders of its LUNs, without SCST's own copy manager."""
    folder = 'devices/%s/exported' % name
    found = []
    for export in read.names(sysfs, folder):
        try:
            path = sysfs.readlink('%s/%s' % (folder, export))
        except EnvironmentError:
            continue
        if read.COPY_MANAGER not in path:
            found.append(path.split('targets/', 1)[-1])
    return found


def _usage(sysfs, handler):
    """The parameters that the handler takes on creation, from its own help text; None when it is not there."""
    try:
        text = sysfs.read('handlers/%s/mgmt' % handler)
    except EnvironmentError:
        return None
    match = re.search(r'parameters available:(.*)', text)
    return set(re.findall(r'[a-z0-9_]+', match.group(1))) if match else set()


def _offered(sysfs, handler):
    """The attributes of a device of this handler, seen on one that exists; None when there is none to look at."""
    for name in read.devices(sysfs, handler):
        return set(read.names(sysfs, 'devices/' + name))
    return None


def plan(current, wanted, recreate=False, remove_exported=False, allow_shrink=False, allow_duplicate_identity=False):
    """The operations that lead from C(current) to C(wanted). Raises Refused."""
    away = [device for device in wanted if device['name'] in current['away'] and device['attributes'].get('active') != '0']
    if away:
        raise Refused('%s. A device is made only when what is behind it is there (or closed, with active: false).' % '; '.join(
            '%s: %s does not exist' % (device['thing'], device['filename']) for device in away[:10]))
    if not allow_duplicate_identity:
        identity.check_with_others([device for device in wanted if device['present']], current['others'])
    removals, changes = [], []
    for name in sorted(current['unlisted']):
        removals.append(_remove(name, current['unlisted'][name], remove_exported))
    for device in wanted:
        found = current['devices'].get(device['name'])
        if not device['present']:
            if found:
                removals.append(_remove(device['name'], found, remove_exported))
        elif found is None:
            changes += _create(device, current)
        else:
            removed, changed = _change(device, found, current, recreate, remove_exported, allow_shrink)
            removals += removed
            changes += changed
    # Removals first: they may hold a backing device that another one is to open.
    return removals + changes


def _remove(name, found, remove_exported):
    if found['exports'] and not remove_exported:
        raise Refused('device %s: is exported as %s; SCST would remove it under its users. Remove its LUNs first, '
                      'or set remove_exported.' % (name, ', '.join(sorted(found['exports'])[:3])))
    if found['handler'] not in HANDLERS:
        raise Refused('device %s: belongs to handler %s, which this module does not manage.' % (name, found['handler']))
    return read.write('device %s' % name, 'remove', 'handlers/%s/mgmt' % found['handler'], 'del_device %s' % name)


def _given(device):
    """What is declared, sorted, as (name, value, whether it must be offered)."""
    given = [(name, value, True) for name, value in device['attributes'].items()]
    given += [(name, value, False) for name, value in device['if_offered'].items()]
    return sorted(given)


def _create(device, current):
    thing, folder = device['thing'], 'devices/' + device['name']
    usage, offered = current['usage'].get(device['handler']), current['offered'].get(device['handler'])
    parameters = ['filename=' + device['filename']] if device['filename'] else []
    later, opening = [], []
    for name, value, certain in _given(device):
        if name in CREATION_ONLY or name in AT_CREATION:
            if (usage is None or name in usage) and (name != 't10_dev_id' or names.PLAIN_ENTRY.match(value)):
                parameters.append(name + '=' + value)
                continue
            if name in CREATION_ONLY:
                if certain:
                    raise Refused("%s: this SCST's %s does not take %s. Leave it out, or give it under "
                                  "attributes_if_offered." % (thing, device['handler'], name))
                continue
        if name in offered if offered is not None else not certain or name in ELSE or name in AT_CREATION:
            operation = read.set_attribute(thing, folder, name, value, certain=certain or offered is not None)
            (opening if name == 'active' else later).append(operation)
        elif certain:
            raise Refused(NOT_OFFERED % (thing, name))
    words = '; '.join(parameters)
    create = read.write(thing, 'create with %s%s' % (device['handler'], ': ' + words if words else ''),
                        'handlers/%s/mgmt' % device['handler'], ('add_device %s %s' % (device['name'], words)).strip())
    return [create] + later + opening


def _fixed(device, found):
    """What differs and is fixed at creation, in words."""
    if found['handler'] != device['handler']:
        return ['handler is %s, not %s' % (found['handler'], device['handler'])]
    fixed = ['%s is %s, not %s' % (name, found['attributes'][name], value) for name, value, _certain in _given(device)
             if name in CREATION_ONLY and found['attributes'][name] not in (None, value)]
    if device['filename'] and found['filename'] != device['filename'] and found.get('active') != '0':
        fixed.append('filename is %s, not %s' % (found['filename'], device['filename']))
    return fixed


def _change(device, found, current, recreate, remove_exported, allow_shrink):
    thing, folder = device['thing'], 'devices/' + device['name']
    fixed, settable = _fixed(device, found), []
    for name, value, certain in _given(device) if found['handler'] == device['handler'] else ():
        was = found['attributes'][name]
        if was is None and certain:
            raise Refused(NOT_OFFERED % (thing, name))
        if was not in (None, value) and name not in CREATION_ONLY:
            settable.append((name, value, was))
    if fixed:
        if not recreate:
            raise Refused('%s: %s; that can only be changed by removing the device and making it again, which its users '
                          'notice. Set recreate to have that done.' % (thing, '; '.join(fixed)))
        return [_remove(device['name'], found, remove_exported)], _create(device, current)
    if device['filename'] and found['filename'] != device['filename']:
        settable.append(('filename', device['filename'], found['filename']))
    # A device is closed before everything else and opened after it: filename can be set only while it is closed.
    settable.sort(key=lambda item: (item[0] == 'active' and item[1] == '1', item[0] != 'active', item[0]))
    operations = [read.set_attribute(thing, folder, name, value, was) for name, value, was in settable]
    return [], operations + _resize(device, found, allow_shrink)


def _resize(device, found, allow_shrink):
    if not device['filename'] or not found['backing'] or not found['size'] or found['backing'] == found['size']:
        return []
    if found['filename'] != device['filename'] or found.get('active') == '0':
        return []
    if found['backing'] < found['size'] and not allow_shrink:
        raise Refused('%s: %s has %d bytes, fewer than the %d that SCST exports. If the smaller size is right, set '
                      'allow_shrink.' % (device['thing'], device['filename'], found['backing'], found['size']))
    return [read.write(device['thing'], 'resize from %d to %d bytes' % (found['size'], found['backing']),
                       'devices/%s/resync_size' % device['name'], '1')]
