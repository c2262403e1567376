# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity: the names by which initiators and SCST know a disk.

Every gateway must present one image with one identity, and no two images with the same one,
or multipath merges paths of different disks. Everything here is therefore a pure function of
what two gateways cannot disagree about: the declared image name for SCST's device name, the
cluster's fsid and the image's internal id for what initiators see. A re-created image has a
new internal id and is a different disk, even under its old name.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import hashlib
import re

# Constant for all disks, so that one multipath rule and one MPIO hardware id match them.
VENDOR = 'CEPHGATE'
PRODUCT = 'RBD'

# SCST 3.0.1 takes 16 characters for a device name; newer releases 64. Names must not change
# with the release, so the smaller limit holds for all.
DEVICE_NAME_MAX = 16
_TAG = 6


def _digest(*words):
    return hashlib.sha256('\n'.join(words).encode('utf-8'))


def device_name(image):
    """The SCST device name of an image: a readable start and six hex digits of the whole name.

    SCST refuses '.' and '/' in device names. Always adding the digits keeps the name of one
    image independent of which other images exist.
    """
    if isinstance(image, bytes):
        # Python 2's str: the same characters must give the same name under every Python.
        image = image.decode('utf-8')
    readable = re.sub('[^A-Za-z0-9_-]', '_', image.rsplit('/', 1)[-1])[:DEVICE_NAME_MAX - _TAG - 1]
    return str('%s-%s' % (readable, _digest('device', image).hexdigest()[:_TAG]))


def identity(fsid, image_id):
    """What initiators see of the image with internal id C(image_id) in cluster C(fsid).

    usn:        VPD page 80h, 20 hex digits (SCST's maximum).
    naa_id:     NAA type 3, locally assigned (SPC-4 7.8.6.6.5), 16 hex digits.
    t10_dev_id: 24 characters of base32. SCST without naa_id (3.0.1) makes the disk's EUI-64,
                and so its WWID, from the first 8 bytes: they carry 40 bits of the hash.
    """
    digest = _digest('identity', fsid.lower(), image_id.lower())
    tag = base64.b32encode(digest.digest()[:15]).decode('ascii').lower()
    return dict(
        t10_vend_id=VENDOR,
        prod_id=PRODUCT,
        usn=digest.hexdigest()[:20],
        naa_id='0x3' + digest.hexdigest()[:15],
        t10_dev_id=tag,
        vend_specific_id=tag,
    )
