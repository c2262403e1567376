# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File systems on network disks: made on empty disks only, mounted now and at boot, grown with their disks."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re
import stat

from ansible_collections.cephgate.iscsi.plugins.module_utils import fstab
from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_guard import users_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.multipathd import Multipathd
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused

EXT = ('ext2', 'ext3', 'ext4')

# A file system leaves less than this at the end of its disk: ext4 drops a last group that is too small for its own
# tables (about 2 MiB), xfs a last allocation group of less than 64 blocks.
SLACK = 4 << 20

# What a host needs to start, and what is gone after a boot: no place for a disk that comes when there is a network.
SYSTEM = ('/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/libx32', '/proc', '/root', '/run', '/sbin', '/sys', '/tmp', '/usr', '/var')
BELOW = ('/dev', '/proc', '/sys')

# What is used without a file system of a known kind (a database's own volume, plain dm-crypt) has no signature, but data here.
HEAD = 1 << 20

EMPTY_IT = '"wipefs -a {0}" and "dd if=/dev/zero of={0} bs=1M count=1 conv=fsync"'


class FsTools(object):
    """Every call of a file system's tools. run: callable(argv) -> (exit code, stdout, stderr)"""

    def __init__(self, run):
        self.run = run

    def call(self, argv):
        code, out, err = self.run(argv)
        if code:
            # Some begin with their version, some end with a usage: the reason may stand in any line.
            text = '; '.join(line.strip() for line in (err or out).splitlines() if line.strip())
            raise EnvironmentError('%s: exit code %d: %s' % (' '.join(argv), code, text[:300] or 'no output'))
        return out

    def signature(self, device):
        """What a disk holds: {TYPE: ..., PTTYPE: ...}; {} when it is empty. Asks the disk, not a cache."""
        # mount(8) takes an image in a file, too.
        if os.path.exists(device) and not (stat.S_ISBLK(os.stat(device).st_mode) or stat.S_ISREG(os.stat(device).st_mode)):
            raise Refused('device %s is no block device, so it cannot be mounted. Name the disk.' % device)
        code, out, err = self.run(['blkid', '-p', '-o', 'export', device])
        if code == 2 and not out.strip():
            # blkid says the same of an empty disk and of one that it cannot read.
            try:
                with open(device, 'rb') as handle:
                    head = handle.read(HEAD)
            except EnvironmentError as error:
                raise Refused('disk %s cannot be read (%s), so nothing is written to it. Is it there, and does one of its paths '
                              'work ("multipathd show paths")?' % (device, error.strerror))
            if head.strip(b'\0'):
                raise Refused('disk %s has no signature that blkid knows, but its first MiB is not empty: somebody may use it raw, so '
                              'nothing is written to it. If it is the right disk and nobody needs what it holds, empty it with %s; '
                              'else correct the entry.' % (device, EMPTY_IT.format(device)))
            return {}
        if code:
            raise Refused('%s: blkid cannot say what is on it (exit code %d: %s), so nothing is written to it. Several signatures '
                          'on one disk give that; "wipefs %s" lists them.' % (device, code, err.strip() or 'ambivalent', device))
        return dict(line.split('=', 1) for line in out.splitlines() if '=' in line)

    def size(self, fstype, device, path):
        """Bytes that the file system uses of its disk; None for a kind that cannot be grown here."""
        if fstype in EXT:
            out = self.call(['dumpe2fs', '-h', device])
            count, block = (re.search(r'^%s:\s+(\d+)' % name, out, re.M) for name in ('Block count', 'Block size'))
        elif fstype == 'xfs':
            out = self.call(['xfs_info', path])
            match = re.search(r'^data\s+=\s*bsize=(\d+)\s+blocks=(\d+)', out, re.M)
            return int(match.group(1)) * int(match.group(2)) if match else None
        else:
            return None
        return int(count.group(1)) * int(block.group(1)) if count and block else None

    @staticmethod
    def can_make(fstype):
        return any(os.access(os.path.join(folder, 'mkfs.' + fstype), os.X_OK) for folder in ('/sbin', '/usr/sbin', '/usr/local/sbin', '/bin', '/usr/bin'))

    @staticmethod
    def make(fstype, device):
        return ['mkfs.' + fstype] + (['-q'] if fstype in EXT + ('xfs',) else []) + [device]

    @staticmethod
    def grow(fstype, device, path):
        return ['resize2fs', device] if fstype in EXT else ['xfs_growfs', path]


