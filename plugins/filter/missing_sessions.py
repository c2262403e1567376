# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: missing_sessions
short_description: Sessions that a gateway had and has not any more
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Compares two looks at a gateway, by initiator and portal.
positional: _input, seen, gateway
options:
  _input:
    description: What all gateways said before, as P(cephgate.iscsi.gateways_seen#filter) gives it.
    type: dict
    required: true
  seen:
    description: The same, now.
    type: dict
    required: true
  gateway:
    description: Name of the gateway.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Stop when somebody is not back
  ansible.builtin.assert:
    that: before | cephgate.iscsi.missing_sessions(now, 'gw1') | length == 0
"""

RETURN = r"""
_value:
  description: One sentence for each initiator and portal that is not back.
  type: list
  elements: str
"""

from ansible_collections.cephgate.iscsi.plugins.module_utils.site_operations import missing_sessions


class FilterModule(object):

    def filters(self):
        return dict(missing_sessions=missing_sessions)
