# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""open-iscsi's node records: what the initiator logs in to, now and at boot.

A record is a file of "name = value" lines. It lies in one of two places
(usr/idbm.c of open-iscsi 2.0.874 to 2.1.9):

    nodes/TARGET/ADDRESS,PORT              made without a portal group tag
    nodes/TARGET/ADDRESS,PORT,TAG/IFACE    made with one, or by discovery

Settings are changed here and not by "iscsiadm -o update", for two reasons: CHAP secrets would be
arguments of a process, which every user of the host can read; and all changes of a record
become visible at once.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import lasting
from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import listdir
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import canonical, format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

NODES = '/etc/iscsi/nodes'

AUTH = 'node.session.auth.'
SECRET_NAMES = (AUTH + 'password', AUTH + 'password_in')

# Texts that are empty by default; iscsiadm leaves out of a record what is empty.
MAY_BE_MISSING = frozenset([
    AUTH + 'username', AUTH + 'password', AUTH + 'username_in', AUTH + 'password_in', AUTH + 'chap_algs',
    'iface.hwaddress', 'iface.ipaddress', 'iface.net_ifacename', 'iface.initiatorname',
    'node.conn[0].iscsi.OFMarker', 'node.conn[0].tcp.congestion_control',
])

# Settings that have an option of their own, and those that say which record it is: other values there would make it another's.
_ELSEWHERE = (
    (r'node\.(name|tpgt)\Z|node\.discovery_|node\.conn\[[0-9]+\]\.(address|port)\Z', 'name and portals of the target say'),
    (r'iface\.(iscsi_ifacename|transport_name|net_ifacename|hwaddress|initiatorname)\Z', 'interfaces and ifaces say'),
    (r'node\.(conn\[[0-9]+\]\.)?startup\Z', 'startup says'),
    (r'node\.session\.auth\.(authmethod|username|username_in)\Z', 'chap says'),
)
_NUMBER = re.compile(r'-?[0-9]+\Z')

_LINE = re.compile(r'^(\s*)([^\s=#]+)(\s*=\s*)(.*?)(\s*)$')


def settings_of(text):
    """{name: value} of a record's text; the last of two lines with one name counts, as in iscsiadm."""
    found = {}
    for line in text.split('\n'):
        match = _LINE.match(line)
        if match and match.group(4):
            found[match.group(2)] = match.group(4)
    return found


def edit(text, changes):
    """The text with changes {name: value, or None for "remove"} and otherwise byte for byte the same."""
    lines = text.split('\n')
    current = settings_of(text)
    for name in sorted(changes):
        value = changes[name]
        if current.get(name) == value:
            continue
        places = [index for index, line in enumerate(lines)
                  if _LINE.match(line) and _LINE.match(line).group(2) == name]
        if value is None:
            for index in reversed(places):
                del lines[index]
        elif places:
            match = _LINE.match(lines[places[-1]])
            lines[places[-1]] = '%s%s%s%s' % (match.group(1), name, match.group(3).rstrip(' ') + ' ', value)
        else:
            lines.insert(_place_for(lines, name), '%s = %s' % (name, value))
    return '\n'.join(lines)


def _place_for(lines, name):
    """Where a new line goes: after the last one of the nearest family, else before the end mark."""
    family = name
    while '.' in family:
        family = family.rpartition('.')[0]
        places = [index for index, line in enumerate(lines)
                  if _LINE.match(line) and _LINE.match(line).group(2).startswith(family + '.')]
        if places:
            return places[-1] + 1
    ends = [index for index, line in enumerate(lines) if line.startswith('# END RECORD')]
    return ends[-1] if ends else len(lines) - (1 if lines and not lines[-1] else 0)


def check_setting(name):
    """Refused for what is no name of a setting, and for one that is said elsewhere."""
    if not re.match(r'[^\s=#]+\Z', name):
        raise Refused('setting "%s" is no name of a setting: those are words such as node.session.queue_depth. Correct it.' % name)
    for pattern, option in _ELSEWHERE:
        if re.match(pattern, name):
            raise Refused('setting %s: that is what %s, and two that differ could not both hold. Take it out of settings.' % (name, option))


def as_text(value):
    """Text of an option: on Python 2 Ansible hands over bytes."""
    return value.decode('utf-8') if isinstance(value, bytes) else u'%s' % value


def setting_text(name, value):
    """A value as a record holds it. Raises Refused for what a record cannot hold.

    iscsiadm strips blanks around a value and cuts it at 255 bytes.
    """
    if isinstance(value, bool):
        return 'Yes' if value else 'No'
    if value is None or isinstance(value, (dict, list)):
        raise Refused('setting %s: its value is %s, and a node record holds texts and numbers alone. Give one, or take the setting out.' % (
            name, 'missing' if value is None else 'a list or a dictionary'))
    text = as_text(value)
    if len(text.splitlines()) != 1 or text != text.strip() or len(text.encode('utf-8')) > 255:
        raise Refused('setting %s: its value is empty, begins or ends with a blank, has several lines or is longer '
                      'than 255 bytes, which a node record cannot hold. Choose another value.' % name)
    return text


