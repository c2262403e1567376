# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a disk over, one confirmed step after the other.

look   who holds the image's exclusive lock? Nobody, or a client that is blocklisted already: map.
check  the holder's host is that of a living gateway, or its record names the holder: it is fenced only when that gateway's
       own record, written later, does not name the client, that is when the client belongs to an earlier life of that host
fence  blocklist the holder, and wait until Ceph has confirmed it
map    exclusively: krbd breaks the dead client's lock itself, which is why nobody removes a lock by hand
Then ha_decide waits for the newest osdmap (settle) and makes the path active (raise).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_place import newest, wait
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import action, host_of

# A record names the clients that its agent saw before it was written; the second one after a look began after it.
BEATS = 2

# A client that was only blocklisted keeps its lock, and the next look finds it again: hence both.
STRANGER = 'image %s: its lock is held by client %s, which belongs to no gateway of this site, so it is not fenced. End that use ("rbd status", ' \
           '"rbd lock ls"), or blocklist the client yourself and only then remove its lock ("rbd lock rm").'


def _stage(name, holder=None, owner=None, since=None):
    return dict(stage=name, holder=holder, owner=owner, since=since)


def begin(lun, site, memory, view, elapsed):
    """Start a take-over when the disk has no living owner and it is my turn."""
    if not _known(site, view) or lun in view['claimed'] or lun in memory['unfit'] or lun in memory['stay']:
        memory['turn'].pop(lun, None)
        return
    room = len(memory['taking']) < site.limits.takes
    if not room and lun in memory['turn']:
        # Whose turn it is shows when there is room; a hundred disks would ask it at every step.
        memory['turn'][lun] = min(memory['turn'][lun] + elapsed, site.limits.turn * len(site.gateways))
        return
    seconds = wait(lun, site, memory, view)
    if seconds is None:
        memory['turn'].pop(lun, None)
        return
    passed = min(memory['turn'].get(lun, 0) + elapsed, seconds)
    if passed < seconds:
        memory['turn'][lun] = passed
        return
    if not room:
        memory['turn'][lun] = seconds  # it is its turn still when there is room
        return
    memory['turn'].pop(lun, None)
    memory['claims'][lun] = newest(lun, view)[0] + 1
    memory['taking'][lun] = dict(_stage('look'), age=0)


def _known(site, view):
    """Whether others can tell from my record whose client they find: one of a host that no record names is taken for a stranger's."""
    own = (view['table'] or {}).get(site.me)
    return own is not None and own['host'] == site.host


def grow_old(lun, site, memory, elapsed):
    """A take-over that hangs, for example in Ceph, must not keep others from trying."""
    taking = memory['taking'][lun]
    taking['age'] += elapsed
    if taking['age'] >= site.limits.claim:
        give_up(lun, site, memory)


def proceed(lun, site, memory, view):
    """The next actions of a take-over."""
    taking = memory['taking'][lun]
    if taking['stage'] == 'check':
        _check(lun, site, memory, view)
        if lun not in memory['taking']:
            return []
    if taking['stage'] == 'fence':
        if taking['holder'] not in memory['fenced']:
            # One at a time: all disks of a dead gateway need the same one.
            pending = any(kind == 'fence' for kind, dummy in memory['busy'])
            return [] if pending else [action('fence', taking['holder'])]
        taking.update(_stage('map'))
    if taking['stage'] in ('look', 'map'):
        return [action(taking['stage'], lun)]
    return []


def ended(kind, lun, outcome, site, memory, view):
    """What the end of look or map means for a take-over."""
    taking = memory['taking'].get(lun)
    if taking is None or taking['stage'] != kind:
        if kind == 'map' and outcome == 'ok':
            # It was given up, and is through after all: kept when nobody else is at the disk (ha_decide), for the next try would take as long.
            memory['unfit'].pop(lun, None)
        return
    if kind == 'look':
        _found(lun, outcome, site, memory, view)
    elif outcome == 'ok':
        del memory['taking'][lun]
    elif outcome == 'refused':
        taking.update(_stage('look'))
    else:
        give_up(lun, site, memory)


def _found(lun, holder, site, memory, view):
    taking = memory['taking'][lun]
    if holder == 'failed':
        give_up(lun, site, memory)
        return
    memory['strangers'].pop(lun, None)
    if holder is None or holder in memory['fenced']:
        taking.update(_stage('map'))
        return
    owner = _gateway_of(holder, site, view)
    if owner is None:
        # Somebody who is no gateway uses the image; whether that may be cut off is not ours to say.
        give_up(lun, site, memory)
        if view['table'] is not None:
            memory['strangers'][lun] = holder
    elif owner == site.me and holder in _named(owner, site, view):
        # Mine, and not mapped here: of a mapping that was broken off. Nothing was ever written through it.
        taking.update(_stage('map'))
    elif owner in view['living']:
        taking.update(_stage('check', holder, owner, _beats(owner, site, memory, view)))
    else:
        taking.update(_stage('fence', holder))


def _gateway_of(address, site, view):
    """A host may speak to Ceph from another address than the one that its record says: then the record tells by the clients that it names."""
    if host_of(address) == site.host or address in _named(site.me, site, view):
        return site.me
    found = [(address not in entry['addrs'], name) for name, entry in (view['table'] or {}).items()
             if name in site.gateways and (entry['host'] == host_of(address) or address in entry['addrs'])]
    return min(found)[1] if found else None  # who names the very client, before whose host has its address now


def _named(owner, site, view):
    """The clients of a gateway that hold mappings now."""
    return set(entry['client'] for entry in view['luns'].values()) if owner == site.me else view['table'][owner]['addrs']


def _beats(owner, site, memory, view):
    return memory['n'] if owner == site.me else view['table'][owner]['n']


def _check(lun, site, memory, view):
    taking = memory['taking'][lun]
    owner = taking['owner']
    if not view['table'] or owner != site.me and owner not in view['table']:
        return
    if taking['holder'] in _named(owner, site, view):
        # Its owner lives; it will claim the disk or let it go. What is left of a mapping that was broken off only the owner can tell, when the
        # disk's turn comes to it; each try of mine would have it wait anew.
        drop(lun, memory)
        memory['stay'][lun] = site.limits.turn * (1 + len(site.gateways))
    elif owner not in view['living'] or _beats(owner, site, memory, view) >= taking['since'] + BEATS:
        taking.update(_stage('fence', taking['holder']))


def drop(lun, memory):
    memory['taking'].pop(lun, None)
    memory['claims'].pop(lun, None)


def give_up(lun, site, memory):
    """Let the next gateway try."""
    drop(lun, memory)
    memory['unfit'][lun] = site.limits.unfit


def forget_strangers(memory, view):
    """Who keeps a disk from being taken counts until it is known to be taken, or is not mine to take."""
    for lun in sorted(memory['strangers']):
        if view['luns'][lun]['client'] or lun in view['claimed'] or view['orders']['drain']:
            del memory['strangers'][lun]


def complaints(images, memory):
    """{what: why it does not work} for people. images: {disk: image}"""
    return dict(('taking over %s' % images[lun], STRANGER % (images[lun], client)) for lun, client in memory['strangers'].items() if lun in images)
