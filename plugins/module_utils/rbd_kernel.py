# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping and unmapping by asking the kernel directly, as the command rbd does in the end (Linux: Documentation/ABI/testing/sysfs-bus-rbd).

A take-over maps many images at once, and initiators wait for each: rbd starts a Ceph client for every one of them (under emulation 1.5 s of
processor time, and the kernel's own part 0.1 s). Where anything is not as plain as expected, rbd does it.

The write is made by another process (kernel_writer), for it may hang for as long as Ceph does. The key does not pass it: it lies in the
kernel's keyring of this session, which that process inherits.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import base64
import ctypes
import errno
import os
import re
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph_conf import monitors, written
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, RbdError

BUS = '/sys/bus/rbd'
KEYRING = '/etc/ceph/%s.client.%s.keyring'
CONF = '/etc/ceph/%s.conf'
SESSION = -3     # KEY_SPEC_SESSION_KEYRING of keyctl(2)
MODULES = (('rbd', BUS), ('dm-multipath', '/sys/module/dm_multipath'), ('dm-round-robin', '/sys/module/dm_round_robin'))  # the guard's, too
BUSY = 2.5       # seconds for others, such as the watchdog, to close the device
AGAIN = 0.05
KEPT = 5.0       # seconds for which what the files of Ceph say is not read again: a take-over of many disks maps each of them
# Options of rbd itself, not of the kernel; and of messenger 2, whose monitors have other ports.
OURS = ('udev', 'noudev', 'ms_mode')


def add_key(name, secret):
    """Give the kernel the key of a Ceph client, for this session and what it starts. Raises OSError where that is not possible."""
    try:
        library = ctypes.CDLL('libkeyutils.so.1', use_errno=True)
    except OSError:
        raise OSError(errno.ENOSYS, 'libkeyutils is not installed')
    if library.add_key(b'ceph', name.encode('ascii'), secret, ctypes.c_size_t(len(secret)), ctypes.c_int(SESSION)) < 0:
        number = ctypes.get_errno()
        raise OSError(number, 'add_key: %s' % os.strerror(number))


def _read(path):
    with open(path) as handle:
        return handle.read()


def reachable(conf):
    """host:port of the monitors that speak messenger 1, or [] when ceph.conf does not say it in plain addresses."""
    found = [written(host, port) for messenger, host, port in monitors(conf) if messenger != 'v2']
    return found if None not in found else []


class KernelRbd(Rbd):
    """As rbd.Rbd. writer: kernel_writer.Writer; read, exists, key, clock and sleep are for tests."""

    def __init__(self, run, writer, client='admin', cluster='ceph', read=_read, exists=os.path.exists, key=add_key, clock=clock, sleep=time.sleep):
        super(KernelRbd, self).__init__(run, client, cluster)
        self.writer = writer
        self.cluster = cluster
        self._files = read
        self._exists = exists
        self._key = key
        self._clock = clock
        self._sleep = sleep
        self._kept = None  # (when, monitors, name of the key)
        self.why = None  # rbd is called because of this

    def load(self):
        """What is needed in a hurry later. What is wrong with it, those that need it will say."""
        for name, proof in MODULES:
            if not self._exists(proof):
                self.run(['modprobe', name], None)
        try:
            self._give_key()  # first: it may make the keyring that the process inherits
            self.writer.start()
        except (EnvironmentError, ValueError, TypeError) as error:
            self.why = str(error)

    def _give_key(self):
        """Where the kernel finds the key: its name. Raises what keeps it from there."""
        found = re.search(r'^\s*key\s*=\s*(\S+)\s*$', self._files(KEYRING % (self.cluster, self.client)), re.MULTILINE)
        if not found:
            raise ValueError('no key in the keyring')
        name = 'client.' + self.client
        self._key(name, base64.b64decode(found.group(1)))
        return name

    def _access(self):
        """(where the monitors are, the name of the key). Raises what keeps them from being known."""
        now = self._clock()
        if self._kept is None or not 0 <= now - self._kept[0] < KEPT:
            where = reachable(self._files(CONF % self.cluster))
            if not where:
                raise ValueError('mon_host is not a list of addresses')
            self._kept = (now, where, self._give_key())
        return self._kept[1:]

    def _request(self, image, options):
        """What is written to map an image, or None where rbd has to do it."""
        parts = image.split('/')
        odd = [word for word in options if word.partition('=')[0] in OURS]
        try:
            if odd or not self._exists(BUS + '/add_single_major'):
                raise ValueError('option %s' % odd[0] if odd else 'the kernel module is not loaded')
            where, name = self._access()
            self.writer.start()
        except (EnvironmentError, ValueError, TypeError) as error:
            self.why = str(error)
            return None
        words = ['name=' + self.client, 'key=' + name] + list(options) + (['_pool_ns=' + parts[1]] if len(parts) > 2 else [])
        return '%s %s %s %s -' % (','.join(where), ','.join(words), parts[0], parts[-1])

    def _write(self, name, text):
        """One write to a file of the bus."""
        target = '%s/%s' % (BUS, name)
        code = self.writer.write(target, text)
        if code == errno.ETIMEDOUT:
            raise RbdError(code, 'writing "%s" to %s: no answer within %d s. Does Ceph answer?' % (text, target, self.writer.seconds))
        if code:
            raise RbdError(code, 'writing "%s" to %s: %s. The kernel log (dmesg) says why.' % (text, target, os.strerror(code)))

    def map(self, image, options):
        request = self._request(image, options)
        if request is None:
            super(KernelRbd, self).map(image, options)
            return
        self._write('add_single_major', request)

    def unmap(self, number, force=False):
        try:
            if not self._exists(BUS + '/remove_single_major'):
                raise ValueError('the kernel module is not loaded')
            self.writer.start()
        except (EnvironmentError, ValueError) as error:
            self.why = str(error)
            super(KernelRbd, self).unmap(number, force)
            return
        end = self._clock() + BUSY
        while True:
            try:
                self._write('remove_single_major', '%d%s' % (number, ' force' if force else ''))
                return
            except RbdError as error:
                # Whoever looks at the device, as the watchdog does, has it open for a moment.
                if error.errno != errno.EBUSY or self._clock() >= end:
                    raise
                self._sleep(AGAIN)
