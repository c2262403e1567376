# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols with a bug each: what the explorer must find.

Each is the real core with its actions changed on the way out, or with a part of it replaced, or in surroundings
that lack something.
"""
from contextlib import contextmanager

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide, ha_take
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import action

from agents import Agents
from world import Rules


def changed(change):
    """The core with each list of actions handed to change(actions, memory, view)."""
    def decide(site, memory, view, elapsed):
        memory, actions = ha_decide.decide(site, memory, view, elapsed)
        return memory, change(actions, memory, view)
    return decide


def _break_instead(actions, memory, view):
    """Removes the lock of the dead owner by hand and does not blocklist it."""
    for each in actions:
        if each.kind == 'fence':
            # as if it had been blocklisted
            memory['fenced'] += (each.key,)
            memory['busy'] = tuple(busy for busy in memory['busy'] if busy != ('fence', each.key))
    return [action('break', 'd0') if each.kind == 'fence' else each for each in actions]


def _raise_first(actions, memory, view):
    """Makes the path active before the disk is mapped."""
    return [action('raise', each.key) if each.kind == 'map' else each for each in actions]


def _unmap_first(actions, memory, view):
    """Unmaps by force what is still active."""
    return [action('clear', each.key, view['luns'][each.key]['client']) if each.kind == 'lower' else each for each in actions]


# What is done too early: how the core's actions are changed
CHANGES = {'raise': _raise_first, 'clear': _unmap_first, 'break': _break_instead}


@contextmanager
def replaced(module, name, value):
    old = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, old)


@contextmanager
def rules(gateways=2, disks=1, change=None, **surroundings):
    yield Rules(Agents(gateways, disks, **(dict(decide=changed(change)) if change else {})), **surroundings)


@contextmanager
def part(module, name, value, disks=1):
    with replaced(module, name, value), rules(disks=disks) as made:
        yield made


def _forgetful(_site, memory, view):
    """Takes a client for good again as soon as no disk is seen to be refused, although others have not been told yet."""
    memory['refused'] = tuple(sorted(set(found['client'] for found in view['luns'].values() if found['health'] == 'fenced')))
    return bool(memory['refused'])


def _clear_at_once(memory, view):
    """Lets the guard's queue fail without closing the sessions first."""
    return [action('clear', lun, found['client']) for lun, found in sorted(view['luns'].items()) if found['health'] == 'fenced']


def _greedy(lun, site, memory, view):
    """Takes what nobody claims at once, and so what it has just given away."""
    return 0


def _only_first(lun, site, memory, view):
    """Takes only disks that prefer this gateway."""
    return 0 if site.order[lun][0] == site.me else None


FORMER = 'former owner'
ERROR = 'application sees an error'
NEVER, ENDLESS = 'none ever does', 'for ever'
# name: (what the explorer says, how to make the bug, whether it begins with a disk that is served)
SEEDED = {
    'the owner is not blocklisted, its lock is removed by hand': (FORMER, lambda: rules(change=_break_instead), True),
    'the newest osdmap is not waited for': (FORMER, lambda: rules(settles=False), True),
    'images are mapped without exclusive': (FORMER, lambda: rules(exclusive=False), False),
    'the mapping goes before the path is passive': (ERROR, lambda: rules(change=_unmap_first), True),
    'the path is active before the disk is mapped, unverified': (ERROR, lambda: rules(change=_raise_first, verifies=False), False),
    'the guard lets go before the sessions are closed': (ERROR, lambda: part(ha_decide, '_out_of_service', _clear_at_once), True),
    'a refused client is forgotten with its first disk': (ERROR, lambda: part(ha_decide, '_refused', _forgetful, disks=2), True),
    'only the preferred gateway takes a disk': (NEVER, lambda: part(ha_take, 'wait', _only_first), True),
    'a disk that was given away is taken back at once': (ENDLESS, lambda: part(ha_take, 'wait', _greedy), True),
    'there is no guard': (ERROR, lambda: rules(guard=False), True),
}
