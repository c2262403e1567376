# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: drain_problems
short_description: Why a gateway cannot be taken out of service
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - A gateway that is the last path of a connected initiator to a LUN is not drained. Other gateways count only when
    they answer, are not drained, and have a session of that initiator that sees the LUN.
positional: _input, seen
options:
  _input:
    description: Name of the gateway.
    type: str
    required: true
  seen:
    description: What all gateways said, as P(cephgate.iscsi.gateways_seen#filter) gives it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Stop when a host would lose its last path
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ 'gw1' | cephgate.iscsi.drain_problems(seen) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import drain_problems


class FilterModule(object):

    def filters(self):
        return dict(drain_problems=drain_problems)
