# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Initiator groups of a target: which initiators see which LUNs.

SCST looks at every live session again whenever a group's initiators change. A session whose entry goes falls back to
the target's default LUNs; if there are any, the host's /dev/sdX silently becomes another disk.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


# SCST's pattern characters; it takes ! for one wherever it stands.
PATTERN = re.compile('[*?!]')


def normalise(groups, thing, allow_ambiguous=False):
    wanted = []
    for item in names.mappings(groups, thing + ': groups'):
        name = names.group(item.get('name'), thing + ': group name')
        what = '%s: group %s' % (thing, name)
        group = dict(name=name, present=names.present(item, what), attributes={}, initiators=None)
        if group['present']:
            if item.get('initiators') is not None:
                group['initiators'] = [names.initiator(initiator, what + ': initiator')
                                       for initiator in names.listed(item['initiators'], what + ': initiators')]
            for attribute, value in names.mapping(item.get('attributes'), what + ': attributes').items():
                if value is not None:
                    attribute = values.attribute(attribute, what)
                    group['attributes'][attribute] = values.canonical(attribute, value, what)
        wanted.append(group)
    names.unique([(group['name'], 'an entry of the list') for group in wanted], thing + ': group')
    if not allow_ambiguous:
        _check_initiators([(initiator, group['name']) for group in wanted for initiator in group['initiators'] or ()], thing)
    return wanted


def _check_initiators(entries, thing):
    """Refuse entries of two groups, as (entry, group), that may be the same initiator: which group it gets would be open."""
    owners, patterns = {}, []
    for entry, group in entries:
        known = owners.setdefault(entry.lower(), (entry, group))  # SCST takes upper and lower case for the same
        if known[1] != group:
            raise Refused(AMBIGUOUS % (thing, entry, group, known[0], known[1]))
        if PATTERN.search(entry):
            patterns.append((entry, group))
    for pattern, group in patterns:
        for entry, other in entries:
            if other != group and may_be_one(pattern, entry):
                raise Refused(AMBIGUOUS % (thing, pattern, group, entry, other))


AMBIGUOUS = ('%s: initiator %s of group %s can be the same as %s of group %s, and which group it then gets is open. Make them different, '
             'or set allow_ambiguous_initiators.')


def may_be_one(one, other):
    """Whether there is an initiator that both entries match. May say yes too often when both are patterns and one has a C(!)."""
    one, other = one.lower(), other.lower()
    if not PATTERN.search(one):
        one, other = other, one
    if not PATTERN.search(one):
        return one == other
    if not PATTERN.search(other):
        if one.startswith('!'):
            return not _matches(one[1:], other)
        return _matches(one.split('!')[0] + '*' if '!' in one else one, other)
    one, other = [text.split('!')[0] + '*' if '!' in text else text for text in (one, other)]
    # Places (in one, in other) that the same beginning of a name leads to.
    seen, todo = set(), [(0, 0)]
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        here, there = one[place[0]:place[0] + 1], other[place[1]:place[1] + 1]
        if not here and not there:
            return True
        if here == '*':
            todo.append((place[0] + 1, place[1]))
        if there == '*':
            todo.append((place[0], place[1] + 1))
        if here and there and (here == there or here in '*?' or there in '*?'):
            todo.append((place[0] + (here != '*'), place[1] + (there != '*')))
    return False


def _matches(pattern, name):
    return re.match(re.escape(pattern).replace('\\*', '.*').replace('\\?', '.') + '$', name) is not None


def snapshot(sysfs, folder, wanted):
    """The groups of a target: members of all, because an initiator may be in one only; attributes as wanted."""
    groups = {}
    attributes = dict((group['name'], group['attributes']) for group in wanted)
    for name in read.names(sysfs, folder + '/ini_groups'):
        path = '%s/ini_groups/%s' % (folder, name)
        groups[name] = dict(
            initiators=members(sysfs, path),
            attributes=dict((attribute, read.value(sysfs, '%s/%s' % (path, attribute)))
                            for attribute in attributes.get(name, ())))
    return groups


