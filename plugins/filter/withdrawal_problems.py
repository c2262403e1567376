# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: withdrawal_problems
short_description: Why a gateway cannot leave the site for good
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - It must not be the only one, and no LUN may be declared to prefer it.
positional: _input, luns, gateways
options:
  _input:
    description: Name of the gateway.
    type: str
    required: true
  luns:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  gateways:
    description: All gateways, as P(cephgate.iscsi.gateways#filter) gives them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when something depends on it
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ 'gw1' | cephgate.iscsi.withdrawal_problems(cephgate_luns, groups['gateways'] | cephgate.iscsi.gateways(hostvars)) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import withdrawal_problems


class FilterModule(object):

    def filters(self):
        return dict(withdrawal_problems=withdrawal_problems)
