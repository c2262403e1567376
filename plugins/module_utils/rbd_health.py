# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether mappings work: a mapping whose client Ceph has blocklisted stays listed, and refuses every read and write.

Only reading tells. The read goes past the page cache, which would answer for a device that is long dead.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import io
import mmap
import os
import threading
import time

WORKS, DEAD, SILENT = 'works', 'dead', 'silent'

# Seconds for all reads together. An OSD that restarts keeps readers waiting for longer; that is no death.
PATIENCE = 5

BLOCK = 4096


def read_block(path):
    """Read the first block of a device from the device itself. Raises EnvironmentError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        # Page-aligned, as O_DIRECT wants it.
        page = mmap.mmap(-1, BLOCK)
        with io.FileIO(handle, closefd=False) as device:
            device.readinto(page)
    finally:
        os.close(handle)


def health(paths, read=read_block, patience=PATIENCE):
    """{path: (one of WORKS, DEAD, SILENT, why in words or None)} of block devices, all read at the same time."""
    found = {}

    def look(path):
        try:
            read(path)
            found[path] = WORKS, None
        except EnvironmentError as error:
            if error.errno == errno.ENOENT:
                found[path] = SILENT, '%s is not there (yet)' % path
            else:
                found[path] = DEAD, 'reading %s fails: %s' % (path, os.strerror(error.errno))

    threads = []
    for path in sorted(set(paths)):
        thread = threading.Thread(target=look, args=(path,))
        # One that hangs in the kernel must not keep the process.
        thread.daemon = True
        thread.start()
        threads.append(thread)
    end = time.time() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.time()))
    return dict((path, found.get(path, (SILENT, 'a read of %s was not answered within %d s' % (path, patience)))) for path in paths)
