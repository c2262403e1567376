# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every touch of LIO's configfs tree, in one small class that tests replace."""
import os
import socket
import subprocess
import sys


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
        # No newline: LIO would take it as part of a CHAP name.
        handle = os.open(self._at(path), os.O_WRONLY)
        try:
            os.write(handle, str(text).encode())
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


def _address(text):
    """An address of /proc/net/tcp: 32-bit words in the processor's order; IPv4 inside IPv6 is IPv4."""
    words = [int(text[start:start + 8], 16) for start in range(0, len(text), 8)]
    packed = b''.join(word.to_bytes(4, sys.byteorder) for word in words)
    if len(packed) == 16 and packed[:12] == b'\0' * 10 + b'\xff\xff':
        packed = packed[12:]
    return socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed)


def established(port, tables=('/proc/net/tcp', '/proc/net/tcp6')):
    """TCP connections to a local port: [(client address, local address)]."""
    found = []
    for table in tables:
        try:
            with open(table) as source:
                lines = source.readlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            _number, local, client, state = line.split()[:4]
            if state == '01' and int(local.rpartition(':')[2], 16) == port:
                found.append((_address(client.rpartition(':')[0]), _address(local.rpartition(':')[0])))
    return found
