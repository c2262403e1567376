# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths from hosts to gateways: what each host, and each gateway, says of them.

A link is a host's way to one portal of one gateway: C(state) up, down or unknown, C(text) why not, C(paths) and C(working), the
paths of its disks that come this way, and C(dead), those of disks that have no working path at all. A path is what multipath calls one.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import canonical, format_portal, parse_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import target_name

UP, DOWN, UNKNOWN = 'up', 'down', 'unknown'


def portal(text):
    """Address and port in the one form that results of the modules have."""
    found = parse_portal(text)
    return format_portal(canonical(found.address), found.port)


def expected(site):
    """[(gateway, portal)] that every host is to be logged in to. What is no address is told with the declaration's problems."""
    found = []
    for name in sorted(site['gateways']):
        for text in site['gateways'][name].get('portals') or []:
            try:
                found.append((name, portal(text)))
            except Refused:
                pass
    return found


def blank(site):
    return dict((key, dict(gateway=key[0], portal=key[1], state=UNKNOWN, text='nobody could be asked', paths=0, working=0, dead=0))
                for key in expected(site))


def path_problem(path):
    """Why a path does not work, or None. A standby path (ghost) works as it is to.

    multipathd's view where it has one, else the SCSI device's own state: that alone notices nothing until I/O fails.
    """
    if path.get('state') not in (None, '', 'running'):
        return 'the SCSI device is %s' % path['state']
    if path.get('dm_state') == 'failed' or path.get('checker_state') in ('faulty', 'shaky', 'i/o', 'timeout', 'down'):
        return 'multipath says %s' % ' '.join(word for word in (path.get('dm_state'), path.get('checker_state')) if word)
    return None


def linux(site, client):
    """Links of a Linux client by its sessions and its disks' paths."""
    links = blank(site)
    of_target = dict((target_name(site['iqn_prefix'], name), name) for name in site['gateways'])
    for link in links.values():
        link.update(state=DOWN, text='there is no session')
    for session in client['sessions'].get('sessions') or []:
        link = links.get((of_target.get(session['target']), session['portal']))
        if link is None:
            continue
        if session['state'] == 'LOGGED_IN':
            link.update(state=UP, text=None)
        elif link['state'] != UP:
            link['text'] = 'the session is in state %s' % session['state']
    for entry in client['disks'].get('maps') or []:
        dead = all(path_problem(path) for path in entry['paths'])
        for path in entry['paths']:
            link = links.get((of_target.get(path['target']), path['portal']))
            if link is not None:
                problem = path_problem(path)
                link['paths'] += 1
                link['dead'] += dead
                link['working'] += problem is None and link['state'] == UP
                if problem and link['state'] == UP:
                    link['text'] = problem
    return links


def windows(site, client):
    """Links of a Windows client by its sessions; of the paths of one disk Windows says nothing here."""
    links = blank(site)
    of_target = dict((target_name(site['iqn_prefix'], name), name) for name in site['gateways'])
    for link in links.values():
        link.update(state=DOWN, text='there is no session')
    for session in client['sessions'].get('sessions') or []:
        for text in session['portals']:
            link = links.get((of_target.get(session['target']), portal(text)))
            if link is not None and session['connected']:
                link.update(state=UP, text=None, paths=len(session['disks']), working=len(session['disks']))
    return links


def seen(site, initiator, gateways):
    """Links of a host that was not asked, as far as gateways show its sessions.

    gateways: {name: what gateway_info said, or None}
    """
    links = blank(site)
    for name in gateways:
        scst = (gateways[name] or {}).get('scst')
        if not scst:
            continue
        mine = [session for session in scst.get('sessions') or []
                if session['target'] == target_name(site['iqn_prefix'], name) and session['initiator'].split('#')[0] == initiator]
        addresses = set(canonical(connection['target_ip']) for session in mine for connection in session['connections']
                        if connection.get('target_ip'))
        for key in links:
            if key[0] != name:
                continue
            # SCST 3.0.1 does not tell the portal; a host with as many sessions as there are portals has one through each.
            every = mine and not addresses and len(mine) >= len([one for one in links if one[0] == name])
            if every or canonical(parse_portal(key[1]).address) in addresses:
                links[key].update(state=UP, text=None)
            elif mine and not addresses:
                links[key].update(text='the gateway does not say through which portal')
            else:
                links[key].update(state=DOWN, text='the gateway shows no session of it')
    return links
