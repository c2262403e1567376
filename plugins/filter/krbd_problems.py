# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: krbd_problems
short_description: What the gateways' kernels cannot map
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Compares image features, map options, namespaces and data pools with what each release of Linux can map, before an image is made
    that not all gateways could serve.
  - Refuses map options with unknown names, and those that do not go with the way in which the gateways share images.
positional: _input, features, options, luns, supported, mode, gateways, newer
options:
  _input:
    description: Kernel release of each gateway, as C(uname -r) prints it.
    type: dict
    required: true
  features:
    description: Features of images that are created.
    type: list
    elements: str
    required: true
  options:
    description: Map options of rbd(8), comma separated.
    type: str
    required: true
  luns:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  supported:
    description: For gateways whose kernel tells it, the content of C(/sys/bus/rbd/supported_features).
    type: dict
    default: {}
  mode:
    description: How the gateways share images.
    type: str
    choices: [shared, fenced]
    default: shared
  gateways:
    description: How many gateways the site has.
    type: int
    default: 1
  newer:
    description: Names of map options that are newer than this collection.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Stop before an image is made that cannot be mapped
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: >-
      {{ {inventory_hostname: ansible_facts.kernel} | cephgate.iscsi.krbd_problems(['layering', 'exclusive-lock'], 'osdkeepalive=2',
         cephgate_luns) }}
"""

RETURN = r"""
_value:
  description: One sentence for each problem, naming the object, the value, the rule and the remedy. Empty when all is well.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils import krbd


def krbd_problems(kernels, features, options, luns, supported=None, mode='shared', gateways=1, newer=()):
    told = dict((name, int(text.strip(), 16)) for name, text in (supported or {}).items() if text and text.strip())
    return krbd.site_problems(kernels, features, options, luns, told, mode, gateways, newer)


class FilterModule(object):

    def filters(self):
        return dict(krbd_problems=krbd_problems)
