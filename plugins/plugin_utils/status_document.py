# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status report as one document, from the declaration and what was gathered. docs/status.md describes it.

Pure: plain data in, plain data out. The table, the page and the JSON file all come from this document.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import problems as site_problems
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_gateways, status_hosts
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import (
    BROKEN, DEGRADED, HEALTHY, ORDER, UNKNOWN, count, finding, some, worst)

VERSION = 1
# What stops I/O comes before what only may.
KINDS = ('declaration', 'image', 'host', 'gateway')


def build(facts):
    """The document.

    facts: C(site) {iqn_prefix, luns, hosts, gateways: {name: {number, portals}}}; C(gateways) {name: {seen, planned}};
           C(linux), C(windows) {name: {host, initiator_name, seen, sessions, disks}}; C(now), seconds since 1970
    """
    site = facts['site']
    seen = dict((name, entry.get('seen')) for name, entry in facts['gateways'].items())
    planned = dict((name, entry.get('planned') or {}) for name, entry in facts['gateways'].items())
    people = status_hosts.everyone(site, facts['linux'], facts['windows'])
    links = status_hosts.all_links(site, people, seen)
    served = status_gateways.views(site, seen)
    gateways = status_gateways.gateways(site, seen, planned, status_hosts.used(links), served)
    images = status_gateways.images(site, seen, gateways, served)
    unserved = [record['image'] for record in images if record['health'] == BROKEN]
    broken = status_gateways.out_of_service(gateways)
    sizes = dict((record['image'], record['size']) for record in images if record['size'])
    hosts = status_hosts.hosts(site, people, links, broken, sizes, unserved)
    declaration = [finding(BROKEN, 'declaration %d' % number, text, 'Correct it; the site playbook refuses to run until then')
                   for number, text in enumerate(site_problems(site['luns'], site['hosts'], site['gateways'], site['iqn_prefix']))]
    health = _site_health(gateways, images, hosts, declaration)
    problems = _problems(gateways, images, hosts, declaration)
    working = len([one for one in gateways if one['health'] in (HEALTHY, DEGRADED) and not one['drained']])
    summary = dict(gateways=dict(_tally(gateways), in_service=working), images=_tally(images), hosts=_tally(hosts), disks=_disks(hosts),
                   paths=dict(all=sum(host['paths'] for host in hosts), working=sum(host['working'] for host in hosts)),
                   links=_links(hosts))
    return dict(
        schema=VERSION, site=site['iqn_prefix'], health=health, headline=_headline(health, problems, summary, hosts), summary=summary,
        time=time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(facts['now'])), problems=problems,
        gateways=gateways, images=images, hosts=hosts)


def _tally(records):
    found = dict((health, 0) for health in ORDER)
    for record in records:
        found[record['health']] += 1
    return dict(found, all=len(records))


def _disks(hosts):
    return _tally([disk for host in hosts for disk in host['disks']])


def _links(hosts):
    states = [link['state'] for host in hosts if host['disks'] for link in host['links']]
    return dict(all=len(states), up=states.count('up'), down=states.count('down'))


def _site_health(gateways, images, hosts, declaration):
    """What the site is for decides: it is broken when a disk is; a gateway that is down only makes it degraded."""
    if any(record['health'] == BROKEN for record in images + hosts):
        return BROKEN
    found = [record['health'] for record in gateways + images + hosts] + [entry['health'] for entry in declaration]
    if BROKEN in found or DEGRADED in found:
        return DEGRADED
    # Nobody was asked, or all that could be told of is well.
    return HEALTHY if HEALTHY in found else UNKNOWN


