# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the take-over protocol (docs/takeover.md): limits, actions, and what an agent remembers.

Nothing here or in the other ha_ files of the core does input or output, and none of it knows the time of
day: an agent is told how many seconds passed since its last step. The same code runs on a gateway and
in the explorer (tests/model).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from collections import namedtuple

TEXTS = (type(''), type(u''))  # of JSON; two types in Python 2
NUMBERS = (int, type(2 ** 64))  # the same, and no bool

# In seconds or disks. None of them bears on safety: with any values, or a stopped clock, no two gateways write.
# What they decide is how long initiators wait and how easily a gateway is thought dead.
Limits = namedtuple('Limits', (
    'dead',    # a gateway that was seen to beat and is silent for so long is dead
    'boot',    # the same for a gateway that this agent has not seen beat yet: it may be booting as we are
    'away',    # the same for one that said that its agent restarts
    'gap',     # the longest gap between two of my own exchanges with Ceph during which I may judge others
    'suspend',  # no sign of Ceph for so long: my paths become passive
    'close',   # ... for so long: my target closes, so that initiators do not wait for what hangs here
    'turn',    # each better placed living gateway has so long to begin before me
    'blind',   # none of a disk's initiators at my target for so long, some at another's: let it go there
    'claim',   # a take-over that is not through after so long is given up
    'unfit',   # ... and not tried again for so long
    'moves',   # disks given away at the same time
    'takes',   # disks taken over at the same time: the first ones are to be served before the last ones have begun
    'patient',  # a gateway that was taken for dead although it lived counts it for so long (ha_patience); 0: never
    'load',    # disks at work here at once, from which on the processor is short: a gateway looks less often and has the others wait as if it restarted
))
LIMITS = Limits(dead=3.0, boot=30.0, away=30.0, gap=1.5, suspend=2.0, close=6.0, turn=2.0, blind=5.0, claim=20.0,
                unfit=60.0, moves=4, takes=16, patient=600.0, load=8)

# What does not change while an agent runs. order: {disk: gateways, the first in turn first}; host: the address from
# which this host's kernel speaks to Ceph.
Site = namedtuple('Site', ('me', 'host', 'gateways', 'order', 'limits'))

# kind: see docs/takeover.md; key: the disk, or the client address of a fence, or None for the whole gateway.
# arg: of clear, the client address whose mapping is meant: another one is left alone; of lower, MOVING when another gateway is about to take over.
Action = namedtuple('Action', ('kind', 'key', 'arg'))

MOVING = 'moving'
CLOSE = Action('close', None, None)
OPEN = Action('open', None, None)


def action(kind, key, arg=None):
    return Action(kind, key, arg)


def new_memory():
    """What an agent knows when it starts: nothing. Everything that matters is in Ceph, the kernel and SCST."""
    return dict(
        n=None,        # number of my last beat; None until my own record was read
        quiet=0,       # seconds since the last good exchange
        mute=0,        # seconds since any sign of Ceph: an exchange, or a read of one of my disks
        refused=(),    # my clients that Ceph refuses: out of service until none of their mappings is left
        silent=None,   # seconds since the last good exchange, up to the longest patience; None: not known, an agent before me may have been dead for long
        late=(0, 0),   # the longest such silence of late, and the seconds since its end
        wronged=(),    # seconds since each time when I was taken for dead although I was only late
        peers={},      # {gateway: {n, still: seconds without a new beat, seen: beat under my eyes}}
        claims={},     # {disk: generation}: mine, or about to be
        taking={},     # {disk: {stage, age, ...}}
        releasing={},  # {disk: True}
        settled={},    # {disk: client address whose osdmap is known to be new enough}
        unfit={},      # {disk: seconds left}
        stay={},       # {disk: seconds left} in which it is neither taken nor given away: that was just refused
        strangers={},  # {disk: client address}: who holds its lock, is no gateway, and so keeps it from being taken over
        blind={},      # {disk: seconds}
        former=(),     # disks that were mine when this host or agent went down, and nobody's since
        turn={},       # {disk: seconds without an owner}
        fenced=(),     # client addresses that Ceph confirmed as blocklisted, for take-overs under way
        busy=(),       # (kind, key) of actions that have not ended
        record=None,   # what the next exchange writes; None: only read
    )


# Parts of a record, by their form; those that came later may be missing.
_PLAIN = dict(n=int, host=TEXTS, drain=bool, away=bool, luns=dict, addrs=list, blind=list, unfit=list, wants=list)
_LATER = dict(moving=list, serves=list, hurry=bool, loaded=bool, patience=NUMBERS + (float,))


def is_record(value):
    """Whether what lies in Ceph under a gateway's name is a record. What is none counts as nothing: an agent must not end of what somebody else wrote."""
    if not isinstance(value, dict) or any(not isinstance(value.get(name), form) for name, form in _PLAIN.items()):
        return False
    if any(not isinstance(value[name], form) for name, form in _LATER.items() if name in value):
        return False
    names = [each for name, form in list(_PLAIN.items()) + list(_LATER.items()) if form is list for each in value.get(name, ())]
    return all(isinstance(each, TEXTS) for each in names) and all(type(number) in NUMBERS for number in value['luns'].values())


def claims_of(record):
    return record['luns'] if record else {}


def host_of(address):
    """The host part of a client address such as 10.99.0.12:0/123456 or [fd00::12]:0/123456."""
    return address.rsplit(':', 1)[0].strip('[]')
