# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: scst_conf
short_description: A configuration of SCST as the text of scst.conf
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Turns what the SCST modules take into a file that C(scstadmin) understands. CHAP secrets stand in it in clear text.
options:
  _input:
    description:
      - Any of C(devices), C(targets), C(driver), C(luns) and C(device_groups), as the modules take them, and as
        M(cephgate.iscsi.scst_info) gathers them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what is declared where scstadmin looks for it
  ansible.builtin.copy:
    content: "{{ {'devices': devices, 'targets': targets, 'luns': luns} | cephgate.iscsi.scst_conf }}"
    dest: /etc/scst.conf
    mode: "0600"
  no_log: true
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from ansible.errors import AnsibleFilterError

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_conf import render


def scst_conf(config):
    try:
        return render(config)
    except Refused as error:
        raise AnsibleFilterError('scst_conf: %s' % error)


class FilterModule(object):

    def filters(self):
        return dict(scst_conf=scst_conf)
