# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the declared targets to the steps that lead there. Pure: no file, no process, no network."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_ifaces import copied_settings, names_for
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import (
    format_portal, in_scope, parse_portal)
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import (
    AUTH, SECRET_NAMES, as_text, changes_text, check_names, check_setting, setting_text)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import chap_strange

# key: (target, canonical address, port, iface) of the record or session that the step is about
Step = collections.namedtuple('Step', 'key kind operation')

CHAP = dict(user='username', secret='password', mutual_user='username_in', mutual_secret='password_in')


def chap_settings(chap):
    """Settings for a C(chap) option {user, secret, mutual_user, mutual_secret}; None: not managed.

    Without a user CHAP is turned off. What is not given is removed from the record.
    """
    if chap is None:
        return {}
    strange = chap_strange(chap)
    if strange:
        raise Refused(strange)
    if bool(chap.get('user')) != bool(chap.get('secret')):
        raise Refused('chap: user and secret belong together, and only one of them is given. Give both, or neither '
                      'to log in without CHAP.')
    if bool(chap.get('mutual_user')) != bool(chap.get('mutual_secret')):
        raise Refused('chap: mutual_user and mutual_secret belong together, and only one of them is given. '
                      'Give both, or neither for one-way CHAP.')
    if chap.get('mutual_user') and not chap.get('user'):
        raise Refused('chap: mutual CHAP needs one-way CHAP too (RFC 7143, 12.1.3). Give user and secret.')
    if chap.get('mutual_secret') and chap['mutual_secret'] == chap['secret']:
        raise Refused('chap: secret and mutual_secret are the same, which lets anybody reflect an answer '
                      '(RFC 7143, 9.2.1, forbids it). Choose two.')
    found = {AUTH + 'authmethod': 'CHAP' if chap.get('user') else 'None'}
    for option, name in CHAP.items():
        found[AUTH + name] = setting_text('chap.' + option, chap[option]) if chap.get(option) else None
    return found


def secrets_of(chap):
    return [as_text(chap[name]) for name in ('secret', 'mutual_secret') if chap and chap.get(name)]


class Wanted(object):
    """One portal of one declared target."""

    def __init__(self, target, portal, iface, settings, secrets):
        self.target = target
        self.portal = portal
        self.iface = iface
        self.settings = settings
        self.secrets = secrets

    @property
    def key(self):
        return (self.target, self.portal.address, self.portal.port, self.iface)


def wanted_portals(targets, settings=None, chap=None, startup='automatic', ifaces=None, interfaces=()):
    """The declared targets as a list of Wanted. A portal's own settings and chap go before the common ones.

    ifaces:     names for portals in none of the networks of C(interfaces)
    interfaces: declared interfaces, see iscsiadm_ifaces
    """
    found, seen = [], set()
    bound = dict((interface['name'], copied_settings(interface)) for interface in interfaces
                 if interface.get('state') != 'absent')
    for target in targets:
        own = dict((settings or {}), **(target.get('settings') or {}))
        secret = sorted(set(own) & set(SECRET_NAMES))
        if secret:
            raise Refused('target %s: %s stands under settings, which are shown and logged. Give it under chap.' % (
                target['name'], ', '.join(secret)))
        for name in sorted(own):
            check_setting(name)
        login = target.get('chap') or chap
        values = dict((name, setting_text(name, value)) for name, value in own.items())
        values.update({'node.startup': startup, 'node.conn[0].startup': startup})
        values.update(chap_settings(login))
        for text in target.get('portals') or []:
            portal = parse_portal(text)
            for iface in names_for(portal.address, interfaces, ifaces or ['default']):
                item = Wanted(target['name'], portal, iface, dict(values, **bound.get(iface, {})), secrets_of(login))
                if item.key in seen:
                    raise Refused('target %s: portal %s is listed twice. Remove one of them.' % (target['name'], text))
                seen.add(item.key)
                found.append(item)
    return found


def _thing(key):
    iface = '' if key[3] == 'default' else ' (interface %s)' % key[3]
    return 'target %s, portal %s%s' % (key[0], format_portal(key[1], key[2]), iface)


def _describe(changes, current):
    words = []
    for name in sorted(changes):
        if changes[name] is None:
            words.append('remove %s' % name)
        elif name in current and 'password' not in name:
            words.append('%s = %s (was %s)' % (name, changes[name], current[name]))
        else:
            words.append('%s = %s' % (name, changes[name]))
    return ', '.join(words)


