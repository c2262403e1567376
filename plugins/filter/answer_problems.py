# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: answer_problems
short_description: Why answers to the playbooks' questions cannot be taken
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Holds the variables by which the playbooks of operations are told what to do to their kinds, before anything is touched. What a name
    stands for (a gateway, an image, a host) is looked up later.
  - An empty answer is one that was left out.
options:
  _input:
    description: Answers by the names of their variables, such as V(cephgate_gateway).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check the answers
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems }}"
  vars:
    problems: "{{ {'cephgate_upgrade_wait': cephgate_upgrade_wait | default(300)} | cephgate.iscsi.answer_problems }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with the variable, what was found, the rule and the remedy. Empty when nothing is in the way.
  type: list
  elements: str
"""

import re

from ansible.errors import AnsibleFilterError

TEXT = (str, type(u''))
WORDS = ('true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', 't', 'f', '1', '0')


def _text(value):
    return isinstance(value, TEXT)


def _boolean(value):
    return isinstance(value, bool) or not isinstance(value, float) and (isinstance(value, int) or _text(value)) and str(value).lower() in WORDS


def _number(value):
    return not isinstance(value, (bool, float)) and (isinstance(value, int) or _text(value)) and re.match('^[0-9]+$', str(value)) is not None


def _names(value):
    return _text(value) or isinstance(value, (list, tuple)) and all(_text(one) for one in value)


TRUTH = (_boolean, 'it is either true or false', 'Give one of them')
# variable: (test, rule, remedy)
KINDS = dict(
    cephgate_gateway=(_text, 'it is the name of one gateway, as in the inventory', 'Give that name'),
    cephgate_image=(_text, 'it is one image, pool/image or pool/namespace/image', 'Give it as one text'),
    cephgate_size=(_text, 'it is a whole number and a unit, such as 100G', 'Give it as a text'),
    cephgate_lun_host=(_text, 'it is the name of one entry of cephgate_hosts', 'Give that name'),
    cephgate_lun_number=(_number, 'it is a number from 0 to 16383', 'Give a number, or leave it out for the lowest free one'),
    cephgate_lun_gateway=(_text, 'it is the name of one gateway, as in the inventory', 'Give that name, or leave it out'),
    cephgate_new_host=(_text, 'it is the name of a new entry of cephgate_hosts', 'Give one name'),
    cephgate_new_initiators=(_names, 'it is the names of initiators, as a list or in one text with blanks or commas between them', 'Give them so'),
    cephgate_purge_confirm=(_text, 'it is the name of the site, cephgate_iqn_prefix, as a text', 'Give that, if it is meant'),
    cephgate_disrupt_sessions=TRUTH,
    cephgate_upgrade_reboot=TRUTH,
    cephgate_upgrade_packages=(_names, 'it is names of packages, as a list or in one text with commas between them', 'Give them so'),
    cephgate_upgrade_wait=(lambda value: _number(value) and int(value) > 0, 'it is how many seconds initiators have to come back',
                           'Give a number above 0'),
    cephgate_status_fail_on=(lambda value: _text(value) and value in ('broken', 'degraded', 'never'),
                             'it is when the play is to fail: broken, degraded or never', 'Give one of these'),
    cephgate_status_html=(_text, 'it is a file on the control node', 'Give its path'),
    cephgate_status_json=(_text, 'it is a file on the control node', 'Give its path'),
    cephgate_site_file=(_text, 'it is the file of the inventory that declares the site', 'Give its path'),
)


def answer_problems(answers):
    unknown = sorted(set(answers) - set(KINDS))
    if unknown:
        raise AnsibleFilterError('answer_problems: %s is no variable that a playbook asks for. Known are: %s.' % (
            ', '.join(unknown), ', '.join(sorted(KINDS))))
    problems = []
    for name in sorted(answers):
        test, rule, remedy = KINDS[name]
        if answers[name] is not None and answers[name] != '' and not test(answers[name]):
            problems.append('%s is %s; %s. %s.' % (name, '"%s"' % answers[name] if _text(answers[name]) else _shown(answers[name]), rule, remedy))
    return problems


def _shown(value):
    """Another kind's value as YAML has it."""
    if isinstance(value, (list, tuple)):
        return '[%s]' % ', '.join(_shown(one) for one in value)
    if isinstance(value, dict):
        return '{%s}' % ', '.join('%s: %s' % (_shown(key), _shown(value[key])) for key in sorted(value, key=str))
    return str(value).lower() if isinstance(value, bool) else '%s' % value


class FilterModule(object):

    def filters(self):
        return dict(answer_problems=answer_problems)
