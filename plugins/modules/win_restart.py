#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: win_restart
short_description: Reboot a Windows host and wait until it is back
version_added: "0.1.0"
description:
  - Reboots the host and waits until it says that it was booted since.
  - Other than C(ansible.windows.win_reboot) and C(wait_for_connection) it needs no module on the host, which Server 2008 cannot
    run.
  - It reboots each time it is called, so call it when something says that it is needed, such as
    RV(cephgate.iscsi.win_mpio#module:reboot_required).
options:
  delay:
    description: Seconds until the host goes down. With too few of them WinRM cannot answer before.
    type: int
    default: 5
  timeout:
    description: Seconds that the host may take to be back.
    type: int
    default: 600
extends_documentation_fragment:
  - cephgate.iscsi.attributes
attributes:
  idempotent:
    support: none
    details:
      - A call is a reboot.
requirements:
  - On the host PowerShell 2.0 or later and a WinRM listener.
  - On the controller pywinrm.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Reboot
  cephgate.iscsi.win_restart:
    timeout: 1200
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
elapsed:
  description: Seconds that it took.
  returned: when the host was rebooted
  type: int
"""
