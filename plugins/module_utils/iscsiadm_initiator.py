# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's initiator name: who else depends on it, and whether it is another host's.

Every target of the host knows it by this one name, those of other arrays too, unless a record has
an interface with a name of its own.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import check_prefix, in_scope
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import iscsi_name_problem

FILE = '/etc/iscsi/initiatorname.iscsi'

# Before its first start Debian's package leaves "GenerateName=yes" there (iscsi-name makes the name then).
_NAME = re.compile(r'^\s*InitiatorName\s*=\s*(\S+)\s*$')
_GENERATE = re.compile(r'^\s*GenerateName\s*=')


def current_name(text):
    """None when there is no file or no name in it."""
    names = [match.group(1) for match in map(_NAME.match, (text or '').split('\n')) if match]
    return names[0] if names else None


def with_name(text, name):
    """The text with this name; comments and everything else stay."""
    lines, found = [], False
    for line in (text or '').split('\n'):
        if _GENERATE.match(line):
            continue
        if _NAME.match(line):
            if not found:
                lines.append('InitiatorName=%s' % name)
            found = True
            continue
        lines.append(line)
    if not found:
        place = len(lines) - 1 if lines and not lines[-1] else len(lines)
        lines.insert(place, 'InitiatorName=%s' % name)
    return '\n'.join(lines) if lines[-1] == '' else '\n'.join(lines) + '\n'


def depending(own, records, sessions):
    """Names of other people's targets that know this host by its name, sorted.

    own: prefixes of target names of the site
    """
    bound = set(record.key for record, settings in records if settings.get('iface.initiatorname'))
    keys = [record.key for record, dummy in records] + [session.key for session in sessions]
    return sorted(set(key[0] for key in keys if key not in bound and not in_scope(key[0], own)))


def stale(name, own, sessions, records):
    """Sessions of the site that are logged in under another name than C(name)."""
    bound = set(record.key for record, settings in records if settings.get('iface.initiatorname'))
    return [session for session in sessions if in_scope(session.target, own) and session.key not in bound
            and session.initiator not in ('', '(null)', name)]


def plan(name, text, own, others, replace, records, sessions):
    """Operations that give the host its name; Refused when that would harm somebody.

    others: {initiator name: host} of the site's other clients
    """
    problem = iscsi_name_problem(name)
    if problem:
        raise Refused('initiator name "%s" is not a valid iSCSI name: %s (RFC 7143, 4.2.7). Correct it.' % (name, problem))
    if name in others:
        raise Refused('initiator name %s is the one of %s, too: targets would take both hosts for one, and both would write to the same disks. '
                      'Give each a name of its own.' % (name, others[name]))
    for prefix in own:
        check_prefix(prefix, 'targets')
    for session in stale(name, own, sessions, records):
        if session.initiator in others:
            raise Refused('this host is logged in to %s as %s, which is the name of %s: it is probably a copy of that host, and '
                          'both write to the same disks. End what uses the disks here and log out ("iscsiadm -m session -r %d '
                          '--logout"), then run again.' % (session.target, session.initiator, others[session.initiator],
                                                           session.sid))
    current = current_name(text)
    if current == name:
        return []
    foreign = depending(own, records, sessions)
    if current and foreign and not replace:
        raise Refused('the initiator name of this host is %s, and %s know(s) it by that. With the name %s they would refuse it at '
                      'its next login. Declare %s for this host instead, or give the site\'s targets an interface with an '
                      'initiator_name of its own, or let those arrays know the new name first and then allow it to be replaced.'
                      % (current, ', '.join(foreign), name, current))
    return [Operation('initiator name', 'set to %s (was %s)' % (name, current or 'not set'), 'file', FILE,
                      data=with_name(text, name))]
