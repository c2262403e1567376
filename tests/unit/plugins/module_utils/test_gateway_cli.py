# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command's exit codes are those of its documentation, and --json answers in JSON, errors too."""
import json
import pathlib
import re

import pytest
from gateway_world import World

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_mapper, gateway_serve, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd

TOP = pathlib.Path(__file__).resolve().parents[4]


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(folder=tmp_path)
    world.write()
    monkeypatch.setattr(gateway_cli.Here, 'gateway', lambda here, state: world.gateway(state))
    monkeypatch.setattr(gateway_cli.Here, 'rbd', lambda here, state: Rbd(world.rbd, 'igw'))
    monkeypatch.setattr(gateway_cli, 'mapped', world.mapped)
    return world


@pytest.fixture
def call(world, capsys):
    """A function (verb, options) -> (exit code, answer, standard error); the answer is that of --json."""
    def call(verb, *options):
        code = gateway_cli.main(['--state', str(world.path), '--run', lock.FOLDER, '--wait', '0', *options, verb])
        plain = capsys.readouterr()
        again = gateway_cli.main(['--state', str(world.path), '--run', lock.FOLDER, '--wait', '0', '--json', *options, verb])
        out = capsys.readouterr()
        if verb != 'apply':
            assert again == code
        return code, json.loads(out.out), plain.err
    return call


def test_0_and_1(world, call):
    assert call('status')[0] == 1
    code, answer, dummy = call('plan')
    assert code == 1 and len(answer['operations']) > 20 and answer['problems'] == {}
    world.broken.add('rbd/b')
    code, answer, dummy = call('apply')
    assert code == 1 and list(answer['problems']) == ['rbd/b'] and 'does not exist' in answer['problems']['rbd/b']
    code, answer, dummy = call('status')
    assert code == 1 and [entry['image'] for entry in answer['images'] if not entry['served']] == ['rbd/b']
    assert answer['enabled'] and answer['service'] is None and not answer['unfinished']
    world.broken.clear()
    assert call('apply')[0] == 0
    assert call('status')[0] == 0
    assert call('plan')[:2] == (0, dict(operations=[], problems={}))


def test_2_when_nothing_can_be_told(world, call):
    world.scst.core.stop_daemon()
    code, answer, error = call('apply')
    assert code == 2 and 'iscsi-scstd does not run' in error and 'iscsi-scstd does not run' in answer['error']
    world.path.write_text('{}')
    for verb in ('apply', 'plan', 'status'):
        code, answer, error = call(verb)
        assert code == 2 and 'Run the site playbook' in error and 'Run the site playbook' in answer['error']
    world.path.unlink()
    assert call('status')[0] == 2


def test_3_when_somebody_else_is_at_work(world, call):
    with lock.scst('module scst_lun'):
        code, answer, error = call('apply')
        assert code == 3 and 'module scst_lun' in error and 'module scst_lun' in answer['error']
        assert call('status')[0] == 1 and call('plan')[0] == 1, 'looking needs no lock'


def test_wrong_words_are_2():
    with pytest.raises(SystemExit) as leaving:
        gateway_cli.main(['restart'])
    assert leaving.value.code == 2


def test_status_says_why_when_the_service_knows(world, call, locks):
    gateway_serve.write_report(str(locks / 'cephgate-problems.json'), {'rbd/b': 'it does not exist'})
    entry = call('status')[1]['images'][1]
    assert entry['image'] == 'rbd/b' and entry['reason'] is None, 'an old report of a service that does not run'
    with lock.Lock('serve', 'cephgate serve'):
        answer = call('status')[1]
        assert answer['images'][1]['reason'] == 'it does not exist' and 'cephgate serve' in answer['service']


def test_status_tells_of_a_run_that_did_not_end(world, call):
    world.write(dict(world.state, unfinished=True))
    assert call('status')[1]['unfinished'] is True


def test_apply_ends_although_an_image_hangs(world, call, monkeypatch):
    monkeypatch.setattr(gateway_serve, 'PATIENCE', 0.3)
    monkeypatch.setattr(gateway_mapper, 'STUCK', 0.5)
    world.hang('rbd/a')
    code, answer, dummy = call('apply')
    assert code == 1 and list(answer['problems']) == ['rbd/a'] and world.luns() == ['1', '2'] and world.enabled()
    world.answer('rbd/a')


def test_the_documented_table_is_the_codes():
    text = (TOP / 'roles/gateway/README.md').read_text()
    documented = {int(code) for code in re.findall(r'^\| (\d+) \|', text, re.M)}
    assert documented == {gateway_cli.ALL_SERVED, gateway_cli.MISSING, gateway_cli.IMPOSSIBLE, gateway_cli.BUSY,
                          gateway_cli.TRY_AGAIN}
    for code in documented:
        assert '%d ' % code in gateway_cli.__doc__.split('\n\n')[1]


@pytest.mark.parametrize('words, said', [
    (['drain', 'now'], ['cephgate drain', '"now"', 'Only failback takes images', 'Leave it out']),
    (['--output', '/x', 'drain'], ['cephgate drain', '--output /x', 'metrics only', 'Leave it out']),
    (['--state', '/nonexistent', 'drain'], ['state file /nonexistent', 'No such file', 'site playbook', '--state']),
    (['--state', '/nonexistent', 'metrics'], ['state file /nonexistent', 'No such file', 'site playbook', '--state']),
    (['--state', '/', 'status'], ['state file /', 'Is a directory', '--state']),
    (['--output', '/nonexistent/x', 'metrics'], ['output file /nonexistent/x', 'No such file', 'textfile collector', '--output']),
    (['failback'], ['ha_mode shared', 'nothing to take back']),
])
def test_bad_input_is_named_with_the_rule_and_the_remedy(world, words, said, capsys, tmp_path):
    state = [] if '--state' in words else ['--state', str(world.path)]
    assert gateway_cli.main(state + ['--run', str(tmp_path)] + words) == 2
    out = capsys.readouterr()
    assert out.out == '' and out.err.startswith('cephgate: ') and len(out.err.splitlines()) == 1
    for word in said:
        assert word in out.err, out.err
