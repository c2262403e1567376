# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard: a one-path dm-multipath that queues, between an image's mapping and SCST.

What Ceph refuses to a fenced client comes back from krbd as an error, which SCST would hand to the initiator as a medium
error. The guard holds it back instead, until the watchdog has cut the sessions (measured: without a guard 4 to 16 reads failed
in the quarter second before the watchdog acts, with it none). It exists while the image is mapped; without it
SCST cannot open the device, so a path without a mapping can never be active.

It works on bios (queue_mode), not on requests: SCST closes a device while commands are still under way in it, and a request-based guard that
is removed then takes the kernel down (measured on Linux 6.1: BUG in dm_get). Of a bio-based one the kernel counts what is under
way, held back or not, and it is not removed before that is nothing.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import subprocess
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_mapper import Unavailable

PREFIX = 'cephgate-'
SECTOR = 512
DRAINING = 3.0  # seconds for what is under way in a guard that is to go


class GuardError(EnvironmentError):
    """dmsetup failed; the text holds its command and its last line."""

    def __str__(self):
        return self.args[1]


def run(argv):
    """(exit code, what it printed, its errors). Without udev: nothing may read a guard that queues, as blkid would."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True,
                               close_fds=True, env=dict(os.environ, LC_ALL='C', DM_DISABLE_UDEV='1'))
    out, err = process.communicate()
    return process.returncode, out, err


def path(device):
    """The block device that SCST opens."""
    return '/dev/mapper/' + PREFIX + device


def table(disk, size):
    """disk: of the mapping, as major:minor; size: in bytes."""
    return '0 %d multipath 3 queue_if_no_path queue_mode bio 0 1 1 round-robin 0 1 1 %s 1' % (size // SECTOR, disk)


def stand_in(size):
    """Something of the right size for SCST to look at while the image is not mapped."""
    return '0 %d error' % (size // SECTOR)


def under_way(device):
    """How many reads and writes are in a guard, held back or on their way to Ceph."""
    number = os.stat(path(device)).st_rdev
    with open('/sys/dev/block/%d:%d/inflight' % (os.major(number), os.minor(number))) as handle:
        return sum(int(word) for word in handle.read().split())


def exists(device):
    return os.path.exists(path(device))


class _Wanted(object):
    """A guard that somebody waits for. error: (errno, text)"""

    def __init__(self, device, text):
        self.device = device
        self.table = text
        self.done = False
        self.error = ()


class Guards(object):
    """Every call of dmsetup, as few as can be: initiators wait for them. run, under_way, exists: see there.

    mapper: ha_mapper.Mapper for what initiators wait for, or None
    """

    def __init__(self, run=run, under_way=under_way, exists=exists, clock=clock, sleep=time.sleep, mapper=None):
        self.run = run
        self.mapper = mapper
        self.under_way = under_way
        self.exists = exists
        self._clock = clock
        self._sleep = sleep
        self._concise = True     # until dmsetup says that it is too old for it
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._waiting = []

    def _call(self, *words):
        code, out, err = self.run(['dmsetup'] + list(words))
        if code:
            raise GuardError(errno.EIO, 'dmsetup %s: exit code %d. Last line: %s' % (
                ' '.join(words), code, (err.strip().splitlines() or ['none'])[-1]))
        return out

    def found(self, device):
        """The table that is in force, or None."""
        code, out, dummy = self.run(['dmsetup', 'table', PREFIX + device])
        return None if code else out.strip()

    def create(self, device, text):
        """What is asked for while dmsetup runs is made in one call when it has ended: a take-over of many disks waits for their guards."""
        if self._directly('create', PREFIX + device, 'CEPHGATE-' + device, text):
            return
        mine = _Wanted(device, text)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                with self._lock:
                    batch, self._waiting = self._waiting, []
                self._create(batch)
        if mine.error:
            raise GuardError(*mine.error)

    def _directly(self, verb, *words):
        """Whether it could be done without dmsetup. What the library cannot do, because it is missing or busy, dmsetup can."""
        if self.mapper is None:
            return False
        try:
            getattr(self.mapper, verb)(*words)
        except Unavailable:
            return False
        except EnvironmentError as error:
            raise GuardError(error.errno, str(error.strerror))
        return True

    def _create(self, batch):
        if len(batch) > 1 and self._concise:
            # No name or table has a comma, a semicolon or a backslash.
            code, dummy, err = self.run(['dmsetup', 'create', '--noudevrules', '--concise', ';'.join(
                '%s,CEPHGATE-%s,,rw,%s' % (PREFIX + each.device, each.device, each.table) for each in batch)])
            self._concise = 'concise' not in err  # unrecognized option: before 1.02.147
            for each in batch:
                each.done = not code or self.exists(each.device)
        for each in batch:
            if not each.done:
                try:
                    self._call('create', PREFIX + each.device, '--uuid', 'CEPHGATE-' + each.device, '--noudevrules', '--table', each.table)
                except EnvironmentError as error:
                    each.error = (error.errno, str(error))
                each.done = True

    def ensure(self, device, disk, size):
        """The guard is over this disk and as large as it."""
        words = (self.found(device) or '').split() if self.exists(device) else []
        if not words:
            self.create(device, table(disk, size))
            return
        if words[2:3] == ['multipath'] and disk in words:
            if int(words[1]) != size // SECTOR:
                self._call('load', PREFIX + device, '--table', table(disk, size))
                self._call('resume', PREFIX + device, '--noudevrules')
            return
        self.remove(device)
        self.create(device, table(disk, size))

    def fail(self, device):
        """Let go of what is held back, as errors."""
        if not self.exists(device):
            return
        try:
            if self._directly('message', PREFIX + device, 'fail_if_no_path'):
                return
        except GuardError as error:
            if error.errno not in (errno.ENXIO, errno.EINVAL):  # it has just gone; a stand-in, which takes no messages
                raise
            return
        if ' multipath ' in (self.found(device) or ''):
            self._call('message', PREFIX + device, '0', 'fail_if_no_path')

    def remove(self, device):
        """Raises GuardError when something is still under way in it after a while: then it stays."""
        if self.exists(device):
            try:
                self._drain(device)
            except EnvironmentError as error:
                if error.errno != errno.ENOENT:
                    raise
                # Only its name is left: whoever removed it was killed between the two.
                self._call('mknodes', PREFIX + device)
                return
            if not self._directly('remove', PREFIX + device):
                self._call('remove', '--retry', '--noudevrules', PREFIX + device)

    def _drain(self, device):
        end = self._clock() + DRAINING
        while True:
            left = self.under_way(device)
            if not left:
                return
            if self._clock() >= end:
                raise GuardError(errno.EBUSY, 'guard %s%s: %d commands are under way in it after %d seconds, so it stays. Does Ceph answer?' % (
                    PREFIX, device, left, DRAINING))
            self._sleep(0.02)

    def tables(self):
        """{device: words of its table} of all guards, stand-ins among them, in one call."""
        lines = [line.partition(': ') for line in self._call('table').splitlines()]
        return dict((name[len(PREFIX):], text.split()) for name, dummy, text in lines if name.startswith(PREFIX))

    def overview(self):
        """{device: (size in bytes, [disks whose path has failed])} of all guards, in one call."""
        found = {}
        for line in self._call('status', '--target', 'multipath').splitlines():
            name, dummy, rest = line.partition(':')
            words = rest.split()
            if name.startswith(PREFIX) and words[2:3] == ['multipath']:
                found[name[len(PREFIX):]] = (int(words[1]) * SECTOR, [
                    word for word, state in zip(words, words[1:]) if ':' in word and state == 'F'])
        return found

    def reinstate(self, device, disk):
        """Give a path another try that failed although Ceph answers its reads."""
        self._call('message', PREFIX + device, '0', 'reinstate_path ' + disk)
