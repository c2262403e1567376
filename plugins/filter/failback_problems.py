# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: failback_problems
short_description: Why the disks of gateways cannot be moved back to them
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - For V(cephgate_ha_mode=fenced). A disk does not move to a gateway that one of its initiators is not logged in to, nor to one that is drained.
positional: _input, luns, seen
options:
  _input:
    description: Names of the gateways.
    type: list
    elements: str
    required: true
  luns:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  seen:
    description: What all gateways said, as P(cephgate.iscsi.gateways_seen#filter) gives it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when a host would lose its path
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: >-
      {{ ['gw1'] | cephgate.iscsi.failback_problems(cephgate_luns, seen) }}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import failback_problems


class FilterModule(object):

    def filters(self):
        return dict(failback_problems=failback_problems)
