# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks [6]: wmic and what Get-CimInstance says, and diskpart."""
import datetime
import re

LOCAL = dict(index=0, model='VMware Virtual disk SCSI Disk Device', partitions=2, serial='', size=64 << 30)


def medium(host, serial):
    """What is on a LUN, and how this host takes it. The SAN policy of Enterprise keeps new shared disks offline."""
    return host.disks.setdefault(serial, dict(online=False, readonly=True, gpt=False, partitions=0, filesystem=None, label='', letter=''))


def drives(host):
    host.iscsi.refresh()
    found = [dict(LOCAL)]
    for number, (lun, sessions, multipath) in sorted(host.iscsi.drives().items()):
        disk = medium(host, lun['serial'])
        found.append(dict(index=number, model='CEPHGATE RBD %s Disk Device' % ('Multi-Path' if multipath else 'SCSI'), serial=lun['serial'],
                          partitions=disk['partitions'], size=lun['size']))
    return found


def wmic(host, argv, stdin):
    assert stdin is not None, 'over WinRM wmic waits for an input for ever'
    words = ' '.join(argv).lower()
    if words.startswith('os get lastbootuptime'):
        return 0, lines(['', 'LastBootUpTime=' + host.boot_time(), ''])
    if words.startswith('diskdrive get') and words.endswith('/value'):
        return 0, lines(row for drive in drives(host) for row in ['', ''] + rows(drive))
    raise AssertionError('wmic %s is not emulated' % ' '.join(argv))


def lines(rows_):
    # Its lines end in CR CR LF.
    return ''.join(row + '\r\n' for row in rows_)


def rows(drive):
    return ['Index=%d' % drive['index'], 'Model=' + drive['model'], 'Partitions=%d' % drive['partitions'],
            'SerialNumber=' + drive['serial'], 'Size=%d' % drive['size']]


def cim_drives(host, match):
    return '\n'.join(row for drive in drives(host) for row in rows(drive))


def universal(host):
    from .host import EPOCH
    return (EPOCH + datetime.timedelta(seconds=host.booted_at)).strftime('%Y%m%d%H%M%S')


def write_script(host, match):
    host.script = [word[1:-1] for word in re.findall(r"'[^']*'", match.group(1))]
    return ''


def list_disk(host):
    found = '\n  %s\n  --------  -------------  -------  -------  ---  ---\n' % host.say('Disk ###  Status         Size     Free     Dyn  Gpt')
    for drive in drives(host):
        online = drive['index'] == 0 or medium(host, drive['serial'])['online']
        found += '  %s    %-13s  %4d GB  %4d GB\n' % (
            host.say('Disk %d') % drive['index'], host.say('Online' if online else 'Offline'), drive['size'] >> 30, 0)
    return found + '\n'


def diskpart(host, argv, stdin):
    """Stops at the first error unless noerr; syntax errors always stop it."""
    assert argv[0].lower() == '/s' and argv[1] == '%TEMP%\\cephgate.txt', argv
    script, host.script = host.script, None
    if [line for line in script if line not in ('list disk', 'rescan')]:
        host.wrote('diskpart', *script)
    # Runs that follow each other too closely fail.
    if host.last_diskpart is not None and host.clock() - host.last_diskpart < host.diskpart_gap:
        return 0x80042811, ''
    host.last_diskpart = host.clock()
    out, selected = '\nMicrosoft DiskPart version %s\n' % host.personality.current_version, None
    for line in script:
        if not line.strip():
            return 1, out + 'blank line\n'
        words = line.lower().split()
        tolerant = words[-1] == 'noerr'
        text, fine = one(host, line, words, selected)
        if words[:2] == ['select', 'disk']:
            selected = text if fine else None
            text = ''
        out += text
        if not fine and (text == 'syntax' or not tolerant):
            return 0x80042811, out
    return 0, out


def one(host, line, words, selected):
    """(output, whether it worked)"""
    if words == ['rescan']:
        return '', True
    if words == ['list', 'disk']:
        return list_disk(host), True
    if words[:2] == ['select', 'disk']:
        found = host.iscsi.drives().get(int(words[2]))
        return (found[0]['serial'], True) if found else ('', False)
    if selected is None:
        return '', False
    disk = medium(host, selected)
    if words[0] == 'online':
        if words[1:2] == ['disk'] and host.personality.current_version == '6.0':
            # There the verb is plain "online"; with noerr the error does not matter.
            return '', False
        was, disk['online'] = disk['online'], True
        return host.say('DiskPart successfully onlined the selected disk.') + '\n', not was
    if words[:4] == ['attributes', 'disk', 'clear', 'readonly']:
        disk['readonly'] = False
        return host.say('Disk attributes cleared successfully.') + '\n', True
    if not disk['online'] or disk['readonly']:
        return '', False
    if words[:2] == ['convert', 'gpt']:
        was, disk['gpt'] = disk['gpt'], True
        return '', not was
    if words[:3] == ['create', 'partition', 'primary']:
        disk['partitions'] += 1
        return host.say('DiskPart succeeded in creating the specified partition.') + '\n', True
    if words[0] == 'format':
        if not disk['partitions']:
            return '', False
        disk['filesystem'] = re.search(r'fs=(\S+)', line, re.IGNORECASE).group(1)
        label = re.search(r'label=("[^"]*"|\S+)', line)
        disk['label'] = label.group(1).strip('"') if label else ''
        disk['formats'] = disk.get('formats', 0) + 1
        return host.say('DiskPart successfully formatted the volume.') + '\n', True
    if words[0] == 'assign':
        letter = re.search(r'letter=(\w)', line, re.IGNORECASE)
        disk['letter'] = letter.group(1).upper() if letter else 'E'
        return '', True
    return 'syntax', False
