# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the drawing shows: a node for each object, or for many that do alike; and the lines between them.

A drawing of 32 gateways and 1000 images would be black with lines. Where there are more than fit, only those that are not
well get a node of their own, as many as fit, and the others share one for each state.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


from ansible_collections.cephgate.iscsi.plugins.plugin_utils.status_health import BROKEN, DEGRADED, HEALTHY, ORDER, count, own

# How many nodes a column has at most before it is summarised, and how many single ones it then still has.
FULL = dict(images=8, gateways=6, hosts=10)
SINGLE = 4

OK, PART, BAD, OPEN = 'ok', 'part', 'bad', 'open'


class Node(object):
    """records: of the document; alone: whether it is one object drawn as such; domain: what is left out at the end of its name"""

    def __init__(self, kind, records, alone, domain=''):
        self.domain = domain
        self.kind = kind
        self.records = records
        self.alone = alone
        self.health = min((record['health'] for record in records), key=ORDER.index)

    @property
    def label(self):
        if self.alone:
            name = self.records[0]['image' if self.kind == 'images' else 'name']
            return name[:-len(self.domain)] if self.domain and name.endswith(self.domain) else name
        return count(len(self.records), self.kind[:-1])

    @property
    def name(self):
        """The label for where there is little room: without an image's pool, or just how many."""
        return self.label.rsplit('/', 1)[-1] if self.alone else '%d' % len(self.records)

    @property
    def short(self):
        """The detail without its noun."""
        words = self.detail.split(' ')
        return ' '.join(words[:3]) if words[1:2] == ['of'] else self.detail

    @property
    def detail(self):
        if not self.alone:
            return {HEALTHY: 'all healthy'}.get(self.health, self.health)
        record = self.records[0]
        if self.kind == 'images':
            return '%d of %d gateways' % (len(record['serving']), len(record['gateways']))
        if self.kind == 'gateways':
            return 'not asked' if not record['asked'] else 'no answer' if not record['reachable'] else \
                '%d of %d images' % (record['serves'] or 0, record['images'])
        if record['paths']:
            return '%d of %d paths' % (record['working'], record['paths'])
        return 'no LUNs' if not record['disks'] else '%d of %d sessions' % (
            len([link for link in record['links'] if link['state'] == 'up']), len(record['links']))

    @property
    def ports(self):
        """Portals of a gateway, as its links name them; a group has one port for all."""
        return self.records[0]['portals'] if self.kind == 'gateways' and self.alone else []


def domain(names):
    """The domain that several names have in common; it would leave no room for what they differ in."""
    parts = set(name.partition('.')[2] for name in names)
    return '.' + parts.pop() if len(names) > 1 and len(parts) == 1 and '' not in parts else ''


def column(kind, records):
    common = '' if kind == 'images' else domain([record['name'] for record in records])
    if len(records) <= FULL[kind]:
        return [Node(kind, [record], True, common) for record in records]
    nodes = []
    for health in ORDER:
        alike = [record for record in records if record['health'] == health]
        # Those that only share in the trouble of a gateway are not worth a node each.
        single = [record for record in alike if own(record)]
        if health not in (BROKEN, DEGRADED) or len(single) > SINGLE:
            single = []
        nodes += [Node(kind, [record], True, common) for record in single]
        rest = [record for record in alike if record not in single] if single else alike
        if rest:
            nodes.append(Node(kind, rest, False))
    return nodes


def nodes(document):
    return [column(kind, document[kind]) for kind in ('images', 'gateways', 'hosts')]


def _merged(states):
    """One state for many lines that are drawn as one, or None for none."""
    known = [state for state in states if state != OPEN]
    if not states:
        return None
    if not known:
        return OPEN
    if all(state == OK for state in known):
        return OK
    return BAD if all(state == BAD for state in known) else PART


def exports(image, gateway):
    """(state, whether it is a preferred one) of the line between a node of images and one of gateways."""
    states = [{True: OK, False: BAD, None: OPEN}[record['gateways'][other['name']]['served']]
              # A gateway that does not answer and that nobody reaches serves nothing.
              if record['gateways'][other['name']]['served'] is not None or other['health'] != BROKEN else BAD
              for record in image.records for other in gateway.records]
    return _merged(states), any(_first(record, other) for record in image.records for other in gateway.records)


def _first(image, gateway):
    """Whether this gateway is the one whose path to the image comes first: who has it, in the mode fenced; else its preferred one."""
    return image['gateways'][gateway['name']]['alua'] == 'active' if gateway['agent'] else image['gateway'] == gateway['name']


def _link_state(link):
    if link['state'] == 'unknown':
        return OPEN
    if link['state'] == 'down' or link['paths'] and not link['working']:
        return BAD
    return OK if link['working'] == link['paths'] else PART


def sessions(gateway, number, host):
    """State of the line from a port (by its place) of a node of gateways to a node of hosts; None where no line is to be."""
    names = set(record['name'] for record in gateway.records)
    states = []
    for record in host.records:
        if record['disks']:
            mine = [link for link in record['links'] if link['gateway'] in names]
            states += [_link_state(link) for link in (mine if not gateway.ports else _at(mine, gateway.ports[number]))]
    return _merged(states)


def _at(links, text):
    """Links to the portal that is declared as C(text). Links have the port, which a declaration may leave out."""
    return [link for link in links if link['portal'] in (text, '%s:3260' % text, '[%s]:3260' % text.strip('[]'))]
