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

    devices: of gateway_view. Compared is what a disk is known by: the serial number, the NAA name, and the first 8 characters of
    t10_dev_id, from which SCST without naa_id makes the WWID.
    """
    problems, owner = [], {}
    for device in devices:
        given = dict(device['attributes'], **device.get('attributes_if_offered') or {})
        for name, value in (('usn', given.get('usn')), ('naa_id', given.get('naa_id')),
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
