# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a controller makes of the answers to a job template's survey."""
import pathlib

import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
TEMPLATES = {template['playbook']: template for template in yaml.safe_load(
    (TOP / 'playbooks/vars/job_templates.yml').read_text())['controller_job_templates']}


class Unfit(Exception):
    """The controller itself would not launch the job."""


def answers(playbook, given):
    """Extra variables as a controller makes them: defaults filled in, and all held to the survey's own limits (awx/main/models/mixins.py,
    SurveyJobTemplateMixin)."""
    survey = TEMPLATES[playbook].get('survey')
    if survey is None:
        return given
    questions = {question['variable']: question for question in yaml.safe_load((TOP / 'playbooks/surveys' / (survey + '.yml')).read_text())['spec']}
    if set(given) - set(questions):
        raise Unfit('not asked for: %s' % sorted(set(given) - set(questions)))
    result = {}
    for name, question in questions.items():
        value = given.get(name, question['default'])
        if question['type'] == 'multiselect' and isinstance(value, str):
            value = [each for each in value.split('\n') if each]
        if value in ('', []) and question['required']:
            raise Unfit('%s is required' % name)
        if question['type'] in ('text', 'textarea') and value and not (
                isinstance(value, str) and question['min'] <= len(value) <= question['max']):
            raise Unfit('%s is %r' % (name, value))
        if question['type'] == 'integer' and not (isinstance(value, int) and question['min'] <= value <= question['max']):
            raise Unfit('%s is %r' % (name, value))
        if question['type'].startswith('multi') and set([value] if isinstance(value, str) else value) - set(question['choices']):
            raise Unfit('%s is %r' % (name, value))
        result[name] = value
    return result
