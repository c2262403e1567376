# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies outside SCST: backing files and block devices, processors, local SCSI devices.

The state machine asks an Environment; Fake keeps files in a dictionary (tests, replays),
Real asks the kernel it runs on.
"""
import errno
import fcntl
import os
import re
import stat
import struct

from .text import fail

BLKGETSIZE64 = 0x80081272


class Environment:
    """Facts of the host that show up in the tree.

    cpu_bits:     how many processors a cpu_mask has
    threads:      SCST's default number of threads (the number of processors)
    kernel:       kernel release shown in the version file
    scsi_devices: local SCSI devices as {"1:0:0:0": SCSI type text}
    """
    cpu_bits = 1
    threads = 1
    kernel = '6.1.0-56-amd64'
    scsi_devices = {}

    @property
    def refuses_slashes(self):
        """Linux 5.4 and later fail with EIO to list a directory where a name contains '/'."""
        match = re.match(r'(\d+)\.(\d+)', self.kernel)
        return not match or (int(match.group(1)), int(match.group(2))) >= (5, 4)

    def find_isns_server(self, address):
        """An iSNS server is never there."""
        fail(errno.EHOSTUNREACH, address)


class Fake(Environment):
    """Backing files as data: path -> dict(size=bytes, block=bool, discard=bool, loop=path of a file)."""

    def __init__(self, files=None, **facts):
        self.files = files if files is not None else {}
        self.opened = {}
        for name, value in facts.items():
            setattr(self, name, value)

    def entry(self, path):
        if path not in self.files:
            fail(errno.ENOENT, path)
        return self.files[path]

    def is_block(self, path):
        return bool(self.entry(path).get('block'))

    def size(self, path):
        return self.entry(path)['size']

    def discards(self, path):
        """Whether the backing store can unmap."""
        return self.entry(path).get('discard', True)

    def open(self, path, write, exclusive):
        """A handle for close(); EBUSY when the device is open exclusively already."""
        entry = self.entry(path)
        if exclusive:
            if not entry.get('block'):
                fail(errno.ENOTBLK, path)
            if self.opened.get(path):
                fail(errno.EBUSY, path)
            self.opened[path] = True
            return path
        return ''

    def close(self, handle):
        self.opened.pop(handle, None)


class Real(Environment):
    """Backing files of this host.

    hold: keep a blockio device open exclusively, as the kernel does. Not when a data plane
    opens it exclusively itself: then only whether it could be opened is checked.
    """

    def __init__(self, hold=True):
        self.hold = hold
        self.claims = set()
        self.held_elsewhere = lambda path: False     # a data plane tells which devices it has open
        self.threads = self.cpu_bits = os.cpu_count() or 1
        self.kernel = os.uname().release

    def is_block(self, path):
        return stat.S_ISBLK(os.stat(path).st_mode)

    def size(self, path):
        found = os.stat(path)
        if stat.S_ISREG(found.st_mode):
            return found.st_size
        if not stat.S_ISBLK(found.st_mode):
            fail(errno.EINVAL, path)
        handle = os.open(path, os.O_RDONLY)
        try:
            return struct.unpack('Q', fcntl.ioctl(handle, BLKGETSIZE64, b'\0' * 8))[0]
        finally:
            os.close(handle)

    def discards(self, path):
        found = os.stat(path)
        if not stat.S_ISBLK(found.st_mode):
            return True
        queue = '/sys/dev/block/%d:%d' % (os.major(found.st_rdev), os.minor(found.st_rdev))
        for place in ('/queue', '/../queue'):
            try:
                with open(queue + place + '/discard_max_bytes') as source:
                    return int(source.read()) > 0
            except OSError:
                continue
        return False

    def open(self, path, write, exclusive):
        if exclusive and not self.is_block(path):
            fail(errno.ENOTBLK, path)
        if self.hold:
            return self._open(path, write, exclusive)
        if exclusive:
            if path in self.claims:
                fail(errno.EBUSY, path)
            if not self.held_elsewhere(path):
                os.close(self._open(path, write, True))
            self.claims.add(path)
        else:
            os.close(self._open(path, write, False))
        return path

    @staticmethod
    def _open(path, write, exclusive):
        flags = os.O_RDWR if write else os.O_RDONLY
        return os.open(path, flags | (os.O_EXCL if exclusive else 0))

    def close(self, handle):
        if self.hold:
            os.close(handle)
        else:
            self.claims.discard(handle)
