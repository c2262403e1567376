# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: clients
short_description: The Linux clients of a site, from the inventory
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns the names of the client hosts into what P(cephgate.iscsi.client_problems#filter) takes.
positional: _input, hostvars
options:
  _input:
    description: Names of the client hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The C(hostvars) of the play.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show which client is which host of the site
  ansible.builtin.debug:
    msg: "{{ groups['linux_clients'] | cephgate.iscsi.clients(hostvars) }}"
"""

RETURN = r"""
_value:
  description: For each name C(host) (V(cephgate_host)) and C(initiator_name) (V(cephgate_initiator_name)), or V(null).
  type: dict
"""


def clients(names, hostvars):
    return dict((name, dict(host=hostvars[name].get('cephgate_host'),
                            initiator_name=hostvars[name].get('cephgate_initiator_name'))) for name in names)


class FilterModule(object):

    def filters(self):
        return dict(clients=clients)
