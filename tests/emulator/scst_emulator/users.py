# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP users and allowed portals of a target, or of the driver (discovery)."""
import errno
import re

from .text import C_BLANKS, fail, lexem
from .tree import Attr

SECRET_MIN = 12       # characters; RFC 3720 asks for 96 bits
DIRECTIONS = {'incominguser': 'IncomingUser', 'outgoinguser': 'OutgoingUser'}


class Entry:
    """A user (key, value = name, secret) or a portal (key = pattern)."""
    __slots__ = ('key', 'value', 'file')

    def __init__(self, key, value):
        self.key = key
        self.value = value
        self.file = None


class Lists:
    """The daemon's lists; publish and the directory arguments are the kernel's files."""

    def __init__(self):
        self.users = {'IncomingUser': [], 'OutgoingUser': []}
        self.portals = []
        self.changed = lambda: None      # told after every change

    @staticmethod
    def direction(word):
        """IncomingUser, OutgoingUser or None; digits may follow the name."""
        return DIRECTIONS.get(re.sub('[0-9]*$', '', word).lower())

    def _all(self):
        return self.users['IncomingUser'] + self.users['OutgoingUser'] + self.portals

    @staticmethod
    def _append(entries, template, key, value):
        if any(entry.key == key for entry in entries):
            fail(errno.EINVAL)
        entry = Entry(key, value)
        taken = {other.file for other in entries}
        number = 0
        entry.file = template
        while entry.file in taken:
            number += 1
            entry.file = template + str(number)
        entries.append(entry)
        return entry

    def publish(self, directory):
        for entry in self._all():
            self._add_file(directory, entry, entry not in self.portals)

    def _add_file(self, directory, entry, user):
        directory.put_file(entry.file, USER if user else PORTAL, (self, entry.file))

    def find(self, file):
        return next((entry for entry in self._all() if entry.file == file), None)

    def add_user(self, direction, template, name, secret, directory):
        if not name or len(secret) < SECRET_MIN:
            fail(errno.EINVAL)
        entries = self.users[direction]
        if direction == 'OutgoingUser' and entries:
            # Only one is supported: the daemon drops the old one but not its file, so that
            # adding the new one's file fails and nobody is left.
            del entries[0]
        entry = self._append(entries, template, name, secret)
        if directory is not None:
            try:
                self._add_file(directory, entry, True)
            except OSError:
                entries.remove(entry)
                raise

    def add(self, kind, text, directory, with_portals):
        direction = self.direction(kind)
        key, rest = lexem(text, C_BLANKS)
        value, _rest = lexem(rest, C_BLANKS)
        if direction:
            self.add_user(direction, kind, key, value, directory)
        elif self._is_portal(kind) and with_portals and key and not value:
            entry = self._append(self.portals, 'allowed_portal', key, None)
            self._add_file(directory, entry, False)
        else:
            fail(errno.EINVAL)
        self.changed()

    @staticmethod
    def _is_portal(kind):
        return re.fullmatch('allowed_portal[0-9]*', kind, re.IGNORECASE)

    def delete(self, kind, text, directory, with_portals):
        direction = self.direction(kind)
        key, _rest = lexem(text, C_BLANKS)
        if direction:
            entries, missing = self.users[direction], errno.ENOENT
        elif self._is_portal(kind) and with_portals:
            entries, missing = self.portals, errno.EINVAL
        else:
            fail(errno.EINVAL)
        entry = next((e for e in entries if e.key == key), None) or fail(missing)
        directory.remove(entry.file)
        entries.remove(entry)
        self.changed()

    def replace(self, file, text):
        key, rest = lexem(text, C_BLANKS)
        value, _rest = lexem(rest, C_BLANKS)
        entry = self.find(file) or fail(errno.EINVAL)
        for entries in list(self.users.values()) + [self.portals]:
            if entry in entries and any(e.key == key and e is not entry for e in entries):
                fail(errno.EEXIST)
        entry.key = key
        entry.value = value or None
        self.changed()


def _show(owner):
    lists, file = owner
    entry = lists.find(file) or fail(errno.EINVAL)
    if entry in lists.portals:
        return '%s\n[key]\n\n' % entry.key
    return '%s %s\n[key]\n\n' % (entry.key, '(null)' if entry.value is None else entry.value)


def _store(owner, text):
    lists, file = owner
    lists.replace(file, text)


USER = Attr(0o600, _show, _store)
PORTAL = Attr(0o644, _show, _store)
