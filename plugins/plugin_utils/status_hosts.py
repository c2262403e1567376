# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How hosts do: their sessions, and the paths of their disks."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import initiator_of, luns_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import target_name
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_links as links
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_gateways import DRIFT_SHOWN, usable
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import (
    BROKEN, DEGRADED, UNKNOWN, count, finding, some, why, worst)

LINUX, WINDOWS, OTHER = 'Linux', 'Windows', 'not managed'


def everyone(site, linux, windows):
    """[(name, kind, host, initiator, what was seen)]: the clients of the inventory, then declared initiators that are none of them."""
    found, known = [], set()
    for kind, clients in ((LINUX, linux), (WINDOWS, windows)):
        for name in sorted(clients):
            initiator = initiator_of(clients[name], site['hosts'])
            known.add(initiator)
            found.append((name, kind, clients[name].get('host'), initiator, clients[name]))
    for host in sorted(site['hosts']):
        others = [one for one in site['hosts'][host].get('initiators') or [] if one not in known]
        for initiator in others:
            # A host of several initiators is a cluster; its members are told apart by the end of their names.
            name = host if len(site['hosts'][host]['initiators']) == 1 else '%s (%s)' % (host, initiator.rpartition(':')[2])
            found.append((name, OTHER, host, initiator, None))
    return found


def answered(client):
    """Whether a client of the inventory could be looked at."""
    seen = (client or {}).get('seen')
    return bool(seen) and not seen.get('unreachable') and not seen.get('failed')


def all_links(site, people, seen):
    """{name: links} of everyone. Who was asked tells best; of the others the gateways show the sessions."""
    found = {}
    for name, kind, dummy, initiator, client in people:
        if answered(client) and not client['sessions'].get('failed') and 'sessions' in client['sessions']:
            found[name] = (links.linux if kind == LINUX else links.windows)(site, client)
        else:
            found[name] = links.seen(site, initiator, dict((gateway, usable(seen.get(gateway))) for gateway in site['gateways']))
    return found


def used(found):
    """Names of gateways through which some host has a working path, as that host says."""
    return set(key[0] for name in found for key in found[name] if found[name][key]['state'] == links.UP)


def hosts(site, people, found, broken, sizes, unserved):
    """[record]. broken: names of gateways that are broken; sizes: {image: bytes}, of images that a gateway has mapped; unserved: images
    that no gateway serves"""
    return [_host(site, person, found[person[0]], broken, sizes, unserved) for person in people]


def _host(site, person, mine, broken, sizes, unserved):
    name, kind, host, initiator, client = person
    luns = luns_of(site['luns'], host) if host else []
    asked = kind == OTHER or bool(client.get('seen'))
    record = dict(name=name, kind=kind, host=host, initiator=initiator, asked=asked, answers=answered(client), os=_system(kind, client),
                  links=[mine[key] for key in sorted(mine)], disks=[], drift=[], drift_more=0, findings=[])
    add = record['findings'].append
    up = [link for link in record['links'] if link['state'] == links.UP]
    if not record['answers']:
        _silent(record, kind, client, up, bool(luns), add)
        record['disks'] = [dict(image=lun['image'], lun=lun['hosts'][host], device=None, paths=None, working=None, health=UNKNOWN)
                           for lun in luns]
    else:
        for part in ('sessions', 'disks'):
            if client[part].get('failed') or client[part].get('unreachable'):
                add(finding(BROKEN, 'not told: ' + part, 'its %s cannot be told: %s' % (part, why(client[part])),
                            'Correct what the message names; then run the site playbook for this host'))
        disks = _linux_disk if kind == LINUX else _windows_disk
        record['disks'] = [disks(lun, lun['hosts'][host], client, record['links'], sizes, add) if lun['image'] not in unserved else
                           _unserved(lun, lun['hosts'][host], record['links'], add) for lun in luns]
        _drift(site, record, client, broken, add)
    for link in record['links'] if luns and (up or record['answers']) else []:
        _link(link, broken, add)
    record['health'] = worst(entry['health'] for entry in record['findings'])
    if not record['findings'] and (not asked or not record['answers'] and not up):
        record['health'] = UNKNOWN
    record['paths'] = sum(link['paths'] for link in record['links'])
    record['working'] = sum(link['working'] for link in record['links'])
    return record


def _system(kind, client):
    seen = (client or {}).get('seen') or {}
    if kind == WINDOWS and seen.get('os_version'):
        return 'Windows %s' % seen['os_version']
    facts = seen.get('ansible_facts') or {}
    words = [facts.get('ansible_distribution'), facts.get('ansible_distribution_version')]
    return ' '.join(str(word) for word in words if word) or None


def _silent(record, kind, client, up, needs_disks, add):
    if not record['asked']:
        return
    known = [link for link in record['links'] if link['state'] != links.UNKNOWN]
    if kind == OTHER:
        if needs_disks and known and not up:
            add(finding(DEGRADED, 'not logged in', 'it is logged in to no gateway', 'See whether it is switched on, and log it in'))
        return
    text = why(client['seen'])
    if up or not known:
        add(finding(DEGRADED, 'silent', 'it does not answer to Ansible%s: %s' % (
            ', and is logged in to %s' % some(sorted(set(link['gateway'] for link in up))) if up else '', text),
            'Make it reachable again: what its disks do cannot be told from the gateways'))
    else:
        add(finding(BROKEN, 'down', 'it does not answer and is logged in to no gateway: %s' % text,
                    'See its console and its network'))