def members(sysfs, path):
    """The initiators of the group whose folder is C(path). Raises Refused when SCST itself cannot list them."""
    try:
        return read.names(sysfs, path + '/initiators')
    except EnvironmentError as error:
        if error.errno != errno.EIO:
            raise
        raise Refused("%s/initiators cannot be read, as happens when a name with '/' was added to it. Write 'clear' to its mgmt file, "
                      'which takes all initiators out, and run again.' % path)


def may_disturb(wanted, found, exclusive, default_luns=()):
    """Whether the way from C(found) to C(wanted) may take something from a session, so that sessions must be read."""
    if default_luns and any(initiator not in found.get(group['name'], {}).get('initiators', ())
                            for group in wanted for initiator in group['initiators'] or ()):
        return True
    listed = dict((group['name'], group) for group in wanted if group['present'])
    if any(not group['present'] and group['name'] in found for group in wanted):
        return True
    home = dict((initiator, name) for name, group in listed.items() for initiator in group['initiators'] or ())
    for name, group in found.items():
        if name not in listed:
            if 'groups' in exclusive:
                return True
        elif 'initiators' in exclusive and listed[name]['initiators'] is not None \
                and not set(group['initiators']) <= set(listed[name]['initiators']):
            return True
        if any(home.get(initiator, name) != name for initiator in group['initiators']):
            return True
    return False


def matches(session, initiator):
    """Whether an entry of a group may be what let the session in: with SCST's wildcards, too often rather than too rarely."""
    entry = re.escape(initiator.lstrip('!')).replace('\\*', '.*').replace('\\?', '.')
    return initiator.startswith('!') or re.match('^%s(#.*)?(_[0-9]+)?$' % entry, session, re.I) is not None