def read(path):
    """Text of a file of open-iscsi's. Raises Refused for one that holds other bytes: writing it anew would change them."""
    try:
        with io.open(path, encoding='utf-8') as handle:
            return handle.read()
    except UnicodeDecodeError as error:
        raise Refused('%s: the byte at %d is not UTF-8, so it cannot be read as text. Correct or remove the file.' % (path, error.start))


def changes_text(changes):
    """Changes as lines for an operation: C(name = value), and C(name =) for one that is removed."""
    return ''.join('%s = %s\n' % (name, changes[name] if changes[name] is not None else '')
                   for name in sorted(changes))


def changes_of(text):
    """The other way round."""
    pairs = (line.partition(' = ') for line in text.split('\n') if line)
    return dict((name, value or None) for name, dummy, value in pairs)


def put(path, text, beside):
    """Replace a file of the database, readable by root only; beside: folder for the new text until then."""
    lasting.write(path, text, 0o600, beside)


class Record(object):
    """One record. address: as the record spells it, which iscsiadm compares byte by byte."""

    def __init__(self, target, address, port, tag, iface, path):
        self.target = target
        self.address = address
        self.port = port
        self.tag = tag
        self.iface = iface
        self.path = path

    @property
    def key(self):
        return (self.target, canonical(self.address), self.port, self.iface)

    @property
    def portal(self):
        return format_portal(self.address, self.port)

    def text(self):
        return read(self.path)

    def settings(self):
        return settings_of(self.text())


class Records(object):
    """The node database."""

    def __init__(self, nodes=NODES):
        self.nodes = nodes

    def all(self):
        found = []
        for target in listdir(self.nodes):
            for entry in listdir(self.nodes, target):
                found.extend(self._below(target, entry))
        return found

    def _below(self, target, entry):
        parts = entry.split(',')
        if len(parts) not in (2, 3) or not parts[1].isdigit():
            return []
        path = os.path.join(self.nodes, target, entry)
        address, port = parts[0], int(parts[1])
        tag = int(parts[2]) if len(parts) == 3 and parts[2].isdigit() else None
        if os.path.isdir(path):
            return [Record(target, address, port, tag, iface, os.path.join(path, iface))
                    for iface in listdir(path)]
        # The layout without a tag has room for one interface, which only the text names.
        record = Record(target, address, port, tag, 'default', path)
        record.iface = record.settings().get('iface.iscsi_ifacename', 'default')
        return [record]

    def find(self, key):
        """The record for (target, canonical address, port, iface), or None.

        Of several, with and without a tag, the one without: iscsiadm looks for it first.
        """
        found = [record for record in self.all() if record.key == key]
        return sorted(found, key=lambda record: record.tag is not None)[0] if found else None

    def update(self, key, changes):
        """Write changes {name: value or None} into a record, atomically and readable by root only.

        The new text is made beside the database: iscsiadm takes every file within a portal's
        folder for an interface.
        """
        record = self.find(key)
        if record is None:
            raise Refused('target %s, portal %s: iscsiadm said that it made the record, but there is none below %s.'
                          % (key[0], format_portal(key[1], key[2]), self.nodes))
        text = record.text()
        check_names(record, settings_of(text), changes)
        put(record.path, edit(text, changes), os.path.dirname(self.nodes.rstrip('/')))


def check_names(record, current, changes):
    """Refuse names that the installed open-iscsi does not know, which it would ignore without a word, and values of another kind."""
    for name in sorted(changes):
        if name not in current and name not in MAY_BE_MISSING and changes[name] is not None:
            raise Refused('setting %s: the record of target %s, portal %s, has no such setting, so the installed '
                          'open-iscsi does not know it. Correct its name ("iscsiadm -m node -o show" lists all).'
                          % (name, record.target, record.portal))
        # iscsiadm takes the digits that it finds for a number: with none of them a timeout would be 0, which is never.
        old, new = current.get(name), changes[name]
        if name in MAY_BE_MISSING or old is None or new is None:
            continue
        for kind, fits in (('a whole number', _NUMBER.match), ('Yes or No', ('Yes', 'No').__contains__)):
            if fits(old) and not fits(new):
                raise Refused('setting %s: "%s" is not %s, and the record of target %s, portal %s, has %s there. Correct it.' % (
                    name, new, kind, record.target, record.portal, old))
        # -1 is "for ever" there, and nothing elsewhere.
        if new.startswith('-') and not old.startswith('-') and _NUMBER.match(new) and name != 'node.session.timeo.replacement_timeout':
            raise Refused('setting %s: %s is negative, which it cannot be (target %s, portal %s). Give 0 or more.' % (
                name, new, record.target, record.portal))
