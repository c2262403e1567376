#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: win_info
short_description: Say what a Windows host is, and whether commands reach it
version_added: "0.1.0"
description:
  - Reads version, PowerShell and time of the last boot, through plain commands. Facts cannot be gathered from hosts with
    PowerShell older than 5.1, such as Server 2008.
  - When the host cannot be reached, or has PowerShell 1.0, the message says what to set up there.
options: {}
extends_documentation_fragment:
  - cephgate.iscsi.attributes.info
requirements:
  - On the host PowerShell 2.0 or later and a WinRM listener.
  - On the controller pywinrm.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: See whether the host can be managed
  cephgate.iscsi.win_info:
"""

RETURN = r"""
os_version:
  description: Version of Windows, 6.0 for Server 2008, 6.1 for 2008 R2.
  returned: success
  type: str
powershell:
  description: Major version of PowerShell.
  returned: success
  type: int
booted:
  description: When the host was booted, in seconds since 1970.
  returned: success
  type: int
reboot_required:
  description: Whether a change that was made by M(cephgate.iscsi.win_mpio) waits for a reboot.
  returned: success
  type: bool
"""
