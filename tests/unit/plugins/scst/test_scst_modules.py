# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules as Ansible runs them: argument specs, check mode, diff, returned operations, secrets, failures."""
import json
import re

import pytest
import yaml
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_device as scst_device_util
from ansible_collections.cephgate.iscsi.plugins.modules import scst_alua, scst_device, scst_info, scst_lun, scst_target

TARGET = 'iqn.2026-11.com.example:gw1'
HOST = 'iqn.1993-08.org.debian:01:host'
SECRET = 'correct-horse-battery'

RUNS = [
    (scst_device, dict(devices=[dict(name='new', handler='vdisk_nullio', attributes=dict(usn='1', t10_dev_id='abcdefgh'))])),
    (scst_target, dict(targets=[dict(name=TARGET, rel_tgt_id=5, enabled=True, allowed_portals=['10.0.0.1'],
                                     incoming_users=[dict(name='u', secret=SECRET)], groups=[dict(name='db', initiators=[HOST])])],
                       driver=dict(enabled=True, outgoing_user=dict(name='o', secret=SECRET + '2')))),
    (scst_lun, dict(luns=[dict(target=TARGET, group='db', lun=0, device='new', read_only=True)])),
    (scst_alua, dict(device_groups=[dict(name='dg', devices=['new'], target_groups=[
        dict(name='tg', group_id=1, state='nonoptimized', preferred=True, targets=[dict(name=TARGET, rel_tgt_id=5)])])])),
]
GATHERED = ('devices', 'targets', 'luns', 'device_groups')
NAMES = [module.__name__.rsplit('.', 1)[-1] for module, _options in RUNS]


@pytest.fixture
def run(run_module, scst, monkeypatch):
    """run(module, **options) on the emulated tree."""
    for module in (scst_device, scst_target, scst_lun, scst_alua, scst_info):
        monkeypatch.setattr(module, 'Sysfs', lambda root: scst.tree)
    return run_module


@pytest.mark.parametrize('step', range(len(RUNS)), ids=NAMES)
def test_check_mode_says_what_a_run_does_and_a_second_run_does_nothing(run, scst, step):
    for module, options in RUNS[:step]:
        run(module, **options)
    module, options = RUNS[step]
    scst.tree.reset_counters()
    before = scst.tree.tree()
    would = run(module, check_mode=True, diff=True, **options)
    assert scst.tree.writes == 0
    assert scst.tree.tree() == before
    assert would['changed']
    assert not any(operation['done'] for operation in would['operations'])
    assert would['diff']['prepared'].count('\n') == len(would['operations'])
    did = run(module, **options)
    assert did['changed']
    assert all(operation['done'] for operation in did['operations'])
    assert [dict(operation, done=False) for operation in did['operations']] == would['operations']
    again = run(module, **options)
    assert (again['changed'], again['operations']) == (False, [])


@pytest.mark.parametrize('module, options', RUNS, ids=NAMES)
def test_check_mode_answers_on_a_node_where_nothing_is_set_up_yet(run, scst, module, options):
    """A playbook in check mode has not made what comes before."""
    scst.tree = type(scst.tree)(start=False)
    assert run(module, check_mode=True, **options)['changed']


def test_secrets_are_shown_nowhere(run, capsys):
    for module, options in RUNS[:2]:
        result = run(module, diff=True, **options)
    assert SECRET not in json.dumps(dict(result, invocation=None))
    assert '********' in json.dumps(result['operations'])


def test_a_failure_keeps_what_was_done_and_says_so(run, scst, tmp_path):
    regular = tmp_path / 'regular'  # no block device
    regular.write_bytes(b'x' * 4096)
    scst.files[str(regular)] = dict(size=4096, block=False)
    result = run(scst_device, devices=[dict(name='one', handler='vdisk_nullio'), dict(name='two', filename=str(regular))])
    assert result['failed']
    assert '1 of 2 operations were done' in result['msg'] and str(regular) in result['msg']
    assert [operation['done'] for operation in result['operations']] == [True, False]
    assert scst.tree.exists('devices/one')


def test_a_refusal_is_a_failure_without_change(run, scst):
    result = run(scst_device, devices=[dict(name='one', handler='vdisk_nullio'), dict(name='two.', handler='vdisk_nullio')])
    assert result['failed'] and not result['changed'] and "'.'" in result['msg']
    assert scst.tree.writes == 0


def test_info_returns_what_the_modules_take(run, scst):
    for module, options in RUNS:
        run(module, **options)
    gathered = run(scst_info, gather=list(GATHERED), include_secrets=True)['gathered']
    scst.tree.reset_counters()
    for module, options in [(scst_device, dict(devices=gathered['devices'])),
                            (scst_target, dict(targets=gathered['targets'], driver=gathered['driver'])),
                            (scst_lun, dict(luns=gathered['luns'])), (scst_alua, dict(device_groups=gathered['device_groups']))]:
        result = run(module, **options)
        assert (result['failed'], result.get('operations')) == (False, []), result
    assert scst.tree.writes == 0


