# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: client_mounts
short_description: The file systems of one Linux client, with the devices that their disks have there
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns the declared file systems and the disks that were found into what M(cephgate.iscsi.disk_mount) takes.
positional: _input, maps, options
options:
  _input:
    description: The file systems of the client (V(linux_client_mounts)).
    type: list
    elements: dict
    required: true
  maps:
    description: RV(cephgate.iscsi.multipath_map#module:maps).
    type: list
    elements: dict
    required: true
  options:
    description: Mount options of file systems that name none.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Mount what is declared
  cephgate.iscsi.disk_mount:
    mounts: "{{ linux_client_mounts | cephgate.iscsi.client_mounts(disks.maps, '_netdev') }}"
"""

RETURN = r"""
_value:
  description: List of mounts. Those of disks that have no device yet, in check mode, are left out.
  type: list
  elements: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import file_systems


class FilterModule(object):

    def filters(self):
        return dict(client_mounts=file_systems)
