#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: win_disk
short_description: Bring disks of a Windows host online by their serial numbers, and format empty ones
version_added: "0.1.0"
description:
  - Finds disks by their serial numbers (VPD page 0x80), never by the numbers that Windows gives them, and waits until they are
    there.
  - Refuses a disk that is there several times, once per path. MPIO has not claimed it then, and writing to it would destroy data.
  - Brings them online and formats them when asked, and the latter only when they have no partition. Nothing is ever taken away.
  - A file system that lies on the whole disk without a partition, as Linux may make it, is not seen by Windows. Do not ask to
    format such a disk.
options:
  disks:
    description: The disks.
    type: list
    elements: dict
    required: true
    suboptions:
      serial:
        description: Serial number.
        type: str
        required: true
      name:
        description: Name of the disk in messages. Defaults to its serial number.
        type: str
      online:
        description: Whether to bring it online and clear its read-only attribute.
        type: bool
        default: true
      format:
        description: Whether to make a partition and a file system when it has no partition.
        type: bool
        default: false
      filesystem:
        description: Kind of file system.
        type: str
        choices: [ntfs]
        default: ntfs
      letter:
        description: Drive letter of the new partition, D to Z. Windows chooses when it is left out.
        type: str
      label:
        description: Label of the new file system.
        type: str
  timeout:
    description: Seconds that the disks may take to appear.
    type: int
    default: 60
  pause:
    description: Seconds between two runs of C(diskpart), which fails now and then when they follow each other closely.
    type: int
    default: 15
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.win_iscsi_session
requirements:
  - On the host PowerShell 2.0 or later and a WinRM listener.
  - On the controller pywinrm.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Make a volume of an empty disk
  cephgate.iscsi.win_disk:
    disks:
      - serial: 3f2b6c1d9e8a7f605142
        format: true
        letter: E
        label: data
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
disks:
  description: The disks that are there.
  returned: always
  type: list
  elements: dict
  sample:
    - {name: rbd/app, serial: 3f2b6c1d9e8a7f605142, index: 1, model: CEPHGATE RBD Multi-Path Disk Device, size: 107374182400,
       partitions: 1, online: true}
missing:
  description: Serial numbers of the disks that are not there.
  returned: always
  type: list
  elements: str
"""