class Plan(object):
    """The operations on the groups of one target.

    found:    as snapshot() returns it
    exclusive: 'groups' and/or 'initiators': what is not listed goes
    sessions: {session: group}, read only when something may be removed
    """

    def __init__(self, target, wanted, found, exclusive, sessions, default_luns, disrupt_sessions, allow_default_luns,
                 allow_ambiguous=False):
        self.target = target
        self.thing = 'target %s' % target
        self.folder = '%s/%s/ini_groups' % (read.DRIVER, target)
        self.wanted = [group for group in wanted if group['present']]
        self.found = found
        self.exclusive = exclusive
        self.sessions = sessions
        self.default_luns = default_luns
        self.disrupt_sessions = disrupt_sessions
        self.allow_default_luns = allow_default_luns
        self.allow_ambiguous = allow_ambiguous
        listed = set(group['name'] for group in self.wanted)
        self.going = sorted(set(found) - listed) if 'groups' in exclusive else sorted(
            group['name'] for group in wanted if not group['present'] and group['name'] in found)
        self.complete = set(group['name'] for group in self.wanted if group['initiators'] is not None
                            and 'initiators' in exclusive) | set(self.going)

    def operations(self):
        if self.wanted and self.default_luns and not self.allow_default_luns:
            raise Refused('%s: has LUNs in its default group (%s) while initiator groups are wanted: an initiator that is in '
                          'no group would see them. Move them into groups, or set allow_default_luns.' % (
                              self.thing, ', '.join(self.default_luns[:5])))
        operations = []
        for group in self.wanted:
            operations += self._make(group)
        operations += self._members()
        for name in self.going:
            operations += self._remove(name)
        return operations

    def _make(self, group):
        thing = '%s: group %s' % (self.thing, group['name'])
        operations, found = [], self.found.get(group['name'])
        if found is None:
            operations.append(read.write(thing, 'create', self.folder + '/mgmt', 'create ' + group['name']))
        for name, value in sorted(group['attributes'].items()):
            was = found['attributes'][name] if found else None
            if was is None and (found or name not in values.GROUP_ATTRIBUTES):
                raise Refused('%s: this SCST does not offer %s. Leave it out.' % (thing, name))
            if was != value:
                operations.append(read.set_attribute(thing, '%s/%s' % (self.folder, group['name']), name, value, was))
        return operations

    def _members(self):
        where = {}
        for name in sorted(self.found):
            for initiator in self.found[name]['initiators']:
                where.setdefault(initiator, []).append(name)
        wanted = set((group['name'], initiator) for group in self.wanted for initiator in group['initiators'] or ())
        operations, moved = [], set()
        for group in self.wanted:
            for initiator in group['initiators'] or ():
                now = where.get(initiator, [])
                others = [name for name in now if name != group['name'] and (name, initiator) not in wanted]
                if self.allow_ambiguous:
                    others = [name for name in others if name in self.complete]
                elif group['name'] not in now:
                    self._check_staying(group['name'], initiator)
                for name in others:
                    if name not in self.complete:
                        raise Refused("%s: initiator %s is wanted in group %s but is in group %s, and which of the two counts is "
                                      "open. Take it out of there first, declare that group's initiators complete, or set "
                                      "allow_ambiguous_initiators." % (self.thing, initiator, group['name'], name))
                    self._guard(name, initiator)
                    moved.add((name, initiator))
                if group['name'] not in now and others:
                    operations.append(self._command(others[0], 'move %s %s' % (initiator, group['name']),
                                                    'move initiator %s to group %s' % (initiator, group['name'])))
                    others = others[1:]
                elif group['name'] not in now:
                    self._guard_joining(group['name'], initiator)
                    operations.append(self._command(group['name'], 'add ' + initiator, 'add initiator ' + initiator))
                operations += [self._command(name, 'del ' + initiator, 'remove initiator ' + initiator) for name in others]
        for group in self.wanted:
            if group['name'] in self.complete and group['name'] in self.found:
                for initiator in self.found[group['name']]['initiators']:
                    if initiator not in group['initiators'] and (group['name'], initiator) not in moved:
                        self._guard(group['name'], initiator)
                        operations.append(self._command(group['name'], 'del ' + initiator, 'remove initiator ' + initiator))
        return operations

    def _check_staying(self, group, initiator):
        """A new entry must not match what an entry matches that stays in a group which is not declared complete."""
        for name in sorted(self.found):
            if name != group and name not in self.complete:
                for entry in self.found[name]['initiators']:
                    if entry != initiator and may_be_one(initiator, entry):
                        raise Refused(AMBIGUOUS % (self.thing, initiator, group, entry, name))

    def _remove(self, name):
        thing = '%s: group %s' % (self.thing, name)
        operations = []
        using = sorted(session for session, group in self.sessions.items() if group == name)
        if using:
            if not self.disrupt_sessions:
                raise Refused('%s: has live sessions (%s). Log them out, or set disrupt_sessions.' % (thing, ', '.join(using[:3])))
            self._guard_default(thing)
            # SCST refuses to remove a group with a session; without an entry the sessions have no LUN and no group.
            operations.append(read.write(thing, 'remove all initiators', '%s/%s/initiators/mgmt' % (self.folder, name), 'clear'))
        operations.append(read.write(thing, 'remove', self.folder + '/mgmt', 'del ' + name))
        return operations

    def _guard(self, name, initiator):
        """Refuse to take an initiator out of a group that it uses."""
        using = [session for session, group in self.sessions.items()
                 if group == name and matches(session, initiator)]
        if not using:
            return
        thing = '%s: group %s: initiator %s' % (self.thing, name, initiator)
        if not self.disrupt_sessions:
            raise Refused('%s: has a live session and would lose its LUNs. Log it out, or set disrupt_sessions.' % thing)
        self._guard_default(thing)

    def _guard_joining(self, group, initiator):
        """A session on the target's default LUNs moves to the group at once."""
        using = [session for session, now in self.sessions.items() if now is None and matches(session, initiator)]
        if using and self.default_luns and not self.disrupt_sessions:
            raise Refused("%s: group %s: initiator %s: has a live session on the target's default LUNs, which would become those of the "
                          'group under it. Log it out, or set disrupt_sessions.' % (self.thing, group, initiator))

    def _guard_default(self, thing):
        if self.default_luns:
            raise Refused("%s: has a live session, which would fall back to the target's default LUNs: other disks under the same "
                          "names. Remove the default LUNs first; there is no option to skip this." % thing)

    def _command(self, group, command, action):
        return read.write('%s: group %s' % (self.thing, group), action, '%s/%s/initiators/mgmt' % (self.folder, group), command)
