# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SCST's sysfs tree: the one place where it is touched.

SCST takes a command per write(2) and answers with an errno. A command that holds SCST's lock for more than
15 seconds answers EAGAIN and goes on; its result then appears in C(last_sysfs_mgmt_res), which fails with
EAGAIN until nothing is under way any more. That file is global and not refreshed by every kind of write,
so it says something only after an EAGAIN.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import sys
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_errors import explain

ROOT = '/sys/kernel/scst_tgt'

# sysfs hands a store function at most one page, less the closing zero byte.
LONGEST_WRITE = 4095


class WriteFailed(EnvironmentError):
    """A write that SCST refused; the text names the file, the value, what the errno means and what to do."""

    def __str__(self):
        return self.args[1]


def to_bytes(text):
    if isinstance(text, bytes):
        return text
    if sys.version_info[0] == 2:
        return text.encode('utf-8')
    # Ansible hands over bytes that are no UTF-8 as lone surrogates; they come out as they came in.
    return text.encode('utf-8', 'surrogateescape')


def to_text(data):
    """The native string: text on Python 3, bytes on Python 2."""
    if isinstance(data, str):
        return data
    if sys.version_info[0] == 2:
        return data.encode('utf-8')
    return data.decode('utf-8', 'surrogateescape')


class Sysfs(object):
    """Files below C(root), by relative path. Everything raises OSError with the kernel's errno.

    patience: seconds to wait for a command that SCST goes on with in the background
    """

    def __init__(self, root=ROOT, patience=300, sleep=time.sleep, clock=time.time):
        self.root = to_bytes(root)
        self.patience = patience
        self._sleep = sleep
        self._clock = clock

    def path(self, path):
        return os.path.join(self.root, to_bytes(path))

    def read(self, path):
        handle = os.open(self.path(path), os.O_RDONLY)
        try:
            parts = []
            while True:
                part = os.read(handle, 65536)
                if not part:
                    return to_text(b''.join(parts))
                parts.append(part)
        finally:
            os.close(handle)

    def write(self, path, data):
        """Hand C(data) over in one write(2), which SCST takes as one command, and wait for its end."""
        data = to_bytes(data)
        if len(data) > LONGEST_WRITE:
            raise OSError(errno.E2BIG, 'longer than the %d bytes of one sysfs write' % LONGEST_WRITE)
        handle = os.open(self.path(path), os.O_WRONLY)
        try:
            os.write(handle, data)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise
            self._settle()
        finally:
            os.close(handle)

    def _settle(self):
        end = self._clock() + self.patience
        pause = 0.1
        while self._clock() < end:
            self._sleep(pause)
            pause = min(2 * pause, 2)
            try:
                result = self.read('last_sysfs_mgmt_res').strip()
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
                continue
            code = -int(result)
            if code == errno.EAGAIN:
                continue
            if code:
                raise OSError(code, os.strerror(code))
            return
        raise OSError(errno.EAGAIN, 'still under way after %d seconds' % self.patience)

    def listdir(self, path):
        return [to_text(name) for name in os.listdir(self.path(path))]

    def readlink(self, path):
        return to_text(os.readlink(self.path(path)))

    def exists(self, path):
        return os.path.lexists(self.path(path))


def performer(sysfs):
    """Carries out the operations of the engine on C(sysfs).

    C(write_if_offered) is a write to an attribute of an object that is made in the same run, which not every
    SCST has: whether this one does can be seen only when the object is there.
    """
    def perform(operation):
        if operation.how == 'write_if_offered' and not sysfs.exists(operation.target):
            return
        try:
            sysfs.write(operation.target, operation.data)
        except EnvironmentError as error:
            raise WriteFailed(error.errno, explain(operation, error.errno, sysfs))
    return perform
