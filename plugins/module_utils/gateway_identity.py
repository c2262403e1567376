# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is exported is still the image that it was.

An image that was deleted and made anew under its old name is another disk. Initiators that still hold data of the old one would
write it into the new one, and paths of the two must never be merged.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


def check(sysfs, old, new, accepted=()):
    """Refuse a state whose disks are others than those that are exported, or were when the gateway went down.

    old: the state file as it is, or None; new: the state that is to be; accepted: images that may become other disks.
    """
    before = dict((entry['image'], entry.get('image_id')) for entry in (old or {}).get('images') or ())
    now = dict((entry['image'], entry.get('image_id')) for entry in new['images'])
    problems = collisions(new['devices'])
    for device in new['devices']:
        image, wanted = device['image'], device['attributes'].get('usn')
        if image in accepted or image not in now:
            continue
        shown = read.value(sysfs, 'devices/%s/usn' % device['name']) if wanted else None
        if shown and shown != wanted:
            found = 'its device %s shows initiators the serial number %s, and that of the image is now %s' % (device['name'], shown, wanted)
        elif before.get(image) and now[image] and before[image] != now[image]:
            found = 'it was exported with the internal id %s, and the image now has %s' % (before[image], now[image])
        else:
            continue
        problems.append('image %s: %s. So the image was made anew (or its declared identity changed), which makes it another disk, and hosts '
                        'may still hold data of the old one. Remove its LUN first (playbooks/remove_lun.yml), or name it in '
                        'cephgate_new_disks, if no host has used it.' % (image, found))
    if problems:
        raise Refused(' '.join(problems))


def exported(told, accepted=()):
    """What the gateways export under the declared names, for rbd_image: [{image, image_id, gateways}].

    told: {gateway: what C(cephgate --json status) printed there}; accepted: images that may become other disks.
    Who does not know it, as a new gateway, says nothing. Gateways that mean different disks by a name have an entry for each of them.
    """
    where = {}
    for gateway in sorted(told):
        try:
            images = dict(json.loads(told[gateway] or '{}')).get('images') or ()
        except (ValueError, TypeError):
            continue  # no such command there, or one that could not tell
        for entry in images:
            if entry.get('image_id') and entry['image'] not in accepted:
                where.setdefault((entry['image'], entry['image_id']), []).append(gateway)
    return [dict(image=image, image_id=image_id, gateways=where[image, image_id]) for image, image_id in sorted(where)]


def check_images(current, desired, known):
    """Refuse images that are not those that are exported under their names, before one of them is made, grown or mapped.

    current: {image: {image_id} or None} as Ceph says; desired: as for rbd_image; known: see C(exported).
    """
    wanted = set(entry['image'] for entry in desired if entry.get('state') != 'absent')
    problems = []
    for entry in known:
        image, image_id = entry['image'], entry['image_id']
        found = current.get(image)
        if image not in wanted or found and found['image_id'] == image_id:
            continue
        if found:
            now = 'and the image of that name now has %s: it was made anew, or another one was renamed to it' % found['image_id']
        else:
            now = 'and Ceph has no image of that name: it was renamed, deleted or moved into the trash, and an empty one would take its place'
        problems.append(
            'image %s: it is exported with the internal id %s%s, %s. That is another disk, and hosts may still hold data of the old one. Bring that '
            'one back (rbd trash restore %s/%s, or rbd rename), remove its LUN first (playbooks/remove_lun.yml), or name it in '
            'cephgate_new_disks, if no host has used it.' % (
                image, image_id, ' by %s' % ', '.join(entry['gateways']) if entry.get('gateways') else '', now, image.rsplit('/', 1)[0], image_id))
    if problems:
        raise Refused(' '.join(problems))


def strangers(mapped, created):
    """Images that a gateway has mapped under a name that Ceph has given to another one since, as sentences.

    mapped: as for C(disagreements); created: {image: {image_id}, or {} of one that is not there}, as rbd_image says
    """
    problems = []
    for image in sorted(created):
        now = created[image].get('image_id')
        where = {}
        for gateway in sorted(mapped):
            own = (mapped[gateway].get(image) or {}).get('image_id')
            if now and own and own != now:
                where.setdefault(own, []).append(gateway)
        # A kernel keeps the name that an image had when it was mapped.
        problems += ['image %s: %s it mapped with the internal id %s, and the image of that name in Ceph now has %s: the mapped one was renamed, deleted '
                     'or moved into the trash since, and another one took its name. Give the old one its name back (rbd rename, rbd trash '
                     'restore), or remove the LUN (playbooks/remove_lun.yml), which also unmaps it, then run again.' % (
                         image, '%s %s' % (', '.join(where[own]), 'have' if len(where[own]) > 1 else 'has'), own, now) for own in sorted(where)]
    return problems


def disagreements(mapped):
    """Images that gateways know under different internal ids or clusters, as sentences.

    mapped: {gateway: what rbd_map said there}
    """
    problems, first = [], {}
    for gateway in sorted(mapped):
        for image, entry in sorted(mapped[gateway].items()):
            own = entry.get('fsid'), entry.get('image_id')
            other, theirs = first.setdefault(image, (gateway, own))
            if own != theirs:
                problems.append(
                    'image %s has the internal id %s in cluster %s on gateway %s, and %s in %s on %s: these are two disks under one name, and '
                    'paths to them would be taken for one disk. One of the gateways has an image mapped that was deleted since, or '
                    'belongs to another cluster. Unmap it there, then run again.' % (
                        image, theirs[1], theirs[0], other, own[1], own[0], gateway))
    return problems


def collisions(devices):
    """Devices that initiators would take for one another, as sentences.

    devices: of gateway_view. Compared is what a disk is known by: the serial number, the NAA name, the EUI-64, and the first 8 characters of
    t10_dev_id, from which SCST without naa_id makes the WWID.
    """
    problems, owner = [], {}
    for device in devices:
        given = dict(device['attributes'], **device.get('attributes_if_offered') or {})
        for name, value in (('usn', given.get('usn')), ('naa_id', given.get('naa_id')), ('eui64_id', given.get('eui64_id')),
                            ('t10_dev_id', (given.get('t10_dev_id') or '')[:8])):
            if not value:
                continue
            value = value.lower()
            own = device.get('image') or device['filename']
            other = owner.setdefault((name, value), own)
            if other != own:
                problems.append('%s and %s have the same %s (%s): hosts would take the two for one disk and write one\'s data into the other. '
                                'Give one of them another identity in cephgate_luns, or none, and it is derived.' % (
                                    other, own, name, value))
    return problems
