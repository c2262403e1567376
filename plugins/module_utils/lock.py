# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One at a time: modules and the command cephgate plan and act on one gateway under the same locks.

C(scst) is held around every plan for SCST's tree together with its writes, C(rbd-IMAGE) while that image is
mapped or unmapped. Two kinds, because a mapping may hang for a minute when Ceph does not answer, and what
is mapped has to be served meanwhile. The kernel lets go of a lock when its holder ends, however it ends.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import fcntl
import os
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

# Root's own, and empty after a reboot. Systems before 2012 have only the old name.
FOLDER = '/run' if os.path.isdir('/run') else '/var/run'

# seconds; longer than an attempt to map an image may take (rbd.MAP_TIMEOUT)
WAIT = 90


class Busy(Refused):
    """Somebody else holds the lock, and did for as long as we were ready to wait."""


class Lock(object):
    """A context manager. C(holder): who we are, for the others' error. C(wait): seconds; 0 tries once."""

    def __init__(self, name, holder, wait=WAIT, folder=None, sleep=time.sleep, clock=time.time):
        self.name = name
        self.path = os.path.join(folder or FOLDER, 'cephgate-%s.lock' % name.replace('/', '%2F'))
        self.holder = holder
        self.wait = wait
        self._sleep = sleep
        self._clock = clock
        self._handle = None

    def __enter__(self):
        try:
            self._handle = open(self.path, 'a+')
        except EnvironmentError as error:
            raise Refused('%s: cannot be opened (%s). This needs root, and a writable %s.' % (
                self.path, error.strerror, os.path.dirname(self.path)))
        end = self._clock() + self.wait
        while not self._taken():
            if self._clock() >= end:
                other = self.who()
                self._handle.close()
                raise Busy('the lock %s is held by %s; waited %d s for it. Let that end first, or find out what it waits for '
                           '(cephgate status; ps).' % (self.path, other, self.wait))
            self._sleep(0.1)
        self._handle.seek(0)
        self._handle.truncate()
        self._handle.write('%s (process %d, since %s)\n' % (self.holder, os.getpid(), time.strftime('%Y-%m-%d %H:%M:%S')))
        self._handle.flush()
        return self

    def _taken(self):
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except EnvironmentError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                self._handle.close()
                raise
            return False

    def __exit__(self, *_what):
        # What is written stays: between our end and the next one's first line nobody asks.
        self._handle.close()

    def who(self):
        """The holder as it wrote itself down."""
        try:
            with open(self.path) as handle:
                return handle.read().strip() or 'somebody who did not say who'
        except EnvironmentError:
            return 'nobody'

    def held(self):
        """The holder's words if somebody holds the lock now, else None."""
        try:
            with open(self.path) as handle:
                try:
                    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except EnvironmentError:
                    return handle.read().strip()
        except EnvironmentError:
            pass
        return None


class Locks(object):
    """Several locks, taken in the order of their names so that two takers never wait for each other."""

    def __init__(self, names, holder, **options):
        self._locks = [Lock(name, holder, **options) for name in sorted(set(names))]
        self._held = []

    def __enter__(self):
        try:
            for lock in self._locks:
                self._held.append(lock.__enter__())
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_what):
        while self._held:
            self._held.pop().__exit__()


def scst(holder, **options):
    return Lock('scst', holder, **options)


def rbd(images, holder, **options):
    return Locks(['rbd-' + image for image in images], holder, **options)
