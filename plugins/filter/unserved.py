# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: unserved
short_description: Images that a gateway does not call served
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Tells when the other gateways have what one gave away.
positional: _input, stdout, giver
options:
  _input:
    description: The images that are meant. Others, and those that the gateway does not know, do not count.
    type: list
    elements: str
    required: true
  stdout:
    description: What C(cephgate --json status) printed.
    type: str
    required: true
  giver:
    description: The gateway that gave them away. A gateway may not have heard of that yet, and then still calls them served by it.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Wait until another gateway has the disk
  ansible.builtin.command: /usr/local/sbin/cephgate --json status
  register: told
  until: "['rbd/db01'] | cephgate.iscsi.unserved(told.stdout, 'gw1') | length == 0"
  changed_when: false
  failed_when: false
"""

RETURN = r"""
_value:
  description: Those of the images that are not served, are still served by the giver, or that the gateway is still taking or giving away.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import unserved


class FilterModule(object):

    def filters(self):
        return dict(unserved=unserved)
