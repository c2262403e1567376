# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases: who is alive, judged by what Ceph shows of the others while Ceph answers me.

A gateway proves its life by a number that grows in its record, in an object that all gateways read and write.
Silence counts only over time in which my own exchanges with that object succeeded without a gap: when Ceph
hangs, or I was stopped, I have seen nothing and judge nobody. No clock is compared with another one.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


LONGER = 2  # times as long a gateway waits for a sign of Ceph that has its hands full: it may be late itself, and the others wait for it as well


def observe(site, memory, view, elapsed):
    """Bring quiet, mute and peers of C(memory) up to date, in place."""
    limits = site.limits
    quiet = min(memory['quiet'] + elapsed, 2 * limits.gap)
    if view.get('asked', True):  # else this agent has just begun, and nothing is known of Ceph
        memory['mute'] = min(memory['mute'] + elapsed, LONGER * limits.close)
    if view['fresh'] or any(lun['health'] == 'good' for lun in view['luns'].values()):
        memory['mute'] = 0
    memory['quiet'] = quiet
    if not view['fresh']:
        return
    memory['quiet'] = 0
    for name in site.gateways:
        if name == site.me:
            continue
        record = view['table'].get(name)
        number = record['n'] if record else None
        known = memory['peers'].get(name)
        if known is None:
            known = dict(n=number, still=0, seen=False)
        elif known['n'] != number:
            known = dict(n=number, still=0, seen=True)
        elif quiet > limits.gap and known['still'] < silence(record, known, limits):
            # Who was dead before the gap and has not beaten since is dead still: a take-over that is under way goes on.
            known = dict(known, still=min(known['still'], _kept(record, known, limits)))
        else:
            known = dict(known, still=min(known['still'] + quiet, silence(record, known, limits)))
        memory['peers'][name] = known


def silence(record, known, limits):
    """How long a gateway may be silent before it is dead."""
    if not known['seen']:
        return max(limits.boot, limits.dead)
    if record and (record['away'] or record.get('loaded')):
        return max(limits.away, limits.dead)
    return max(limits.dead, min(record.get('patience', 0), limits.away)) if record else limits.dead


def _kept(record, known, limits):
    """How much of a silence counts over a gap of mine: as much as patience adds, else one who is dead would live for as long as I have gaps."""
    return silence(record, known, limits) - limits.dead if known['seen'] and not (record and record['away']) else 0


def described(record, known, limits):
    """How another gateway is, for people, who wonder why nobody takes its disks over yet."""
    if not known or known['n'] is None:
        return 'never seen'
    if not known['seen']:
        return 'not seen yet'
    if known['still'] < limits.dead:
        return 'alive'
    longest = silence(record, known, limits)
    return 'silent for %d s%s' % (known['still'], ' and longer: dead' if known['still'] >= longest else ', and dead after %d s%s' % (
        longest, ': its agent restarts' if record and record['away'] else ': it has its hands full' if record and record.get('loaded') else ''))


def alive(site, memory, view, name):
    """Whether a gateway must be taken for living: it is me, or it was not silent for long enough."""
    if name == site.me:
        return True
    known = memory['peers'].get(name)
    return known is None or known['still'] < silence((view['table'] or {}).get(name), known, site.limits)


def living(site, memory, view):
    return [name for name in site.gateways if alive(site, memory, view, name)]
