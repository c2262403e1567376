# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the agent of a gateway does, in the mode fenced (docs/takeover.md): what it says of itself, judged."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_ha
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import preferred_gateway, present
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import BROKEN, DEGRADED, count, finding, some

# What a gateway is not open for, by its agent's decision; its own reason is told instead of the closed target.
CLOSING = ('no agent', 'fenced', 'no Ceph')
SEE = 'See "journalctl -u cephgate-agent" there'


def summary(agent):
    """What the document says of an agent; None where there is none to be."""
    disks = [agent['disks'][device] for device in sorted(agent['disks'])] if agent else []
    return dict(runs=agent is not None, ceph=agent['ceph'] if agent else None, refused=list(agent['refused']) if agent else [],
                draining=bool(agent and agent['drain'] and gateway_ha.still_here(agent)), trouble=list(agent['trouble']) if agent else [],
                owns=[disk['image'] for disk in disks if disk['here'] == 'active'],
                moving=dict((disk['image'], disk['doing']) for disk in disks if disk['doing']),
                unowned=[disk['image'] for disk in disks if not disk['owner']],
                unfit=[disk['image'] for disk in disks if disk['unfit']],
                silent=[disk['image'] for disk in disks if disk['mapped'] and disk['health'] == 'silent'])


def findings(site, name, agent, enabled, drained):
    """What is wrong with a gateway whose agent says this (summary())."""
    found = []

    def add(health, what, reason, remedy):
        found.append(finding(health, what, reason, remedy))

    stops = DEGRADED if enabled else BROKEN
    if not agent['runs']:
        add(stops, 'no agent', 'its agent does not run or does not answer: it takes no disk over, and the others take over what it has',
            'Start it (systemctl start cephgate-agent) and see why it ended (journalctl -u cephgate-agent)')
        return found
    if agent['refused']:
        add(BROKEN, 'fenced', 'Ceph refuses its client %s, because another gateway took its disks over while it was silent; it is leaving service'
            % some(agent['refused']), SEE + ' for why it was silent. It comes back by itself, under a new client, when its mappings are gone')
    if agent['ceph'] is None or agent['ceph'] > LIMITS.suspend:
        add(stops, 'no Ceph', 'Ceph has not answered its agent %s' % (
            'since that began' if agent['ceph'] is None else 'for %d s' % agent['ceph']),
            'See "ceph -s" and this host\'s way to the monitors and OSDs; it goes on by itself when Ceph answers')
    if agent['silent']:
        add(DEGRADED, 'silent images', 'reads of %s do not come back from Ceph: %s' % (
            count(len(agent['silent']), 'image'), some(agent['silent'])), 'See "ceph health detail" and this host\'s way to the OSDs')
    if agent['trouble'] and not agent['refused']:
        add(DEGRADED, 'agent in trouble', '; '.join(agent['trouble'][:3]), SEE + '; it tries again by itself')
    if agent['unfit']:
        add(DEGRADED, 'unfit', 'it could not take %s over: %s' % (count(len(agent['unfit']), 'image'), some(agent['unfit'])),
            SEE + ' for what was in the way. It tries again after %d s; until then it is no help when the owner fails' % LIMITS.unfit)
    if agent['draining']:
        add(DEGRADED, 'draining', 'it was told to drain, and still has %s' % (some(agent['owns']) or 'mappings'),
            'Wait, or see "cephgate status" there for what keeps it: another gateway must live, and reach the same hosts')
    elif not drained and enabled and not agent['refused'] and not agent['owns'] and _preferring(site, name):
        add(DEGRADED, 'standby only', 'it is ready and has none of the %s that prefer it' % count(len(_preferring(site, name)), 'image'),
            'Nothing is lost. When it suits: ansible-playbook cephgate.iscsi.failback -e cephgate_gateway=%s' % name)
    return found


def _preferring(site, name):
    names = sorted(site['gateways'])
    return [lun['image'] for lun in present(site['luns']) if preferred_gateway(lun['image'], names, lun.get('gateway')) == name]
