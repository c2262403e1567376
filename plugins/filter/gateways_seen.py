# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: gateways_seen
short_description: Who is logged in to which gateway
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Puts together what all gateways answered, for the filters that tell what stands against an operation.
positional: _input, told, iqn_prefix
options:
  _input:
    description: Results of M(cephgate.iscsi.scst_info) with C(status) and C(sessions), in a loop over all gateways.
    type: list
    elements: dict
    required: true
  told:
    description: Results of C(cephgate --json status) in a loop over the same gateways.
    type: list
    elements: dict
    required: true
  iqn_prefix:
    description: The prefix of all target names (V(cephgate_iqn_prefix)).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show who is logged in where
  ansible.builtin.debug:
    msg: "{{ looked.results | cephgate.iscsi.gateways_seen(told.results, cephgate_iqn_prefix) }}"
"""

RETURN = r"""
_value:
  description: For each gateway whether it C(answered), and if not C(why); whether its target is C(enabled), whether it is C(drained), its
    C(sessions), and of its C(images) whether they are C(served) and, with V(fenced), how its path is (C(here)).
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import gateways_seen


class FilterModule(object):

    def filters(self):
        return dict(gateways_seen=gateways_seen)
