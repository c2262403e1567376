# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: identity_problems
short_description: Images that are not the same disk on all gateways, or look like another one
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Compares what the gateways know of the mapped images, also with what Ceph has under their names, and the identities that follow from
    it, before anything is exported.
positional: _input, luns, created
options:
  _input:
    description: RV(cephgate.iscsi.rbd_map#module:mapped) of each gateway, by its name.
    type: dict
    required: true
  luns:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  created:
    description: RV(cephgate.iscsi.rbd_image#module:images), what Ceph has under these names now. What is mapped has to be the same.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Stop before two disks are taken for one
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ {'gw1': mapped.mapped} | cephgate.iscsi.identity_problems(cephgate_luns) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, naming the object, the value, the rule and the remedy. Empty when all is well.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils import site
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_identity import collisions, disagreements, strangers


def identity_problems(mapped, luns, created=None):
    found = {}
    for gateway in sorted(mapped):
        for image in mapped[gateway]:
            found.setdefault(image, mapped[gateway][image])
    return disagreements(mapped) + strangers(mapped, created or {}) + collisions(site.devices(site.present(luns), found))


class FilterModule(object):

    def filters(self):
        return dict(identity_problems=identity_problems)