def plan_present(tool, wanted, records, sessions):
    """Steps that create, complete and log in to what is declared.

    records:  {key: (Record, settings)}
    sessions: {key: Session}
    """
    steps = []
    bound = set(item.key[:3] for item in wanted if item.iface != 'default')
    for item in wanted:
        record, current = records.get(item.key, (None, {}))
        address = record.address if record else item.portal.address
        portal = format_portal(address, item.portal.port)
        settings, secrets, lost = item.settings, list(item.secrets), {}
        if record and record.tag is None and item.key[:3] in bound:
            # The layout without a tag has room for one interface: a second one replaces the file.
            lost, record, current = _kept(current), None, {}
            settings = dict(lost, **settings)
            secrets += [lost[name] for name in SECRET_NAMES if lost.get(name)]
        if record is None:
            # An interface other than the default one has a place only in the layout with a tag;
            # 1 is what SCST, and nearly every other target, uses.
            tag = item.portal.tag if item.portal.tag is not None else 1 if item.key[:3] in bound else None
            steps.append(Step(item.key, 'create', Operation(
                _thing(item.key), 'create the node record' + (' anew, with room for another interface' if lost else ''), 'run',
                tool.node(item.target, portal + ('' if tag is None else ',%d' % tag), '-o', 'new', iface=item.iface))))
        changes = dict((name, value) for name, value in settings.items() if current.get(name) != value)
        if record:
            check_names(record, current, changes)
        if changes:
            told = dict((name, value) for name, value in changes.items() if lost.get(name) != value)
            carried = '%d settings of the record before it' % (len(changes) - len(told)) if lost else ''
            steps.append(Step(item.key, 'settings', Operation(
                _thing(item.key), 'set ' + ' and '.join(filter(None, [_describe(told, current), carried])), 'record',
                [item.target, portal, item.iface], data=changes_text(changes), secrets=secrets)))
        if item.key not in sessions:
            steps.append(Step(item.key, 'login', Operation(
                _thing(item.key), 'log in', 'run',
                tool.node(item.target, portal, '--login', iface=item.iface))))
    return steps


def _kept(settings):
    """What goes into a record that replaces another one: all but what iscsiadm itself writes into it."""
    return dict((name, value) for name, value in settings.items() if not name.startswith(
        ('node.name', 'node.tpgt', 'iface.', 'node.discovery', 'node.conn[0].address', 'node.conn[0].port')))


def unwanted(declared, records, sessions, exclusive):
    """Keys of records and sessions within the scope that are not declared, sorted.

    declared: keys of what is wanted.
    """
    return sorted(key for key in set(records) | set(sessions)
                  if key not in declared and in_scope(key[0], exclusive))


def absent(targets, records, sessions, ifaces=None):
    """Keys of records and sessions of the listed targets; all their portals when none are listed."""
    found = set()
    for target in targets:
        portals = set((portal.address, portal.port) for portal in map(parse_portal, target.get('portals') or []))
        for key in set(records) | set(sessions):
            if key[0] == target['name'] and (not portals or key[1:3] in portals):
                if not ifaces or key[3] in ifaces:
                    found.add(key)
    return sorted(found)


def plan_absent(tool, keys, records, sessions, maps_to_flush):
    """Steps that flush multipath maps which would have no path left, log out, and delete records.

    maps_to_flush: [(map name, argv)], already known to be unused (see disk_guard)
    """
    steps = [Step(None, 'flush', Operation('multipath map %s' % name, 'flush: its last paths go', 'run', argv))
             for name, argv in maps_to_flush]
    for key in keys:
        record = records[key][0] if key in records else None
        session = sessions.get(key)
        if session:
            # By number: a session may have no record any more.
            steps.append(Step(key, 'logout', Operation(
                _thing(key), 'log out', 'run',
                [tool.command, '-m', 'session', '-r', '%d' % session.sid, '--logout'])))
        if record:
            steps.append(Step(key, 'delete', Operation(
                _thing(key), 'delete the node record', 'run',
                tool.node(record.target, record.portal, '-o', 'delete', iface=record.iface))))
    return steps


def by_key(items):
    return dict((item.key, item) for item in items)