def _headline(health, problems, summary, hosts):
    if health == BROKEN:
        parts = []
        if summary['images'][BROKEN]:
            parts.append('%s served by no gateway' % count(summary['images'][BROKEN], 'image is', 'images are'))
        losers = [host['name'] for host in hosts if any(disk['health'] == BROKEN for disk in host['disks'])]
        if losers:
            parts.append('%s lost %s' % (some(losers, 2) + (' has' if len(losers) == 1 else ' have'), count(summary['disks'][BROKEN], 'disk')))
        others = [host['name'] for host in hosts if host['health'] == BROKEN and host['name'] not in losers]
        if others:
            parts.append('%s %s not work' % (some(others, 2), 'does' if len(others) == 1 else 'do'))
        return '%s.' % '; '.join(parts)
    if health == DEGRADED:
        down = sorted(set(name for entry in problems if entry['kind'] == 'gateway' and entry['health'] == BROKEN for name in entry['objects']))
        if down:
            return '%s %s out of service.%s' % (some(down), 'is' if len(down) == 1 else 'are', _still(summary))
        drained = [name for entry in problems if entry['what'] == 'drained' for name in entry['objects']]
        if drained:
            return '%s %s drained.%s' % (some(drained), 'is' if len(drained) == 1 else 'are', _still(summary))
        if summary['links']['down'] or summary['paths']['working'] < summary['paths']['all']:
            return 'Some paths do not work.' + _still(summary)
        return ('There is one thing to look at.' if len(problems) == 1 else 'There are %d things to look at.' % len(problems)) + _still(summary)
    if health == UNKNOWN:
        return 'Nobody was asked.'
    unknown = summary['gateways'][UNKNOWN] + summary['hosts'][UNKNOWN]
    return 'Everything works%s.' % (', as far as was asked' if unknown else '')


def _still(summary):
    if summary['disks'][UNKNOWN] == summary['disks']['all']:
        return ''
    return ' Every disk works%s.' % (' that is known of' if summary['disks'][UNKNOWN] else '')


def _problems(gateways, images, hosts, declaration):
    """Findings told once for all objects that have them, worst first; what a broken gateway explains is told with that gateway."""
    groups, order = {}, []
    for kind, records, key in (('declaration', [dict(name='declaration', findings=declaration)], 'name'), ('host', hosts, 'name'),
                               ('image', images, 'image'), ('gateway', gateways, 'name')):
        for record in records:
            for entry in record['findings']:
                if entry['cause'] is None:
                    place = kind, entry['health'], entry['what']
                    if place not in groups:
                        groups[place] = dict(kind=kind, health=entry['health'], what=entry['what'], objects=[], reasons=[], remedy=entry['remedy'],
                                             affects=dict(images=[], hosts=[]))
                        order.append(place)
                    group = groups[place]
                    if record[key] not in group['objects']:
                        group['objects'].append(record[key])
                    group['reasons'].append(dict(object=record[key], reason=entry['reason']))
    # Several gateways may be broken for different reasons; each explains what its own name is the cause of.
    for kind, records, key in (('hosts', hosts, 'name'), ('images', images, 'image')):
        for record in records:
            for cause in sorted(set(entry['cause'] for entry in record['findings'] if entry['cause'])):
                for place in order:
                    if place[0] == 'gateway' and (place[1] == BROKEN or place[2] in status_gateways.EXPLAINING) and cause in groups[place]['objects'] and \
                            record[key] not in groups[place]['affects'][kind]:
                        groups[place]['affects'][kind].append(record[key])
    found = [groups[place] for place in order]
    # Image findings with a cause that is no broken gateway of its own cannot vanish.
    told = set(name for group in found if group['kind'] == 'gateway' for name in group['objects'])
    for kind, records, key in (('image', images, 'image'), ('host', hosts, 'name')):
        loose = [(record[key], entry) for record in records for entry in record['findings'] if entry['cause'] and entry['cause'] not in told]
        if loose:
            found.append(dict(kind=kind, health=worst(entry['health'] for dummy, entry in loose), what=loose[0][1]['what'],
                              objects=sorted(set(name for name, dummy in loose)), remedy=loose[0][1]['remedy'],
                              reasons=[dict(object=name, reason=entry['reason']) for name, entry in loose], affects=dict(images=[], hosts=[])))
    return sorted(found, key=lambda group: (ORDER.index(group['health']), KINDS.index(group['kind']), -len(group['objects'])))


def fails(document, fail_on):
    """Whether the play is to fail: C(fail_on) is broken, degraded or never."""
    return document['health'] in {'broken': (BROKEN,), 'degraded': (BROKEN, DEGRADED), 'never': ()}[fail_on]
