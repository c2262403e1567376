# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command cephgate says and orders in C(ha_mode: fenced), where the agent is the one who acts."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock

SILENT = 'the agent does not run or does not answer: systemctl status cephgate-agent'
LOOK_EVERY = 0.5
SILENT_AFTER = 10  # seconds after which what the agent last said tells nothing


def report_path(run=None):
    return os.path.join(run or lock.FOLDER, 'cephgate-agent.json')


def heard(run=None):
    """What the agent says of itself; None when it does not run, or hangs. run: folder of locks"""
    path = report_path(run)
    try:
        if not lock.Lock('agent', 'status', folder=run).held() or abs(time.time() - os.stat(path).st_mtime) > SILENT_AFTER:
            return None
        with open(path) as handle:
            return json.load(handle)
    except (EnvironmentError, ValueError):
        return None


def status(images, agent):
    """Add to each image who has it, and why nobody has. agent: what the agent says, or None."""
    for entry in images:
        found = ((agent or {}).get('disks') or {}).get(entry['device']) or {}
        entry.update(owner=found.get('owner'), here=found.get('here'), doing=found.get('doing'))
        if agent is None:
            entry['missing'].append(SILENT)
        elif not found.get('owner'):
            entry['missing'].append('no gateway has it' + (' (here: %s)' % found['doing'] if found.get('doing') else ''))
        entry['served'] = not entry['missing']


def lines(agent):
    """The agent's part of the status, for people."""
    if agent is None:
        return ['agent: ' + SILENT]
    result = ['agent: runs; Ceph answered it %s' % ('never' if agent['ceph'] is None else '%.1f s ago' % agent['ceph'])]
    result += ['gateway %s: %s' % (name, how) for name, how in sorted(agent['gateways'].items()) if how != 'me']
    result += ['fenced: Ceph refuses client %s of this gateway; it is leaving service' % client for client in agent['refused']]
    return result + ['agent: ' + text for text in agent['trouble']]


def place(entry):
    """Where an image is served, for people."""
    return 'served by this gateway' if entry['here'] == 'active' else 'served by gateway %s, on standby here' % entry['owner']


def still_here(agent):
    """What keeps a gateway from being drained."""
    if agent is None:
        return [SILENT]
    if not agent['drain']:
        return ['the agent has not heard of it yet']
    return ['%s: %s' % (found['image'], found['doing'] or 'still here; is there another gateway that can take it?')
            for dummy, found in sorted(agent['disks'].items()) if found['mapped'] or found['here'] == 'active']


def drain(orders, ask, patience, clock=time.time, sleep=time.sleep):
    """Order it, and wait for it to be done. {drained, changed, left}"""
    changed = orders.give(drain=True, wants=[])
    end = clock() + patience
    while True:
        left = still_here(ask())
        if not left or clock() >= end:
            return dict(drained=not left, changed=changed, left=left)
        sleep(LOOK_EVERY)


def undrain(orders, ask):
    """It takes disks again from now on, but none back: that is the operator's to order."""
    changed = orders.give(drain=False, wants=[])
    return dict(drained=False, changed=changed, left=[] if ask() else [SILENT])


def declared(state):
    """Devices that are declared to be this gateway's while all is well."""
    return sorted(device for device, order in state['ha']['order'].items() if order[0] == state['ha']['me'])


def failback(devices, orders, ask, patience, clock=time.time, sleep=time.sleep):
    """Ask for disks, wait until they are here, and stop asking: what is lost later is not to come back by itself.

    {changed, left, failed: whether one was tried and could not be taken}. That is tried once: each time is a pause for its hosts.
    """
    failed = set()

    def disk(agent, device):
        return ((agent or {}).get('disks') or {}).get(device) or {}

    def missing(agent):
        return [device for device in devices if disk(agent, device).get('here') != 'active']

    agent = ask()
    if agent is None:
        return dict(changed=False, left=[SILENT], failed=False)
    if not missing(agent):
        return dict(changed=orders.give(wants=[]), left=[], failed=False)
    orders.give(wants=missing(agent))
    try:
        end = clock() + patience
        while set(missing(agent)) - failed and clock() < end:
            sleep(LOOK_EVERY)
            agent = ask()
            failed |= set(device for device in missing(agent) if disk(agent, device).get('unfit'))
            orders.give(wants=set(missing(agent)) - failed)
    finally:
        orders.give(wants=[])
    return dict(changed=True, left=[SILENT] if agent is None else [_elsewhere(agent['disks'].get(device)) for device in missing(agent)],
                failed=bool(failed & set(missing(agent))))


def _elsewhere(found):
    """Why a disk is not here."""
    if found is None:
        return 'the agent does not know all disks of the state file yet'
    if found['doing'] or found['unfit']:
        return '%s: %s' % (found['image'], found['doing'] or 'taking it failed; the journal of cephgate-agent says why')
    return '%s: %s. A gateway gives a disk only to one that an initiator of the disk is logged in to' % (
        found['image'], 'gateway %s keeps it' % found['owner'] if found['owner'] else 'no gateway has it')


def farewell(ceph, me):
    """After everything here was let go of without the agent: nobody has to wait for the death of who said so."""
    own = ceph.exchange(me, None).get(me)
    if own is not None:
        ceph.exchange(me, dict(own, n=own['n'] + 1, luns={}, addrs=[], drain=True, away=False, wants=[]))
