# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MPIO feature, claims, policies and timers of a Windows host: reading them, and the steps to what is declared."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_host, win_text

MPDEV = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\MPDEV'
CLAIMS = 'MPIOSupportedDeviceList'
CLASS = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4D36E97B-E325-11CE-BFC1-08002BE10318}'
TIMERS = dict(
    mpio='HKLM\\SYSTEM\\CurrentControlSet\\Services\\mpio\\Parameters',
    msdsm='HKLM\\SYSTEM\\CurrentControlSet\\Services\\msdsm\\Parameters',
    disk='HKLM\\SYSTEM\\CurrentControlSet\\Services\\Disk',
)
# Numbers of mpclaim; it refuses the others (3, 5) for a hardware id.
POLICIES = dict(fail_over_only=1, round_robin=2, least_queue_depth=4, least_blocks=6)
SHORT = dict(FOO=1, RR=2, LQD=4, LB=6)

QUERY_CMDLET = '(Get-WindowsFeature Multipath-IO).InstallState'
INSTALL_CMDLET = ("Install-WindowsFeature -Name Multipath-IO | ForEach-Object { 'Success=' + $_.Success; 'RestartNeeded=' + $_.RestartNeeded; "
                  "'ExitCode=' + $_.ExitCode }")
# tool: command that installs
INSTALL = dict(
    servermanagercmd=['ServerManagerCmd.exe', '-install', 'Multipath-IO'],
    # It does not wait for itself.
    ocsetup=['cmd.exe', '/c', 'start', '/w', 'ocsetup', 'MultipathIo'],
    dism=['dism.exe', '/online', '/norestart', '/quiet', '/enable-feature', '/featurename:MultipathIo'],
    cmdlets=INSTALL_CMDLET,
)

# host: win_host.Host; tool: key of INSTALL; feature: absent, pending (waits for a reboot) or installed; claims: hardware ids, None
# when there is no list yet; policies: {hardware id: number}; timers: {group: {name: number}}; initiator: key of the initiator's
# driver, or None
Snapshot = collections.namedtuple('Snapshot', 'host tool feature claims policies timers initiator')


def hardware_id(vendor, product):
    """The 24 characters by which MSDSM knows a disk: vendor padded to 8, product to 16."""
    for what, value, longest in (('vendor', vendor, 8), ('product', product, 16)):
        if not value or len(value) > longest or not re.match(r'^[ !#-~]+$', value):
            raise Refused('%s "%s" is not a SCSI %s: 1 to %d printable characters (SPC-3, 6.4.2). Correct it.' % (what, value, what, longest))
    return vendor.ljust(8) + product.ljust(16)


def look(windows):
    host = win_host.look(windows)
    service, claims, drivers, policies, disk, mpio, msdsm = windows.ask([
        ['sc.exe', 'query', 'mpio'],
        ['reg.exe', 'query', MPDEV, '/v', CLAIMS],
        ['reg.exe', 'query', CLASS, '/s', '/v', 'DriverDesc'],
        ['mpclaim.exe', '-s', '-t'] if host.version >= (6, 1) else "''",
        ['reg.exe', 'query', TIMERS['disk']],
        ['reg.exe', 'query', TIMERS['mpio']],
        ['reg.exe', 'query', TIMERS['msdsm']],
    ])
    tool, feature = _feature(windows, host, service.rc == 0)
    key = _initiator_key(drivers.out)
    timers = dict(disk=_numbers(disk.out), mpio=_numbers(mpio.out), msdsm=_numbers(msdsm.out))
    if key:
        timers['iscsi'] = _numbers(windows.ask([['reg.exe', 'query', key + '\\Parameters']])[0].out)
    found = win_text.values(claims.out).get(CLAIMS.lower()) if claims.rc == 0 else None
    return Snapshot(host, tool, feature, found, _policies(policies.out), timers, key)


