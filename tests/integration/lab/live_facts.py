# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an initiator saw, drawn from the output of a scenario's shell step.

The same function reads what was printed when the recordings were made (tests/recordings/scst-3.10/initiator.json holds what
it found) and what a replay prints. Names that the kernel hands out (sda, host numbers), times and speeds are left out.

    live_facts.py RECORDING...     print initiator.json for recordings that still have the output of their shell steps
"""
import json
import pathlib
import re
import sys

PATH = re.compile(r'\bip-127\.0\.0\.1:3260-iscsi-(\S+?)-lun-(\d+)(?: -> \.\./\.\./(\w+))?$')
LSBLK = re.compile(r'^(sd[a-z]+)\s+[\d:]+\s+disk\s+(.*)\biscsi$')
# One line of the output, and the words that say the same.
LINES = [(re.compile(pattern), words) for pattern, words in (
    (r'^\s*SCCS=.*\b(TPGS=\d)', 'INQUIRY: {0}'),
    (r'^ ?Vendor identification: (.*)', 'INQUIRY: vendor {0}'),
    (r'^ ?Product identification: (.*)', 'INQUIRY: product {0}'),
    (r'^ ?Product revision level: (.*)', 'INQUIRY: revision {0}'),
    (r'^\s*Unit serial number: (.*)', 'serial number {0}'),
    (r'^\s+vendor specific: (.*)', 'designator T10: {0}'),
    (r'^\s+Relative target port: (.*)', 'designator relative target port {0}'),
    (r'^\s+Target port group: (.*)', 'designator target port group {0}'),
    (r'^\s+Maximum compare and write length: (.*)', 'block limits: compare and write {0}'),
    (r'^\s+Maximum unmap LBA count: (.*)', 'block limits: unmap {0}'),
    (r'^(\d+)\+\d+ records out', 'dd: {0} blocks'),
    (r'Sense key: (.*)', 'sense key {0}'),
    (r'^Additional sense: (.*)', 'sense {0}'),
    (r'^(\d{4,13})$', 'size {0}'),
    (r'^\s*iSCSI Connection State: LOGGED IN', 'connection up'),
    (r'^\s*iSCSI Connection State: ', 'connection down'),
    (r'^127\.0\.0\.1:3260,\d+ (\S+)', 'discovered {0}'),
    (r'^(?:lun (\d+): )?([0-9a-f]{17,33})$', 'WWID {0} {1}'),
    (r'^lun (\d+): ([0-9A-Z][0-9A-Za-z_]{8,})$', 'WWID {0} {1}'),
    (r'^E: (ID_SERIAL=.*)', 'udev {0}'),
    (r'^iscsiadm: (No records found)', '{0}'),
)]


def facts(text):
    """The facts of one step's output, sorted."""
    found, disks, paths, designator, group = [], {}, {}, '', ''
    for line in text.split('\n'):
        line = line.rstrip()
        path, disk = PATH.search(line), LSBLK.match(line)
        if path:
            where = '%s LUN %s' % (path.group(1).rpartition(':')[2], path.group(2))
            found.append('disk at ' + where)
            if path.group(3):
                paths[path.group(3)] = where
            continue
        if disk:
            disks[disk.group(1)] = ' '.join(disk.group(2).split())
            continue
        kind = re.match(r'^\s+designator type: ([^,]+),', line)
        if kind:
            designator = kind.group(1)
        elif re.match(r'^\s+0x[0-9a-f]{8,}$', line):
            found.append('designator %s: %s' % (designator, line.strip()))
        started = re.match(r'^\s+target port group id : (0x\w+) , (Pref=\d)', line)
        if started:
            group = 'RTPG: group %s %s' % started.groups()
        elif group and 'asymmetric access state' in line:
            found.append('%s %s' % (group, line.rpartition('(')[2].rstrip(')')))
        elif group and re.match(r'^\s+0x\w{1,4}$', line):
            found.append('%s port %s' % (group.rsplit(' ', 1)[0], line.strip()))
        for pattern, words in LINES:
            match = pattern.search(line)
            if match:
                found.append(' '.join(words.format(*[(part or '').strip() for part in match.groups()]).split()))
                break
    found += ['lsblk: %s: %s' % (paths[name], text) for name, text in disks.items() if name in paths]
    return sorted(found)


def main(names):
    result = {}
    for name in names:
        recording = json.loads(pathlib.Path(name).read_text())
        result[recording['scenario']] = {operation['i']: facts(operation['out']) for operation in recording['ops'] if operation['op']['op'] == 'sh'}
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == '__main__':
    main(sys.argv[1:])
