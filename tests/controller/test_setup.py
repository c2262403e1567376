# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""controller.yml against a stub of the controller's API: everything is there, consistent, and a second run changes nothing."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml

import stub

TOP = pathlib.Path(__file__).resolve().parents[2]
SURVEYS = sorted((TOP / 'playbooks/surveys').glob('*.yml'))
TEMPLATES = yaml.safe_load((TOP / 'playbooks/vars/job_templates.yml').read_text())['controller_job_templates']
VARIABLES = dict(
    cephgate_controller_project_url='https://git.example.com/cephgate/iscsi.git',
    cephgate_controller_site_url='https://git.example.com/storage/site.git', cephgate_controller_site_path='prod',
    cephgate_controller_ee_image='registry.example.com/cephgate-ee:0.1.0', cephgate_controller_ssh_key='key-of-the-hosts',
    cephgate_controller_vault_password='password-of-the-vault', cephgate_ceph_fsid='00000000-0000-4000-8000-000000000000',
    cephgate_ceph_mon_host='192.0.2.1', cephgate_ceph_key='key-of-ceph', cephgate_controller_chap={'db': {'secret': 'secret-of-db-1'}})


def load(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def play(server, folder, **variables):
    """(exit code, changed tasks, what was printed) of the set-up."""
    (folder / 'vars.json').write_text(json.dumps(dict(VARIABLES, **variables)))
    done = subprocess.run(
        ['ansible-playbook', 'cephgate.iscsi.controller', '-vv', '-e', '@%s' % (folder / 'vars.json')], cwd=folder, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(
            os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(folder / 'home'),
            ANSIBLE_LOCALHOST_WARNING='false', CONTROLLER_HOST=server.url, CONTROLLER_OAUTH_TOKEN='of-the-test'))
    changed = re.search(r'changed=(\d+)', done.stdout)
    return done.returncode, int(changed.group(1)) if changed else None, done.stdout


@pytest.fixture(scope='module')
def made(tmp_path_factory):
    with stub.Server() as server:
        yield (server, *play(server, tmp_path_factory.mktemp('setup')))


def test_the_set_up_succeeds(made):
    _server, code, changed, printed = made
    assert code == 0 and changed > 5, printed[-6000:]


def test_a_second_run_changes_nothing(made, tmp_path):
    server = made[0]
    server.controller.log.clear()
    code, changed, printed = play(server, tmp_path)
    assert (code, changed) == (0, 0), printed[-6000:]
    assert server.controller.log == []


def test_every_job_template_has_its_playbook_survey_and_credentials(made):
    controller = made[0].controller
    for template in TEMPLATES:
        item = controller.named('job_templates', 'cephgate ' + template['name'])
        assert item['playbook'] == 'playbooks/%s.yml' % template['playbook']
        assert item['execution_environment'] == controller.named('execution_environments', 'cephgate')['id']
        assert item['inventory'] == controller.named('inventories', 'cephgate site')['id'] and item['allow_simultaneous'] is False
        credentials = controller.associated[('job_templates', str(item['id']), 'credentials')]
        assert len(credentials) == 4
        assert item['survey_enabled'] == ('survey' in template)
        if 'survey' in template:
            assert controller.surveys[item['id']] == load(TOP / 'playbooks/surveys' / (template['survey'] + '.yml'))
    assert len(controller.objects['job_templates']) == len(TEMPLATES)


def test_the_workflow_goes_from_preflight_over_site_to_status(made):
    controller = made[0].controller
    nodes = {node['identifier']: node for node in controller.objects['workflow_job_template_nodes'].values()}
    names = {number: item['name'] for number, item in controller.objects['job_templates'].items()}
    assert {name: names[node['unified_job_template']] for name, node in nodes.items()} == {
        'preflight': 'cephgate preflight', 'site': 'cephgate site', 'status': 'cephgate status'}

    def after(name):
        return controller.associated.get(('workflow_job_template_nodes', str(nodes[name]['id']), 'success_nodes'), [])
    assert after('preflight') == [nodes['site']['id']] and after('site') == [nodes['status']['id']] and after('status') == []


def test_secrets_arrive_and_are_not_printed(made):
    server, _code, _changed, printed = made
    inputs = json.dumps([item['inputs'] for item in server.controller.objects['credentials'].values()])
    for secret in ('key-of-the-hosts', 'password-of-the-vault', 'key-of-ceph', 'secret-of-db-1'):
        assert secret in inputs and secret not in printed


def test_what_is_missing_is_named(tmp_path):
    with stub.Server() as server:
        (tmp_path / 'vars.json').write_text('{}')
        done = subprocess.run(['ansible-playbook', TOP / 'playbooks/controller.yml', '-e', 'cephgate_controller_ee_image=x'], cwd=tmp_path, text=True,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), CONTROLLER_HOST=server.url))
        assert done.returncode and 'Give cephgate_controller_project_url, cephgate_controller_site_url.' in done.stdout
        assert server.controller.log == []


# Surveys as data

@pytest.mark.parametrize('path', SURVEYS, ids=lambda path: path.stem)
def test_a_survey_keeps_to_the_controllers_rules_and_asks_what_the_playbook_takes(path):
    survey = load(path)
    stub.check_survey(survey)
    playbook = next(template['playbook'] for template in TEMPLATES if template.get('survey') == path.stem)
    text = (TOP / 'playbooks' / (playbook + '.yml')).read_text(encoding='utf-8')
    assert not [question['variable'] for question in survey['spec'] if question['variable'] not in text]
    # A variable of an inventory's hosts would be overridden on all of them.
    assert not {'cephgate_host', 'cephgate_portals', 'cephgate_gateway_id'} & {question['variable'] for question in survey['spec']}


def test_every_playbook_of_a_template_exists():
    assert not [template['playbook'] for template in TEMPLATES if not (TOP / 'playbooks' / (template['playbook'] + '.yml')).is_file()]


@pytest.mark.parametrize('change, said', [
    (dict(type='number'), 'allowed question types'), (dict(type='multiplechoice'), 'must specify choices'), (dict(default=5), 'expected to be text'),
    (dict(max='9'), 'expected to be integer'), (dict(variable='two'), 'duplicated')])
def test_the_stub_refuses_what_a_controller_refuses(change, said):
    question = dict(question_name='A', variable='one', type='text', required=True, default='')
    with pytest.raises(stub.Refused, match=said):
        stub.check_survey(dict(name='', description='', spec=[dict(question, variable='two'), dict(question, **change)]))
