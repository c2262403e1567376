# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: mode_problems
short_description: Why a gateway's ha_mode cannot be changed now
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - A gateway changes its mode, and the pool of the records of V(fenced), out of service only.
positional: _input, gateway, mode, pool, luns
options:
  _input:
    description: What C(cephgate --json status) printed on the gateway; empty when it has no such command.
    type: str
    required: true
  gateway:
    description: Name of the gateway.
    type: str
    required: true
  mode:
    description: The declared mode (V(cephgate_ha_mode)).
    type: str
    choices: [shared, fenced]
    required: true
  pool:
    description: The declared pool of the records (V(cephgate_ha_pool)); empty for that of the first image.
    type: str
    required: true
  luns:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when the mode would change in service
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: >-
      {{ told.stdout | cephgate.iscsi.mode_problems('gw1', 'fenced', '', cephgate_luns) }}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import mode_problems


class FilterModule(object):

    def filters(self):
        return dict(mode_problems=mode_problems)
