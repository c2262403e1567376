# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: gateways
short_description: The gateways of a site, from the inventory
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns the names of the gateway hosts into what the other filters take.
  - A variable that a host lacks becomes V(null), so that P(cephgate.iscsi.site_problems#filter) can name the host.
positional: _input, hostvars
options:
  _input:
    description: Names of the gateway hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The C(hostvars) of the play.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the numbers and portals of all gateways
  ansible.builtin.debug:
    msg: "{{ groups['gateways'] | cephgate.iscsi.gateways(hostvars) }}"
"""

RETURN = r"""
_value:
  description: For each host name C(number) (V(cephgate_gateway_id)) C(portals) (V(cephgate_portals)) and C(mode) (V(cephgate_ha_mode)).
  type: dict
"""


def gateways(names, hostvars):
    return dict((name, dict(number=hostvars[name].get('cephgate_gateway_id'),
                            portals=hostvars[name].get('cephgate_portals'),
                            mode=hostvars[name].get('cephgate_ha_mode'))) for name in names)


class FilterModule(object):

    def filters(self):
        return dict(gateways=gateways)
