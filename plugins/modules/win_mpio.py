#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: win_mpio
short_description: Let a Windows host use several paths to a disk as one
version_added: "0.1.0"
description:
  - Installs the MPIO feature with what the host has (ServerManagerCmd, ocsetup, DISM, Install-WindowsFeature), claims disks by
    their hardware id, and sets load balance policy and timers.
  - Sends plain commands through the connection, so that Server 2008 with PowerShell 2.0 is enough.
  - Never reboots. Nearly all of this waits for a reboot, which RV(reboot_required) says, also in a later run as long as the
    host was not rebooted. See M(cephgate.iscsi.win_restart).
options:
  hardware_ids:
    description: The disks to claim.
    type: list
    elements: dict
    default: []
    suboptions:
      vendor:
        description: SCSI vendor, up to 8 characters. It is filled with blanks to 8.
        type: str
        required: true
      product:
        description: SCSI product, up to 16 characters. It is filled with blanks to 16.
        type: str
        required: true
  load_balance:
    description:
      - Policy for these disks. Left out, Windows decides; for disks with ALUA, as those of the gateways, that is Round Robin
        With Subset, which uses the optimized paths only.
      - Server 2008 cannot set it (2008 R2 and later can).
    type: str
    choices: [fail_over_only, least_blocks, least_queue_depth, round_robin]
  timers:
    description: Registry values (REG_DWORD) by their names.
    type: dict
    default: {}
    suboptions:
      mpio:
        description: Below C(HKLM\SYSTEM\CurrentControlSet\Services\mpio\Parameters), such as C(PDORemovePeriod).
        type: dict
      msdsm:
        description: Below C(HKLM\SYSTEM\CurrentControlSet\Services\msdsm\Parameters).
        type: dict
      disk:
        description: Below C(HKLM\SYSTEM\CurrentControlSet\Services\Disk), such as C(TimeOutValue).
        type: dict
      iscsi:
        description: Parameters of the driver of the Microsoft iSCSI Initiator, such as C(LinkDownTime).
        type: dict
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.win_restart
  - module: cephgate.iscsi.win_iscsi_session
requirements:
  - On the host PowerShell 2.0 or later and a WinRM listener.
  - On the controller pywinrm.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Claim the disks of the gateways
  cephgate.iscsi.win_mpio:
    hardware_ids:
      - vendor: CEPHGATE
        product: RBD
    timers:
      mpio: {PDORemovePeriod: 120}
      disk: {TimeOutValue: 65}
  register: mpio

- name: Reboot once when that is needed
  cephgate.iscsi.win_restart:
  when: mpio.reboot_required
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
reboot_required:
  description: Whether something that was done by now, or would be done in check mode, waits for a reboot.
  returned: always
  type: bool
os_version:
  description: Version of Windows, 6.0 for Server 2008, 6.1 for 2008 R2.
  returned: always
  type: str
claims:
  description: Hardware ids that are claimed, without the blanks at their ends.
  returned: always
  type: list
  elements: str
"""
