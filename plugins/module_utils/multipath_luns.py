# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LUNs by serial number: which paths and which multipath map each has, and what is missing.

Pure functions over what Disks, sessions and multipathd show.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused


class Lun(object):
    """One declared LUN as it is now.

    paths: as Disks.path gives them; map: as Disks.map gives it, or None
    """

    def __init__(self, wanted, paths, multipath, spare):
        self.serial = wanted['serial']
        self.wanted = wanted
        self.paths = paths
        self.map = multipath
        self.spare = spare

    @property
    def title(self):
        image = self.wanted.get('name')
        return 'LUN %s%s' % (self.serial, ' (%s)' % image if image else '')


def look(disks, maps):
    """The declared LUNs as they are. Refused when paths were merged wrongly: data is at stake."""
    seen = set()
    for wanted in maps:
        if wanted['serial'] in seen:
            raise Refused('LUN %s is listed twice. Remove one of the entries.' % wanted['serial'])
        seen.add(wanted['serial'])
        if wanted.get('paths', 1) < 1:
            raise Refused('LUN %s: paths is %d, and a disk has at least one. Correct it.' % (wanted['serial'] or '?', wanted['paths']))
        if not wanted['serial'].strip():
            raise Refused('LUN %s: its serial is empty, which no disk of ours has. Give the serial number (SCST\'s usn) that '
                          'the gateways show.' % (wanted.get('name') or '?'))
    found = disks.by_serial([wanted['serial'] for wanted in maps])
    result = []
    for wanted in maps:
        serial = wanted['serial']
        paths = found[serial]
        held = {}
        for path in paths:
            held.setdefault(disks.map_of(path['device']), []).append(path['device'])
        spare = held.pop(None, [])
        if len(held) > 1:
            raise Refused('LUN %s: its paths are in different multipath maps: %s. The gateways give it different '
                          'WWIDs; compare the identity of the device on all gateways before anything writes to it.'
                          % (serial, ', '.join('%s in %s' % (' and '.join(sorted(held[dm])), dm) for dm in sorted(held))))
        multipath = None
        for dm in held:
            multipath = disks.map(dm)
            for slave in multipath['slaves']:
                other = disks.serial(slave)
                if other != serial:
                    raise Refused('LUN %s: its multipath map %s also holds %s, whose serial number is %s. Two '
                                  'different disks were merged: stop what uses %s and correct the identities on '
                                  'the gateways.' % (serial, dm, slave, other or 'unknown', dm))
        result.append(Lun(wanted, paths, multipath, spare))
    return result


def missing(lun):
    """What a LUN still lacks, as a text for a person; None when it is complete."""
    need = lun.wanted['paths']
    if len(lun.paths) < need:
        return ('%d of %d paths exist%s' % (len(lun.paths), need, ': ' + _names(lun.paths) if lun.paths else ''))
    small = [path for path in lun.paths if path['size'] < (lun.wanted.get('size') or 0)]
    if small:
        return '%s of %d bytes, less than the expected %d' % (
            '%s is' % small[0]['device'] if len(small) == 1 else _names(small) + ' are',
            small[0]['size'], lun.wanted['size'])
    if lun.map is None:
        return ('no multipath map holds its paths %s (if a blacklist of multipath.conf does, "multipath -v3 %s" says so)'
                % (_names(lun.paths), sorted(path['device'] for path in lun.paths)[0]))
    if len(lun.map['slaves']) < need:
        return 'its map %s has %d of %d paths; %s stand beside it' % (
            lun.map['dm'], len(lun.map['slaves']), need, ' and '.join(sorted(lun.spare)))
    if lun.map['size'] < (lun.wanted.get('size') or 0):
        return 'its map %s is of %d bytes, less than the expected %d' % (
            lun.map['dm'], lun.map['size'], lun.wanted['size'])
    return None


def _names(paths):
    return ' and '.join(sorted(path['device'] for path in paths))


def plan_scan(luns, sessions, unread):
    """Ask the target of each session for new LUNs, where a declared one is missing behind it.

    Only sessions that are logged in: a scan through a broken one would hang until its timeout.

    unread: callable(disk): whether a scan got no answer from it in time (seen with 400 at once on a busy host), so that it has no
            size and no serial number, and nobody uses it. The kernel shows VPD pages only of what answered when it was found, so
            such a disk has to go before the scan.
    """
    operations = []
    for session in sessions:
        if session.state != 'LOGGED_IN' or session.host is None:
            continue
        lacking = [lun for lun in luns if len(lun.paths) < lun.wanted['paths']
                   and not any(path['device'] in session.disks for path in lun.paths)]
        if lacking:
            operations.extend(Operation(
                'session %d to %s, disk %s' % (session.sid, session.target, disk), 'find anew: it has no size and no serial number',
                'sysfs', 'block/%s/device/delete' % disk, data='1') for disk in sorted(session.disks) if unread(disk))
            operations.append(Operation(
                'session %d to %s, portal %s' % (session.sid, session.target, session.portal),
                'look for %s' % ', '.join(lun.serial for lun in lacking), 'sysfs',
                'class/scsi_host/host%d/scan' % session.host, data='- - -'))
    return operations