def _link(link, broken, add):
    cause = link['gateway'] if link['gateway'] in broken else None
    if link['state'] == links.DOWN:
        add(finding(DEGRADED, 'session', 'no session to %s at %s: %s' % (link['gateway'], link['portal'], link['text']),
                    'See whether the portal answers from the host; the site playbook logs it in again', cause))
    elif link['working'] < link['paths'] - link['dead']:
        add(finding(DEGRADED, 'paths', 'of %s through %s at %s %s: %s' % (
            count(link['paths'], 'path'), link['gateway'], link['portal'], '%d works' % link['working'] if link['working'] == 1 else
            '%d work' % link['working'] if link['working'] else 'none works', link['text']),
            'See "multipathd show paths" on the host, and its network to that portal', cause))


def _unserved(lun, number, found, add):
    add(finding(BROKEN, 'disk lost', 'it has no %s (LUN %d), which no gateway serves' % (lun['image'], number), 'See the problem of the image'))
    return dict(image=lun['image'], lun=number, device=None, paths=len(found), working=0, health=BROKEN)


def _linux_disk(lun, number, client, found, sizes, add):
    image = lun['image']
    entry = dict((one['name'], one) for one in client['disks'].get('maps') or []).get(image)
    disk = dict(image=image, lun=number, device=None, paths=len(found), working=None, health=UNKNOWN)
    up = [link for link in found if link['state'] == links.UP]
    if not up and found:
        disk.update(working=0, health=BROKEN)
        add(finding(BROKEN, 'disk lost', 'it has lost %s: no session to any gateway works' % image,
                    'Bring a gateway back, or the network to it; I/O waits until then'))
        return disk
    if entry is None:
        return disk
    good = [path for path in entry['paths'] if links.path_problem(path) is None]
    disk.update(device=entry['device'], working=len(good))
    if not entry['paths']:
        disk['health'] = BROKEN
        add(finding(BROKEN, 'disk missing', 'it does not see %s (LUN %d), although %s to gateways work' % (
            image, number, count(len(up), 'session')), 'Run the site playbook for this host, which looks for new LUNs'))
        return disk
    if not good:
        disk['health'] = BROKEN
        add(finding(BROKEN, 'disk lost', 'it has lost %s: none of its %s works' % (image, count(len(entry['paths']), 'path')),
                    'See "multipathd show paths" on the host and the gateways\' problems; I/O waits until a path is back'))
        return disk
    disk['health'] = DEGRADED if len(good) < len(found) else 'healthy'
    if entry['device'] is None:
        disk['health'] = DEGRADED
        add(finding(DEGRADED, 'no multipath', '%s is no multipath disk there, so a gateway that fails takes it away' % image,
                    'Run the site playbook for this host; see that multipathd runs'))
    size = sizes.get(image)
    if size and entry['size'] and entry['size'] < size:
        add(finding(DEGRADED, 'small disk', '%s has %s there and %s in Ceph' % (image, human(entry['size']), human(size)),
                    'Run the site playbook for this host, which grows it'))
    return disk


def _windows_disk(lun, number, client, found, dummy, add):
    image = lun['image']
    up = [link for link in found if link['state'] == links.UP]
    there = [one for one in client['disks'].get('disks') or [] if one['name'] == image]
    disk = dict(image=image, lun=number, device=None, paths=len(found), working=len(up), health='healthy')
    if there:
        disk['device'] = 'PhysicalDrive%d' % there[0]['index']
        if len(there) > 1:
            disk['health'] = BROKEN
            add(finding(BROKEN, 'no MPIO', 'it sees %s %d times, once for each path: MPIO has not claimed it' % (image, len(there)),
                        'Do not use the disk. Run the site playbook for this host'))
        elif len(up) < len(found):
            disk['health'] = DEGRADED
    elif 'disks' in client['disks'] and client['disks'].get('missing'):
        disk['health'] = BROKEN
        add(finding(BROKEN, 'disk missing', 'it does not see %s (LUN %d)' % (image, number),
                    'Run the site playbook for this host; see its sessions (iscsicli SessionList)'))
    else:
        disk['health'] = UNKNOWN
    return disk


def _drift(site, record, client, broken, add):
    # What a gateway that is down keeps a host from having is no drift of the host's.
    away = [target_name(site['iqn_prefix'], name) for name in broken]
    lines = ['%s: %s' % (entry['object'], entry['action']) for part in ('sessions', 'disks')
             for entry in client[part].get('operations') or []]
    lines = [line for line in lines if not any(name in line for name in away)]
    record.update(drift=lines[:DRIFT_SHOWN], drift_more=max(0, len(lines) - DRIFT_SHOWN))
    if lines:
        add(finding(DEGRADED, 'drift', 'it differs from the declaration: the site playbook would make %s, such as "%s"' % (
            count(len(lines), 'change'), lines[0]), 'Look with "ansible-playbook cephgate.iscsi.site --check --diff", then run it'))
    if (client.get('seen') or {}).get('reboot_required'):
        add(finding(DEGRADED, 'reboot', 'a change waits for a reboot', 'Reboot it when it suits'))
