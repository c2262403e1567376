# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: site_change
short_description: The declaration of a site with one change made
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Adds a LUN or a host, or grows a LUN, in the declared values and in the text of the file that declares them. Comments and layout of the file
    stay.
  - A change that is made already changes nothing.
positional: _input, hosts, change, text
options:
  _input:
    description: The declared LUNs (V(cephgate_luns)).
    type: list
    elements: dict
    required: true
  hosts:
    description: The declared hosts (V(cephgate_hosts)).
    type: dict
    required: true
  change:
    description:
      - One of C(lun) (C(image), C(host), optionally C(size), C(number), C(gateway)), C(grow) (C(image), C(size)), and C(host) (C(name),
        C(initiators), a list or a text with blanks or commas).
    type: dict
    required: true
  text:
    description: Text of the file of variables that declares what changes.
    type: str
"""

EXAMPLES = r"""
- name: See which number a new LUN would get
  ansible.builtin.debug:
    msg: "{{ (cephgate_luns | cephgate.iscsi.site_change(cephgate_hosts, {'lun': {'image': 'rbd/new', 'size': '1G', 'host': 'db'}})).luns[-1] }}"
"""

RETURN = r"""
_value:
  description:
    - C(luns) and C(hosts), the declaration with the change; C(text), that of the file; C(changed), whether anything is different.
    - C(problems), sentences on what is wrong with the answers. Then nothing else is there.
  type: dict
"""

from ansible_collections.cephgate.iscsi.plugins.plugin_utils.site_change import Wrong, change, edit, load


def plain(value):
    """Without the marks that ansible-core 2.19 puts on values, which YAML cannot write."""
    if isinstance(value, dict):
        return dict((plain(key), plain(value[key])) for key in value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool):
        return value
    return int(value) if isinstance(value, int) else str(value)


def site_change(luns, hosts, asked, text=None):
    luns, hosts, asked, text = plain(luns), plain(hosts), plain(asked), plain(text)
    try:
        new_luns, new_hosts = change(luns, hosts, asked)
        result = dict(problems=[], luns=new_luns, hosts=new_hosts, changed=(new_luns, new_hosts) != (luns, hosts))
        if text is not None:
            declared = load(text)
            if 'host' not in asked and (declared.get('cephgate_luns') or []) != luns:
                raise Wrong('the cephgate_luns of the file are not those in effect: another file or an extra variable declares them, or templates '
                            'make them. Give the file that does, or change it by hand.')
            if 'host' in asked and sorted(declared.get('cephgate_hosts') or {}) != sorted(hosts):
                raise Wrong('the cephgate_hosts of the file are not those in effect: another file or an extra variable declares them. Give the '
                            'file that does, or change it by hand.')
            result['text'] = edit(text, asked)
        return result
    except Wrong as wrong:
        return dict(problems=[str(wrong)])


class FilterModule(object):

    def filters(self):
        return dict(site_change=site_change)