def options_of(mount):
    """Mount options; _netdev is always among them: without it the boot waits for the disk before there is a network,
    and a shutdown takes the network away under it (systemd.mount(5))."""
    words = [word for word in (mount.get('options') or '').split(',') if word]
    return ','.join(words if '_netdev' in words else ['_netdev'] + words)


def thing(mount):
    return mount['path'] + of_name(mount)


def of_name(mount):
    return ' (%s)' % mount['name'] if mount.get('name') else ''


def device_of(source):
    """Name of the block device that a source of fstab leads to."""
    tag, equals, value = source.partition('=')
    if equals and '/' not in tag:
        source = '/dev/disk/by-%s/%s' % (tag.lower(), value.strip('"'))
    return os.path.basename(os.path.realpath(source))


class Snapshot(object):
    """disks: Disks; text: of fstab; held: callable(text) -> the text as that of fstab is held"""

    def __init__(self, disks, tools, text, held=lambda text: text):
        self.held = held
        self.disks = disks
        self.tools = tools
        self.text = text
        self.mounted = dict((point, (number, source)) for number, source, point in disks.mounts())

    def is_mounted(self, mount):
        """Refused when something else is mounted there."""
        found = self.mounted.get(mount['path'])
        if not found:
            return False
        name = os.path.basename(os.path.realpath(mount['device']))
        if found[0] != self.disks.number(name) and found[1] != name:
            raise Refused('%s: %s is mounted there, not %s. Unmount it, or choose another path.'
                          % (thing(mount), found[1], mount['device']))
        return True

    def refuse_foreign(self, mount, entry):
        """Refused when what is mounted there, or stands in fstab, is not the device, or is no multipath disk where none is given.

        entry: fields of fstab, or None
        """
        found, device = self.mounted.get(mount['path']), mount.get('device')
        advice = 'Correct the path, or name as its device what is to go.'
        if found and not (self.is_mounted(mount) if device else self.disks.is_multipath(found[1])):
            raise Refused('%s: %s is mounted there, which is no multipath disk, so it is left. %s' % (thing(mount), found[1], advice))
        # A map that is gone is nobody's disk any more.
        if not entry or (entry[0].startswith('/dev/mapper/') and not os.path.lexists(entry[0])):
            return
        name = device_of(entry[0])
        if not (name == device_of(device) if device else self.disks.is_multipath(name)):
            raise Refused('%s: fstab has %s there, which is %s, so it is left. %s' % (
                thing(mount), entry[0], 'not %s' % device if device else 'no multipath disk', advice))


def fault_of(mount, paths, devices):
    """What is wrong with a mount, whatever the host holds; None when nothing is.

    paths, devices: those of the mounts before it: a set, {device: its mount}
    """
    path = mount['path']
    if not path.startswith('/') or fstab.plain(path) == '/':
        return 'path "%s"%s is no mount point for a disk. Give an absolute path other than /.' % (path, of_name(mount))
    if path != fstab.plain(path):
        return 'path "%s"%s is not in its plain form, by which what is mounted is known. Write it as "%s".' % (
            path, of_name(mount), fstab.plain(path))
    if mount['state'] != 'absent' and (path in SYSTEM or path.startswith(tuple(folder + '/' for folder in BELOW))):
        return 'path "%s"%s is a place of the system itself, and a disk of the network would hide what is there. Choose another, such as /srv/%s.' % (
            path, of_name(mount), os.path.basename(path))
    if path in paths:
        return '%s is listed twice. Remove one of the entries.' % path
    paths.add(path)
    device = mount.get('device')
    if device and not device.startswith('/'):
        return '%s: device %s is no path. Name the disk as it stands below /dev.' % (thing(mount), device)
    if mount['state'] == 'absent':
        return None
    if not device:
        return '%s: no device is given. Name the disk that is to be mounted there.' % thing(mount)
    other = devices.setdefault(os.path.realpath(device), mount)
    if other is not mount:
        return '%s: its disk is listed for %s, too, and each entry would make and mount a file system of its own. Remove one of them.' % (
            thing(mount), thing(other))
    if mount['fstype'] == 'swap':
        return '%s: fstype swap is no file system, and cannot be mounted. Name one, such as ext4 or xfs.' % thing(mount)
    if not re.match(r'[a-z][a-z0-9_.-]*\Z', mount['fstype']):
        return '%s: fstype "%s" is no kind of file system. Name one, such as ext4 or xfs.' % (thing(mount), mount['fstype'])
    if re.search(r'\s', mount.get('options') or ''):
        return '%s: the options "%s" hold a blank, and fstab divides its fields there. Separate them with commas.' % (
            thing(mount), mount['options'])
    return None


