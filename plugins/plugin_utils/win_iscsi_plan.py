# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the declared targets and what a Windows host shows to the steps between them. Pure: no host is asked here."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import check_prefix, format_portal, in_scope, parse_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_chap

# Windows forgets to reconnect at boot on Server 2008 when a login does not name the instance.
INSTANCE = 'ROOT\\ISCSIPRT\\0000_0'
MULTIPATH = 0x2
MARKS = 'HKLM\\SOFTWARE\\cephgate\\iscsi'

# What the host shows. running: whether MSiSCSI runs (lists are empty when not); start: its start type, 2 is automatic;
# name: of the initiator or None; portals: [(address, port)]; targets: names that discovery brought; marks: {name: text}
Snapshot = collections.namedtuple('Snapshot', 'running start name portals targets persistent sessions marks')

# key: (target, address, port) that the step is about, or None; kind: login, persistent, …
Step = collections.namedtuple('Step', 'key kind operation')


class Desired(object):
    """targets: [{name, portals}]; chap: of win_chap.check, None: not managed; exclusive: prefixes of target names"""

    def __init__(self, targets, chap=None, exclusive=(), initiator_name=None, absent=False):
        self.chap = win_chap.check(chap)
        self.exclusive = list(exclusive)
        self.initiator_name = initiator_name
        self.absent = absent
        self.targets = targets
        self.keys = []
        for prefix in self.exclusive:
            check_prefix(prefix, 'exclusive')
        for target in targets:
            portals = [parse_portal(text) for text in target.get('portals') or []]
            if not portals and not absent:
                raise Refused('target %s has no portals, so there is nowhere to log in. List its addresses.' % target['name'])
            for portal in portals:
                key = (target['name'], portal.address, portal.port)
                if key in self.keys:
                    raise Refused('target %s: portal %s is listed twice. Remove one of them.' % (
                        target['name'], format_portal(portal.address, portal.port)))
                self.keys.append(key)
        self.secrets = win_chap.secrets_of(self.chap)


def mark_name(key):
    return ('%s|%s' % (key[0], format_portal(key[1], key[2]))).lower()


def thing(key):
    if key[1] == '*':
        return 'target %s, any portal' % key[0]
    return 'target %s, portal %s' % (key[0], format_portal(key[1], key[2]))


def login_argv(verb, key, chap):
    """The 18 words of LoginTarget and PersistentLoginTarget; with any other number iscsicli prints its usage and exits with 0."""
    user = [chap['user'], chap['secret']] if chap else ['*', '*']
    return (['iscsicli.exe', verb, key[0], 'T', key[1], '%d' % key[2], INSTANCE, '*', '*', '0x%x' % MULTIPATH]
            + ['*'] * 5 + user + [win_chap.auth_type(chap) if chap else '*', '*', '0'])


def _run(key, kind, what, action, argv, secrets=()):
    return Step(key, kind, Operation(what, action, 'run', argv, secrets=secrets))


def service_steps(snapshot):
    steps = []
    if snapshot.start != 2:
        steps.append(_run(None, 'service', 'service MSiSCSI', 'start at boot', ['sc.exe', 'config', 'msiscsi', 'start=', 'auto']))
    if not snapshot.running:
        steps.append(_run(None, 'service', 'service MSiSCSI', 'start', ['sc.exe', 'start', 'msiscsi']))
    return steps


def host_steps(snapshot, desired):
    """The initiator's name and its own secret, which the target must prove to know (mutual CHAP)."""
    steps = []
    if desired.initiator_name and desired.initiator_name != snapshot.name:
        steps.append(_run(None, 'name', 'initiator', 'name %s' % desired.initiator_name,
                          ['iscsicli.exe', 'NodeName', desired.initiator_name]))
    secret = (desired.chap or {}).get('mutual_secret')
    if secret and not win_chap.is_mark_of(snapshot.marks.get('initiator'), [secret]):
        steps.append(_run(None, 'secret', 'initiator', 'set the secret for mutual CHAP', ['iscsicli.exe', 'CHAPSecret', secret],
                          desired.secrets))
        steps.append(_mark(None, 'initiator', [secret], desired.secrets))
    return steps


def _mark(key, name, words, secrets):
    return _run(key, 'mark', thing(key) if key else 'initiator', 'note that the CHAP secret was set', [
        'reg.exe', 'add', MARKS, '/v', name, '/t', 'REG_SZ', '/d', win_chap.mark(words), '/f'], secrets)


