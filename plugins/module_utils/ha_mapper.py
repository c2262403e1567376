# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and removing device-mapper devices without a process for each: by libdevmapper, which dmsetup itself is a thin layer of.

A process of dmsetup costs 0.1 s of an emulated processor, nearly all of it for being started: a quarter of what a take-over of a hundred
disks took (measured). Sources: libdevmapper.h; dmsetup.c for the order of its calls.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import ctypes
import errno
import os
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock

NAME = 'libdevmapper.so.1.02.1'
SYSTEM = ('/sbin', '/usr/sbin', '/bin', '/usr/bin')
CREATE, REMOVE, MESSAGE = 0, 2, 17  # of the enumeration DM_DEVICE_...
VERBS = {CREATE: 'create', REMOVE: 'remove', MESSAGE: 'message to'}
# Flags for udev's rules, as of dmsetup --noudevrules: nothing of theirs is for these devices, and nothing may read one that queues.
QUIET = 0x0001 | 0x0002 | 0x0004 | 0x0008
TURN = 3.0              # seconds that a call may wait for another one
AGAIN = 0.01
OPEN, RETRY = 5.0, 0.2  # seconds that a device which is to go may be held open, and between tries


class Unavailable(EnvironmentError):
    """The library does not come to it: another call has hung for so long, or it finds no device-mapper. dmsetup, a process for itself, can be tried."""


def ordinary(environment=None, exists=os.path.exists):
    """Whether dmsetup is the system's. A host that has another one first in its PATH wants that one to be asked."""
    for folder in (os.environ if environment is None else environment).get('PATH', '').split(':'):
        if exists(os.path.join(folder, 'dmsetup')):
            return folder.rstrip('/') in SYSTEM
    return False


def load(open_library=ctypes.CDLL):
    """The library, with udev left out of what it does, or None where it is missing or lacks what is needed."""
    try:
        library = open_library(NAME, use_errno=True)
        library.dm_task_create.restype = ctypes.c_void_p
        library.dm_task_create.argtypes = [ctypes.c_int]
        library.dm_task_destroy.restype = None
        library.dm_task_destroy.argtypes = [ctypes.c_void_p]
        library.dm_task_update_nodes.restype = None
        library.dm_task_update_nodes.argtypes = []
        for name, arguments in (('set_name', [ctypes.c_char_p]), ('set_uuid', [ctypes.c_char_p]), ('run', []), ('get_errno', []),
                                ('add_target', [ctypes.c_uint64, ctypes.c_uint64, ctypes.c_char_p, ctypes.c_char_p]),
                                ('set_sector', [ctypes.c_uint64]), ('set_message', [ctypes.c_char_p]),
                                ('set_cookie', [ctypes.POINTER(ctypes.c_uint32), ctypes.c_uint16])):
            function = getattr(library, 'dm_task_' + name)
            function.restype, function.argtypes = ctypes.c_int, [ctypes.c_void_p] + arguments
        # Not by the environment, which it has read already where librbd has loaded it. Each call would make a semaphore, and nobody waits for it.
        library.dm_udev_set_sync_support.restype, library.dm_udev_set_sync_support.argtypes = None, [ctypes.c_int]
        library.dm_udev_set_sync_support(0)
    except (OSError, AttributeError):
        return None
    return library


class Mapper(object):
    """One call at a time: the library is not made for threads. Everything raises EnvironmentError."""

    def __init__(self, library, clock=clock, sleep=time.sleep):
        self.library = library
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def create(self, name, uuid, table):
        """A device with this table, of one line: start, length in sectors, target type, and its parameters."""
        start, length, kind, parameters = table.split(' ', 3) if table.count(' ') > 2 else table.split(' ') + ['']
        self._do(CREATE, name, [('uuid', self.library.dm_task_set_uuid, (uuid.encode('ascii'),)),
                                ('table', self.library.dm_task_add_target, (int(start), int(length), kind.encode('ascii'), parameters.encode('ascii')))])

    def remove(self, name):
        """Whoever has it open for a moment is waited for, as with dmsetup remove --retry."""
        end = self._clock() + OPEN
        while True:
            try:
                self._do(REMOVE, name, [])
                return
            except EnvironmentError as error:
                if error.errno != errno.EBUSY or isinstance(error, Unavailable) or self._clock() >= end:
                    raise
            self._sleep(RETRY)

    def message(self, name, text):
        """To the device's only target."""
        self._do(MESSAGE, name, [('sector', self.library.dm_task_set_sector, (0,)), ('message', self.library.dm_task_set_message, (text.encode('ascii'),))])

    def _do(self, what, name, more):
        self._take_turn(name)
        task = None
        try:
            task = self.library.dm_task_create(what)
            if not task:
                raise Unavailable(errno.ENODEV, 'device-mapper: no task for %s' % name)
            cookie = ctypes.c_uint32(0)
            steps = [('name', self.library.dm_task_set_name, (name.encode('ascii'),))] + more
            if what != MESSAGE:
                steps.append(('cookie', self.library.dm_task_set_cookie, (ctypes.byref(cookie), QUIET)))
            for word, call, arguments in steps:
                if not call(task, *arguments):
                    raise OSError(errno.EINVAL, 'device-mapper: %s: its %s was not taken' % (name, word))
            if not self.library.dm_task_run(task):
                number = self.library.dm_task_get_errno(task) or errno.EIO
                raise OSError(number, 'device-mapper: %s %s: %s. The journal of cephgate-agent and the kernel log (dmesg) say why; dmsetup info -c shows what '
                                      'is there, and who has it open.' % (VERBS[what], name, os.strerror(number)))
            self.library.dm_task_update_nodes()  # /dev/mapper/NAME, which udev would make
        finally:
            if task:
                self.library.dm_task_destroy(task)
            self._lock.release()

    def _take_turn(self, name):
        end = self._clock() + TURN
        while not self._lock.acquire(False):
            if self._clock() >= end:
                raise Unavailable(errno.EBUSY, 'device-mapper: %s waits for a call that has not ended for %d s' % (name, TURN))
            self._sleep(AGAIN)
