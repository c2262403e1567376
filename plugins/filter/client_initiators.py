# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: client_initiators
short_description: The initiator names of clients
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Names the initiator of each client, which is its own, or the only one of its host.
positional: _input, hosts
options:
  _input:
    description: Clients, as P(cephgate.iscsi.clients#filter) gives them.
    type: dict
    required: true
  hosts:
    description: The declared hosts (V(cephgate_hosts)).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the initiators of the Linux clients
  ansible.builtin.debug:
    msg: "{{ groups['linux_clients'] | cephgate.iscsi.clients(hostvars) | cephgate.iscsi.client_initiators(cephgate_hosts) }}"
"""

RETURN = r"""
_value:
  description: The names, sorted. A client whose initiator is not known is left out.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import initiator_of


def client_initiators(clients, hosts):
    found = [initiator_of(clients[name], hosts) for name in clients]
    return sorted(set(name for name in found if name))


class FilterModule(object):

    def filters(self):
        return dict(client_initiators=client_initiators)
