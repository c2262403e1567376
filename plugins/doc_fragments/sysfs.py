# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option of every module that talks to SCST: where its sysfs tree is."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):

    DOCUMENTATION = r"""
options:
  sysfs_root:
    description:
      - Folder in which SCST shows its sysfs tree.
      - The SCST kernel modules must be loaded, so that it exists.
    type: path
    default: /sys/kernel/scst_tgt
"""
