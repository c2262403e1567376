# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kernels can map: releases of Linux against features of images and map options, as data.

Sources: Ceph's rbd(8) ("Kernel rbd (krbd) options") and its reference of image features; each number is the first release.
A kernel that tells its features itself (/sys/bus/rbd/supported_features, since 4.11) is believed before the table: distributions
carry newer parts in older kernels.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import difflib
import re

# Feature: (bit in supported_features, first kernel or None for none yet, whether "rbd feature disable" can take it away)
FEATURES = {
    'layering': (0, (3, 10), False),
    'striping': (1, (4, 17), False),
    'exclusive-lock': (2, (4, 9), True),
    'object-map': (3, (5, 3), True),
    'fast-diff': (4, (5, 3), True),
    'deep-flatten': (5, (5, 1), True),
    'journaling': (6, None, True),
    'data-pool': (7, (4, 11), False),
    'operations': (8, (4, 16), False),
    'migrating': (9, None, False),
}

# Of a feature that can only be had with another one.
NEEDS = {'object-map': 'exclusive-lock', 'fast-diff': 'object-map', 'journaling': 'exclusive-lock'}

ALWAYS = (2, 6)
OPTIONS = {
    'fsid': ALWAYS, 'ip': ALWAYS, 'share': ALWAYS, 'noshare': ALWAYS, 'crc': ALWAYS, 'nocrc': ALWAYS, 'ro': ALWAYS, 'rw': ALWAYS,
    'mount_timeout': ALWAYS, 'osdkeepalive': ALWAYS, 'osd_idle_ttl': ALWAYS, 'udev': ALWAYS, 'noudev': ALWAYS,
    'cephx_require_signatures': (3, 19), 'nocephx_require_signatures': (3, 19),
    'tcp_nodelay': (4, 0), 'notcp_nodelay': (4, 0),
    'queue_depth': (4, 2),
    'cephx_sign_messages': (4, 4), 'nocephx_sign_messages': (4, 4),
    'lock_on_read': (4, 9),
    'exclusive': (4, 12),
    'osd_request_timeout': (4, 13),
    'lock_timeout': (4, 17), 'notrim': (4, 17),
    'abort_on_full': (5, 0),
    'alloc_size': (5, 1),
    'crush_location': (5, 8), 'read_from_replica': (5, 8), 'compression_hint': (5, 8),
    'ms_mode': (5, 11),
    'rxbounce': (5, 17),
}

# Where all gateways map an image, and where one does, whose mappings all go with one fence (docs/takeover.md, "Roles").
NOT_IN_MODE = {
    'shared': {
        'exclusive': 'the first gateway that maps an image would keep its lock, and all writes through the others would fail',
    },
    'fenced': {
        'noshare': 'a fence must hit all mappings of a gateway, which therefore share one Ceph client',
        'ro': 'whoever takes a disk over has to write to it',
    },
}

NAMESPACES = (4, 19)


def release(kernel):
    """(major, minor) of what uname -r prints, or None: nothing is refused for a kernel that is not understood."""
    found = re.match(r'(\d+)\.(\d+)', kernel or '')
    return (int(found.group(1)), int(found.group(2))) if found else None


def _judged(kernel):
    """The release to judge a kernel by, or None for Red Hat's: 3.10.0-1160.el7 has parts of Linux 4, and 4.18.0-553.el8 of Linux 5 and 6."""
    return None if '.el' in (kernel or '') else release(kernel)


def supported(path='/sys/bus/rbd/supported_features'):
    """The features that this kernel tells, as a number; None when it does not (before 4.11, or the module rbd is not loaded)."""
    try:
        with open(path) as handle:
            return int(handle.read().strip(), 16)
    except (EnvironmentError, ValueError):
        return None


def _text(version):
    return '%d.%d' % version


def lacking(features, kernel, supported=None):
    """Those of C(features) that a kernel cannot map, sorted.

    supported: the number in /sys/bus/rbd/supported_features, if the kernel tells it. A feature that the table does not
    know is left to the kernel, and so are all of Red Hat's kernels when they do not tell.
    """
    found = _judged(kernel)
    result = []
    for name in features:
        if name not in FEATURES:
            continue
        bit, since, _removable = FEATURES[name]
        if supported is not None:
            if not supported >> bit & 1:
                result.append(name)
        elif since is None or found and found < since:
            result.append(name)
    return sorted(result)


def _since(name):
    since = FEATURES[name][1]
    return '%s (%s)' % (name, 'no kernel yet' if since is None else 'Linux %s' % _text(since))


def _depth(name):
    """What builds upon others comes first."""
    below = 0
    while name in NEEDS:
        name, below = NEEDS[name], below - 1
    return below, name