def test_info_hides_secrets_unless_told(run, scst):
    for module, options in RUNS[:2]:
        run(module, **options)
    assert SECRET not in json.dumps(run(scst_info, gather=list(GATHERED)))
    assert SECRET in json.dumps(run(scst_info, gather=list(GATHERED), include_secrets=True))


def test_info_shows_sessions_and_status(run, scst):
    scst.exported().login()
    result = run(scst_info, gather=['status', 'sessions'])
    assert 'gathered' not in result
    assert [(device['name'], device['size'], device['active'], len(device['exported'])) for device in result['devices']] == [
        ('disk0', 1 << 24, True, 1), ('disk1', 1 << 24, True, 0)]
    assert result['targets'] == [dict(name=TARGET, enabled=True, rel_tgt_id=1, groups=[dict(name='db', initiators=[HOST])])]
    session, = result['sessions']
    assert (session['initiator'], session['group'], session['luns']) == (HOST, 'db', [dict(lun=0, active_commands=0)])
    assert session['counters']['read_cmd_count'] == 0
    assert [connection['ip'] for connection in session['connections']] == ['127.0.0.1']


# SCST has a thread of its own look these up, or asks iscsi-scstd (read in its source; a session's active_commands is of this kind,
# that of a LUN is not).
SLOW = re.compile('devices/[^/]+/filename|targets/iscsi/[^/]+/(?!enabled|rel_tgt_id|ini_groups|luns|sessions|addr_method|black_hole|comment|cpu_mask|'
                  'io_grouping_type)|targets/iscsi/(?!iqn)|targets/iscsi/[^/]+/sessions/[^/]+/(active_commands|dif_checks_failed)$|trace_')


def test_info_makes_no_slow_read_unless_what_is_asked_for_needs_it(run, scst, monkeypatch):
    scst.exported().login()
    scst.tree.write('targets/iscsi/mgmt', 'add_target_attribute %s IncomingUser u 123456789012' % TARGET)
    reads = []
    read = scst.tree.read
    monkeypatch.setattr(scst.tree, 'read', lambda path: (reads.append(path), read(path))[1])
    result = run(scst_info)
    assert set(result) >= {'gathered', 'devices', 'targets', 'sessions'} and set(result['gathered']) == {'luns', 'device_groups'}
    assert [path for path in reads if SLOW.match(path)] == [] != reads
    assert not any('/latency' in path for path in reads)
    del reads[:]
    run(scst_info, gather=['devices'])
    assert sorted(path for path in reads if SLOW.match(path)) == ['devices/disk0/filename', 'devices/disk1/filename']
    run(scst_info, gather=['targets'])
    assert 'targets/iscsi/%s/IncomingUser' % TARGET in [path for path in reads if SLOW.match(path)]


EXAMPLES = [(module, index, task) for module in (scst_device, scst_target, scst_lun, scst_alua, scst_info)
            for index, task in enumerate(yaml.safe_load(module.EXAMPLES))]


@pytest.mark.parametrize('module, index, task', EXAMPLES, ids=lambda item: item['name'] if isinstance(item, dict) else '')
def test_the_examples_run(run, scst, monkeypatch, module, index, task):
    """In check mode on a node where nothing is set up, and for real where what they need is there."""
    name = next(key for key in task if key.startswith('cephgate.iscsi.'))
    options = task[name] or {}
    module = {'cephgate.iscsi.' + each.__name__.rsplit('.', 1)[-1]: each for each, _index, _task in EXAMPLES}[name]
    options = json.loads(json.dumps(options).replace('{{ vault_chap_secret }}', SECRET))
    if '{{' in json.dumps(options):
        options = dict(devices=run(scst_info, gather=['devices'])['gathered']['devices'])
    iqn = 'iqn.2026-11.com.example.cephgate:gw1'
    for image in ('db01', 'ref'):
        scst.files['/dev/rbd/rbd/' + image] = dict(size=1 << 24, block=True)
    monkeypatch.setattr(scst_device_util.snapshot, '__defaults__', ((), False, scst.size_of))
    if module is not scst_device:
        scst.device(dict(name='db01-3fa2c1', filename='/dev/rbd/rbd/db01'), dict(name='ref-90be11', filename='/dev/rbd/rbd/ref'))
        scst.target(dict(name=iqn, rel_tgt_id=1, groups=[dict(name='db', initiators=[])]))
    result = run(module, check_mode=True, **options)
    assert not result['failed'], result
    result = run(module, **options)
    assert not result['failed'], result
    if module is not scst_info:
        assert run(module, **options)['operations'] == []


def test_rendering_touches_no_host(run, scst):
    scst.tree.read = scst.tree.listdir = scst.tree.write = scst.tree.exists = None
    config = {}
    for _module, options in RUNS:
        config.update(options)
    result = run(scst_info, render=config)
    assert not result['failed'], result
    assert 'DEVICE new {' in result['rendered']
    assert SECRET not in result['rendered']


def test_rendering_checks_as_the_modules_do(run):
    result = run(scst_info, render=dict(devices=[dict(name='a.b', handler='vdisk_nullio')]))
    assert result['failed'] and "'.'" in result['msg']
