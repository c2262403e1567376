# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gateway_state installs a command that runs without Ansible, and keeps secrets to root."""
import json
import subprocess

import pytest

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view
from ansible_collections.cephgate.iscsi.plugins.modules import gateway_state

SECRET = 'correct-horse-battery'


@pytest.fixture
def options(tmp_path):
    view = gateway_view(
        [dict(image='rbd/a', size='1G', hosts={'db': 0})],
        'gw1', {'db': dict(initiators=['iqn.1993-08.org.debian:01:db1'], chap=dict(user='u', secret=SECRET))},
        {'gw1': dict(number=1, portals=['10.99.1.11'])}, 'iqn.2026-11.com.example.cephgate',
        {'rbd/a': dict(path='/dev/rbd/rbd/a', image_id='1', fsid='F', size=1 << 30)},
        sysfs_root=str(tmp_path / 'scst'))
    return dict(state=view['state'], secrets=view['secrets'], path=str(tmp_path / 'etc/state.json'),
                command=str(tmp_path / 'bin/cephgate'), library=str(tmp_path / 'lib'))


def test_the_command_runs_without_ansible(run_module, options, tmp_path):
    result = run_module(gateway_state, **options)
    assert result['changed']
    done = subprocess.run([options['command'], '--state', options['path'], '--json', 'status'], env={'PATH': '/usr/bin'},
                          text=True, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    answer = json.loads(done.stdout)
    assert answer['enabled'] is False
    assert [entry['image'] for entry in answer['images'] if not entry['served']] == ['rbd/a']
    again = run_module(gateway_state, **options)
    assert not again['changed'] and again['operations'] == [] and again['drained'] is False
    drained = subprocess.run([options['command'], '--state', options['path'], 'drain'], env={'PATH': '/usr/bin'}, text=True,
                             capture_output=True, check=False)
    assert drained.returncode == 0, drained.stderr
    assert run_module(gateway_state, **options)['drained'] is True, 'the role must not enable its target'


def test_apply_without_scst_says_what_is_missing(run_module, options, tmp_path):
    run_module(gateway_state, **options)
    done = subprocess.run([options['command'], '--state', options['path'], 'apply'], text=True, capture_output=True, check=False,
                          env={'PATH': '/nonexistent:/usr/bin:/bin'})
    assert done.returncode == 2 and 'iscsi-scst is not loaded' in done.stderr, (done.stdout, done.stderr)


def test_secrets_are_in_the_file_only(run_module, options, tmp_path):
    result = run_module(gateway_state, diff=True, **options)
    assert SECRET not in json.dumps(result)
    state = tmp_path / 'etc/state.json'
    assert SECRET in state.read_text() and state.stat().st_mode & 0o777 == 0o600
    assert SECRET not in json.dumps(options['state'])


def test_check_mode_writes_no_file(run_module, options, tmp_path):
    before = sorted(tmp_path.rglob('*'))
    assert run_module(gateway_state, check_mode=True, **options)['changed']
    assert sorted(tmp_path.rglob('*')) == before


def test_a_user_without_a_secret_is_named(run_module, options):
    result = run_module(gateway_state, **dict(options, secrets={}))
    assert result['failed'] and 'CHAP user u' in result['msg']


@pytest.mark.parametrize('content', ['', '[]', '{"version": 9}', 'nonsense'])
def test_a_broken_state_file_is_an_error_that_says_what_to_do(run_module, options, tmp_path, content):
    run_module(gateway_state, **options)
    (tmp_path / 'etc/state.json').write_text(content)
    for verb in ('apply', 'plan', 'status'):
        done = subprocess.run([options['command'], '--state', options['path'], verb], text=True, capture_output=True, check=False)
        assert done.returncode == 2 and 'Run the site playbook' in done.stderr and 'Traceback' not in done.stderr
