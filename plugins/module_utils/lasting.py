# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced in one step and are there after a power cut."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import tempfile

from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import to_bytes


def write(path, text, mode, beside=None):
    """Replace a file in one step and for good; a reader never meets half of it, and a secret is never readable by others.

    mode: as of chmod(2); beside: a folder of the same file system for the new file until it is whole, that of the old one unless told otherwise

    A rename is lost with the power until its folder is synced (fsync(2); measured: an order that had been taken back 30 s before the power cut was in
    force again).
    """
    folder = os.path.dirname(os.path.abspath(path))
    handle, new = tempfile.mkstemp(prefix='.%s.' % os.path.basename(path), dir=beside or folder)
    try:
        with os.fdopen(handle, 'wb') as stream:
            os.fchmod(handle, mode)
            stream.write(to_bytes(text))
            stream.flush()
            os.fsync(handle)
        os.rename(new, path)
    except BaseException:
        os.unlink(new)
        raise
    _sync(folder)


def _sync(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
