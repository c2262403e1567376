# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What SCST exports on some gateways (gathered by scst_info) as a declaration of this collection."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.imports import Declaration

# Vendor and product are not kept: the hosts' rules for multipath and MPIO are made for this collection's.
KEPT = ('naa_id', 'usn', 't10_dev_id', 'vend_specific_id')
_IMAGE = re.compile(r'^/dev/rbd/([^/]+(?:/[^/]+){1,2})$')


def convert(gathered, portals=None, prefix=None):
    """The declaration of what gateways export; see Declaration.result.

    gathered: {gateway: RV(gathered) of scst_info}. portals: {gateway: addresses}, where targets allow every address.
    """
    made = Declaration()
    for gateway in sorted(gathered):
        _gateway(made, gateway, gathered[gateway], (portals or {}).get(gateway))
    _ids(made, gathered)
    _prefix(made, gathered, prefix)
    return made.result()


def _own_target(made, gateway, found):
    names = [target['name'] for target in found.get('targets') or [] if target['name'].startswith(('iqn.', 'eui.', 'naa.'))]
    if len(names) != 1:
        made.problems.append('gateway %s has the iSCSI targets %s; a gateway has one target of its own here. Merge them first.'
                             % (gateway, ', '.join(names) or 'none'))
        return None
    return [target for target in found['targets'] if target['name'] == names[0]][0]


def _gateway(made, gateway, found, portals):
    target = _own_target(made, gateway, found)
    if target is None:
        return
    allowed = target.get('allowed_portals') or portals
    if not allowed:
        made.problems.append('gateway %s: its target answers on every address, so the addresses for hosts are not known. Set '
                             'cephgate_portals for it in the inventory.' % gateway)
    made.gateways[gateway] = dict(cephgate_portals=list(allowed or []))
    if target.get('incoming_users') or target.get('outgoing_user'):
        made.problems.append('gateway %s: target %s has CHAP users (%s). SCST does not know which host uses which: take the imported '
                             'declaration without them (remove them here first), and add chap to each host.'
                             % (gateway, target['name'], ', '.join(user['name'] for user in target.get('incoming_users') or [])))
    for group in target.get('groups') or []:
        _host(made, gateway, group)
    devices = dict((device['name'], device) for device in found.get('devices') or [])
    for lun in found.get('luns') or []:
        if lun.get('target') == target['name']:
            _lun(made, gateway, lun, devices, _owner_here(found, target['name'], lun['device']))


def _host(made, gateway, group):
    initiators = sorted(group.get('initiators') or [])
    known = made.hosts.setdefault(group['name'], dict(initiators=initiators))
    if known['initiators'] != initiators:
        made.problems.append('group %s has other initiators on gateway %s (%s) than on those before it (%s). Make them alike first.' % (
            group['name'], gateway, ', '.join(initiators) or 'none', ', '.join(known['initiators']) or 'none'))


def _lun(made, gateway, lun, devices, here):
    device = devices.get(lun['device'], {})
    found = _IMAGE.match(device.get('filename') or '')
    if not found or device.get('handler') != 'vdisk_blockio':
        made.problems.append('gateway %s: device %s (%s of %s) is no mapped RBD image by its name /dev/rbd/pool/image. Export it so first, or '
                             'take it away.' % (gateway, lun['device'], device.get('handler', 'handler unknown'), device.get('filename') or 'nothing'))
        return
    if not lun.get('group'):
        made.problems.append('gateway %s: LUN %s (device %s) is in no initiator group, so every initiator sees it. Move it into groups first.'
                             % (gateway, lun['lun'], lun['device']))
        return
    image = found.group(1)
    made.lun(image, lun['group'], lun['lun'])
    entry = made.luns[image]
    kept = dict((name, device['attributes'][name]) for name in KEPT if (device.get('attributes') or {}).get(name))
    if entry.setdefault('identity', kept) != kept:
        made.problems.append('image %s: its identity on gateway %s is another than on those before it; hosts take the paths for different disks. '
                             'Make them alike first.' % (image, gateway))
    if lun.get('read_only'):
        entry['read_only'] = True
    if here:
        entry['gateway'] = gateway


def _owner_here(found, target, device):
    """Whether ALUA says that this gateway's own target is the active one for a device, and another is not."""
    for group in found.get('device_groups') or []:
        if device in (group.get('devices') or []):
            states = dict((member['name'], entry.get('state')) for entry in group.get('target_groups') or []
                          for member in entry.get('targets') or [])
            return states.get(target) == 'active' and list(states.values()).count('active') == 1 and len(states) > 1
    return False


def _ids(made, gathered):
    """The group ids that initiators know, if each gateway has one of its own; else new ones."""
    ids = {}
    for gateway in made.gateways:
        target = _own_target(Declaration(), gateway, gathered[gateway])['name']
        numbers = set(entry.get('group_id') for group in gathered[gateway].get('device_groups') or []
                      for entry in group.get('target_groups') or []
                      if target in [member['name'] for member in entry.get('targets') or []])
        if len(numbers) == 1:
            ids[gateway] = int(list(numbers)[0])
    if made.gateways and len(ids) == len(made.gateways) == len(set(ids.values())):
        for gateway in ids:
            made.gateways[gateway]['cephgate_gateway_id'] = ids[gateway]
    else:
        made.number(made.gateways)
        made.notes.append('the gateways have no ALUA group ids that differ: they get new ones.')


def _prefix(made, gathered, prefix):
    found = {}
    for gateway in made.gateways:
        found[gateway] = _own_target(Declaration(), gateway, gathered[gateway])['name']
    same = set(name[:-len(gateway) - 1] for gateway, name in found.items() if name.endswith(':' + gateway))
    if not prefix and len(same) == 1 and all(name.endswith(':' + gateway) for gateway, name in found.items()):
        made.prefix = same.pop()
        return
    made.prefix = prefix or (sorted(found.values()) or [''])[0]
    for gateway in sorted(found):
        if found[gateway] != '%s:%s' % (made.prefix, gateway):
            made.notes.append('the target %s becomes %s:%s: hosts log in anew.' % (found[gateway], made.prefix, gateway))
