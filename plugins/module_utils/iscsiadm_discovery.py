# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SendTargets discovery (RFC 7143, appendix C): asking a portal which targets there are, and where.

The credentials of discovery CHAP stand in a file that only root can read,
send_targets/ADDRESS,PORT/st_config, and not in arguments. The answer is only listed
("-o nonpersistent"): with any other operation iscsiadm would at once make records for every
target and portal of the answer, those of other networks too, and delete others.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm import NO_OBJECTS
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import (
    format_portal, in_networks, in_scope, parse_portal)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import chap_settings, secrets_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import (
    changes_text, edit, put, read, settings_of)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused

PLACE = '/etc/iscsi/send_targets'
AUTH = 'discovery.sendtargets.auth.'

# "10.0.0.1:3260,1 iqn.2026-11.com.example:gw1", one for each target and portal (idbm_print_node_flat).
_ANSWER = re.compile(r'^(\[[^\]]+\]|[^\s:]+):(\d+),(-?\d+) (\S+)$')


class DiscoveryRecords(object):

    def __init__(self, place=PLACE):
        self.place = place

    def path(self, portal):
        return os.path.join(self.place, '%s,%d' % (portal.address, portal.port), 'st_config')

    def text(self, portal):
        """None when there is no record for this portal."""
        if not os.path.isfile(self.path(portal)):
            return None
        return read(self.path(portal))

    def update(self, portal, changes):
        text = self.text(portal)
        if text is None:
            raise Refused('discovery at %s: iscsiadm said that it made the record, but there is none below %s.'
                          % (format_portal(portal.address, portal.port), self.place))
        put(self.path(portal), edit(text, changes), os.path.dirname(self.place.rstrip('/')))


def auth_changes(chap, current):
    """What must change in a discovery record for a C(chap) option; None: nothing is managed."""
    wanted = dict((AUTH + name.rpartition('.')[2], value) for name, value in chap_settings(chap).items())
    return dict((name, value) for name, value in wanted.items() if current.get(name) != value)


def _words(changes):
    return ', '.join('remove %s' % name if changes[name] is None
                     else name if 'password' in name else '%s = %s' % (name, changes[name]) for name in sorted(changes))


class Discovery(object):
    """The discovery of one run.

    tool: Iscsiadm; records: DiscoveryRecords; options: {portals, chap, targets, networks}
    """

    def __init__(self, tool, records, options, check_mode):
        self.tool = tool
        self.records = records
        self.options = options
        self.check_mode = check_mode
        self.portals = [parse_portal(text) for text in options.get('portals') or []]
        self.chap = options.get('chap')
        in_networks('127.0.0.1', options.get('networks') or [])
        auth_changes(self.chap, {})
        self.operations = []
        self.done = []
        self.failed = []
        self.unknown = []

    def argv(self, portal, *words):
        return [self.tool.command, '-m', 'discoverydb', '-t', 'st', '-p',
                format_portal(portal.address, portal.port)] + list(words)

    def plan(self, portal):
        """Operations that make a portal's record as declared."""
        thing = 'discovery at %s' % format_portal(portal.address, portal.port)
        text = self.records.text(portal)
        changes = auth_changes(self.chap, settings_of(text or ''))
        if text is None and changes == {AUTH + 'authmethod': 'None'}:
            changes = {}
        steps = []
        if text is None:
            steps.append(('create', Operation(thing, 'create the discovery record', 'run', self.argv(portal, '-o', 'new')), None))
        if changes:
            steps.append(('settings', Operation(thing, 'set ' + _words(changes), 'record', self.records.path(portal),
                                                data=changes_text(changes), secrets=secrets_of(self.chap)), changes))
        return steps

    def ask(self):
        """[(target, Portal)] that the portals told of, each once. A portal that fails stops no other one."""
        found = []
        for portal in self.portals:
            steps = self.plan(portal)
            try:
                for kind, operation, changes in steps:
                    self.operations.append(operation)
                    self.done.append(False)
                    if not self.check_mode:
                        if kind == 'create':
                            self.tool.call(operation.target)
                        else:
                            self.records.update(portal, changes)
                        self.done[-1] = True
                # With another record than the declared one the question would be another.
                if steps and self.check_mode:
                    self.unknown.append(format_portal(portal.address, portal.port))
                    continue
                self.tool.probe(portal.address, portal.port)
                out = self.tool.call(self.argv(portal, '--discover', '-o', 'nonpersistent'), accept=(NO_OBJECTS,))
                if not out.strip():
                    raise Refused('it answers, but tells of no target: does it know this initiator (compare '
                                  '/etc/iscsi/initiatorname.iscsi with the access list on the gateway)?')
            except (Refused, EnvironmentError) as error:
                self.failed.append(dict(portal=format_portal(portal.address, portal.port), reason=str(error)))
                continue
            found.extend(pair for pair in self.answers(out) if pair not in found)
        return found

    def answers(self, out):
        for line in out.splitlines():
            match = _ANSWER.match(line.strip())
            if not match:
                continue
            address, port, tag, target = match.groups()
            try:
                portal = parse_portal('%s:%s' % (address, port))
            except Refused:
                # A target may name itself by a host name (RFC 7143, appendix C); sessions are known by addresses.
                continue
            if self.options.get('targets') and not in_scope(target, self.options['targets']):
                continue
            if self.options.get('networks') and not in_networks(portal.address, self.options['networks']):
                continue
            yield target, portal._replace(tag=int(tag) if int(tag) > 0 else None)

    def forget(self):
        """Operations that delete the records of the portals (C(state=absent))."""
        for portal in self.portals:
            if self.records.text(portal) is None:
                continue
            operation = Operation('discovery at %s' % format_portal(portal.address, portal.port),
                                  'delete the discovery record', 'run', self.argv(portal, '-o', 'delete'))
            self.operations.append(operation)
            self.done.append(False)
            if not self.check_mode:
                self.tool.call(operation.target)
                self.done[-1] = True


def merged(targets, found):
    """The declared targets with what was discovered added: portals of declared ones, and other targets."""
    result = [dict(target, portals=list(target.get('portals') or [])) for target in targets]
    known = dict((target['name'], target) for target in result)
    for name, portal in found:
        if name not in known:
            known[name] = dict(name=name, portals=[], settings={}, chap=None)
            result.append(known[name])
        if (portal.address, portal.port) not in [parse_portal(text)[:2] for text in known[name]['portals']]:
            known[name]['portals'].append(format_portal(portal.address, portal.port)
                                          + (',%d' % portal.tag if portal.tag else ''))
    return result
