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


def left_by(action, outcome):
    """What is different of a disk after an action, or None when a look has to tell."""
    return LEAVES[action.kind](action) if outcome == 'ok' and action.kind in LEAVES else None


def is_known(kind, outcome):
    """Whether the end of an action says all that it has changed."""
    return kind not in CHANGING or kind in LEAVES and outcome == 'ok'


def with_others(seen, before):
    """A look at some disks, with what an earlier one has told of the others."""
    luns, mappings = dict(before['luns']), dict(before['mappings'])
    for device, found in seen['luns'].items():
        luns[device] = dict(found, sessions=device in luns and luns[device]['sessions'])
        mappings.pop(device, None)
    mappings.update(seen['mappings'])
    return dict(seen, luns=luns, mappings=mappings)


def later(left, seen):
    """Of C(left), {device: (when, what an action has left of it)}, what this look cannot have seen."""
    return dict((device, each) for device, each in left.items() if each[0] >= seen['began'] and device in seen['luns'])


def with_left(seen, left):
    """A look, with what actions have left since it began: C(later)."""
    luns = dict(seen['luns'], **dict((device, dict(seen['luns'][device], **change)) for device, (dummy, change) in left.items()))
    gone = set(device for device, (dummy, change) in left.items() if change.get('client', True) is None)
    return dict(seen, luns=luns, mappings=dict((device, entry) for device, entry in seen['mappings'].items() if device not in gone))
