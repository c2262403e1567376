#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

# The work is done on the controller, by the action plugin of the same name.

DOCUMENTATION = r"""
module: win_iscsi_session
short_description: Keep a Windows host logged in to iSCSI targets through all their portals
version_added: "0.1.0"
description:
  - Starts the initiator's service and makes it start at boot, adds the portals to those asked for targets, logs in with
    multipath through every portal now and at every boot, and removes what the site no longer has.
  - Sends plain commands (C(sc), C(reg), C(iscsicli)) through the connection, so that Server 2008 with PowerShell 2.0 is
    enough. What the host prints is read by names, addresses and numbers, in any language of Windows.
  - C(iscsicli) adds a session each time it is told to log in, and may report success for nothing; so the host is looked at
    before and after.
  - A portal that cannot be reached stops no other one. See O(require) for when the module fails.
  - On Windows CHAP secrets are arguments of C(iscsicli), there is no other way; whoever may list the command lines of
    processes on the host could see them for a moment. They never appear in the result or in Ansible's output.
options:
  targets:
    description: The targets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: iSCSI name of the target.
        type: str
        required: true
      portals:
        description:
          - Addresses of the target, such as V(10.0.0.1), V(10.0.0.1:3261), V(fd00::1) or V([fd00::1]:3260). Host names are not
            taken.
          - With O(state=absent) and no portals, all of them are meant.
        type: list
        elements: str
        default: []
  state:
    description:
      - V(present) makes portals, sessions and persistent logins for O(targets).
      - V(absent) ends and removes them.
    type: str
    choices: [present, absent]
    default: present
  chap:
    description:
      - CHAP for all targets. When it is left out, the credentials of existing logins stay as they are.
      - Windows does not show the credentials of a login. A keyed hash of those that were set last is kept below
        C(HKLM\SOFTWARE\cephgate) on the host, so that a changed secret is noticed.
      - Sessions that work go on with the old secret until their next login.
    type: dict
    suboptions:
      user:
        description: User name for one-way CHAP.
        type: str
      secret:
        description: Secret of that user, 12 to 16 characters.
        type: str
      mutual_user:
        description: User name by which the target proves itself. Windows does not ask for it.
        type: str
      mutual_secret:
        description: Secret by which the target proves itself (mutual CHAP), 12 to 16 characters. Windows has one for all targets.
        type: str
  exclusive:
    description:
      - Prefixes of target names that belong to this site, such as V(iqn.2026-11.com.example.cephgate).
      - Sessions and persistent logins of targets below them that O(targets) does not list, and portals that it does not list,
        are removed. Names that only begin with the same letters are somebody else's and stay.
      - A prefix covers whole parts, C(prefix:...) and C(prefix....). One that is written with its colon covers C(prefix:...) alone.
      - Only with O(state=present).
    type: list
    elements: str
    default: []
  initiator_name:
    description: Name of the host's initiator. When it is left out it stays as it is.
    type: str
  require:
    description:
      - When to fail for portals with a problem, after all were tried.
      - V(all) when one has one, V(any) when every one has one, V(none) never.
    type: str
    choices: [all, any, none]
    default: all
extends_documentation_fragment:
  - cephgate.iscsi.attributes
seealso:
  - module: cephgate.iscsi.win_mpio
  - module: cephgate.iscsi.win_disk
requirements:
  - On the host PowerShell 2.0 or later and a WinRM listener.
  - On the controller pywinrm.
author:
  - the cephgate contributors (@cephgate)
"""

EXAMPLES = r"""
- name: Log in to both gateways through both networks
  cephgate.iscsi.win_iscsi_session:
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw1
        portals: [10.99.1.11, 10.99.2.11]
      - name: iqn.2026-11.com.example.cephgate:gw2
        portals: [10.99.1.12, 10.99.2.12]
    exclusive: [iqn.2026-11.com.example.cephgate]
    chap:
      user: app
      secret: "{{ vault_app_chap }}"
    require: any

- name: Leave a gateway that is taken away
  cephgate.iscsi.win_iscsi_session:
    state: absent
    targets:
      - name: iqn.2026-11.com.example.cephgate:gw3
"""

RETURN = r"""
operations:
  description: What was done, or would be done in check mode, in order.
  returned: always
  type: list
  elements: dict
sessions:
  description: Sessions of the targets that were asked for, as they are at the end.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Identity of the session, as C(iscsicli LogoutTarget) takes it.
      type: str
    target:
      description: Name of the target.
      type: str
    portals:
      description: Addresses and ports of its connections. Empty while Windows tries to connect again.
      type: list
      elements: str
    connected:
      description: Whether it has a connection.
      type: bool
    disks:
      description: Numbers of the disks that came with it.
      type: list
      elements: int
failed_portals:
  description: Declared portals with a problem, with the reason and what to do.
  returned: always
  type: list
  elements: dict
  sample:
    - target: iqn.2026-11.com.example.cephgate:gw2
      portal: 10.99.1.12:3260
      reason: "log in: connection failed (0xEFFF0003). Is the gateway up, is the address right, and does a firewall let TCP port 3260 through?"
initiator_name:
  description: Name of the host's initiator; V(null) when the service does not run.
  returned: always
  type: str
"""
