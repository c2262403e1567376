# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Longer silence for a gateway that was taken for dead although it lived: it was only late, and will be again.

A gateway that is short of processor beats late. Who takes its disks over is short of processor, too, while it does so, and beats late in its
turn; without patience two such gateways can fence each other for as long as the shortage lasts. Each knows of itself how often that
happened to it, and when it has its hands full, and tells the others how long to wait.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

MOST = 3  # refusals that count: patience is twice limits.dead after the second one, four times from the third one on


def _after(times, limits):
    """Patience, in seconds, after so many refusals; 0 for what the limits say. The first one counts for nothing: a host that was stopped for a moment is
    not short of anything."""
    return min(limits.dead * 2 ** (times - 1), max(limits.away, limits.dead)) if times > 1 else 0


def longest(limits):
    """The longest patience, in seconds. Whoever was silent for longer was rightly taken for dead."""
    return _after(MOST, limits)


def follow(site, memory, view, elapsed):
    """Bring silent, late and wronged of C(memory) up to date, in place."""
    limits = site.limits
    if not limits.patient:
        return
    most = longest(limits)
    memory['wronged'] = tuple(age + elapsed for age in memory['wronged'] if age + elapsed < limits.patient)
    memory['silent'] = most if memory['silent'] is None else min(memory['silent'] + elapsed, most)
    length, age = memory['late']
    # What a silence led to shows soon after its end, or never.
    memory['late'] = (length, age + elapsed) if length and age + elapsed < most else (0, 0)
    if view['fresh']:
        if memory['silent'] > limits.gap and memory['silent'] >= memory['late'][0]:
            memory['late'] = (memory['silent'], 0)
        memory['silent'] = 0


def recall(site, memory, record):
    """What an agent before me asked for; not for ever, if agents restart again and again. record: my own, of before, or None"""
    limits, patience = site.limits, (record or {}).get('patience', 0)
    times = max([0] + [number for number in range(2, MOST + 1) if patience >= _after(number, limits)])
    if limits.patient and len(memory['wronged']) < times:
        memory['wronged'] = (limits.patient / 2.0,) * times


def refused(site, memory):
    """Ceph refuses my client, which it did not before: another gateway took me for dead."""
    limits = site.limits
    if limits.patient and max(memory['silent'], memory['late'][0]) < longest(limits):
        memory['wronged'] = (memory['wronged'] + (0,))[-MOST:]


def loaded(site, memory, view):
    """Whether so many disks are at work here at once that my beats may be late: they are taken, given away or let go of, or are mapped and not read
    yet, as all are to an agent that has just begun."""
    busy = set(key for dummy, key in memory['busy'])
    return sum(1 for lun, found in view['luns'].items() if lun in busy or found['client'] and found['health'] is None) >= site.limits.load


def asked(site, memory):
    """Seconds of silence after which others are to take me for dead; 0 for what the limits say."""
    return _after(len(memory['wronged']), site.limits)


def complaints(site, memory):
    """The same for people."""
    seconds = asked(site, memory)
    return ['taken for dead %d times in %d minutes although it lived, so the others wait %d s for it now, and for its death: is it short of processor or '
            'memory, or is its way to Ceph slow?' % (len(memory['wronged']), site.limits.patient / 60, seconds)] if seconds else []
