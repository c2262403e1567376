# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site: one declaration, seen by each gateway and each client.

Pure functions from the declared variables to what the modules take. Nothing depends on the
order of lists; what two gateways must agree on comes from the declaration and from facts of
the image (see identity).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import hashlib

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_guard import path as guard_path
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_order import ranking
from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name, identity


def target_name(iqn_prefix, gateway):
    """The IQN of a gateway's one target."""
    return '%s:%s' % (iqn_prefix, gateway)


def preferred_gateway(image, gateways, declared=None):
    """The gateway that serves an image while all is well.

    Rendezvous hashing: every gateway gets a score for the image and the highest wins. A new
    gateway takes its share of the images and moves no other; a removed one gives up only its own.
    """
    if declared:
        return declared
    return max(gateways, key=lambda name: (
        hashlib.sha256(('%s\n%s' % (image, name)).encode('utf-8')).hexdigest(), name))


def devices(luns, images):
    """SCST devices for the declared LUNs.

    images: what rbd_map says of each image: {image: {path, fsid, image_id, size}}. An image
    that is not there yet (check mode on a fresh host) has no identity yet.
    """
    result = []
    for lun in luns:
        found = images.get(lun['image'])
        attributes = identity(found['fsid'], found['image_id']) if found else {}
        attributes.update(lun.get('identity') or {})
        # A network disk has no rotational latency to sort requests by.
        attributes['rotational'] = '0'
        # SCST before 3.1 has no naa_id; there the WWID comes from t10_dev_id.
        offered = dict((key, attributes.pop(key)) for key in ('naa_id',) if key in attributes)
        result.append(dict(
            name=device_name(lun['image']),
            handler='vdisk_blockio',
            filename=found['path'] if found else '/dev/rbd/%s' % lun['image'],
            attributes=attributes,
            attributes_if_offered=offered,
        ))
    return result


def present(luns):
    """The LUNs that are to be there; the others are declared with C(state: absent)."""
    return [lun for lun in luns if lun.get('state') != 'absent']


def removed(iqn_prefix, gateway, luns, fenced=False):
    """What of a gateway has to go, as scst_lun, scst_device, scst_alua and rbd_map take it. The image itself stays in Ceph.

    fenced: each disk has a device group of its own name, which does not go with the device.
    """
    gone = [lun for lun in luns if lun.get('state') == 'absent']
    return dict(
        luns=[dict(target=entry['target'], group=entry['group'], lun=entry['lun'], state='absent')
              for entry in target_luns(iqn_prefix, gateway, gone)],
        devices=[dict(name=device_name(lun['image']), state='absent') for lun in gone],
        device_groups=[dict(name=device_name(lun['image']), state='absent') for lun in gone if fenced],
        images=[dict(image=lun['image'], state='absent') for lun in gone])


def state(luns, images, map_options, client, sysfs_root, views, ha=None):
    """What a gateway keeps on its disk to serve without a controller (see gateway_state).

    views: the devices, targets, luns and device_groups of this gateway.
    ha:    what its agent needs (see take_over); None in the mode shared
    """
    image_of = dict((device_name(lun['image']), lun['image']) for lun in luns)
    return dict(
        dict(ha=ha) if ha else {},
        version=1, sysfs_root=sysfs_root, client=client, cluster='ceph',
        images=[dict(image=lun['image'], options=map_options, image_id=images[lun['image']]['image_id'])
                for lun in luns if lun['image'] in images],
        devices=[dict(device, image=image_of[device['name']]) for device in views['devices']],
        targets=[_without_secrets(entry) for entry in views['targets']],
        luns=views['luns'], device_groups=views['device_groups'])


def users(target):
    """All CHAP users of a target, of either direction."""
    outgoing = target.get('outgoing_user')
    return list(target.get('incoming_users') or ()) + ([outgoing] if outgoing else [])


def _without_secrets(target):
    result = dict(target)
    if 'incoming_users' in result:
        result['incoming_users'] = [dict(name=user['name']) for user in result['incoming_users']]
    if 'outgoing_user' in result:
        result['outgoing_user'] = dict(name=result['outgoing_user']['name'])
    return result


def secrets(targets):
    """The CHAP secrets of targets, {user: secret}: kept apart from the rest, which may be shown and logged."""
    return dict((user['name'], user['secret']) for target in targets for user in users(target))


def with_secrets(state, given):
    """A state with its CHAP secrets put back."""
    def filled(user):
        return dict(user, secret=given[user['name']])

    targets = []
    for target in state['targets']:
        target = dict(target)
        if 'incoming_users' in target:
            target['incoming_users'] = [filled(user) for user in target['incoming_users']]
        if 'outgoing_user' in target:
            target['outgoing_user'] = filled(target['outgoing_user'])
        targets.append(target)
    return dict(state, targets=targets)