def _feature(windows, host, driver):
    """(tool, state); driver: whether the driver's service is there already."""
    if host.version >= (6, 2):
        state = windows.ask([QUERY_CMDLET])[0].out.strip()
        names = {'Installed': 'installed', 'InstallPending': 'pending', 'Available': 'absent'}
        if state not in names:
            raise Refused('feature Multipath-IO: its state is "%s"; it should be Installed or Available. With Removed its files are not on '
                          'the host: install it once by hand (Install-WindowsFeature Multipath-IO -Source ...) and run again.' % state)
        return 'cmdlets', names[state]
    if host.version >= (6, 1):
        out = windows.ask([['dism.exe', '/online', '/english', '/get-featureinfo', '/featurename:MultipathIo']])[0].out
        state = re.search(r'^State : (.+?)\s*$', out, re.MULTILINE)
        names = {'Enabled': 'installed', 'Enable Pending': 'pending', 'Disabled': 'absent'}
        if not state or state.group(1) not in names:
            raise Refused('feature MultipathIo: DISM says "%s"; State should be Enabled, Enable Pending or Disabled. See '
                          'dism /online /get-featureinfo /featurename:MultipathIo on the host.' % (state.group(1) if state else out.strip()[-200:]))
        return 'dism', names[state.group(1)]
    if driver:
        # Whether it waits for a reboot only our own note tells on 2008. ServerManagerCmd takes half a minute to say the rest.
        return 'servermanagercmd', 'installed'
    answer = windows.ask([['ServerManagerCmd.exe', '-query']])[0]
    if answer.rc is None:
        return 'ocsetup', 'absent'
    row = re.search(r'^\s*\[(X| )\]\s+.*\[Multipath-IO\]\s*$', answer.out, re.MULTILINE | re.IGNORECASE)
    if not row:
        raise Refused('feature Multipath-IO is not in the list of ServerManagerCmd -query. Is this an edition without MPIO?')
    return 'servermanagercmd', 'installed' if row.group(1) == 'X' else 'absent'


def _initiator_key(output):
    for key, values in win_text.registry(output).items():
        description = values.get('driverdesc', ('', ''))[1].lower()
        if 'microsoft' in description and 'iscsi' in description:
            return key.replace('HKEY_LOCAL_MACHINE', 'HKLM', 1)
    return None


def _numbers(output):
    return dict((name, value) for name, value in win_text.values(output).items() if isinstance(value, int))


def _policies(output):
    return dict((match.group(1).rstrip().lower(), SHORT.get(match.group(2)))
                for match in re.finditer(r'^"(.{24})"\s+([A-Z]+)\s*$', output, re.MULTILINE))


def steps(snapshot, hardware_ids, load_balance, timers):
    """Operations to what is declared. timers: {mpio, msdsm, disk, iscsi: {name: number}}"""
    rebooting, after = [], []
    if snapshot.feature == 'absent':
        how = 'powershell' if isinstance(INSTALL[snapshot.tool], str) else 'run'
        rebooting.append(Operation('feature Multipath-IO', 'install', how, INSTALL[snapshot.tool]))
    known = [claim.rstrip().lower() for claim in snapshot.claims or []]
    missing = [one for one in hardware_ids if one.rstrip().lower() not in known]
    if missing and snapshot.claims is None:
        # mpclaim does not always make the list itself.
        rebooting.append(Operation('claims of MPIO', 'make an empty list', 'run', [
            'reg.exe', 'add', MPDEV, '/v', CLAIMS, '/t', 'REG_MULTI_SZ', '/f']))
    rebooting += [Operation('disks "%s"' % one, 'claim for MPIO', 'run', ['mpclaim.exe', '-n', '-i', '-d', one]) for one in missing]
    for group in ('mpio', 'msdsm', 'disk', 'iscsi'):
        key = TIMERS.get(group) or (snapshot.initiator and snapshot.initiator + '\\Parameters')
        for name, value in sorted((timers.get(group) or {}).items()):
            if key is None:
                raise Refused('timers: the driver of the Microsoft iSCSI Initiator was not found below %s, so %s cannot be set. Is the '
                              'driver there (Device Manager, storage controllers)?' % (CLASS, name))
            before = snapshot.timers.get(group, {}).get(name.lower())
            if before != value:
                rebooting.append(Operation('registry value %s\\%s' % (key, name), 'set to %d (was %s)' % (
                    value, 'absent' if before is None else before), 'run', [
                        'reg.exe', 'add', key, '/v', name, '/t', 'REG_DWORD', '/d', '%d' % value, '/f']))
    if load_balance:
        if snapshot.host.version < (6, 1):
            raise Refused('load_balance: mpclaim of Server 2008 cannot set a policy (2008 R2 and later can). Leave it out: disks with ALUA, as '
                          'those of the gateways, use Round Robin With Subset, which is right for them.')
        after = [Operation('disks "%s"' % one, 'load balance policy %s' % load_balance, 'run', [
            'mpclaim.exe', '-l', '-t', one, '%d' % POLICIES[load_balance]])
            for one in hardware_ids if snapshot.policies.get(one.rstrip().lower()) != POLICIES[load_balance]]
    if rebooting and not snapshot.host.waits:
        rebooting.insert(0, win_host.note(snapshot.host))
    return rebooting + after


def reboot_required(snapshot):
    return snapshot.host.waits or snapshot.feature == 'pending'
