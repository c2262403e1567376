# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of an agent: from what it sees and remembers to what it does.

C(decide) is a pure function. The actions are begun at once and may end in any order, late, or never; each
end is reported to a later step. Nothing is remembered that a new agent would need: it reads the mappings, the
SCST states and the records, and goes on.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_patience, ha_take
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_lease import LONGER, observe
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_place import newest, record, successor, survey
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import CLOSE, MOVING, OPEN, action, claims_of


def decide(site, memory, view, elapsed):
    """(memory, actions) after C(elapsed) seconds. Neither argument is changed.

    view: table   {gateway: record} as last read, or None when that is longer ago than limits.gap
          fresh   whether it was read since the last step
          wrote   whether my record has been written since the last step, however long that took
          asked   whether an exchange has ended since this agent began; missing: yes
          luns    {disk: {client: address of the mapping's Ceph client or None when it is not mapped,
                          health: good, fenced (Ceph refuses the client), silent (no answer) or None (not known),
                          path: active (ALUA state and open device) or passive,
                          sessions: whether one of its initiators has a session with this gateway}}
          open    whether the target is enabled
          orders  {drain, away: bool, wants: disks}, the operator's
          done    [(kind, key, outcome)] of actions that ended since the last step
    """
    memory = _copy(memory)
    ha_patience.follow(site, memory, view, elapsed)
    observe(site, memory, view, elapsed)
    view = survey(site, memory, view)
    _count(site, memory, view, elapsed)
    ha_take.forget_strangers(memory, view)
    if memory['n'] is None and view['table'] is not None:
        own = view['table'].get(site.me)
        memory['n'] = (own['n'] if own else 0) + 1
        ha_patience.recall(site, memory, own)
        memory['former'] = tuple(lun for lun in sorted(view['luns']) if newest(lun, view)[1] == site.me)
    elif memory['n'] is not None and view['wrote']:
        memory['n'] += 1  # a beat is what others can see; between two of them I may read theirs more often
    _ends(site, memory, view)
    wanted = _out_of_service(memory, view) if _refused(site, memory, view) else _in_service(site, memory, view, elapsed)
    actions, begun, fencing = [], set(memory['busy']), False
    for each in wanted:
        if (each.kind, each.key) not in begun and not (fencing and each.kind == 'fence'):
            actions.append(each)
            begun.add((each.kind, each.key))
            fencing = fencing or each.kind == 'fence'
    memory['former'] = tuple(lun for lun in memory['former'] if lun not in memory['claims'] and lun not in view['claimed'])
    memory['busy'] = tuple(sorted(memory['busy'] + tuple((each.kind, each.key) for each in actions), key=str))
    if memory['n'] is not None:
        memory['record'] = record(site, memory, view)
    return memory, actions


def _copy(memory):
    memory = dict((key, dict(value) if isinstance(value, dict) else value) for key, value in memory.items())
    memory['taking'] = dict((lun, dict(taking)) for lun, taking in memory['taking'].items())
    return memory


def _count(site, memory, view, elapsed):
    for left in (memory['unfit'], memory['stay']):
        for lun in sorted(left):
            left[lun] -= elapsed
            if left[lun] <= 0:
                del left[lun]
    for lun, found in view['luns'].items():
        if found['sessions'] or lun not in memory['claims']:
            memory['blind'].pop(lun, None)
        else:
            memory['blind'][lun] = min(memory['blind'].get(lun, 0) + elapsed, site.limits.blind)


def _ends(site, memory, view):
    over = set((kind, key) for kind, key, dummy in view['done'])
    memory['busy'] = tuple(each for each in memory['busy'] if each not in over)
    for kind, key, outcome in view['done']:
        if kind in ('look', 'map'):
            ha_take.ended(kind, key, outcome, site, memory, view)
        elif kind == 'fence' and outcome == 'ok':
            memory['fenced'] = tuple(sorted(set(memory['fenced']) | set([key])))
        elif kind == 'settle' and outcome == 'ok':
            memory['settled'][key] = view['luns'][key]['client']
        elif kind in ('settle', 'raise') and outcome != 'ok':
            ha_take.give_up(key, site, memory)
        elif kind == 'unmap' and outcome != 'ok':
            memory['stay'][key] = site.limits.unfit
    if not memory['taking'] and not memory['turn'] and view['table'] is not None:
        # Not who still has its mappings: what it held and nobody has taken yet need not wait until it has let go of all of them.
        named = set(client for each in view['table'].values() for client in each['addrs'])
        memory['fenced'] = tuple(client for client in memory['fenced'] if client in named)
    for lun, client in sorted(memory['settled'].items()):
        if view['luns'][lun]['client'] != client or view['luns'][lun]['path'] == 'active':
            del memory['settled'][lun]


