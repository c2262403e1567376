# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of a Windows host by their serial numbers: online, and formatted when asked and empty."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused, report
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_errors import explain

# serial: VPD page 0x80; online: None where not asked
Drive = collections.namedtuple('Drive', 'index serial model partitions size online')

# Without an input of its own wmic waits for one that never comes.
WMIC = "'' | & 'wmic.exe' 'diskdrive' 'get' 'Index,Model,Partitions,SerialNumber,Size' '/value'"
CIM = ("Get-CimInstance Win32_DiskDrive | ForEach-Object { 'Index=' + $_.Index; 'Model=' + $_.Model; 'Partitions=' + $_.Partitions; "
       "'SerialNumber=' + $_.SerialNumber; 'Size=' + $_.Size }")
# What still is at this number when diskpart is about to work on it.
WMIC_ONE = "'' | & 'wmic.exe' 'diskdrive' 'where' 'Index=%d' 'get' 'Partitions,SerialNumber' '/value'"
CIM_ONE = "Get-CimInstance Win32_DiskDrive -Filter 'Index=%d' | ForEach-Object { 'Partitions=' + $_.Partitions; 'SerialNumber=' + $_.SerialNumber }"
OTHER = 'cephgate: another disk'
FILE = '"$env:TEMP\\cephgate.txt"'


def parse_drives(output):
    """Blocks of NAME=VALUE that begin with Index=; wmic ends its lines with CR CR LF."""
    found = []
    for line in re.split(r'[\r\n]+', output):
        name, equals, value = line.strip().partition('=')
        if name == 'Index' and equals:
            found.append({})
        if found and equals:
            found[-1][name] = value.strip()
    return [Drive(int(one['Index']), one.get('SerialNumber', ''), one.get('Model', ''), int(one.get('Partitions') or 0),
                  int(one.get('Size') or 0), None) for one in found]


def states(output):
    """{number: word} of diskpart's C(list disk), in whatever language."""
    return dict((int(match.group(1)), match.group(2))
                for match in re.finditer(r'^[ *]+[^\d\r\n]*?(\d+)\s{2,}(\S.*?)\s{2,}\d', output, re.MULTILINE))


def diskpart(lines):
    return 'Set-Content -Path %s -Value %s' % (FILE, ','.join("'%s'" % line for line in lines)), "& 'diskpart.exe' '/s' %s" % FILE


def same(serial, wanted):
    return serial.strip().lower() == wanted.strip().lower()


