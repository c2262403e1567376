# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent knows of its gateway: looks, some of which are at a few disks only, and what actions have changed since they began.

A look: as ha_hands.Hands.see returns it, with the time when it C(began). None is changed; each function makes a new one.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import MOVING

# After these the world here is another one: their end is told together with a look that began later.
CHANGING = ('map', 'unmap', 'clear', 'raise', 'lower', 'open', 'close')
# But for these when they went well: what they leave of a disk is known, and initiators, who wait for each step, need not wait for a look.
LEAVES = {
    'lower': lambda action: dict(path='passive', moving=action.arg == MOVING),
    'raise': lambda action: dict(path='active', moving=False),
    'unmap': lambda action: dict(client=None),
}


def news(seen, before):
    """Whether a look has told anything."""
    return before is None or any(seen[part] != before[part] for part in seen if part != 'began')


def left_by(action, outcome):
    """What is different of a disk after an action, or None when a look has to tell."""
    return LEAVES[action.kind](action) if outcome == 'ok' and action.kind in LEAVES else None


def with_others(seen, before):
    """A look at some disks, with what an earlier one has told of the others."""
    luns, mappings = dict(before['luns']), dict(before['mappings'])
    for device, found in seen['luns'].items():
        luns[device] = dict(found, sessions=device in luns and luns[device]['sessions'])
        mappings.pop(device, None)
    mappings.update(seen['mappings'])
    return dict(seen, luns=luns, mappings=mappings)


def later(left, seen):
    """Of C(left), {device: [(when, what an action has left of it)]}, what this look cannot have seen."""
    found = dict((device, [each for each in changes if each[0] >= seen['began']]) for device, changes in left.items() if device in seen['luns'])
    return dict((device, changes) for device, changes in found.items() if changes)


def with_left(seen, left):
    """A look, with what actions have left since it began: C(later)."""
    luns, mappings = dict(seen['luns']), dict(seen['mappings'])
    for device, changes in left.items():
        luns[device] = dict(luns[device])
        for dummy, change in changes:
            luns[device].update(change)
            if 'client' in change:
                mappings.pop(device, None)
    return dict(seen, luns=luns, mappings=mappings)
