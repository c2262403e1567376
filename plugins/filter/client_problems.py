# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: client_problems
short_description: All that is wrong with the declaration of the site for one client
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Checks before anything is touched that the client is declared, that its initiator name is known, allowed and its
    own, and that there are gateways to log in to.
positional: _input, clients, luns, hosts, gateways, iqn_prefix, mounts, mounts_variable
options:
  _input:
    description: Inventory name of the client.
    type: str
    required: true
  clients:
    description: All clients, as P(cephgate.iscsi.clients#filter) gives them.
    type: dict
    required: true
  luns:
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
  mounts:
    description: The file systems of the client (V(linux_client_mounts), or those of V(windows_client_disks) that are used).
    type: list
    elements: dict
    default: []
  mounts_variable:
    description: Name of the variable that holds them, for the sentences.
    type: str
    default: linux_client_mounts
"""

EXAMPLES = r"""
- name: Stop before anything is touched
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: >-
      {{ inventory_hostname | cephgate.iscsi.client_problems(groups['linux_clients'] | cephgate.iscsi.clients(hostvars),
         cephgate_luns, cephgate_hosts, groups['gateways'] | cephgate.iscsi.gateways(hostvars), cephgate_iqn_prefix) }}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the object, the value found, the rule and the remedy.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import problems


class FilterModule(object):

    def filters(self):
        return dict(client_problems=problems)
