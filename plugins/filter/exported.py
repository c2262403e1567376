# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: exported
short_description: The images that gateways export, by their internal ids
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Tells which image is behind each name, for P(cephgate.iscsi.rbd_image#module), which then takes no other one for it.
positional: _input, accepted
options:
  _input:
    description: What C(cephgate --json status) printed on each gateway, by its name. A gateway without that command exports nothing.
    type: dict
    required: true
  accepted:
    description: Images that may become other disks (V(cephgate_new_disks)), which are left out.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Create and grow the images
  cephgate.iscsi.rbd_image:
    client: igw
    images: "{{ images }}"
    exported: "{{ {'gw1': told.stdout} | cephgate.iscsi.exported(cephgate_new_disks) }}"
"""

RETURN = r"""
_value:
  description: For each image and internal id C(image), C(image_id) and C(gateways), the names of those that export it.
  type: list
  elements: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_identity import exported


class FilterModule(object):

    def filters(self):
        return dict(exported=exported)
