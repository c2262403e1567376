# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of multipath, multipathd and dmsetup."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os


class MultipathError(EnvironmentError):

    def __str__(self):
        return self.args[0]


class Multipathd(object):
    """The multipath tools.

    run: callable(argv) -> (exit code, stdout, stderr)
    """

    def __init__(self, run):
        self.run = run

    def call(self, argv):
        code, out, err = self.run(argv)
        # multipathd's own client prints "fail" and, before 0.9, still exits with 0.
        words = (out + err).strip()
        if code or (argv[0] == 'multipathd' and words.splitlines()[-1:] in (['fail'], ['timeout'])):
            raise MultipathError('%s: exit code %d: %s' % (
                ' '.join(argv), code, words.splitlines()[-1] if words else 'no output'))
        return out

    def running(self):
        """Whether the daemon answers."""
        return self.run(['multipathd', 'show', 'daemon'])[0] == 0

    def opened(self, name):
        """How many have a map open, the kernel's count; 0 when there is no such map."""
        code, out, dummy = self.run(['dmsetup', 'info', '-c', '--noheadings', '-o', 'open', name])
        return int(out.strip()) if code == 0 and out.strip().isdigit() else 0

    @staticmethod
    def flush(name):
        return ['multipath', '-f', name]

    @staticmethod
    def resize(name):
        return ['multipathd', 'resize', 'map', name]

    @staticmethod
    def claim(device):
        """Put the WWID of a disk into multipath's wwids file."""
        return ['multipath', '-a', '/dev/%s' % device]

    @staticmethod
    def forget(device):
        """Take the WWID of a disk out of that file."""
        return ['multipath', '-w', '/dev/%s' % device]

    @staticmethod
    def add_path(device):
        return ['multipathd', 'add', 'path', device]

    def path_states(self):
        """{device: (dm state, checker state, priority)}; empty when the daemon does not answer."""
        code, out, dummy = self.run(['multipathd', 'show', 'paths', 'raw', 'format', '%d %t %T %p'])
        rows = [line.split() for line in out.splitlines()] if code == 0 else []
        return dict((row[0], tuple(row[1:])) for row in rows if len(row) == 4)

    @staticmethod
    def installed():
        return any(os.access(os.path.join(folder, 'multipath'), os.X_OK) for folder in ('/sbin', '/usr/sbin'))
