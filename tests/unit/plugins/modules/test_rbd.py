# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image and rbd_map against an rbd command that keeps its state in files, like Ceph would."""
import json
import os
import stat

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ceph as ceph_utils, rbd
from ansible_collections.cephgate.iscsi.plugins.modules import rbd_image, rbd_map

GIB = 1 << 30

COMMAND = r'''#!/usr/bin/env python3
import json, os, sys
home = os.environ['FAKE_CEPH']
images = os.path.join(home, 'images.json')
state = json.load(open(images)) if os.path.exists(images) else {}
words = [w for w in sys.argv[1:] if w != '--no-progress']
assert words[:2] == ['--id', 'igw'], words
words = words[2:]
with open(os.path.join(home, 'calls'), 'a') as log:
    log.write(' '.join(words) + '\n')
verb, image = words[0], words[-1]
def option(name):
    return words[words.index(name) + 1]
if verb == 'info':
    if image not in state:
        sys.stderr.write('rbd: error opening image %s: (2) No such file or directory\n' % image[4:]); sys.exit(2)
    print(json.dumps(dict(size=state[image], id='id', features=[])))
elif verb == 'ls':
    print(json.dumps([dict(image=i.split('/')[1], id='id', size=s) for i, s in state.items()]))
elif verb in ('create', 'resize'):
    if image == 'rbd/broken':
        sys.stderr.write('no space\n'); sys.exit(28)
    state[image] = int(option('--size')[:-1]) << 20
    json.dump(state, open(images, 'w'))
elif verb == 'map':
    number = str(len(os.listdir(os.path.join(home, 'sys'))))
    base = os.path.join(home, 'sys', number)
    os.mkdir(base)
    for name, value in dict(pool='rbd', pool_ns='', name=image[4:], current_snap='-', image_id='1f',
                            size=state[image], cluster_fsid='F', client_addr='A').items():
        open(os.path.join(base, name), 'w').write('%s\n' % value)
    print('/dev/rbd' + number)
elif verb == 'unmap':
    base = os.path.join(home, 'sys', image[len('/dev/rbd'):])
    for name in os.listdir(base):
        os.unlink(os.path.join(base, name))
    os.rmdir(base)
'''


@pytest.fixture
def ceph(tmp_path, monkeypatch):
    """A folder with the command and its state; `images()` and `calls()` tell what happened."""
    class Ceph:
        def images(self):
            path = tmp_path / 'images.json'
            return json.loads(path.read_text()) if path.exists() else {}

        def have(self, **sizes):
            (tmp_path / 'images.json').write_text(json.dumps({'rbd/' + k: v for k, v in sizes.items()}))

        def calls(self):
            path = tmp_path / 'calls'
            return path.read_text().splitlines() if path.exists() else []

    (tmp_path / 'bin').mkdir()
    (tmp_path / 'sys').mkdir()
    command = tmp_path / 'bin/rbd'
    command.write_text(COMMAND)
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv('PATH', '%s:%s' % (tmp_path / 'bin', os.environ['PATH']))
    monkeypatch.setenv('FAKE_CEPH', str(tmp_path))
    (tmp_path / 'ceph.conf').write_text('[global]\nfsid = 00000000-0000-4000-8000-000000000001\n')
    monkeypatch.setattr(ceph_utils, 'CONF', str(tmp_path / '%s.conf'))
    monkeypatch.setattr(rbd_map, 'mapped', lambda: rbd.mapped(str(tmp_path / 'sys'), str(tmp_path)))
    return Ceph()


def test_images_are_created_and_grown_and_a_second_run_changes_nothing(run_module, ceph):
    ceph.have(b=GIB)
    wanted = dict(client='igw', images=[dict(image='rbd/a', size='1G'), dict(image='rbd/b', size='2G')])
    result = run_module(rbd_image, **wanted)
    assert result['changed'] and [op['done'] for op in result['operations']] == [True, True]
    assert ceph.images() == {'rbd/a': GIB, 'rbd/b': 2 * GIB}
    assert result['images']['rbd/a'] == dict(size=GIB, image_id='id')
    again = run_module(rbd_image, **wanted)
    assert not again['changed'] and again['operations'] == []


def test_check_mode_says_what_it_would_do_and_calls_nothing_that_writes(run_module, ceph):
    ceph.have(b=GIB)
    result = run_module(rbd_image, check_mode=True, client='igw',
                        images=[dict(image='rbd/a', size='1G'), dict(image='rbd/b', size='2G')])
    assert result['changed'] and result['diff']['prepared'] == (
        'image rbd/a: create with 1 GiB\nimage rbd/b: grow from 1 GiB to 2 GiB\n')
    assert not any(call.startswith(('create', 'resize')) for call in ceph.calls())


def test_a_refusal_anywhere_in_the_list_leaves_all_images_alone(run_module, ceph):
    ceph.have(b=2 * GIB)
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/a', size='1G'), dict(image='rbd/b', size='1G')])
    assert result['failed'] and 'shrinking' in result['msg'] and 'rbd/b' in result['msg']
    assert ceph.images() == {'rbd/b': 2 * GIB}


EXPORTED = [dict(image='rbd/a', image_id='old', gateways=['gw1', 'gw2']), dict(image='rbd/b', image_id='id', gateways=['gw1'])]


