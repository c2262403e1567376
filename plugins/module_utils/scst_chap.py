# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP users and portals: the attributes of a target, or of the driver, that come in numbered files.

SCST shows the first as C(IncomingUser), further ones as C(IncomingUser1) and so on, and does not close gaps.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused


class Owner(object):
    """Whose attributes they are: a target's or, for discovery, the driver's."""

    def __init__(self, target=None):
        self.thing = 'target %s' % target if target else 'iSCSI driver'
        self.folder = '%s/%s' % (read.DRIVER, target) if target else read.DRIVER
        self._command = '%s_target_attribute ' + target if target else '%s_attribute'

    def operation(self, verb, attribute, words, action, secrets=()):
        command = ' '.join([self._command % verb, attribute] + words)
        return Operation(self.thing, action, 'write', read.DRIVER + '/mgmt', command, secrets)


def normalise_users(users, what):
    """The user's list as [{name, secret, present}]."""
    result = []
    for item in names.mappings(users, what):
        name = names.user(item.get('name'), what)
        present = names.present(item, '%s %s' % (what, name))
        secret = names.secret(item.get('secret'), '%s %s: secret' % (what, name)) if present else None
        result.append(dict(name=name, secret=secret, present=present))
    names.unique([(user['name'], 'an entry of the list') for user in result], what)
    return result


def normalise_outgoing(user, what):
    users = normalise_users([user] if user else [], what)
    return users[0] if users else None


def files(sysfs, folder, listing, attribute):
    """The values of a numbered attribute as {file: value}; a value that SCST cannot show any more is None."""
    found = {}
    for name in listing:
        if re.match('^%s[0-9]*$' % attribute, name):
            try:
                found[name] = read.value(sysfs, '%s/%s' % (folder, name))
            except EnvironmentError as error:
                if error.errno != errno.EINVAL:
                    raise
                found[name] = None
    return found


def plan_incoming(owner, wanted, found, exclusive):
    """Users are added and changed before any is removed: with no user left a target asks nobody for a password."""
    known = {}
    for name in sorted(found):
        user, _blank, secret = (found[name] or '').partition(' ')
        known[user] = (name, secret)
    changes, removals = [], []
    for user in wanted:
        if user['present'] and user['name'] not in known:
            changes.append(owner.operation('add', 'IncomingUser', [user['name'], user['secret']],
                                           'add incoming user %s' % user['name'], [user['secret']]))
        elif user['present'] and known[user['name']][1] != user['secret']:
            name, secret = known[user['name']]
            changes.append(Operation(owner.thing, 'change the secret of incoming user %s' % user['name'], 'write',
                                     '%s/%s' % (owner.folder, name), '%s %s' % (user['name'], user['secret']),
                                     [user['secret'], secret]))
    stay = set(user['name'] for user in wanted if user['present'])
    go = set(known) - stay if exclusive else set(user['name'] for user in wanted if not user['present']) & set(known)
    for name in sorted(go):
        removals.append(owner.operation('del', 'IncomingUser', [name], 'remove incoming user %s' % name))
    return changes + removals


def plan_outgoing(owner, wanted, found, exclusive):
    """The one outgoing user. A second add destroys the first half-way, so the old one goes first."""
    if wanted is None and not exclusive:
        return []
    if None in found.values():
        raise Refused('%s: its OutgoingUser is half destroyed (SCST does that when a second one is added) and can be neither '
                      'read nor removed. Remove the target and let it be made again.' % owner.thing)
    operations = []
    present = wanted is not None and wanted['present']
    text = '%s %s' % (wanted['name'], wanted['secret']) if present else None
    if text is not None and text in found.values():
        return []
    for value in found.values():
        name = value.partition(' ')[0]
        if present or wanted is None or name == wanted['name']:
            operations.append(owner.operation('del', 'OutgoingUser', [name], 'remove outgoing user %s' % name))
    if present:
        operations.append(owner.operation('add', 'OutgoingUser', [wanted['name'], wanted['secret']],
                                          'add outgoing user %s' % wanted['name'], [wanted['secret']]))
    return operations


def plan_portals(owner, wanted, found, exclusive):
    """Portals are added before any is removed: a target without allowed_portal answers on every address.

    Texts are compared, as iscsi-scstd does: an address that other hands wrote in another form never matches.
    """
    known = set(value for value in found.values() if value)
    operations = [owner.operation('add', 'allowed_portal', [portal], 'allow portal %s' % portal)
                  for portal in wanted if portal not in known]
    if exclusive:
        operations += [owner.operation('del', 'allowed_portal', [portal], 'no longer allow portal %s' % portal)
                       for portal in sorted(known) if portal not in wanted]
    return operations
