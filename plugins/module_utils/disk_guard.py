# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks would be lost when sessions end or paths go, and whether anybody still uses them."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


def maps_left_without_path(disks, closing):
    """(maps, bare disks) that have no working path left when the disks in C(closing) go.

    A path whose SCSI device is not running counts as lost: nothing can be read through it.
    """
    closing = set(closing)
    maps, bare = [], []
    for name in sorted(closing):
        dm = disks.map_of(name)
        if dm is None:
            bare.append(name)
        elif dm not in maps:
            left = [path for path in disks.map(dm)['slaves']
                    if path not in closing and disks.path(path)['state'] == 'running']
            if not left:
                maps.append(dm)
    return maps, bare


def refuse_if_used(disks, closing, opened, why):
    """Names of the maps that lose their last path, all unused; Refused when one is in use.

    opened: callable(dm name) -> how many have the map open, counting what sysfs does not show
    why:    what would end them, for the error: C(logging out of ...)
    """
    maps, bare = maps_left_without_path(disks, closing)
    for name in bare:
        users = disks.users(name)
        if users:
            raise Refused('%s would take away disk %s, which is in use: %s. Unmount or release it first.'
                          % (why, name, '; '.join(users)))
    found = []
    for dm in maps:
        known = disks.map(dm)
        users = disks.users(dm)
        count = opened(known['name'])
        if count and not users:
            users = ['%d process(es) have it open ("fuser /dev/%s" names them)' % (count, dm)]
        if users:
            raise Refused('%s would take away the last path of multipath disk %s (%s), which is in use: %s. '
                          'Unmount or release it first.' % (why, known['name'], dm, '; '.join(users)))
        found.append(known['name'])
    return found
