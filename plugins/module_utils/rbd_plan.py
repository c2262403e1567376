# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for images and mappings: pure functions of what there is and what is wanted."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import check_image_name

# rbd takes sizes in bytes with the suffix B since 10.2; M is understood by all and by older ones too.
_MIB = 1024 * 1024


def human(size):
    """Bytes as text for people: the largest unit that divides it."""
    for unit, name in ((1 << 40, 'TiB'), (1 << 30, 'GiB'), (1 << 20, 'MiB'), (1 << 10, 'KiB')):
        if size >= unit and size % unit == 0:
            return '%d %s' % (size // unit, name)
    return '%d bytes' % size


def unique(images):
    """Refuse a list that names one image twice: the second entry would contradict the first."""
    seen = set()
    for entry in images:
        check_image_name(entry['image'])
        if entry['image'] in seen:
            raise Refused('image %s is listed twice. Keep one entry.' % entry['image'])
        seen.add(entry['image'])
    return images


def plan_images(rbd, current, desired, features=()):
    """Create what is absent, grow what is smaller. Never shrinks, never deletes.

    current: {image: {size, image_id} or None}; desired: [{image, size or None (bytes)}].
    All refusals come before the first operation is returned.
    """
    operations = []
    for entry in unique(desired):
        image, size = entry['image'], entry.get('size')
        found = current.get(image)
        thing = 'image %s' % image
        if size is not None and (size <= 0 or size % _MIB):
            raise Refused('%s: size %d bytes is not a positive multiple of 1 MiB, the unit of rbd. Correct the size.'
                          % (thing, size))
        if found is None:
            if size is None:
                raise Refused('%s does not exist in Ceph and no size is given, so it cannot be created. Correct the '
                              'name, or give it a size.' % thing)
            words = ['create', '--no-progress', '--size', '%dM' % (size // _MIB)]
            for feature in features:
                words.extend(['--image-feature', feature])
            operations.append(Operation(thing, 'create with %s' % human(size), 'run', rbd.argv(*(words + [image]))))
        elif size is not None and size > found['size']:
            operations.append(Operation(thing, 'grow from %s to %s' % (human(found['size']), human(size)), 'run',
                                        rbd.argv('resize', '--no-progress', '--size', '%dM' % (size // _MIB), image)))
        elif size is not None and size < found['size']:
            raise Refused('%s has %s and %s are declared: shrinking would destroy what lies behind. Declare at least '
                          'its present size.' % (thing, human(found['size']), human(size)))
    return operations


def plan_mappings(rbd, current, desired, holders):
    """Map what is wanted and not mapped; unmap what is not wanted.

    current: what rbd.mapped() returns; desired: [{image, state, options}].
    holders: callable(entry of current) -> list of what uses the mapping (an SCST device, a mount).
    """
    operations = []
    for entry in unique(desired):
        image = entry['image']
        thing = 'image %s' % image
        found = current.get(image)
        if entry.get('state', 'present') == 'present':
            if found is None:
                words = ['map'] + (['--options', entry['options']] if entry.get('options') else []) + [image]
                operations.append(Operation(thing, 'map', 'run', rbd.argv(*words)))
        elif found is not None:
            used = holders(found)
            if used:
                raise Refused('%s is mapped as %s and in use by %s: it is not unmapped. Remove that use first.'
                              % (thing, found['path'], ', '.join(used)))
            operations.append(Operation(thing, 'unmap from %s' % found['path'], 'run',
                                        rbd.argv('unmap', '/dev/rbd%d' % found['number'])))
    return operations
