# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: client_view
short_description: What one Linux client has to log in to, and which disks it then has
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns the declaration of the site, and what the gateways said of their exports, into the lists that
    M(cephgate.iscsi.iscsi_session) and M(cephgate.iscsi.multipath_map) take.
positional: _input, host, hosts, gateways, iqn_prefix, exports, sessions
options:
  _input:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  host:
    description: Which host of the site the client is (V(cephgate_host)).
    type: str
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
  exports:
    description:
      - For each gateway that is known to serve, its images with C(serial) and C(size), as in C(exports) of
        P(cephgate.iscsi.gateway_view#filter).
    type: dict
    default: {}
  sessions:
    description: RV(cephgate.iscsi.iscsi_session#module:sessions).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Log in to all gateways
  cephgate.iscsi.iscsi_session:
    targets: "{{ view.targets }}"
  vars:
    view: >-
      {{ cephgate_luns | cephgate.iscsi.client_view('db', cephgate_hosts,
         groups['gateways'] | cephgate.iscsi.gateways(hostvars), cephgate_iqn_prefix) }}
"""

RETURN = r"""
_value:
  description:
    - C(targets) for the sessions.
    - C(chap) of the host, or V(null).
    - C(images), the declared images of the host.
    - C(released), images that a gateway exports and that are not, or no longer, for this host.
    - C(maps) for the disks, of those images that a gateway said it exports.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils import client_site


def client_view(luns, host, hosts, gateways, iqn_prefix, exports=None, sessions=None):
    return dict(
        targets=client_site.targets(iqn_prefix, gateways),
        chap=(hosts.get(host) or {}).get('chap'),
        images=[lun['image'] for lun in client_site.luns_of(luns, host)],
        released=client_site.released(luns, host, exports or {}),
        maps=client_site.maps(luns, host, iqn_prefix, exports or {}, sessions or []),
    )


class FilterModule(object):

    def filters(self):
        return dict(client_view=client_view)
