# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every touch of LIO's configfs tree, in one small class that tests replace."""
import os
import subprocess


class Configfs:
    """Paths are relative to /sys/kernel/config/target. Methods raise OSError."""

    def __init__(self, root='/sys/kernel/config/target'):
        self.root = root

    def _at(self, path):
        return os.path.join(self.root, path)

    def exists(self, path):
        return os.path.lexists(self._at(path))

    def mkdir(self, path):
        """Make a directory and those above it; it may exist."""
        os.makedirs(self._at(path), exist_ok=True)

    def rmdir(self, path):
        os.rmdir(self._at(path))

    def listdir(self, path):
        try:
            return sorted(os.listdir(self._at(path)))
        except FileNotFoundError:
            return []

    def is_link(self, path):
        return os.path.islink(self._at(path))

    def read(self, path):
        with open(self._at(path)) as source:
            return source.read()

    def write(self, path, text):
        handle = os.open(self._at(path), os.O_WRONLY)
        try:
            os.write(handle, ('%s\n' % text).encode())
        finally:
            os.close(handle)

    def link(self, target, path):
        os.symlink(self._at(target), self._at(path))

    def unlink(self, path):
        os.unlink(self._at(path))


def host_addresses():
    """The host's own IP addresses."""
    output = subprocess.run(['ip', '-o', 'address', 'show'], stdout=subprocess.PIPE, check=False).stdout.decode()
    return [line.split()[3].split('/')[0] for line in output.splitlines() if len(line.split()) > 3]


def established(port):
    """TCP connections to a local port: [(client address, local address)]."""
    output = subprocess.run(['ss', '-Htn', 'state', 'established', 'sport', '=', ':%d' % port],
                            stdout=subprocess.PIPE, check=False).stdout.decode()
    found = []
    for line in output.splitlines():
        fields = line.split()
        if len(fields) >= 4:
            local, client = (text.rsplit(':', 1)[0].strip('[]').replace('::ffff:', '') for text in fields[2:4])
            found.append((client, local))
    return found
