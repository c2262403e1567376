# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: windows_disks
short_description: What win_disk has to do with the LUNs of one Windows client
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Brings together which LUNs the client has, by their serial numbers, and what is wanted of their disks, by their images.
  - A LUN of which nothing is wanted must be there as one disk, and is otherwise left alone.
positional: _input, disks
options:
  _input:
    description: The C(maps) of P(cephgate.iscsi.client_view#filter).
    type: list
    elements: dict
    required: true
  disks:
    description: What is wanted (V(windows_client_disks)).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Use the disks
  cephgate.iscsi.win_disk:
    disks: "{{ view.maps | cephgate.iscsi.windows_disks(windows_client_disks) }}"
"""

RETURN = r"""
_value:
  description: The option O(cephgate.iscsi.win_disk#module:disks).
  type: list
  elements: dict
"""

OPTIONS = ('online', 'format', 'letter', 'label')


def windows_disks(maps, disks):
    wanted = dict((disk['image'], disk) for disk in disks)
    result = []
    for entry in maps:
        disk = dict(name=entry['name'], serial=entry['serial'], online=False, format=False)
        if entry['name'] in wanted:
            disk['online'] = True
            disk.update((key, value) for key, value in wanted[entry['name']].items() if key in OPTIONS)
        result.append(disk)
    return result


class FilterModule(object):

    def filters(self):
        return dict(windows_disks=windows_disks)
