# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced in one step and are there after a power cut."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os


def replace(new, path):
    """Give a file that has been written and synced the name of another one, for good: a rename is lost with the power until its folder is synced
    (fsync(2); measured: an order that had been taken back 30 s before the power cut was in force again)."""
    os.rename(new, path)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
