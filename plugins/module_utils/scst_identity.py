# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No two devices may look alike to an initiator, or it merges them into one disk.

SCST accepts duplicates of everything. The world wide name that initiators go by is naa_id, else eui64_id, else an
EUI-64 made of the first 8 bytes of t10_dev_id: C(rbd-pool-vol1) and C(rbd-pool-vol2) were merged by multipath.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import to_bytes, to_text

ATTRIBUTES = ('naa_id', 'eui64_id', 't10_dev_id', 'usn')
LIKENESS = 't10_dev_id (first 8 bytes)'


def _ids(device):
    """The identity that a wanted device shows for certain, as (kind, value) pairs."""
    certain, if_offered, ids = device['attributes'], device['if_offered'], []
    for name in ATTRIBUTES:
        value = certain.get(name) or if_offered.get(name)
        if value:
            ids.append((name, value))
    # A naa_id that this SCST may lack does not tell devices apart: there t10_dev_id has to.
    text = certain.get('t10_dev_id') or if_offered.get('t10_dev_id')
    if text and not (certain.get('naa_id') or certain.get('eui64_id')):
        ids.append((LIKENESS, to_text(to_bytes(text)[:8])))
    return ids


def check(wanted):
    """Refuse devices of the list that look alike."""
    owners = {}
    for device in wanted:
        for known in _ids(device):
            if known in owners:
                raise Refused('%s %s: both %s and %s have it, and initiators would take them for one disk. Give one of them another, '
                              'or set allow_duplicate_identity.' % (known[0], names.shown(known[1]), owners[known], device['thing']))
            owners[known] = device['thing']


def new(wanted, found):
    """The kinds of identity that will be new to some device; only these must be compared with devices not listed."""
    kinds = set()
    for device in wanted:
        if not device['present']:
            continue
        known = found.get(device['name'], {}).get('attributes', {})
        for given in (device['attributes'], device['if_offered']):
            for name in ATTRIBUTES:
                if given.get(name) and known.get(name) != given[name]:
                    kinds.add(name)
    if 't10_dev_id' in kinds:
        kinds.update(('naa_id', 'eui64_id'))
    return kinds


def read(sysfs, others, kinds):
    """The identities of devices that are not listed, as {device: {kind: value}}."""
    result = {}
    for name in others:
        ids = dict((kind, scst_read.value(sysfs, 'devices/%s/%s' % (name, kind))) for kind in kinds)
        if ids.get('t10_dev_id') and not ids.get('naa_id') and not ids.get('eui64_id'):
            ids[LIKENESS] = to_text(to_bytes(ids['t10_dev_id'])[:8])
        result[name] = ids
    return result


def check_with_others(wanted, others):
    """Refuse an identity that a device has which is not listed."""
    owners = {}
    for name, ids in others.items():
        for kind, value in ids.items():
            if value:
                owners[kind, value] = name
    if not owners:
        return
    for device in wanted:
        for kind, value in _ids(device):
            owner = owners.get((kind, value))
            if owner:
                raise Refused('%s: %s %s is that of device %s, which is on this node already. Initiators would take them for one '
                              'disk. Give it another, or set allow_duplicate_identity.' % (device['thing'], kind, names.shown(value), owner))
