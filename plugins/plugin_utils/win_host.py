# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows host is: version, PowerShell, time of its last boot, and whether it waits for a reboot.

That a change waits for a reboot must be known to a later run too, when this one was interrupted. So before the first
such change the time of the last boot is noted in the registry; as long as it is still the last boot, a reboot is needed.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import calendar
import collections
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_text

KEY = 'HKLM\\SOFTWARE\\cephgate'
MARK = 'RebootSince'
VERSION = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion'

# Windows counts the time of its boot back from now, so setting its clock moves it a little.
SAME_BOOT = 30

# version: (major, minor); booted: seconds since 1970; waits: whether a change waits for a reboot
Host = collections.namedtuple('Host', 'version powershell booted waits')

# Without an input of its own wmic waits for one that never comes.
WMIC_BOOT = "'' | & 'wmic.exe' 'os' 'get' 'LastBootUpTime' '/value'"
# Server 2025 has no wmic.
CIM_BOOT = "'LastBootUpTime=' + (Get-CimInstance Win32_OperatingSystem).LastBootUpTime.ToUniversalTime().ToString('yyyyMMddHHmmss')"


def boot_time(output):
    """Seconds since 1970 from LastBootUpTime=20260105080000.500000+060; without an offset it is UTC. None when it is not there."""
    match = re.search(r'LastBootUpTime=(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?([+-]\d+)?', output)
    if not match:
        return None
    minutes = int(match.group(7) or 0)
    return calendar.timegm(tuple(int(part) for part in match.groups()[:6])) - 60 * minutes


def booted(windows, commands=(WMIC_BOOT, CIM_BOOT)):
    """Time of the last boot. Raises Refused when the host does not say."""
    for command in commands:
        found = boot_time(windows.ask([command])[0].out)
        if found is not None:
            return found
    raise Refused('neither wmic.exe nor Get-CimInstance says when the host was booted (LastBootUpTime), which is needed to know whether '
                  'a reboot was made. Is WMI (the service Winmgmt) running?')


def look(windows):
    version, major, powershell, boot, mark = windows.ask([
        ['reg.exe', 'query', VERSION, '/v', 'CurrentVersion'],
        # Since Windows 10 the other one stays at 6.3.
        ['reg.exe', 'query', VERSION, '/v', 'CurrentMajorVersionNumber'],
        "'PSVersion=' + $PSVersionTable.PSVersion.Major",
        WMIC_BOOT,
        ['reg.exe', 'query', KEY, '/v', MARK],
    ])
    text = win_text.values(version.out).get('currentversion')
    if not text or not re.match(r'^\d+\.\d+$', text):
        raise Refused('the registry does not say which Windows this is (%s, CurrentVersion: %s). Is this Windows?' % (VERSION, text))
    number = tuple(int(part) for part in text.split('.'))
    if win_text.values(major.out).get('currentmajorversionnumber'):
        number = (win_text.values(major.out)['currentmajorversionnumber'], 0)
    if number < (6, 0):
        raise Refused('Windows %s is older than Server 2008 (6.0), the first with iSCSI and MPIO of its own. Use a later one.' % text)
    shell = re.search(r'PSVersion=(\d+)', powershell.out)
    time = boot_time(boot.out)
    if time is None:
        time = booted(windows, [CIM_BOOT])
    return Host(number, int(shell.group(1)) if shell else 1, time, waits(win_text.values(mark.out).get(MARK.lower()), time))


def waits(mark, time):
    return bool(mark) and mark.isdigit() and abs(int(mark) - time) <= SAME_BOOT


def note(host):
    """The operation to be done before the first change that waits for a reboot."""
    return Operation('host', 'note that a reboot is needed', 'run', [
        'reg.exe', 'add', KEY, '/v', MARK, '/t', 'REG_SZ', '/d', '%d' % host.booted, '/f'])