def plan_claims(luns, tool):
    """Have multipath take paths that stand beside a map, or that have none.

    With its default "find_multipaths strict" multipath-tools makes maps only of WWIDs in its wwids
    file. Adding exactly the declared LUNs there keeps every other disk of the host out of it.

    tool: has C(claim(device)) and C(add_path(device)), which give argument lists
    """
    claims, paths = [], []
    for lun in luns:
        if lun.map is None and lun.spare:
            claims.append(Operation('%s, path %s' % (lun.title, lun.spare[0]), 'let multipath have its WWID',
                                    'run', tool.claim(lun.spare[0])))
        # A new map takes all paths of its WWID by itself.
        paths.extend(Operation('%s, path %s' % (lun.title, device), 'add to its map', 'run', tool.add_path(device))
                     for device in (lun.spare if lun.map else lun.spare[:1]))
    return claims + paths


def plan_sizes(luns, resize, foresee=False):
    """Ask disks for their size again where it is less than expected, then grow their maps.

    resize:  callable(map name) -> argv
    foresee: plan the growth of a map whose paths are still small, as check mode has to. multipathd
             refuses it until all paths have one size.
    """
    operations = []
    for lun in luns:
        size = lun.wanted.get('size') or 0
        small = [path for path in lun.paths if path['size'] < size]
        for path in small:
            operations.append(Operation(
                '%s, path %s' % (lun.title, path['device']), 'read its size again (%d, expected %d)' % (
                    path['size'], size), 'sysfs', 'block/%s/device/rescan' % path['device'], data='1'))
        if lun.map and lun.map['size'] < size and (foresee or not small):
            operations.append(Operation(
                '%s, map %s' % (lun.title, lun.map['name']), 'grow from %d to %d bytes' % (lun.map['size'], size),
                'run', resize(lun.map['name'])))
    return operations


def plan_removal(luns, guard, tool):
    """Have multipath forget the WWID, flush the map, then delete the paths: in this order no device is left that leads nowhere.

    While multipath knows the WWID, any event of a path makes multipathd build the flushed map anew, and who reads that one, as
    udev does at once, waits for ever when its paths go.

    guard: callable(devices, why) -> names of maps, raises Refused when something uses them
    tool: has C(forget(device)) and C(flush(map name)), which give argument lists
    """
    operations = []
    for lun in luns:
        devices = [path['device'] for path in lun.paths]
        if not devices:
            continue
        guard(devices, 'removing %s' % lun.title)
        if lun.map:
            operations.append(Operation('%s, map %s' % (lun.title, lun.map['name']), 'let multipath forget its WWID', 'run',
                                        tool.forget(sorted(devices)[0])))
            operations.append(Operation('%s, map %s' % (lun.title, lun.map['name']), 'flush', 'run',
                                        tool.flush(lun.map['name'])))
        operations.extend(Operation('%s, path %s' % (lun.title, device), 'delete', 'sysfs',
                                    'block/%s/device/delete' % device, data='1') for device in sorted(devices))
    return operations


def describe(lun, sessions, states):
    """What the module returns of a LUN."""
    owner = dict((disk, session) for session in sessions for disk in session.disks)
    paths = []
    for path in sorted(lun.paths, key=lambda path: path['device']):
        session = owner.get(path['device'])
        state = states.get(path['device'], (None, None, None))
        paths.append(dict(
            device=path['device'], hctl=path['hctl'], size=path['size'], state=path['state'],
            access_state=path['access_state'] or None, target=session.target if session else None,
            portal=session.portal if session else None, dm_state=state[0], checker_state=state[1]))
    return dict(
        serial=lun.serial, name=lun.wanted.get('name'), device=os.path.join('/dev/mapper', lun.map['name']) if lun.map else None,
        dm=lun.map['dm'] if lun.map else None, wwid=lun.map['wwid'] if lun.map else None,
        size=lun.map['size'] if lun.map else None, paths=paths)
