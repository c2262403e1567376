# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: from_ceph_iscsi
short_description: The configuration object of ceph-iscsi as variables of a site
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns what ceph-iscsi keeps in Ceph into an inventory and variables of this collection, with the same LUN numbers, preferred gateways,
    CHAP and WWIDs.
  - Understands versions 10 and 11 of the object.
positional: _input
options:
  _input:
    description: The object, as text or as C(from_json) reads it.
    type: raw
    required: true
  target:
    description: Name of the target, when the object has several.
    type: str
  key:
    description: Text of ceph-iscsi's private key, when passwords are encrypted. Never shown.
    type: str
"""

EXAMPLES = r"""
- name: See what would be declared
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'gateway.conf') | cephgate.iscsi.from_ceph_iscsi).site }}"
"""

RETURN = r"""
_value:
  description:
    - C(inventory), C(site) and C(chap), each to be written to a file. C(chap) holds secrets and is empty without CHAP.
    - C(problems), sentences on what cannot be declared; C(notes), on what is lost.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.ceph_iscsi import convert, read


class FilterModule(object):

    def filters(self):
        return dict(from_ceph_iscsi=lambda config, target=None, key=None: convert(read(config), target, key))