def exports(luns, images, gateways):
    """What a client needs to know of each image: {image: {serial, size, device, gateway, hosts}}."""
    result = {}
    for lun in luns:
        found = images.get(lun['image'])
        if not found:
            continue
        own = identity(found['fsid'], found['image_id'])
        own.update(lun.get('identity') or {})
        result[lun['image']] = dict(
            serial=own['usn'], size=found['size'], device=device_name(lun['image']),
            gateway=preferred_gateway(lun['image'], gateways, lun.get('gateway')),
            hosts=lun.get('hosts') or {})
    return result


# A gateway that is cut off from its initiators notices it by pings that are not answered (iSCSI NOP-In): with SCST's own 30 s and 30 s
# a disk moved 46 s after the cut (measured).
WATCHFUL = dict(NopInInterval='2', NopInTimeout='5')


def target(iqn_prefix, gateway, number, portals, hosts, attributes=None):
    """The one target of a gateway with an initiator group for every declared host."""
    users = [dict(name=host['chap']['user'], secret=host['chap']['secret'])
             for host in hosts.values() if host.get('chap')]
    mutual = [host['chap'] for host in hosts.values() if (host.get('chap') or {}).get('mutual_user')]
    result = dict(
        name=target_name(iqn_prefix, gateway),
        rel_tgt_id=number,
        allowed_portals=list(portals),
        groups=[dict(name=name, initiators=list(hosts[name]['initiators'])) for name in sorted(hosts)],
    )
    if attributes:
        result['attributes'] = attributes
    if users:
        result['incoming_users'] = sorted(users, key=lambda user: user['name'])
    if mutual:
        result['outgoing_user'] = dict(name=mutual[0]['mutual_user'], secret=mutual[0]['mutual_secret'])
    return result


def target_luns(iqn_prefix, gateway, luns):
    """The LUNs of a gateway's target, in their groups; the default group stays empty."""
    return [dict(target=target_name(iqn_prefix, gateway), group=group, lun=number,
                 device=device_name(lun['image']), read_only=bool(lun.get('read_only', False)))
            for lun in luns for group, number in sorted((lun.get('hosts') or {}).items())]


def unmapped(images, fsid):
    """C(images) of the mode fenced, where the agent maps: what M(rbd_image) says of them, and what SCST opens instead of a mapping."""
    return dict((image, dict(found, fsid=found.get('fsid') or fsid, path=guard_path(device_name(image))))
                for image, found in images.items() if found)


def record_pool(luns, pool):
    """Where the gateways' records lie; pool: as declared, '' for that of the first image."""
    return pool or (min(lun['image'] for lun in luns).split('/')[0] if luns else '')


def take_over(luns, images, gateway, gateways, pool, passive):
    """What the agent of a gateway in the mode fenced needs: who takes which disk in which order, and where the records lie.

    pool: '' for that of the first image
    """
    known = [lun for lun in luns if images.get(lun['image'])]
    return dict(
        me=gateway, gateways=sorted(gateways), pool=record_pool(luns, pool),
        passive=passive, sizes=dict((device_name(lun['image']), images[lun['image']]['size']) for lun in known),
        order=dict((device_name(lun['image']), list(ranking(lun['image'], sorted(gateways), lun.get('gateway')))) for lun in known))


def fenced_groups(iqn_prefix, luns, numbers, passive):
    """ALUA in the mode fenced: each disk moves by itself, so each is alone in a device group of its own name. All paths begin passive."""
    return [dict(name=device_name(lun['image']), devices=[device_name(lun['image'])], target_groups=[dict(
        name=gateway, group_id=numbers[gateway], state=passive, preferred=False,
        targets=[dict(name=target_name(iqn_prefix, gateway), rel_tgt_id=numbers[gateway])]) for gateway in sorted(numbers)]) for lun in luns]


def device_groups(iqn_prefix, luns, numbers):
    """ALUA: one device group per preferred gateway, with a target group for every gateway.

    numbers: {gateway: its number}, which is its ALUA group_id and its target's rel_tgt_id on
    every gateway alike.
    """
    # A group for every gateway, so that a device whose preferred gateway changes is moved from the one to the other.
    owned = dict((gateway, []) for gateway in numbers)
    for lun in luns:
        owner = preferred_gateway(lun['image'], sorted(numbers), lun.get('gateway'))
        owned[owner].append(device_name(lun['image']))
    return [dict(
        name='cephgate-%s' % owner,
        devices=sorted(owned[owner]),
        # What a gateway that is gone has left must not stay: initiators would count its ports in.
        exclusive=['target_groups'],
        target_groups=[dict(
            name=gateway,
            group_id=numbers[gateway],
            state='active' if gateway == owner else 'nonoptimized',
            preferred=gateway == owner,
            targets=[dict(name=target_name(iqn_prefix, gateway), rel_tgt_id=numbers[gateway])],
        ) for gateway in sorted(numbers)],
    ) for owner in sorted(owned)]
