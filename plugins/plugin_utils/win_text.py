# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading iscsicli, sc and reg in any language of Windows: by names, addresses, numbers and places, never by words."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import canonical

# id: as LogoutTarget takes it; portals: [(address, port)] of its connections; connections: 0 while Windows tries to
# connect again; drives: numbers of its disks
Session = collections.namedtuple('Session', 'id target portals connections drives')
# portal: (address, port), ('*', 0) for any; initiator: the instance; flags: login flags
Persistent = collections.namedtuple('Persistent', 'target portal initiator flags')

NAME = re.compile(r'^(iqn|eui|naa)\.\S+$')
ID = re.compile(r'^(?:0x)?[0-9a-f]+-(?:0x)?[0-9a-f]+$', re.IGNORECASE)
HEX = re.compile(r'^0x[0-9a-f]+$', re.IGNORECASE)


class Unreadable(EnvironmentError):
    """An output was not understood. Guessing would end in a second session."""


def _fields(output):
    """(indentation, value) of every line of the form LABEL: VALUE."""
    for line in output.splitlines():
        if ':' in line:
            yield len(line) - len(line.lstrip()), line.partition(':')[2].strip()


def _total(output):
    """The number in the line that counts the entries; None without one.

    It is the first line with a number and no colon, after the banner with the version.
    """
    lines = [line for line in output.splitlines() if line.strip()]
    for line in lines[1:]:
        if ':' in line and not line.rstrip().endswith(':'):
            return None
        numbers = re.findall(r'\b\d+\b', line)
        if len(numbers) == 1:
            return int(numbers[0])
    return None


def _complete(what, found, output):
    total = _total(output)
    if total is not None and total != len(found):
        raise Unreadable('iscsicli counts %d %s, and %d were understood. Nothing was changed, because a guess could log in twice. Please '
                         'report this with the output of the command:\n%s' % (total, what, len(found), output))
    return found


def _portal(address, port):
    return ('*', 0) if address == '*' else (canonical(address), int(port))


def sessions(output):
    """Output of C(iscsicli SessionList)."""
    found = []
    for indent, value in _fields(output):
        if indent == 0 and ID.match(value):
            found.append(dict(id=value, target=None, ends=[], connections=0, drives=[]))
        elif not found:
            continue
        elif indent == 0 and NAME.match(value):
            # The last name of the header: the initiator's own comes before it.
            found[-1]['target'] = value
        elif indent == 0 and re.match(r'^\d+$', value):
            found[-1]['connections'] = int(value)
        elif re.match(r'^\S+/\d+$', value):
            address, dummy, port = value.rpartition('/')
            found[-1]['ends'].append(_portal(address, port))
        else:
            drive = re.search(r'PhysicalDrive(\d+)$', value)
            if drive:
                found[-1]['drives'].append(int(drive.group(1)))
    # Of a connection's two ends the target's is the second.
    return _complete('sessions', [Session(entry['id'], entry['target'], tuple(entry['ends'][1::2]), entry['connections'],
                                          tuple(entry['drives'])) for entry in found], output)


def persistent(output):
    """Output of C(iscsicli ListPersistentTargets)."""
    found = []
    for dummy, value in _fields(output):
        address = re.match(r'^(\S+)\s+(\d+)$', value)
        if NAME.match(value):
            found.append(dict(target=value, portal=None, initiator='*', hexes=[]))
        elif not found:
            continue
        elif address and found[-1]['portal'] is None:
            found[-1]['portal'] = _portal(*address.groups())
        elif value.upper().startswith('ROOT\\'):
            found[-1]['initiator'] = value
        elif HEX.match(value):
            found[-1]['hexes'].append(int(value, 16))
    # Security flags, what is specified, login flags.
    return _complete('persistent logins', [Persistent(
        entry['target'], entry['portal'] or ('*', 0), entry['initiator'],
        entry['hexes'][2] if len(entry['hexes']) > 2 else 0) for entry in found], output)


def target_portals(output):
    """Output of C(iscsicli ListTargetPortals): [(address, port)]."""
    found = [re.match(r'^(\S+)\s+(\d+)$', value) for dummy, value in _fields(output)]
    return _complete('target portals', [_portal(*match.groups()) for match in found if match], output)


def targets(output):
    """Output of C(iscsicli ListTargets): names of the targets that discovery brought."""
    return [line.strip() for line in output.splitlines() if NAME.match(line.strip())]


def node_name(output):
    """The initiator's name from the prompt of iscsicli; None when it is not there."""
    match = re.search(r'\[((?:iqn|eui|naa)\.[^\]\s]+)\]', output)
    return match.group(1) if match else None


def service_state(output):
    """4 is running, 1 stopped; None when not understood. The first line with a number and a word after it."""
    match = re.search(r'^\s*\w+\s*:\s*([1-7])\s+[A-Z_]+\s*$', output, re.MULTILINE)
    return int(match.group(1)) if match else None


def registry(output):
    """Values in the output of C(reg query): {key: {name: (type, data)}}; names in lower case.

    Numbers are ints, REG_MULTI_SZ lists.
    """
    found, key = collections.OrderedDict(), None
    for line in output.splitlines():
        if line.startswith('HKEY_'):
            key = found.setdefault(line.strip(), {})
            continue
        match = re.match(r'^ {4}(.+?) {4}(REG_\w+)(?: {4}(.*))?$', line.rstrip('\r'))
        if match and key is not None:
            name, kind, data = match.groups()
            data = data or ''
            if kind == 'REG_DWORD':
                data = int(data, 0)
            elif kind == 'REG_MULTI_SZ':
                data = [entry for entry in data.split('\\0') if entry.strip()]
            key[name.lower()] = (kind, data)
    return found


def values(output):
    """All values in the output of C(reg query) without their types: {name: data}."""
    return dict((name, data) for key in registry(output).values() for name, (dummy, data) in key.items())
