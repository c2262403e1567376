# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mpclaim [3]: the small one of 2008, and the full one since 2008 R2."""
import re

from .features import install

KEY, VALUE = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\MPDEV', 'MPIOSupportedDeviceList'
POLICIES = {1: 'FOO', 2: 'RR', 4: 'LQD', 6: 'LB'}
DASHES = '-' * 79


def mpclaim(host, argv, stdin):
    words = [word.lower() for word in argv]
    full = host.personality.mpclaim_full
    if len(words) == 4 and words[0] in ('-n', '-r') and words[1] in ('-i', '-u') and words[2] == '-d':
        host.wrote('mpclaim', *argv)
        claim(host, argv[3], words[1] == '-i')
        if words[0] == '-r':
            host.shutdown_at = host.clock()
        # On 2008 the exit code says nothing.
        return (0 if full else 1), ''
    if full and words[:2] == ['-s', '-t']:
        return 0, policies(host)
    if full and words[:2] == ['-l', '-t'] and len(words) == 4:
        host.wrote('mpclaim', *argv)
        policy = int(words[3])
        # -t refuses 3 and 5.
        if policy and policy not in POLICIES:
            return 87, host.say('Invalid switch specified.') + '\n'
        host.policies.pop(argv[2], None)
        if policy:
            host.policies[argv[2]] = policy
        return 0, ''
    if full and words[:2] == ['-s', '-d']:
        return disk(host, words[2]) if len(words) > 2 else disks(host)
    return 87, host.say('Invalid switch specified.') + '\n'


def claim(host, hardware_id, add):
    install(host)
    claims = [one for one in host.registry.get(KEY, VALUE) or [] if one.strip()]
    if add and hardware_id.lower() not in [one.lower() for one in claims]:
        claims.append(hardware_id)
    if not add:
        claims = [one for one in claims if one.lower() != hardware_id.lower()]
    host.registry.set(KEY, VALUE, 'REG_MULTI_SZ', claims)


def policies(host):
    if not host.policies:
        return host.say('No target-level default load balance policies have been set.') + '\n'
    return '"Target H/W Identifier   "   LB Policy\n%s\n' % DASHES + ''.join(
        '"%-24s"   %s\n' % (name, POLICIES[policy]) for name, policy in host.policies.items())


def multipath_disks(host):
    return [(number, lun, sessions) for number, (lun, sessions, multipath) in sorted(host.iscsi.drives().items()) if multipath]


def disks(host):
    rows = ['MPIO Disk%d   Disk %d       %-12s Microsoft DSM' % (index, number, POLICIES.get(host.policies.get(host.hardware_id), 'RRWS'))
            for index, (number, lun, sessions) in enumerate(multipath_disks(host))]
    return 0, "\nFor more information about a particular disk, use 'mpclaim -s -d #' where # is the MPIO disk number.\n\n" \
              'MPIO Disk    System Disk  LB Policy    DSM Name\n%s\n%s\n' % (DASHES, '\n'.join(rows))


def disk(host, index):
    found = multipath_disks(host)
    if not re.match(r'^\d+$', index) or int(index) >= len(found):
        return 1168, host.say('Element not found.') + '\n'
    number, lun, sessions = found[int(index)]
    rows = ''.join('    %016x Active/Optimized   004|000|%03d|001   0\n' % (0x77040000 + path, path) for path, dummy in enumerate(sessions))
    return 0, '\nMPIO Disk%s: %02d Paths, Round Robin with Subset, Implicit Only\n    Controlling DSM: Microsoft DSM\n    SN: %s\n' \
              '    Supported Load Balance Policies: FOO RR RRWS LQD WP LB\n\n    Path ID          State              SCSI Address      Weight\n' \
              '    %s\n%s' % (index, len(sessions), lun.get('naa', lun['serial']).upper(), DASHES[:75], rows)
