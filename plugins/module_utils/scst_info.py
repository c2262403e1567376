# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running state, in the modules' own input shape, and what only tells: sizes, exports, sessions.

Reads that SCST hands to a thread of their own are C(filename) of devices and what iscsi-scstd answers (portals, users and
parameters of targets, attributes of the driver). The modules' input cannot be had without them; FAST are the parts that
make none.

What is gathered is what must be declared to get the same again: identities always, other attributes when SCST marks
them as different from its defaults (a later line C([key])).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_chap as chap
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_group
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_device import HANDLERS, WITH_FILE, exports

IDENTITY = ('t10_vend_id', 'prod_id', 't10_dev_id', 'vend_specific_id', 'usn', 'naa_id', 'eui64_id')
DEVICE = ('active', 'async', 'bind_alua_state', 'blocksize', 'cluster_mode', 'dummy', 'expl_alua', 'inq_vend_specific',
          'lb_per_pb_exp', 'max_tgt_dev_commands', 'nv_cache', 'o_direct', 'opt_trans_len', 'prod_rev_lvl', 'read_only', 'read_zero',
          'removable', 'rotational', 'scsi_device_name', 'thin_provisioned', 'threads_num', 'threads_pool_type', 'tst',
          'write_through')
DRIVER = ('iSNSServer', 'internal_portal', 'isns_entity_name', 'link_local')
COUNTERS = ('read_cmd_count', 'read_io_count_kb', 'read_unaligned_cmd_count', 'write_cmd_count', 'write_io_count_kb',
            'write_unaligned_cmd_count', 'bidi_cmd_count', 'bidi_io_count_kb', 'none_cmd_count', 'unknown_cmd_count')
CONNECTION = ('ip', 'target_ip', 'transport', 'state', 'cid')


PARTS = ('devices', 'targets', 'luns', 'device_groups', 'status', 'sessions')
FAST = PARTS[2:]


def collect(sysfs, parts, secrets=False):
    """What C(parts) name, as module scst_info returns it. Raises Refused when there is no SCST."""
    if not sysfs.exists('devices'):
        raise Refused('devices does not exist below the sysfs root: the kernel module scst is not loaded. Start the service scst.')
    result, gathered = dict(version=version(sysfs)), {}
    if 'devices' in parts:
        gathered['devices'] = devices(sysfs)
    if 'targets' in parts:
        gathered['targets'] = targets(sysfs, secrets)
        found = driver(sysfs, secrets)
        if found:
            gathered['driver'] = found
    if 'luns' in parts:
        gathered['luns'] = luns(sysfs)
    if 'device_groups' in parts:
        gathered['device_groups'] = device_groups(sysfs)
    if gathered:
        result['gathered'] = gathered
    if 'status' in parts:
        result['devices'] = device_status(sysfs)
        result['targets'] = target_status(sysfs)
    if 'sessions' in parts:
        result['sessions'] = sessions(sysfs)
    return result


def devices(sysfs):
    found = []
    for handler in HANDLERS:
        for name in read.devices(sysfs, handler):
            folder = 'devices/' + name
            device = dict(name=name, handler=handler, attributes=_marked(sysfs, folder, DEVICE, always=IDENTITY))
            if handler in WITH_FILE:
                device['filename'] = read.value(sysfs, folder + '/filename')
            else:
                device['attributes'].update(_marked(sysfs, folder, ('size',)))
            found.append(device)
    return sorted(found, key=lambda device: device['name'])


def device_status(sysfs):
    """Size, whether open, and where exported, of every virtual disk."""
    found = []
    for handler in HANDLERS:
        for name in read.devices(sysfs, handler):
            folder = 'devices/' + name
            active = read.value(sysfs, folder + '/active')
            found.append(dict(name=name, handler=handler, size=int(read.value(sysfs, folder + '/size') or 0),
                              active=active != '0', exported=sorted(exports(sysfs, name))))
    return sorted(found, key=lambda device: device['name'])


def target_names(sysfs):
    return [name for name in read.names(sysfs, read.DRIVER)
            if name not in read.NO_TARGETS and sysfs.exists('%s/%s/ini_groups' % (read.DRIVER, name))]


def target_status(sysfs):
    """Whether enabled, the relative target id and the groups of initiators, of every target."""
    found = []
    for name in target_names(sysfs):
        folder = '%s/%s' % (read.DRIVER, name)
        found.append(dict(
            name=name, enabled=read.value(sysfs, folder + '/enabled') == '1', rel_tgt_id=int(read.value(sysfs, folder + '/rel_tgt_id') or 0),
            groups=[dict(name=group, initiators=scst_group.members(sysfs, '%s/ini_groups/%s' % (folder, group)))
                    for group in read.names(sysfs, folder + '/ini_groups')]))
    return found


def targets(sysfs, secrets=False):
    found = []
    for name in target_names(sysfs):
        owner = chap.Owner(name)
        listing = read.names(sysfs, owner.folder)
        target = dict(name=name, enabled=read.value(sysfs, owner.folder + '/enabled') == '1',
                      attributes=_marked(sysfs, owner.folder, values.TARGET_ATTRIBUTES),
                      allowed_portals=sorted(value for value in chap.files(sysfs, owner.folder, listing, 'allowed_portal').values()
                                             if value),
                      groups=[_group(sysfs, owner.folder, group) for group in read.names(sysfs, owner.folder + '/ini_groups')])
        number = int(read.value(sysfs, owner.folder + '/rel_tgt_id') or 0)
        if number:
            target['rel_tgt_id'] = number
        target.update(_users(sysfs, owner, listing, secrets))
        found.append(target)
    return found


