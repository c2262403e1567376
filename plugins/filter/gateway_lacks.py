# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: gateway_lacks
short_description: What keeps a gateway from taking part in fenced take-overs
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Tells from the kernel and the installed SCST of a gateway whether it can be in C(ha_mode=fenced).
positional: _input, kernel, blockio, init, fsid
options:
  _input:
    description: Name of the gateway.
    type: str
    required: true
  kernel:
    description: Its kernel release.
    type: str
    required: true
  blockio:
    description: What SCST says in C(handlers/vdisk_blockio/mgmt) of the parameters that a device takes.
    type: str
    required: true
  init:
    description: Its init system.
    type: str
    default: systemd
  fsid:
    description: The id of the Ceph cluster as it is declared.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Refuse a gateway that cannot be fenced
  ansible.builtin.assert:
    that: (inventory_hostname | cephgate.iscsi.gateway_lacks(ansible_facts.kernel, blockio.content | b64decode)) == []
"""

RETURN = r"""
_value:
  description: Sentences that name what is missing and what to do; empty when nothing is.
  type: list
  elements: str
"""

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_rules


def gateway_lacks(gateway, kernel, blockio, init='systemd', fsid=None):
    found = re.search(r'parameters available:(.*)', blockio)
    problems = ha_rules.lacks(gateway, kernel, set(re.findall(r'[a-z0-9_]+', found.group(1))) if found else set())
    if init != 'systemd':
        problems.append('gateway %s: its init system is %s; the agent of ha_mode fenced is supervised by systemd. %s' % (gateway, init, ha_rules.OFFER))
    if fsid == '':
        problems.append('cephgate_ceph_fsid is not set; in ha_mode fenced it is needed before any image is mapped. Set it to what '
                        '"ceph fsid" prints.')
    return problems


class FilterModule(object):

    def filters(self):
        return dict(gateway_lacks=gateway_lacks)
