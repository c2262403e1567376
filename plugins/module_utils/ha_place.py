# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a disk belongs now: who claims it, who may take it, to whom it may be given."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_lease import living
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_patience import asked, loaded
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import claims_of


def survey(site, memory, view):
    """A view with what a step asks of it for every disk: who lives (C(living)), the records of the other living gateways (C(others), with sets of
    disks), and which disks any of them claims or wants (C(claimed), C(wanted))."""
    table, alive = view['table'] or {}, living(site, memory, view)
    found = dict((name, dict(table[name], **dict((part, frozenset(table[name][part])) for part in ('blind', 'unfit', 'wants'))))
                 for name in alive if name != site.me and table.get(name))
    return dict(view, living=alive, others=found,
                claimed=frozenset(lun for entry in found.values() for lun in claims_of(entry)),
                wanted=frozenset(lun for entry in found.values() for lun in entry['wants']))


def newest(lun, view):
    """(generation, gateway) of the last claim of a disk that anybody, living or dead, has written; (0, None) for none."""
    return max([(claims_of(record)[lun], name) for name, record in (view['table'] or {}).items() if lun in claims_of(record)]
               or [(0, None)])


def record(site, memory, view):
    """What I write of myself at the next exchange."""
    return dict(
        n=memory['n'],
        away=view['orders']['away'],
        drain=view['orders']['drain'],
        host=site.host,
        addrs=sorted(set(lun['client'] for lun in view['luns'].values() if lun['client'])),
        luns=dict(memory['claims']),
        blind=sorted(name for name, lun in view['luns'].items() if not lun['sessions']),
        moving=sorted(name for name, lun in view['luns'].items() if lun.get('moving')),
        serves=sorted(name for name, lun in view['luns'].items() if lun['path'] == 'active'),
        unfit=sorted(memory['unfit']),
        patience=asked(site, memory),
        loaded=loaded(site, memory, view),
        wants=sorted(lun for lun in view['orders']['wants'] if lun not in memory['claims']),
    )


def _able(entry, lun):
    return not (entry['drain'] or entry['away'] or lun in entry['unfit'])


def wait(lun, site, memory, view):
    """(view: of C(survey).) Seconds that the disk must be without an owner before it is my turn to take it; None when it never is.

    The order among the living: who was told to take it, who has its initiators, then the ranking.
    """
    orders = view['orders']
    if orders['drain'] or orders['away'] or lun in memory['unfit']:
        return None
    if lun in memory['former']:
        return 0

    def place(name, entry):
        if entry is None:
            return (True, True, site.order[lun].index(name))
        return (lun not in entry['wants'], lun in entry['blind'], site.order[lun].index(name))

    # As my record says it, which is not made here: after the death of a gateway every disk asks, at every step.
    own = (lun not in orders['wants'] or lun in memory['claims'], not view['luns'][lun]['sessions'], site.order[lun].index(site.me))
    seconds = 0
    for name in view['living']:
        entry = view['others'].get(name)
        if name == site.me or (entry and not _able(entry, lun)) or place(name, entry) > own:
            continue
        if not memory['peers'].get(name, {}).get('seen'):
            return None  # it may be booting as we are; when the time for that is over it is not living any more
        seconds += site.limits.turn
    return seconds


def successor(lun, site, memory, view):
    """The gateway to which I am to give this disk, or None: nobody asks for it, or nobody is there to take it. view: of C(survey)"""
    blind = memory['blind'].get(lun, 0) >= site.limits.blind
    if not (view['orders']['drain'] or blind or lun in view['wanted']):
        return None
    found = view['others']
    reached = view['luns'][lun]['sessions']
    for name in site.order[lun]:
        if name not in found or not memory['peers'][name]['seen'] or not _able(found[name], lun):
            continue
        sees = lun not in found[name]['blind']
        # The last path of an initiator stays; a disk does not go where nobody would find it.
        if (view['orders']['drain'] or lun in found[name]['wants'] or (blind and sees)) and (sees or not reached):
            return name
    return None
