# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: client_names
short_description: Initiator names of the other Linux clients of a site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - What O(cephgate.iscsi.iscsi_initiator#module:others) takes, so that a copy of another client is recognized.
positional: _input, hosts, client
options:
  _input:
    description: All clients, as P(cephgate.iscsi.clients#filter) gives them.
    type: dict
    required: true
  hosts:
    description: The declared hosts (V(cephgate_hosts)).
    type: dict
    required: true
  client:
    description: Inventory name of the client that is left out.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show whose names this client must not have
  ansible.builtin.debug:
    msg: >-
      {{ groups['linux_clients'] | cephgate.iscsi.clients(hostvars) | cephgate.iscsi.client_names(cephgate_hosts, inventory_hostname) }}
"""

RETURN = r"""
_value:
  description: The inventory name for each initiator name.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.client_site import initiator_of


def client_names(clients, hosts, client):
    found = dict((initiator_of(clients[name], hosts), name) for name in sorted(clients) if name != client)
    found.pop(None, None)
    return found


class FilterModule(object):

    def filters(self):
        return dict(client_names=client_names)
