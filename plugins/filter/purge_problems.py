# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: purge_problems
short_description: Why a site cannot be purged
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - A purge has to be confirmed by the name of the site, and nobody may be logged in, nor a gateway be silent about it.
positional: _input, iqn_prefix, seen
options:
  _input:
    description: The confirmation (V(cephgate_purge_confirm)).
    type: str
    required: true
  iqn_prefix:
    description: The prefix of all target names (V(cephgate_iqn_prefix)).
    type: str
    required: true
  seen:
    description: What all gateways said, as P(cephgate.iscsi.gateways_seen#filter) gives it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when it is not confirmed
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ cephgate_purge_confirm | default('') | cephgate.iscsi.purge_problems(cephgate_iqn_prefix, seen) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import purge_problems


class FilterModule(object):

    def filters(self):
        return dict(purge_problems=purge_problems)
