# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks would be lost when sessions end or paths go, and whether anybody still uses them."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


def maps_left_without_path(disks, closing, states):
    """([(map, the paths of it that stay and do not work)], [disk without a map]) for what is lost when the disks in C(closing) go.

    A path works when its SCSI device is running and multipathd does not call it failed: one that its checker failed stays
    running. One that stands by is active for both.

    states: callable() -> {path: (state of the kernel's path, ...)}; empty when multipathd does not answer
    """
    closing = set(closing)
    maps, bare, known = {}, [], None
    for name in sorted(closing):
        dm = disks.map_of(name)
        if dm is None:
            bare.append(name)
        elif dm not in maps:
            rest = [path for path in disks.map(dm)['slaves'] if path not in closing]
            running = [path for path in rest if disks.path(path)['state'] == 'running']
            if running and known is None:
                known = states()
            working = [path for path in running if known.get(path, ('active',))[0] != 'failed']
            maps[dm] = None if working else rest
    return [(dm, maps[dm]) for dm in sorted(maps) if maps[dm] is not None], bare


def users_of(disks, name, opened):
    """Who uses a disk, a partition or a map, as texts for a person; empty when nobody does.

    opened: callable(dm name) -> how many have it open, the kernel's count
    """
    users = disks.users(name)
    if users:
        return users
    title = disks.map(name)['name']
    if not title:
        return disks.openers(name)
    # The map of a partition holds its parent open, which is nobody's use.
    parts = disks.partition_maps(name)
    counts = [(name, opened(title) - len(parts))] + [(part, opened(disks.map(part)['name'])) for part in parts]
    return ['%d process(es) have it open ("fuser /dev/%s" names them)' % (count, device) for device, count in counts if count > 0]


def refuse_if_used(disks, closing, multipathd, why):
    """Names of the maps that lose their last working path, all unused; Refused when one is in use.

    multipathd: has C(opened(dm name)) and C(path_states())
    why: what would end them, for the error: C(logging out of ...)
    """
    maps, bare = maps_left_without_path(disks, closing, multipathd.path_states)
    for name in bare:
        users = users_of(disks, name, multipathd.opened)
        if users:
            raise Refused('%s would take away disk %s, which is in use: %s. Unmount or release it first.'
                          % (why, name, '; '.join(users)))
    found = []
    for dm, broken in maps:
        title = disks.map(dm)['name']
        users = users_of(disks, dm, multipathd.opened)
        if users:
            raise Refused('%s would take away the last working path of multipath disk %s (%s%s), which is in use: %s. '
                          'Unmount or release it first%s.' % (
                              why, title, dm, '; not working: %s' % ' and '.join(broken) if broken else '', '; '.join(users),
                              ', or repair the other paths ("multipathd show paths")' if broken else ''))
        found.append(title)
    return found
