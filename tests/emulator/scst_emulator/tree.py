# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file tree: directories with shared attribute tables, single files, symbolic links.

A directory of a thousand alike objects costs one table of attributes and one small object each:
adding a LUN is constant work, listing a directory is proportional to its own size.
"""
import errno
from typing import Callable, NamedTuple, Optional

from .text import fail


class Attr(NamedTuple):
    """A file: its mode, show(owner) -> text and store(owner, text). Missing ones do nothing."""
    mode: int
    show: Optional[Callable] = None
    store: Optional[Callable] = None


class File:
    """An attribute together with the object it belongs to."""
    __slots__ = ('attr', 'owner')

    def __init__(self, attr, owner):
        self.attr = attr
        self.owner = owner

    @property
    def mode(self):
        return self.attr.mode

    def read(self):
        if not self.attr.mode & 0o444:
            fail(errno.EACCES)
        return self.attr.show(self.owner) if self.attr.show else ''

    def write(self, text):
        if not self.attr.mode & 0o222:
            fail(errno.EACCES)
        if text and self.attr.store:
            self.attr.store(self.owner, text)


class Dir:
    """A directory. attrs is shared between alike objects; entries are this one's own."""
    __slots__ = ('path', 'attrs', 'owner', 'entries', 'broken')

    def __init__(self, path, attrs=None, owner=None):
        self.path = path
        self.attrs = attrs or {}
        self.owner = owner
        self.entries = {}
        self.broken = 0

    def child_path(self, name):
        return self.path + (name,)

    def __contains__(self, name):
        return name in self.entries or name in self.attrs

    def get(self, name):
        node = self.entries.get(name)
        if node is None and name in self.attrs:
            return File(self.attrs[name], self.owner)
        return node

    def names(self):
        if self.broken:
            fail(errno.EIO)
        return list(self.attrs) + list(self.entries)

    def _put(self, name, node):
        if name in self:
            fail(errno.EEXIST, '%s exists in /%s' % (name, '/'.join(self.path)))
        self.entries[name] = node
        return node

    def mkdir(self, name, attrs=None, owner=None):
        return self._put(name, Dir(self.child_path(name), attrs, owner))

    def put_file(self, name, attr, owner):
        return self._put(name, File(attr, owner))

    def link(self, name, target):
        return self._put(name, Link(self.path, target))

    def remove(self, name):
        self.entries.pop(name, None)

    def hide(self, name):
        """Take a file of the shared table away from this directory only."""
        self.entries.pop(name, None)
        if name in self.attrs:
            self.attrs = {key: attr for key, attr in self.attrs.items() if key != name}


class Link:
    """A symbolic link, relative to its directory as sysfs writes it."""
    __slots__ = ('text', 'target')

    def __init__(self, where, target):
        there = target.path
        common = 0
        while common < min(len(where), len(there)) and where[common] == there[common]:
            common += 1
        self.text = '/'.join(('..',) * (len(where) - common) + there[common:])
        self.target = target


def resolve(root, parts, follow=True):
    """The node at a path given as a list of names; ENOENT or ENOTDIR as open(2) says."""
    node = root
    for index, name in enumerate(parts):
        if isinstance(node, Link):
            node = node.target
        if not isinstance(node, Dir):
            fail(errno.ENOTDIR)
        node = node.get(name)
        if node is None:
            fail(errno.ENOENT)
    if follow and isinstance(node, Link):
        node = node.target
    return node
