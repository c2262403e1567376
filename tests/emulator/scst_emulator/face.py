# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process face: read and write by path, with counters."""
import errno

from .core import Scst
from .environment import Fake
from .personality import PERSONALITIES
from .text import fail, to_kernel, to_user
from .tree import Dir, File, Link, resolve

PAGE = 4096


class Emulator:
    """SCST's sysfs tree as an object; paths are relative to its root.

    The methods of the engine's Sysfs class: read, write, listdir, readlink, exists; each
    raises OSError with the errno of the system call. reads and writes count what reached
    a file; paths_written lists the writes.
    """

    def __init__(self, personality='3.10', env=None, start=True):
        self.core = Scst(PERSONALITIES[personality], env or Fake())
        self.reads = 0
        self.writes = 0
        self.written = []
        if start:
            self.core.start()

    def node(self, path, follow=True):
        if self.core.root is None:
            fail(errno.ENOENT, path)
        parts = [part for part in to_kernel(path).split('/') if part]
        try:
            return resolve(self.core.root, parts, follow)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path)

    def _file(self, path):
        node = self.node(path)
        if isinstance(node, Dir):
            fail(errno.EISDIR, path)
        return node

    def read(self, path):
        """The text of a file."""
        file = self._file(path)
        self.reads += 1
        return to_user(file.read())

    def write(self, path, data):
        """One write(2) of the whole of data; returns the number of bytes taken (a page at most)."""
        file = self._file(path)
        if not file.mode & 0o222:
            fail(errno.EACCES, path)
        self.writes += 1
        self.written.append((path, data))
        text = to_kernel(data)[:PAGE]
        try:
            file.write(text)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path)
        return len(text)

    def listdir(self, path):
        node = self.node(path)
        if not isinstance(node, Dir):
            fail(errno.ENOTDIR, path)
        return [to_user(name) for name in node.names()]

    def readlink(self, path):
        node = self.node(path, follow=False)
        if not isinstance(node, Link):
            fail(errno.EINVAL, path)
        return to_user(node.text)

    def exists(self, path):
        try:
            self.node(path)
        except OSError:
            return False
        return True

    # -- for tests ----------------------------------------------------------

    def reset_counters(self):
        self.reads = self.writes = 0
        self.written = []

    def tree(self, path=''):
        """Everything below a path, as the recordings have it: path -> dict(t, m, c | e | to)."""
        found = {}
        if self.core.root is None:
            return found
        stack = [(path, self.node(path))]
        while stack:
            where, node = stack.pop()
            try:
                names = node.names()
            except OSError as error:
                found[where or '.'] = {'t': 'd', 'e': errno.errorcode[error.errno]}
                continue
            for name in names:
                if '/' in name:          # listed by old kernels, but no path leads there
                    continue
                child = node.get(name)
                place = '%s/%s' % (where, to_user(name)) if where else to_user(name)
                if isinstance(child, Link):
                    found[place] = {'t': 'l', 'to': to_user(child.text)}
                elif isinstance(child, Dir):
                    found[place] = {'t': 'd', 'm': '0755'}
                    stack.append((place, child))
                else:
                    found[place] = _described(child)
        return found


def _described(file):
    entry = {'t': 'f', 'm': '%04o' % file.mode}
    if file.mode & 0o444:
        try:
            entry['c'] = to_user(file.read())
        except OSError as error:
            entry['e'] = errno.errorcode[error.errno]
    return entry


__all__ = ['Emulator', 'File']
