# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: site_problems
short_description: All that is wrong with the declaration of a site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Cross-checks the declaration before anything is touched, such as duplicate LUN numbers in a group, invalid iSCSI
    names (RFC 7143), unknown gateways and hosts, gateways with the same number.
positional: _input, hosts, gateways, iqn_prefix
options:
  _input:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  hosts:
    description: The declared hosts (V(cephgate_hosts)).
    type: dict
    required: true
  gateways:
    description: The gateways, as P(cephgate.iscsi.gateways#filter) gives them.
    type: dict
    required: true
  iqn_prefix:
    description: The prefix of all target names (V(cephgate_iqn_prefix)).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Stop when the declaration is wrong
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ cephgate_luns | cephgate.iscsi.site_problems(cephgate_hosts, gateways, cephgate_iqn_prefix) }}"
    gateways: "{{ groups['gateways'] | cephgate.iscsi.gateways(hostvars) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, naming the object, the value, the rule and the remedy. Empty when all is well.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import problems


class FilterModule(object):

    def filters(self):
        return dict(site_problems=problems)