@pytest.mark.parametrize('check_mode', [False, True])
@pytest.mark.parametrize('size, words', [(None, ['no image of that name']), (GIB, ['now has id'])], ids=['gone', 'anew'])
def test_an_image_that_is_not_the_exported_one_is_refused_before_any_is_created_or_grown(run_module, ceph, size, words, check_mode):
    ceph.have(**dict({'b': GIB}, **({'a': size} if size else {})))
    before = ceph.images()
    wanted = [dict(image='rbd/b', size='2G'), dict(image='rbd/a', size='2G'), dict(image='rbd/new', size='1G')]
    result = run_module(rbd_image, check_mode=check_mode, client='igw', images=wanted, exported=EXPORTED)
    assert result['failed'] and not result['changed'] and ceph.images() == before
    for word in words + ['image rbd/a', 'internal id old', 'by gw1, gw2', 'rbd trash restore rbd/old', 'remove_lun.yml', 'cephgate_new_disks']:
        assert word in result['msg'], (word, result['msg'])
    assert 'rbd/b' not in result['msg'] and 'rbd/new' not in result['msg']


def test_an_image_that_is_the_exported_one_grows_and_what_is_exported_besides_does_not_count(run_module, ceph):
    ceph.have(b=GIB)
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/b', size='2G')], exported=EXPORTED)
    assert not result['failed'] and ceph.images() == {'rbd/b': 2 * GIB}


def test_an_exported_image_that_is_gone_may_stay_so(run_module, ceph):
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/a', state='absent', delete='trash')], exported=EXPORTED)
    assert not result['failed'] and not result['changed']


def test_a_failure_part_way_tells_what_was_done(run_module, ceph):
    result = run_module(rbd_image, client='igw', images=[
        dict(image='rbd/a', size='1G'), dict(image='rbd/broken', size='1G'), dict(image='rbd/c', size='1G')])
    assert result['failed'] and 'rbd/broken' in result['msg'] and '1 of 3' in result['msg'] and 'run again' in result['msg']
    assert [op['done'] for op in result['operations']] == [True, False, False]
    assert result['changed'] and ceph.images() == {'rbd/a': GIB}


def test_without_the_command_check_mode_still_answers(run_module, monkeypatch, tmp_path):
    monkeypatch.setenv('PATH', str(tmp_path))
    basic = 'ansible.module_utils.basic.AnsibleModule.'
    warnings = []
    monkeypatch.setattr(basic + 'get_bin_path', lambda *a, **k: None)
    # Caught here, because Ansible says a warning once in a process only.
    monkeypatch.setattr(basic + 'warn', lambda self, text: warnings.append(text))
    result = run_module(rbd_image, check_mode=True, client='igw', images=[dict(image='rbd/a', size='1G')])
    assert result['changed'] and len(warnings) == 1 and 'not installed' in warnings[0]


def test_images_are_mapped_once(run_module, ceph):
    ceph.have(a=GIB, b=GIB)
    wanted = dict(client='igw', images=[dict(image='rbd/a', size='1G'), dict(image='rbd/b', options='osdkeepalive=2')])
    result = run_module(rbd_map, **wanted)
    assert result['changed'] and result['mapped']['rbd/b']['number'] == 1
    assert result['mapped']['rbd/a']['fsid'] == 'F'
    before = ceph.calls()
    again = run_module(rbd_map, **wanted)
    assert not again['changed'] and again['mapped'] == result['mapped']
    assert ceph.calls() == before, 'the command was called although nothing changes'


def test_before_ceph_conf_is_there_check_mode_assumes_no_image(run_module, ceph, tmp_path):
    (tmp_path / 'ceph.conf').unlink()
    wanted = dict(client='igw', images=[dict(image='rbd/a', size='1G'), dict(image='rbd/b', size='1G')])
    assert len(run_module(rbd_image, check_mode=True, **wanted)['operations']) == 2
    assert ceph.calls() == []


def test_the_fsid_comes_from_ceph_conf_where_the_kernel_does_not_tell_it(run_module, ceph, tmp_path):
    ceph.have(a=GIB)
    run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])
    (tmp_path / 'sys/0/cluster_fsid').unlink()
    assert run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])['mapped']['rbd/a']['fsid'] == (
        '00000000-0000-4000-8000-000000000001')
    (tmp_path / 'ceph.conf').unlink()
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])
    assert result['failed'] and 'fsid' in result['msg'] and 'rbd/a' in result['msg']


def test_mapping_in_check_mode_maps_nothing(run_module, ceph):
    ceph.have(a=GIB)
    result = run_module(rbd_map, check_mode=True, client='igw', images=[dict(image='rbd/a')])
    assert result['changed'] and result['mapped'] == {} and ceph.calls() == []


def test_a_size_that_the_kernel_never_sees_is_an_error_that_says_so(run_module, ceph):
    ceph.have(a=GIB)
    result = run_module(rbd_map, client='igw', timeout=0, images=[dict(image='rbd/a', size='2G')])
    assert result['failed'] and 'rbd/a' in result['msg'] and '1 GiB' in result['msg'] and '2 GiB' in result['msg']


def test_unmapping(run_module, ceph):
    ceph.have(a=GIB)
    run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a', state='absent')])
    assert result['changed'] and result['mapped'] == {}
    assert not run_module(rbd_map, client='igw', images=[dict(image='rbd/a', state='absent')])['changed']


@pytest.mark.parametrize('module, entry', [(rbd_map, dict(image='rbd/a')), (rbd_image, dict(image='rbd/a', size='1G'))])
def test_a_missing_command_is_an_error_that_says_what_to_install(run_module, ceph, monkeypatch, module, entry):
    monkeypatch.setattr('ansible.module_utils.basic.AnsibleModule.get_bin_path', lambda *a, **k: None)
    result = run_module(module, client='igw', images=[entry])
    assert result['failed'] and 'ceph-common' in result['msg'] and 'rbd/a' in result['msg'] and ceph.images() == {}