class Disks(object):
    """wanted: [{serial, name, online, format, letter, label, filesystem}]; pause: seconds between two runs of diskpart"""

    def __init__(self, windows, wanted, check_mode, sleep, timeout=60, pause=15):
        self.windows = windows
        self.wanted = wanted
        self.check_mode = check_mode
        self.sleep = sleep
        self.timeout = timeout
        self.pause = pause
        self.cim = False
        self.used = False
        self.planned, self.done = [], 0
        for entry in wanted:
            check(entry)

    def drives(self):
        if not self.cim:
            answer = self.windows.ask([WMIC])[0]
            self.cim = answer.rc is None
        if self.cim:
            answer = self.windows.ask([CIM])[0]
        return parse_drives(answer.out)

    def run_diskpart(self, commands):
        # Runs that follow each other closely fail now and then.
        if self.used:
            self.sleep(self.pause)
        self.used = True
        return self.windows.run('\r\n'.join(commands))

    def look(self):
        """The drives with their states. Waits for the declared ones, but not in check mode."""
        waited = 0
        drives = self.drives()
        while not self.check_mode and waited < self.timeout and self.missing(drives):
            self.sleep(2)
            waited += 2
            drives = self.drives()
        if not [entry for entry in self.wanted if entry['online']] or not self.find_any(drives):
            return drives
        answer = self.run_diskpart(diskpart(['list disk']))
        found = states(answer.out)
        if answer.rc or not found:
            raise Refused('diskpart does not list the disks: %s' % explain(answer.rc, answer.out))
        # The word for "online" is the one of a disk that is not ours: the host runs from it.
        others = [found[drive.index] for drive in drives
                  if drive.index in found and not any(same(drive.serial, entry['serial']) for entry in self.wanted)]
        word = others[0] if others else 'Online'
        return [drive._replace(online=found.get(drive.index) == word) for drive in drives]

    def missing(self, drives):
        return [entry for entry in self.wanted if not any(same(drive.serial, entry['serial']) for drive in drives)]

    def find_any(self, drives):
        return len(self.missing(drives)) < len(self.wanted)

    def steps(self, drives):
        """[(entry, drive, kind, Operation)]. Raises Refused for a disk that is there more than once."""
        found = []
        for entry in self.wanted:
            mine = [drive for drive in drives if same(drive.serial, entry['serial'])]
            if len(mine) > 1:
                raise Refused('disk %s (serial number %s) is there %d times (numbers %s): MPIO has not claimed it, and writing through one path '
                              'beside the other destroys data. Has the host been rebooted since win_mpio claimed it?' % (
                                  entry['name'], entry['serial'], len(mine), ', '.join('%d' % drive.index for drive in mine)))
            if not mine:
                continue
            drive = mine[0]
            thing = 'disk %s (serial number %s)' % (entry['name'], entry['serial'])
            if entry['online'] and not drive.online:
                # Of the two verbs the first is unknown to Server 2008, the second to none.
                found.append((entry, drive, 'online', Operation(thing, 'bring online', 'run', [
                    'diskpart', 'online disk noerr', 'online noerr', 'attributes disk clear readonly noerr'])))
            if entry['format'] and drive.partitions == 0:
                format_it = 'format fs=%s quick' % entry['filesystem'] + (' label="%s"' % entry['label'] if entry['label'] else '')
                found.append((entry, drive, 'format', Operation(
                    thing, 'partition and format it with %s%s: it is empty' % (entry['filesystem'], (
                        ', drive letter %s' % entry['letter'].upper()) if entry['letter'] else ''), 'run', [
                            'diskpart', 'convert gpt noerr', 'create partition primary', format_it,
                            'assign letter=%s' % entry['letter'].upper() if entry['letter'] else 'assign'])))
        return found

    def __call__(self):
        drives = self.look()
        plan = self.steps(drives)
        problem = None
        if self.check_mode:
            self.planned = [step[3] for step in plan]
        else:
            # What partitions a disk has is only known while it is online.
            for kinds in (('online',), ('format',)):
                todo = [step for step in plan if step[2] in kinds]
                for entry, drive, kind, operation in todo:
                    self.planned.append(operation)
                    problem = self.one(entry, drive, kind, operation)
                    if problem:
                        break
                    self.done += 1
                if problem:
                    break
                if todo:
                    drives = self.look()
                    plan = self.steps(drives)
        result = report(self.planned, self.done, self.check_mode)
        missing = self.missing(drives)
        left = [] if self.check_mode or problem else plan
        result['missing'] = [entry['serial'] for entry in missing]
        result['disks'] = [dict(name=entry['name'], serial=drive.serial, index=drive.index, model=drive.model, size=drive.size,
                                partitions=drive.partitions, online=drive.online)
                           for entry in self.wanted for drive in drives if same(drive.serial, entry['serial'])]
        if not problem and left:
            problem = 'the host reported success, and this is not to be seen afterwards: %s. See Disk Management' % left[0][3].line()
        if not problem and missing and not self.check_mode:
            problem = 'disk %s (serial number %s) did not appear within %d s. Is there a session to its gateway (iscsicli SessionList), and does ' \
                      'the gateway export the image to this host?' % (missing[0]['name'], missing[0]['serial'], self.timeout)
        if problem:
            result.update(failed=True, msg='%s.' % problem.rstrip('.'))
        return result

    def one(self, entry, drive, kind, operation):
        """A problem, or None. Nothing is done when another disk has the number by now, or one with partitions."""
        write, call = diskpart(['select disk %d' % drive.index] + operation.target[1:])
        guard = "if ((%s | Out-String) -match 'Partitions=%s\\s+SerialNumber=%s\\s') { %s } else { '%s' }" % (
            (CIM_ONE if self.cim else WMIC_ONE) % drive.index, '0' if kind == 'format' else '\\d+', re.escape(drive.serial), call, OTHER)
        answer = self.run_diskpart([write, guard])
        if OTHER in answer.out:
            return '%s: not done, because disk number %d is another disk by now, or has partitions. Run again' % (operation.line(), drive.index)
        if answer.rc:
            return '%s: %s' % (operation.line(), explain(answer.rc, answer.out))
        return None


def check(entry):
    if not re.match(r'^[!#-&(-~]+$', entry['serial'].strip()):
        raise Refused('serial number "%s" is empty or has characters that no serial number has. It is that of the disk (VPD page 0x80).' % entry['serial'])
    if entry['letter'] and not re.match(r'^[A-Za-z]$', entry['letter']):
        raise Refused('disk %s: letter "%s" is not a drive letter. Give one of A to Z.' % (entry['serial'], entry['letter']))
    if entry['label'] and not re.match(r'^[\w .-]{1,32}$', entry['label']):
        raise Refused('disk %s: label "%s" is not 1 to 32 letters, digits, blanks, dots, hyphens and underscores. Correct it.' % (
            entry['serial'], entry['label']))
    if entry['format'] and not entry['online']:
        raise Refused('disk %s: it can only be formatted when it is brought online, too.' % entry['serial'])
    if entry['letter'] and entry['letter'].upper() in 'ABC':
        raise Refused('disk %s: letter %s belongs to the host itself. Give one of D to Z.' % (entry['serial'], entry['letter']))
