# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what is declared of one image, as the modules have them that make it: known before anything is touched.

Each problem is one sentence that names the object, the value found, the rule and the remedy.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_identity, scst_values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import OBJECT_SIZES

IDENTITY = ('usn', 'naa_id', 'eui64_id', 't10_dev_id', 'vend_specific_id', 't10_vend_id', 'prod_id')

_MIB = 1024 * 1024
_SIZE = re.compile(r'^([0-9]*\.?[0-9]+)(?:\s*([A-Za-z]+))?\Z')
# In Ansible's spelling.
_UNITS = (('byte', 'B'), ('kilobyte', 'KB'), ('megabyte', 'MB'), ('gigabyte', 'GB'), ('terabyte', 'TB'), ('petabyte', 'PB'), ('exabyte', 'EB'),
          ('zetabyte', 'ZB'), ('yottabyte', 'YB'))


def identity_form(lun):
    """What is wrong with the form of a C(identity), or None."""
    given = lun.get('identity')
    if given is None:
        return None
    if not isinstance(given, dict):
        return ('image %s: its identity is no dictionary of SCST attributes. Write it as {usn: "..."}, or leave it out, and it is derived.'
                % lun.get('image'))
    strange = sorted('%s' % key for key in given if key not in IDENTITY)
    if strange:
        return 'image %s: identity: %s is none of its keys, which are %s. Correct it.' % (lun.get('image'), ', '.join(strange), ', '.join(IDENTITY))
    for key in sorted(given):
        if not isinstance(given[key], (type(u''), str)):
            # What was written is not known any more: 0x30 and 060 are the number 48 by now.
            return ('image %s: identity: %s is %r, which is no text: YAML takes digits, also behind 0x, for a number. Put it in quotes.'
                    % (lun.get('image'), key, given[key]))
    return None


def identities(luns):
    """Identities that SCST would refuse, or hosts take for one. Those that are derived differ; of a disk that goes nothing is asked."""
    devices, found = [], []
    for lun in luns:
        if lun.get('state') == 'absent':
            continue
        attributes = {}
        for key in sorted(lun.get('identity') or {}):
            try:
                attributes[key] = scst_values.canonical(key, lun['identity'][key], 'image %s: identity' % lun.get('image'))
            except Refused as error:
                found.append('%s' % error)
        devices.append(dict(image='image %s' % lun.get('image'), attributes=attributes))
    return found + list(gateway_identity.collisions(devices))


def size_of(value):
    """Bytes of a size as Ansible's type C(bytes) reads it, which M(rbd_image) has; None when that would not. The engine does not know Ansible."""
    found = _SIZE.match(('%s' % (value,)).rstrip())
    if not found or isinstance(value, bool):
        return None
    number, unit = found.groups()
    if not unit:
        return int(round(float(number)))
    power = 'BKMGTPEZY'.find(unit[0].upper())
    if power < 0 or len(unit) > 1 and unit.lower() != _UNITS[power][0] and unit != _UNITS[power][1]:
        return None
    return int(round(float(number) * 1024 ** power))


def sizes(lun):
    """Sizes that no image can have."""
    size, objects = [(lun.get(key), size_of(lun[key]) if lun.get(key) is not None else None) for key in ('size', 'object_size')]
    if size[0] is not None and (not size[1] or size[1] % _MIB):
        yield ('image %s: size "%s" is no positive multiple of 1 MiB, the unit of rbd. Write a number and a unit of 1024, such as 100G.'
               % (lun.get('image'), size[0]))
    if objects[0] is not None and objects[1] not in OBJECT_SIZES:
        yield ('image %s: object_size "%s" is no power of two from 4 KiB to 32 MiB, which rbd takes. Write it so, such as 8M, or leave it '
               'out for the 4 MiB of Ceph.' % (lun.get('image'), objects[0]))