def _group(sysfs, folder, name):
    path = '%s/ini_groups/%s' % (folder, name)
    return dict(name=name, initiators=scst_group.members(sysfs, path), attributes=_marked(sysfs, path, values.GROUP_ATTRIBUTES))


def _users(sysfs, owner, listing, secrets):
    result = dict(incoming_users=[])
    for attribute in ('IncomingUser', 'OutgoingUser'):
        for _file, content in sorted(chap.files(sysfs, owner.folder, listing, attribute).items()):
            if content:
                name, _blank, secret = content.partition(' ')
                user = dict(name=name, secret=secret) if secrets else dict(name=name)
                if attribute == 'OutgoingUser':
                    result['outgoing_user'] = user
                else:
                    result['incoming_users'].append(user)
    result['incoming_users'].sort(key=lambda user: user['name'])
    return result


def driver(sysfs, secrets=False):
    """The driver as scst_target takes it; None while iscsi-scstd does not run."""
    enabled = read.value(sysfs, read.DRIVER + '/enabled')
    if enabled is None:
        return None
    owner = chap.Owner()
    return dict(_users(sysfs, owner, read.names(sysfs, owner.folder), secrets), enabled=enabled == '1',
                attributes=_marked(sysfs, owner.folder, DRIVER))


def luns(sysfs):
    found = []
    for target in target_names(sysfs):
        base = '%s/%s' % (read.DRIVER, target)
        for group in [None] + read.names(sysfs, base + '/ini_groups'):
            folder = '%s/ini_groups/%s/luns' % (base, group) if group else base + '/luns'
            for number in sorted(int(name) for name in read.names(sysfs, folder)):
                lun = dict(target=target, lun=number, device=read.link(sysfs, '%s/%d/device' % (folder, number)),
                           read_only=read.value(sysfs, '%s/%d/read_only' % (folder, number)) == '1')
                if group:
                    lun['group'] = group
                found.append(lun)
    return found


def device_groups(sysfs):
    found = []
    for name in read.names(sysfs, 'device_groups'):
        base = 'device_groups/' + name
        found.append(dict(name=name, devices=read.names(sysfs, base + '/devices'), target_groups=[
            _target_group(sysfs, base, group) for group in read.names(sysfs, base + '/target_groups')]))
    return found


def _target_group(sysfs, base, name):
    path = '%s/target_groups/%s' % (base, name)
    group = dict(name=name, targets=[], state=read.value(sysfs, path + '/state'),
                 preferred=read.value(sysfs, path + '/preferred') == '1')
    number = int(read.value(sysfs, path + '/group_id') or 0)
    if number:
        group['group_id'] = number
    for target in read.names(sysfs, path):
        if target not in ('group_id', 'preferred', 'state'):
            port = int(read.value(sysfs, '%s/%s/rel_tgt_id' % (path, target)) or 0)
            group['targets'].append(dict(name=target, rel_tgt_id=port) if port else dict(name=target))
    return group


def sessions(sysfs):
    """Who is logged in to what, over which connections, with SCST's I/O counters and the commands in flight of each LUN.

    SCST counts I/O per session; of a LUN of a session it tells the commands in flight and nothing else. The session's
    own C(active_commands) is left out: reading it starts a kernel thread.
    """
    found = []
    for target in target_names(sysfs):
        for name, group in sorted(read.sessions(sysfs, target).items()):
            folder = '%s/%s/sessions/%s' % (read.DRIVER, target, name)
            session = dict(target=target, session=name, group=group,
                           initiator=read.value(sysfs, folder + '/initiator_name') or name,
                           counters=dict((counter, int(value)) for counter, value in _plain(sysfs, folder, COUNTERS)),
                           connections=[], luns=[])
            for entry in read.names(sysfs, folder):
                if entry.startswith('lun') and entry[3:].isdigit():
                    active = read.value(sysfs, '%s/%s/active_commands' % (folder, entry))
                    session['luns'].append(dict(lun=int(entry[3:]), active_commands=int(active or 0)))
                elif '.' in entry or ':' in entry:
                    session['connections'].append(dict(_plain(sysfs, '%s/%s' % (folder, entry), CONNECTION)))
            session['luns'].sort(key=lambda lun: lun['lun'])
            found.append(session)
    return found


def version(sysfs):
    """The release, for people; what it can do is found by looking at what it offers."""
    try:
        return sysfs.read('version').split('\n', 1)[0].replace('SCST version:', '').strip()
    except EnvironmentError:
        return None


def _plain(sysfs, folder, names):
    for name in names:
        value = read.value(sysfs, '%s/%s' % (folder, name))
        if value is not None:
            yield name, value.strip()


def _marked(sysfs, folder, names, always=()):
    """Attributes that carry the [key] mark, or are among C(always) and not empty."""
    found = {}
    for name in tuple(names) + tuple(always):
        try:
            content = sysfs.read('%s/%s' % (folder, name))
        except EnvironmentError as error:
            if error.errno not in (errno.ENOENT, errno.EACCES, errno.EINVAL):
                raise
            continue
        value = values.shown(name, content)
        if '[key]' in content.split('\n')[1:] or (name in always and value):
            found[name] = value
    return found
