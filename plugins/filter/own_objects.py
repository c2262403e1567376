# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: own_objects
short_description: What of a gateway's SCST belongs to the site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Finds by names what a purge removes, so that it needs neither a state file nor the declaration. What other targets export is left out.
positional: _input, iqn_prefix, gateway
options:
  _input:
    description: RV(cephgate.iscsi.scst_info#module:gathered) with C(devices), C(luns) and C(device_groups).
    type: dict
    required: true
  iqn_prefix:
    description: The prefix of all target names (V(cephgate_iqn_prefix)).
    type: str
    required: true
  gateway:
    description: Name of the gateway.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Remove the target
  cephgate.iscsi.scst_target:
    targets: "{{ (found.gathered | cephgate.iscsi.own_objects(cephgate_iqn_prefix, inventory_hostname)).targets }}"
"""

RETURN = r"""
_value:
  description: Lists C(targets), C(device_groups), C(devices) and C(images) for the modules that take them, all with C(state=absent).
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import own_objects


class FilterModule(object):

    def filters(self):
        return dict(own_objects=own_objects)
