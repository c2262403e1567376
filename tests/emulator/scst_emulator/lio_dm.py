# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A device-mapper device under every blockio disk, so that its backing device can be let go of.

SCST closes the backing device of a LUN that stays where it is (active=0, ALUA standby). LIO
cannot; and while a LUN is unlinked LIO answers reads of LUN 0 with zeros of its own. So LIO
holds a mapping that never goes away, and closing means to exchange its table for "error".
"""
import os
import re
import subprocess
import zlib

PREFIX = 'scst-'


def mapping_name(device):
    """The mapping's name; characters that device-mapper refuses are replaced, kept apart by a checksum."""
    plain = re.sub('[^A-Za-z0-9#+.:=@_-]', '_', device)
    return PREFIX + (plain if plain == device else '%s-%08x' % (plain, zlib.crc32(device.encode('utf-8', 'replace'))))


def linear(path, size):
    """Table that passes everything on; size in bytes."""
    return '0 %d linear %s 0' % (size // 512, path)


def error(size):
    """Table that fails everything and holds nothing; a mapping cannot be empty."""
    return '0 %d error' % max(8, size // 512)


class Mapper:
    """Every call of dmsetup. OSError(EIO) carries what it said."""

    @staticmethod
    def _run(*arguments):
        # Without udev the node is there when dmsetup returns, and nothing reads the disk.
        done = subprocess.run(('dmsetup',) + arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              universal_newlines=True, check=False, env=dict(os.environ, DM_DISABLE_UDEV='1'))
        if done.returncode:
            raise OSError(5, 'dmsetup %s: %s' % (' '.join(arguments), done.stderr.strip()))
        return done.stdout

    def create(self, name, table, read_only):
        self._run('create', name, '--noudevrules', *(['-r'] if read_only else []), '--table', table)

    def load(self, name, table, read_only):
        """Exchange the table; I/O waits meanwhile."""
        self._run('load', name, *(['-r'] if read_only else []), '--table', table)
        self._run('resume', name, '--noudevrules')

    def remove(self, name):
        self._run('remove', '--noudevrules', '--retry', name)

    def names(self):
        return [line.split()[0] for line in self._run('ls').splitlines() if line.startswith(PREFIX)]
