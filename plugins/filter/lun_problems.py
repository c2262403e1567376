# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: lun_problems
short_description: Why a LUN cannot be taken away
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Names the initiators that still see it, wherever they are logged in.
positional: _input, luns, seen, released
options:
  _input:
    description: The image of the LUN.
    type: str
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
  released:
    description: Initiators whose hosts have let go of the disk.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop when somebody uses it
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ 'rbd/db01' | cephgate.iscsi.lun_problems(cephgate_luns, seen) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import lun_problems


class FilterModule(object):

    def filters(self):
        return dict(lun_problems=lun_problems)
