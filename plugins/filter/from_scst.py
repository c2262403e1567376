# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: from_scst
short_description: What SCST exports on some gateways as variables of a site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns what M(cephgate.iscsi.scst_info) gathers into an inventory and variables of this collection, with the same LUN numbers, groups
    and identities.
positional: _input
options:
  _input:
    description: For each gateway what was gathered from it (RV(cephgate.iscsi.scst_info#module:gathered)).
    type: dict
    required: true
  portals:
    description: For each gateway its addresses, where targets allow every address.
    type: dict
  prefix:
    description: Prefix of target names, when it is to be another than today's.
    type: str
"""

EXAMPLES = r"""
- name: See what would be declared
  ansible.builtin.debug:
    msg: "{{ ({inventory_hostname: scst.gathered} | cephgate.iscsi.from_scst).site }}"
"""

RETURN = r"""
_value:
  description:
    - C(inventory), C(site) and C(chap), each to be written to a file. C(chap) is always empty.
    - C(problems), sentences on what cannot be declared; C(notes), on what is lost.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.scst_site import convert


class FilterModule(object):

    def filters(self):
        return dict(from_scst=convert)