def _refused(site, memory, view):
    """Whether Ceph refuses a client of mine: then everything here stops until it is cleaned up.

    One disk's answer is enough, for mappings share a client; and it is remembered, for the other disks' OSDs may
    not know yet. A new client is made only when none of the old one's mappings is left.
    """
    clients = set(found['client'] for found in view['luns'].values())
    now = set(found['client'] for found in view['luns'].values() if found['health'] == 'fenced')
    if now - set(memory['refused']):
        ha_patience.refused(site, memory)
    memory['refused'] = tuple(sorted((set(memory['refused']) & clients) | now))
    return bool(memory['refused'])


def _out_of_service(memory, view):
    """First the sessions, then what the guard holds back: an error must find nobody to tell it to."""
    gone = sorted(lun for lun, found in view['luns'].items() if found['client'] in memory['refused'])
    for lun in gone:
        ha_take.drop(lun, memory)
        memory['releasing'].pop(lun, None)
    if view['open']:
        return [CLOSE]
    return [action('clear', lun, view['luns'][lun]['client']) for lun in gone]


def _in_service(site, memory, view, elapsed):
    limits = site.limits
    held = any(found['client'] for found in view['luns'].values())
    actions = []
    suspend, close = limits.suspend, limits.close
    if memory['mute'] >= suspend and ha_patience.loaded(site, memory, view):
        suspend, close = close, LONGER * close
    view = dict(view, mute=memory['mute'] >= suspend)
    if held and memory['mute'] >= close:
        actions += [CLOSE] if view['open'] else []
    elif not view['open'] and all(found['health'] == 'good' or not found['client'] for found in view['luns'].values()):
        actions.append(OPEN)
    busy = set(key for dummy, key in memory['busy'])
    for lun in sorted(view['luns']):
        if lun in memory['taking']:
            ha_take.grow_old(lun, site, memory, elapsed)
        if lun not in busy:
            actions += _disk(lun, site, memory, view, elapsed)
    return actions


def _disk(lun, site, memory, view, elapsed):
    found = view['luns'][lun]
    if lun in memory['taking']:
        return ha_take.proceed(lun, site, memory, view)
    if found['client'] is None:
        memory['releasing'].pop(lun, None)
        memory['claims'].pop(lun, None)
        if found['path'] == 'active':
            return [action('lower', lun)]
        ha_take.begin(lun, site, memory, view, elapsed)
        return ha_take.proceed(lun, site, memory, view) if lun in memory['taking'] else []
    if view['mute']:
        return [action('lower', lun)] if found['path'] == 'active' else []
    if memory['n'] is None or view['table'] is None:
        return []  # what is served is served on; what is not needs the records
    if lun not in memory['claims'] and not _adopt(lun, site, memory, view):
        return _let_go(lun, found)
    _plan_release(lun, site, memory, view)
    if lun in memory['releasing']:
        return _let_go(lun, found, MOVING)
    if found['path'] == 'active' or lun in view['claimed']:
        return []
    if memory['settled'].get(lun) != found['client']:
        # Of a new mapping the first read need not have been answered: the newest osdmap is asked for meanwhile.
        return [action('settle', lun)] if found['health'] in ('good', None) else []
    return [action('raise', lun)] if found['health'] == 'good' else []


def _adopt(lun, site, memory, view):
    """Whether a mapping that this agent has not made is kept: nobody else is at it."""
    if lun in memory['unfit'] or lun in view['claimed']:
        return False
    own = claims_of(view['table'].get(site.me)).get(lun)
    top = newest(lun, view)
    memory['claims'][lun] = own if own and top[1] == site.me else top[0] + 1
    return True


def _plan_release(lun, site, memory, view):
    if lun in memory['stay'] or successor(lun, site, memory, view) is None:
        memory['releasing'].pop(lun, None)  # nobody to take it any more: keep it, and make it active again
    elif lun not in memory['releasing'] and len(memory['releasing']) < site.limits.moves:
        memory['releasing'][lun] = True


def _let_go(lun, found, why=None):
    """Passive first: a path that takes commands without a disk behind it answers them with errors."""
    return [action('lower', lun, why) if found['path'] == 'active' else action('unmap', lun)]
