# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of a wrong kind are told with their variable, the value, the rule and the remedy."""
import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.cephgate.iscsi.plugins.filter.answer_problems import KINDS, answer_problems

PLAYBOOKS = pathlib.Path(__file__).resolve().parents[4] / 'playbooks'


@pytest.mark.parametrize('name, value', [
    ('cephgate_gateway', 'gw1'), ('cephgate_gateway', u'gw1'), ('cephgate_gateway', ''), ('cephgate_gateway', None),
    ('cephgate_disrupt_sessions', True), ('cephgate_disrupt_sessions', 'false'), ('cephgate_disrupt_sessions', 'Yes'), ('cephgate_disrupt_sessions', 0),
    ('cephgate_upgrade_wait', 300), ('cephgate_upgrade_wait', '300'), ('cephgate_lun_number', 0), ('cephgate_lun_number', '0'),
    ('cephgate_new_initiators', ['a', 'b']), ('cephgate_upgrade_packages', '*'), ('cephgate_status_fail_on', 'never')])
def test_good_answers(name, value):
    assert answer_problems({name: value}) == []


@pytest.mark.parametrize('name, value, said', [
    ('cephgate_gateway', ['gw1'], 'cephgate_gateway is [gw1]; it is the name of one gateway, as in the inventory. Give that name.'),
    ('cephgate_gateway', 7, 'is 7;'), ('cephgate_gateway', True, 'is true;'), ('cephgate_gateway', {'b': 1, 'a': [2]}, 'is {a: [2], b: 1};'),
    ('cephgate_disrupt_sessions', 'perhaps', 'is "perhaps"; it is either true or false'), ('cephgate_disrupt_sessions', 2, 'is 2;'),
    ('cephgate_disrupt_sessions', 1.0, 'is 1.0;'), ('cephgate_disrupt_sessions', [], 'is [];'),
    ('cephgate_upgrade_wait', 0, 'Give a number above 0'), ('cephgate_upgrade_wait', '-1', '"-1"'), ('cephgate_upgrade_wait', True, 'is true'),
    ('cephgate_upgrade_wait', 1.5, 'is 1.5'), ('cephgate_lun_number', 'one', '"one"'), ('cephgate_new_initiators', [1], 'is [1]'),
    ('cephgate_status_fail_on', 'sometimes', 'broken, degraded or never'), ('cephgate_size', 7, 'such as 100G')])
def test_wrong_answers(name, value, said):
    problems = answer_problems({name: value})
    assert len(problems) == 1 and problems[0].startswith(name + ' is ') and said in problems[0]


def test_a_variable_that_nobody_asks_for():
    with pytest.raises(AnsibleFilterError, match='cephgate_gatewy'):
        answer_problems(dict(cephgate_gatewy='gw1'))


def test_every_question_of_a_survey_has_a_kind_and_is_checked_by_its_playbook():
    templates = yaml.safe_load((PLAYBOOKS / 'vars/job_templates.yml').read_text())['controller_job_templates']
    for template in [one for one in templates if 'survey' in one]:
        text = (PLAYBOOKS / (template['playbook'] + '.yml')).read_text()
        for question in yaml.safe_load((PLAYBOOKS / 'surveys' / (template['survey'] + '.yml')).read_text())['spec']:
            name = question['variable']
            assert name in KINDS
            # Either in the answers of tasks/declare.yml, or given to the filter.
            assert '      %s: "{{ %s | default(\'\') }}"' % (name, name) in text or "'%s': %s | default('')" % (name, name) in text, (template, name)