def feature_problem(image, features, kernel, supported=None):
    """Why this kernel cannot map an image with these features, with what to do; None when it can."""
    missing = lacking(features, kernel, supported)
    if not missing:
        return None
    stay = [name for name in missing if not FEATURES[name][2]]
    # What builds upon a feature has to go with it.
    going = set(missing) - set(stay)
    for _round in NEEDS:
        going |= set(name for name in features if NEEDS.get(name) in going)
    if stay:
        remedy = ('%s cannot be taken from an image: copy it into a new one without (rbd create, rbd deep copy), or run a newer '
                  'kernel.' % ' and '.join(stay))
    else:
        remedy = 'Take them away (rbd feature disable %s %s) or run a newer kernel.' % (
            image, ' '.join(sorted(going, key=_depth)))
    return 'image %s has features that kernel %s cannot map: %s. %s' % (
        image, kernel, ', '.join(_since(name) for name in missing), remedy)


def option_names(options):
    """Names of map options in a text such as C(osdkeepalive=2,exclusive)."""
    return [word.split('=', 1)[0].strip() for word in (options or '').split(',') if word.strip()]


def option_problems(options, kernel):
    """What of map options a kernel does not take, as sentences. For what the table does not know see C(unknown_options)."""
    found = _judged(kernel)
    return ['map option %s came with Linux %s, and this is %s. Leave it out or run a newer kernel.' % (
        name, _text(OPTIONS[name]), kernel) for name in option_names(options) if found and found < OPTIONS.get(name, ALWAYS)]


def unknown_options(options, newer=()):
    """Map options whose names nobody knows, as sentences. A mapping that is there keeps its options, so only the next boot would show them.

    newer: names that the table does not have yet
    """
    problems = []
    for name in option_names(options):
        if name not in OPTIONS and name not in newer:
            near = difflib.get_close_matches(name, sorted(OPTIONS), 3, 0.5) or sorted(OPTIONS)
            problems.append('gateway_map_options: %s is no map option that is known here (near it: %s), and "rbd map" would fail with one that '
                            'does not exist, at the next boot at the latest. Correct it; if it is newer than this collection, name it in '
                            'gateway_new_map_options, too.' % (name, ', '.join(near)))
    return problems


def mode_problems(options, mode, gateways):
    """Map options that do not go with how the gateways share images, as sentences. gateways: how many there are."""
    if mode == 'shared' and gateways < 2:
        return []
    wrong = NOT_IN_MODE.get(mode, {})
    return ['gateway_map_options: %s does not go with ha_mode %s: %s. Leave it out.' % (name, mode, wrong[name])
            for name in option_names(options) if name in wrong]


def site_problems(kernels, features, options, luns=(), supported=None, mode='shared', gateways=1, newer=()):
    """What the gateways' kernels cannot do of what is declared, as sentences, before an image is made that not all can map.

    kernels:  {gateway: what uname -r prints}; gateways that are not known yet are left out
    features: of images that are created; options: map options; luns: [{image, data_pool}]
    supported: {gateway: number or None}, what the kernels tell themselves
    mode: the site's ha_mode; gateways: how many it has; newer: names of map options that the table does not have yet
    """
    problems = unknown_options(options, newer) + mode_problems(options, mode, gateways)
    if mode == 'fenced' and 'exclusive-lock' not in features:
        problems.append('gateway_image_features: %s without exclusive-lock; ha_mode fenced maps images with the option exclusive, which needs '
                        'it. Add exclusive-lock.' % (', '.join(features) or 'none'))
    for gateway in sorted(kernels):
        kernel, told = kernels[gateway], (supported or {}).get(gateway)
        for problem in option_problems(options, kernel):
            problems.append('gateway %s: %s' % (gateway, problem))
        missing = lacking(features, kernel, told)
        if missing:
            problems.append('gateway %s: its kernel %s cannot map images with %s. Take that out of gateway_image_features (layering and '
                            'exclusive-lock suit every kernel since 4.9, layering alone the older ones), or run a newer kernel.' % (
                                gateway, kernel, ', '.join(_since(name) for name in missing)))
        spaces = [lun['image'] for lun in luns if lun.get('image', '').count('/') == 2]
        if spaces and _judged(kernel) and _judged(kernel) < NAMESPACES:
            problems.append('gateway %s: its kernel %s cannot map images in namespaces (Linux %s), such as %s. Keep the image in the pool '
                            'itself, or run a newer kernel.' % (gateway, kernel, _text(NAMESPACES), spaces[0]))
        pools = [lun['image'] for lun in luns if lun.get('data_pool')]
        if pools and lacking(['data-pool'], kernel, told):
            problems.append('gateway %s: its kernel %s cannot map images with a data pool (Linux %s), such as %s. Leave data_pool out, or '
                            'run a newer kernel.' % (gateway, kernel, _text(FEATURES['data-pool'][1]), pools[0]))
    return problems
