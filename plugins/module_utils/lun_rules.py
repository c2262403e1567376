# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what is declared of one image, as the modules have them that make it: known before anything is touched.

Each problem is one sentence that names the object, the value found, the rule and the remedy.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_identity, scst_values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

IDENTITY = ('usn', 'naa_id', 'eui64_id', 't10_dev_id', 'vend_specific_id', 't10_vend_id', 'prod_id')


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
    devices = []
    for lun in luns:
        if lun.get('state') == 'absent':
            continue
        attributes = {}
        for key in sorted(lun.get('identity') or {}):
            try:
                attributes[key] = scst_values.canonical(key, lun['identity'][key], 'image %s: identity' % lun.get('image'))
            except Refused as error:
                yield '%s' % error
        devices.append(dict(image='image %s' % lun.get('image'), attributes=attributes))
    for problem in gateway_identity.collisions(devices):
        yield problem