def faults(mounts):
    paths, devices = set(), {}
    return [text for text in (fault_of(mount, paths, devices) for mount in mounts) if text]


def check(mounts):
    for text in faults(mounts):
        raise Refused(text)
    for mount in mounts:
        if os.path.lexists(mount['path']) and not os.path.isdir(mount['path']):
            raise Refused('%s is there and no folder, so nothing can be mounted on it. Choose another path.' % mount['path'])


def plan(mounts, look, new_packages=False):
    """Operations in the order: unmount, make, write fstab, mount. Growing comes afterwards, see plan_growth.

    new_packages: tools that are not there may come before this is done
    """
    check(mounts)
    away, make, mount_now, notes = [], [], [], []
    text = look.text
    for mount in mounts:
        path = mount['path']
        if mount['state'] == 'absent':
            entry = fstab.entry_for(text, look.held(path))
            look.refuse_foreign(mount, entry)
            if path in look.mounted:
                away.append(Operation(thing(mount), 'unmount', 'run', ['umount', path]))
            if entry:
                text = fstab.with_entry(text, look.held(path), None)
                notes.append('%s: remove' % path)
            continue
        device, fstype, options = mount['device'], mount['fstype'], options_of(mount)
        mounted = look.is_mounted(mount)
        making = plan_making(mount, look)
        if making and not new_packages and not look.tools.can_make(fstype):
            raise Refused('%s: this host has no mkfs.%s, so no %s can be made on %s. Install the package that brings it, or correct the fstype.' % (
                thing(mount), fstype, fstype, device))
        make += making
        wanted = [look.held(field) for field in (device, path, fstype, options)]
        entry = fstab.entry_for(text, wanted[1])
        if entry is None or entry[:4] != wanted:
            text = fstab.with_entry(text, wanted[1], fstab.line_for(*wanted))
            notes.append('%s: %s' % (path, 'add' if entry is None else 'set'))
        if not mounted:
            mount_now.append(Operation(thing(mount), 'mount %s' % device, 'mount', path))
    written = [Operation('/etc/fstab', '; '.join(notes), 'fstab', '/etc/fstab', data=text)] if text != look.text else []
    return away + make + written + mount_now


def plan_making(mount, look):
    found = look.tools.signature(mount['device'])
    name = os.path.basename(os.path.realpath(mount['device']))
    if found.get('TYPE') == mount['fstype']:
        return []
    opened = Multipathd(look.tools.run).opened
    users = users_of(look.disks, name, opened)
    if users and not found:
        # udev has each new disk open for a moment.
        look.tools.run(['udevadm', 'settle', '--timeout=30'])
        users = users_of(look.disks, name, opened)
    if found or users:
        what = found.get('TYPE') or (found.get('PTTYPE') and 'a partition table (%s)' % found['PTTYPE']) or 'data of some kind'
        raise Refused('%s: disk %s is not empty: %s%s, so no %s is made on it. If it is the right disk and nobody needs '
                      'what it holds, empty it with %s; else correct the entry.'
                      % (thing(mount), mount['device'], 'it holds %s' % what if found else 'it is in use',
                         ' (%s)' % '; '.join(users) if users else '', mount['fstype'], EMPTY_IT.format(mount['device'])))
    if not mount['create']:
        raise Refused('%s: disk %s is empty, and creating a file system is not allowed here.' % (thing(mount), mount['device']))
    return [Operation(thing(mount), 'make %s on the empty disk %s' % (mount['fstype'], mount['device']), 'run',
                      look.tools.make(mount['fstype'], mount['device']))]


def plan_growth(mounts, look):
    """Growth of the file systems that are mounted: xfs cannot be grown otherwise, and ext4 wants a check before it can."""
    operations = []
    for mount in mounts:
        if mount['state'] == 'absent' or not mount['grow'] or not look.is_mounted(mount):
            continue
        size = look.tools.size(mount['fstype'], mount['device'], mount['path'])
        whole = look.disks.size(os.path.basename(os.path.realpath(mount['device'])))
        if size is not None and whole - size >= SLACK:
            operations.append(Operation(thing(mount), 'grow %s from %d to %d bytes' % (mount['fstype'], size, whole), 'run',
                                        look.tools.grow(mount['fstype'], mount['device'], mount['path'])))
    return operations