def present_steps(snapshot, desired):
    steps, refreshed = [], set()
    credentials = [desired.chap.get('user', ''), desired.chap.get('secret', ''), desired.chap.get('mutual_secret', '')] if desired.chap else None
    for key in desired.keys:
        portal = (key[1], key[2])
        entries = [entry for entry in snapshot.persistent if (entry.target,) + entry.portal == key]
        sessions = connected(snapshot, key)
        # A session that works is left alone; the new secret holds from its next login on.
        stale = credentials is not None and not win_chap.is_mark_of(snapshot.marks.get(mark_name(key)), credentials)
        if portal not in snapshot.portals and portal not in refreshed:
            steps.append(_run(key, 'portal', thing(key), 'discover targets', ['iscsicli.exe', 'AddTargetPortal', key[1], '%d' % key[2]]))
            refreshed.add(portal)
        elif not sessions and key[0] not in snapshot.targets and portal not in refreshed:
            steps.append(_run(key, 'refresh', thing(key), 'discover targets again', [
                'iscsicli.exe', 'RefreshTargetPortal', key[1], '%d' % key[2]]))
            refreshed.add(portal)
        if not sessions:
            steps.append(_run(key, 'login', thing(key), 'log in', login_argv('LoginTarget', key, desired.chap), desired.secrets))
        good = [entry for entry in entries if entry.flags & MULTIPATH]
        replace = bool(entries) and (stale or len(entries) != 1 or not good)
        if replace:
            steps += [_forget(key, entry) for entry in entries]
        if replace or not entries:
            steps.append(_run(key, 'persistent', thing(key), 'log in at every boot', login_argv('PersistentLoginTarget', key, desired.chap),
                              desired.secrets))
        if stale:
            steps.append(_mark(key, mark_name(key), credentials, desired.secrets))
        steps += [_run(key, 'extra', thing(key), 'log out session %s: there is another one' % session.id,
                       ['iscsicli.exe', 'LogoutTarget', session.id]) for session in sessions[1:]]
    return steps + _broken(snapshot, desired)


def connected(snapshot, key):
    return [session for session in snapshot.sessions if session.target == key[0] and key[1:] in session.portals]


def _broken(snapshot, desired):
    """Sessions of declared targets that lost their connection, where others take their place.

    Such a session does not say to which portal it belonged. Windows goes on trying, so it is only logged out after all
    portals of its target have a session (see win_iscsi_run).
    """
    names = [target['name'] for target in desired.targets]
    return [_run((session.target, None, None), 'broken', 'target %s' % session.target, 'log out session %s, which has lost its connection'
                 % session.id, ['iscsicli.exe', 'LogoutTarget', session.id])
            for session in snapshot.sessions if session.target in names and not session.portals]


def _forget(key, entry):
    address, port = ('*', '*') if entry.portal[0] == '*' else (entry.portal[0], '%d' % entry.portal[1])
    return _run(key, 'forget', thing(key), 'do not log in at boot any more', [
        'iscsicli.exe', 'RemovePersistentTarget', entry.initiator, entry.target, '*', address, port])


def going(snapshot, desired):
    """(target, address, port) of logins and sessions that have to go, sorted."""
    found = set((entry.target,) + entry.portal for entry in snapshot.persistent)
    found |= set((session.target,) + portal for session in snapshot.sessions for portal in session.portals or [(None, None)])
    if desired.absent:
        names = [target['name'] for target in desired.targets]
        whole = [target['name'] for target in desired.targets if not target.get('portals')]
        return _ordered(key for key in found if key[0] in names and (key[0] in whole or key in desired.keys))
    declared = [target['name'] for target in desired.targets]
    return _ordered(key for key in found if in_scope(key[0], desired.exclusive) and key not in desired.keys
                    and not (key[1] is None and key[0] in declared))


def _ordered(keys):
    return sorted(keys, key=lambda key: (key[0], str(key[1]), key[2] or 0))


def absent_steps(snapshot, desired):
    """The portal goes first: that it is ours is only known from the logins through it."""
    steps, keys, portals = [], going(snapshot, desired), set()
    staying = set(key[1:] for key in desired.keys) if not desired.absent else set()
    staying |= set(entry.portal for entry in snapshot.persistent if (entry.target,) + entry.portal not in keys)
    staying |= set(portal for session in snapshot.sessions for portal in session.portals if (session.target,) + portal not in keys)
    for key in keys:
        portal = key[1:]
        if portal in snapshot.portals and portal not in staying and portal not in portals:
            portals.add(portal)
            steps.append(_run(key, 'portal', thing(key), 'do not discover targets any more', [
                'iscsicli.exe', 'RemoveTargetPortal', key[1], '%d' % key[2]]))
        steps += [_forget(key, entry) for entry in snapshot.persistent if (entry.target,) + entry.portal == key]
        for session in snapshot.sessions:
            if session.target == key[0] and (key[1:] in session.portals or (key[1] is None and not session.portals)):
                steps.append(_run(key, 'logout', 'target %s' % key[0] if key[1] is None else thing(key), 'log out',
                                  ['iscsicli.exe', 'LogoutTarget', session.id]))
    # Marks of logins that are gone, this time or by hand.
    left = set(mark_name((entry.target,) + entry.portal) for entry in snapshot.persistent
               if (entry.target,) + entry.portal not in keys and entry.portal[0] != '*')
    left |= set(mark_name(key) for key in (desired.keys if not desired.absent else []))
    scope = desired.exclusive or [target['name'] for target in desired.targets if desired.absent]
    for name in sorted(snapshot.marks):
        target = name.partition('|')[0]
        if '|' in name and name not in left and (in_scope(target, scope) or target in scope):
            steps.append(_run(None, 'unmark', 'target %s' % target, 'forget the note of its CHAP secret', [
                'reg.exe', 'delete', MARKS, '/v', name, '/f']))
    return steps


def steps(snapshot, desired):
    """All steps, in order. With the service stopped the lists of the host are not known and taken for empty."""
    if desired.absent:
        return absent_steps(snapshot, desired)
    return (service_steps(snapshot) + host_steps(snapshot, desired) + present_steps(snapshot, desired)
            + absent_steps(snapshot, desired))
