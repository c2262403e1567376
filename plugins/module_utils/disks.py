# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The disks of a host as the kernel shows them: SCSI paths, multipath maps, and who uses them.

Everything is read from sysfs and /proc, so it costs no process and sends no command to a disk
(the kernel keeps VPD page 0x80 since 3.15), not even to one whose gateway is dead.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.fstab import unescape

# What the kernel counts in, whatever the logical block size (Documentation/block/stat.rst).
SECTOR = 512


def read_text(*parts):
    """Text of an attribute, stripped; '' when it is absent or the object is just going away."""
    try:
        with open(os.path.join(*parts)) as handle:
            return handle.read().strip()
    except EnvironmentError:
        return ''


def listdir(*parts):
    try:
        return sorted(os.listdir(os.path.join(*parts)))
    except EnvironmentError:
        return []


def serial_of_page(page):
    """Unit serial number in VPD page 0x80 (SPC-4, 7.8.13): two bytes of length, then text.

    page: bytes. None when it is not that page.
    """
    page = bytearray(page)
    if len(page) < 4 or page[1] != 0x80:
        return None
    length = page[2] * 256 + page[3]
    return bytes(page[4:4 + length]).decode('latin-1').strip(' \0') or None


def is_partition_map(uuid):
    return uuid.startswith('part') and '-mpath-' in uuid


