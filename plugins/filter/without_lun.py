# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: without_lun
short_description: The declaration of a site with one LUN to be removed
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Gives the entry of an image C(state=absent) and leaves all others as they are.
positional: _input, image
options:
  _input:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  image:
    description: The image of the LUN.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what the roles would be given
  ansible.builtin.debug:
    msg: "{{ cephgate_luns | cephgate.iscsi.without_lun('rbd/db01') }}"
"""

RETURN = r"""
_value:
  description: The LUNs.
  type: list
  elements: dict
"""


def without_lun(luns, image):
    return [dict(lun, state='absent') if lun['image'] == image else lun for lun in luns]


class FilterModule(object):

    def filters(self):
        return dict(without_lun=without_lun)
