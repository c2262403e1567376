# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The FUSE face: the tree at a mount point, with the manners of sysfs.

direct_io and no cached attributes, because any write may change any other file. One thread:
SCST serialises management commands too.
"""
import errno
import os
import socket
import stat

import mfusepy

from .face import PAGE
from .text import fail, to_kernel, to_user
from .tree import Dir, Link

ACCESS = {os.O_RDONLY: 0o444, os.O_WRONLY: 0o222, os.O_RDWR: 0o666}
SIGNALLED = 8
FORMAT = {Dir: stat.S_IFDIR, Link: stat.S_IFLNK}


class Face(mfusepy.Operations):
    """Serves an Emulator; plane (or None) follows every change."""

    use_ns = True

    def __init__(self, emulator, plane=None):
        self.emulator = emulator
        self.plane = plane
        self.open_reads = {}
        self.next_handle = 1

    def _node(self, path, follow=False):
        if self.plane and '/sessions' in path:
            self.plane.refresh_sessions()
        if self.emulator.core.root is None:
            if path == '/':
                return Dir(())
            fail(errno.ENOENT)
        return self.emulator.node(path, follow)

    def init(self, path):
        notify_ready()

    # -- looking ------------------------------------------------------------

    def getattr(self, path, fh=None):
        node = self._node(path)
        kind = FORMAT.get(type(node), stat.S_IFREG)
        mode = {stat.S_IFDIR: 0o755, stat.S_IFLNK: 0o777}.get(kind) or node.mode
        size = PAGE if kind == stat.S_IFREG else 0
        return dict(st_mode=kind | mode, st_nlink=2 if kind == stat.S_IFDIR else 1, st_size=size,
                    st_uid=0, st_gid=0, st_ctime=0, st_mtime=0, st_atime=0)

    def readdir(self, path, fh):
        node = self._node(path)
        return ['.', '..'] + [to_user(name) for name in node.names()]

    def readlink(self, path):
        return self.emulator.readlink(path)

    def access(self, path, amode):
        self._node(path)
        return 0

    # -- files --------------------------------------------------------------

    def open(self, path, flags):
        node = self._node(path)
        if isinstance(node, Dir):
            fail(errno.EISDIR)
        wanted = ACCESS[flags & os.O_ACCMODE]
        if wanted & 0o222 and not node.mode & 0o222 or wanted & 0o444 and not node.mode & 0o444:
            fail(errno.EACCES)
        self.next_handle += 1
        return self.next_handle

    def read(self, path, size, offset, fh):
        # What is read in pieces is the content of the moment of the first piece.
        if offset == 0 or fh not in self.open_reads:
            text = to_kernel(self.emulator.read(path))
            self.open_reads[fh] = text.encode('latin-1')
        return self.open_reads[fh][offset:offset + size]

    def write(self, path, data, offset, fh):
        if self.plane:
            self.plane.refresh_sessions()     # what a write may do, and whom it moves, depends on them
        try:
            return self.emulator.write(path, data)
        finally:
            if self.plane:
                self.plane.follow()

    def truncate(self, path, length, fh=None):
        self._node(path)
        return 0

    def release(self, path, fh):
        self.open_reads.pop(fh, None)
        return 0

    # -- what sysfs refuses -------------------------------------------------

    def create(self, path, mode, fi=None):
        fail(errno.EACCES)

    def mkdir(self, path, mode):
        fail(errno.EPERM)

    def rmdir(self, path):
        fail(errno.EPERM)

    def unlink(self, path):
        fail(errno.EPERM)

    def rename(self, old, new):
        fail(errno.EPERM)

    def symlink(self, target, source):
        fail(errno.EPERM)

    def link(self, target, source):
        fail(errno.EPERM)

    def chmod(self, path, mode):
        return 0

    def utimens(self, path, times=None):
        return 0

    def statfs(self, path):
        return dict(f_bsize=PAGE, f_frsize=PAGE, f_namemax=255)


def notify_ready():
    """Tell systemd (Type=notify) that the tree is mounted. Polling for it would slow a small VM down."""
    address = os.environ.get('NOTIFY_SOCKET')
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b'READY=1', address.replace('@', '\0', 1))


def serve(emulator, mount_point, plane=None, foreground=True):
    """Mount and serve until unmounted or told to end (SIGTERM, SIGINT, SIGHUP)."""
    try:
        mfusepy.FUSE(Face(emulator, plane), mount_point, foreground=foreground, nothreads=True, direct_io=True,
                     attr_timeout=0, entry_timeout=0, negative_timeout=0, allow_other=True, fsname='scst_emulator')
    except RuntimeError as error:
        # libfuse's name for "a signal ended the loop".
        if error.args != (SIGNALLED,):
            raise
    finally:
        if plane:
            plane.close()