class Disks(object):
    """A look at this host's disks.

    sysfs, proc, dev: where these are mounted; tests build trees of their own.
    """

    def __init__(self, sysfs='/sys', proc='/proc', dev='/dev'):
        self.sysfs = sysfs
        self.proc = proc
        self.dev = dev

    def block(self, *parts):
        return os.path.join(self.sysfs, 'block', *parts)

    def names(self):
        """SCSI disks: block devices that have a SCSI device below them."""
        return [name for name in listdir(self.sysfs, 'block') if name.startswith('sd')]

    def serial(self, name):
        try:
            with open(self.block(name, 'device', 'vpd_pg80'), 'rb') as handle:
                return serial_of_page(handle.read())
        except EnvironmentError:
            return None

    def number(self, name):
        """major:minor"""
        return read_text(self.block(name), 'dev')

    @staticmethod
    def is_disk(session_folder, hctl):
        """Whether a SCSI device is a disk (SPC-4, 6.4.2: peripheral device type 0), which gets a block device."""
        target = 'target%s' % hctl.rpartition(':')[0]
        return read_text(session_folder, 'device', target, hctl, 'type') == '0'

    def size(self, name):
        """Bytes, as the kernel believes now; a grown disk keeps its old size until it is asked again."""
        return int(read_text(self.block(name, 'size')) or 0) * SECTOR

    def unread(self, name):
        """Whether the kernel got nothing from a disk when it found it. A disk that went meanwhile is none."""
        return self.serial(name) is None and os.path.isdir(self.block(name)) and not self.size(name)

    def hctl(self, name):
        """Address of a path: host:channel:target:lun."""
        return os.path.basename(os.path.realpath(self.block(name, 'device')))

    def path(self, name):
        """What is known of one path."""
        return dict(device=name, hctl=self.hctl(name), size=self.size(name), serial=self.serial(name),
                    state=read_text(self.block(name, 'device', 'state')),
                    access_state=read_text(self.block(name, 'device', 'access_state')))

    def by_serial(self, serials):
        """{serial: [path, ...]} for the wanted serial numbers; every one has an entry."""
        found = dict((serial, []) for serial in serials)
        for name in self.names():
            serial = self.serial(name)
            if serial in found:
                found[serial].append(self.path(name))
        return found

    def holders(self, name):
        """Block devices on top of this one, not of its partitions."""
        return listdir(self.block(name), 'holders')

    def map_of(self, name):
        """The multipath map (dm-N) that holds a path, or None."""
        for holder in self.holders(name):
            if read_text(self.block(holder, 'dm', 'uuid')).startswith('mpath-'):
                return holder
        return None

    def is_multipath(self, name):
        """Whether a block device is a multipath map or a partition of one."""
        uuid = read_text(self.block(name), 'dm', 'uuid')
        return uuid.startswith('mpath-') or is_partition_map(uuid)

    def map(self, dm):
        """What is known of a multipath map."""
        return dict(dm=dm, name=read_text(self.block(dm, 'dm', 'name')),
                    wwid=read_text(self.block(dm, 'dm', 'uuid'))[len('mpath-'):],
                    size=self.size(dm), slaves=listdir(self.block(dm), 'slaves'))

    def partition_maps(self, dm):
        """kpartx's maps (dm-N) of the partitions of a multipath map."""
        return [holder for holder in self.holders(dm) if is_partition_map(read_text(self.block(holder, 'dm', 'uuid')))]

    def partitions(self, name):
        return [entry for entry in listdir(self.block(name))
                if entry.startswith(name) and os.path.exists(self.block(name, entry, 'partition'))]

    def mounts(self):
        """[(major:minor, device name, mount point)]. Of PID 1: a service may see fewer mounts."""
        found = []
        for line in (read_text(self.proc, '1', 'mountinfo') or read_text(self.proc, 'self', 'mountinfo')).splitlines():
            left, dash, right = line.partition(' - ')
            if not dash:
                continue
            fields = left.split(' ')
            # btrfs shows a number of its own, not the disk's; then only the source tells.
            source = os.path.basename(os.path.realpath(right.split()[1]))
            found.append((fields[2], source, unescape(fields[4])))
        return found

    def _swaps(self):
        return [os.path.basename(os.path.realpath(line.split()[0]))
                for line in read_text(self.proc, 'swaps').splitlines()[1:] if line.strip()]

    def users(self, name, beside_multipath=False):
        """Who uses a block device or a partition of it, as texts for a person; empty when nobody does.

        beside_multipath: do not count the multipath map on a path as a user (its own users are
        asked for by its own name).
        """
        found = []
        mounts, swaps = self.mounts(), self._swaps()
        for device in [name] + self.partitions(name):
            folder = self.block(name) if device == name else self.block(name, device)
            number = read_text(folder, 'dev')
            found.extend('%s is mounted on %s' % (device, point) for major_minor, source, point in mounts
                         if major_minor == number or source == device)
            if device in swaps:
                found.append('%s is swap space' % device)
            for holder in listdir(folder, 'holders'):
                uuid = read_text(self.block(holder, 'dm', 'uuid'))
                if beside_multipath and uuid.startswith('mpath-'):
                    continue
                # Partitions of a map are maps on it (kpartx): what counts is who uses them.
                if is_partition_map(uuid):
                    found.extend(self.users(holder))
                    continue
                title = read_text(self.block(holder, 'dm', 'name')) or read_text(self.block(holder, 'md', 'level'))
                found.append('%s is part of %s%s' % (device, holder, ' (%s)' % title if title else ''))
        return found

    def openers(self, name):
        """Who has a disk or a partition of it open, as users() tells it. sysfs shows that of no disk but a map.

        multipathd has every path open, which is nobody's use.
        """
        numbers = dict((read_text(self.block(name) if device == name else self.block(name, device), 'dev'), device)
                       for device in [name] + self.partitions(name))
        found = []
        for pid in [entry for entry in listdir(self.proc) if entry.isdigit() and int(entry) != os.getpid()]:
            devices = set(numbers.get(number) for number in self._opened_by(pid)) - set([None])
            title = devices and read_text(self.proc, pid, 'comm')
            if devices and title != 'multipathd':
                found.append('process %s (%s) has %s open' % (pid, title, ' and '.join(sorted(devices))))
        if not found and self._held(name):
            found.append('%s is held exclusively, by a process of another container or by the kernel ("lsblk /dev/%s")' % (name, name))
        return found

    def _opened_by(self, pid):
        """major:minor of the devices that a process has open."""
        for number in listdir(self.proc, pid, 'fd'):
            try:
                found = os.stat(os.path.join(self.proc, pid, 'fd', number)).st_rdev
            except EnvironmentError:
                continue
            if found:
                yield '%d:%d' % (os.major(found), os.minor(found))

    def _held(self, name):
        """Whether the kernel refuses the device to us alone (open(2): O_EXCL on a block device)."""
        # Opening a disk of a session in recovery waits for its end.
        if read_text(self.block(name, 'device', 'state')) != 'running':
            return False
        try:
            os.close(os.open(os.path.join(self.dev, name), os.O_RDONLY | os.O_EXCL))
        except EnvironmentError as error:
            return error.errno == errno.EBUSY
        return False
