# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rbd_image, rbd_snapshot and rbd_map on what must not be lost: deletion, snapshots, rolling back, dead mappings."""
import errno
import json
import os

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_health import health
from ansible_collections.cephgate.iscsi.plugins.modules import rbd_image, rbd_map, rbd_snapshot

GIB = 1 << 30


class Ceph:
    """Ceph as its command line tools show it (release 16): images, their snapshots, clones and watchers."""

    def __init__(self):
        self.images, self.trash, self.calls = {}, {}, []

    def have(self, name, **more):
        self.images[name] = dict(dict(size=GIB, features=['layering', 'exclusive-lock'], snapshots={}, watchers=[], children={},
                                      content=0), **more)

    def run(self, argv, stdin):
        assert argv[:3] == ['rbd', '--id', 'igw']
        words = [word for word in argv[3:] if word != '--no-progress']
        json_wanted = '--format' in words
        words = [word for word in words if word not in ('--format', 'json')]
        name, dummy, snapshot = words[-1].partition('@')
        if not json_wanted:
            self.calls.append(words)
        verb = ' '.join(words[:2]) if words[0] in ('snap', 'trash') else words[0]
        if verb == 'ls':
            return 0, json.dumps([dict(image=one.split('/')[1], id='id-' + one, size=image['size'])
                                  for one, image in self.images.items()]), ''
        if verb in ('map', 'unmap', 'create'):
            return getattr(self, verb)(words)
        if name not in self.images:
            return errno.ENOENT, '', 'rbd: error opening image: (2) No such file or directory'
        answer = getattr(self, verb.replace(' ', '_'))(self.images[name], name, snapshot, words)
        return (0, json.dumps(answer), '') if not isinstance(answer, tuple) else answer

    def create(self, words):
        self.have(words[-1], size=int(words[words.index('--size') + 1][:-1]) << 20, words=words)
        return 0, '', ''

    def info(self, image, name, snapshot, words):
        return dict(size=image['size'], id='id-' + name, features=image['features'])

    def status(self, image, name, snapshot, words):
        return dict(watchers=[dict(address=address, client=4, cookie=1) for address in image['watchers']])

    def snap_ls(self, image, name, snapshot, words):
        return [dict(id=1, name=one, size=1, protected='true' if entry['protected'] else 'false', timestamp='')
                for one, entry in sorted(image['snapshots'].items())]

    def children(self, image, name, snapshot, words):
        return [dict(pool='rbd', pool_namespace='', image=child) for child in image['children'].get(snapshot, ())]

    def diff(self, image, name, snapshot, words):
        since = image['snapshots'][words[words.index('--from-snap') + 1]]
        return [] if since['content'] == image['content'] else [dict(offset=0, length=4096, exists='true')]

    def snap_create(self, image, name, snapshot, words):
        image['snapshots'][snapshot] = dict(protected=False, content=image['content'])

    def snap_protect(self, image, name, snapshot, words):
        image['snapshots'][snapshot]['protected'] = True

    def snap_unprotect(self, image, name, snapshot, words):
        image['snapshots'][snapshot]['protected'] = False

    def snap_rm(self, image, name, snapshot, words):
        assert not image['snapshots'].pop(snapshot)['protected'], 'Ceph removes no protected snapshot'

    def snap_rollback(self, image, name, snapshot, words):
        assert not image['watchers']
        image['content'] = image['snapshots'][snapshot]['content']

    def rm(self, image, name, snapshot, words):
        assert not image['watchers'] and not image['snapshots']
        del self.images[name]

    def trash_mv(self, image, name, snapshot, words):
        self.trash[name] = self.images.pop(name)


@pytest.fixture
def ceph(monkeypatch):
    ceph = Ceph()

    def rbd_of(module, timeout=None):
        rbd = Rbd(ceph.run, 'igw')
        rbd.missing = False
        return rbd

    for module in (rbd_image, rbd_snapshot, rbd_map):
        monkeypatch.setattr(module, 'rbd_of', rbd_of)
        monkeypatch.setattr(module, 'mapped', lambda: {})
    return ceph


# ---- features

def test_an_image_that_no_gateway_could_have_alone_is_refused_and_nothing_is_made(run_module, ceph):
    ceph.have('rbd/a', features=['layering'])
    wanted = dict(client='igw', required_features=['exclusive-lock'], images=[dict(image='rbd/new', size='1G'), dict(image='rbd/a')])
    for check_mode in (True, False):
        result = run_module(rbd_image, check_mode=check_mode, **wanted)
        assert result['failed'] and 'rbd feature enable rbd/a exclusive-lock' in result['msg'] and ceph.calls == []
    ceph.images['rbd/a']['features'].append('exclusive-lock')
    assert run_module(rbd_image, **wanted)['changed'] and 'rbd/new' in ceph.images
    assert sorted(run_module(rbd_image, client='igw', images=[dict(image='rbd/a')])['images']['rbd/a']) == ['image_id', 'size']


# ---- deletion

@pytest.mark.parametrize('entry', [dict(state='absent', delete='forever'), dict(size='1G')])
def test_a_client_that_reaches_no_cluster_says_nothing_of_images(run_module, ceph, entry):
    ceph.run = lambda argv, stdin: (errno.ENOENT, '', "rbd: couldn't connect to the cluster!\n")
    for check_mode in (True, False):
        result = run_module(rbd_image, check_mode=check_mode, client='igw', images=[dict(entry, image='rbd/a')])
        assert result['failed'] and 'rbd/a' in result['msg'] and 'ceph.client.igw.keyring' in result['msg'], result


def test_an_image_is_not_deleted_by_state_alone(run_module, ceph):
    ceph.have('rbd/a')
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/a', state='absent')])
    assert result['failed'] and 'rbd/a' in result['msg'] and 'trash' in result['msg'] and 'forever' in result['msg']
    assert 'rbd/a' in ceph.images and ceph.calls == []


def test_delete_without_state_absent_is_a_contradiction(run_module, ceph):
    ceph.have('rbd/a')
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/a', size='1G', delete='forever')])
    assert result['failed'] and 'state is not absent' in result['msg'] and 'rbd/a' in ceph.images


@pytest.mark.parametrize('way', ['trash', 'forever'])
def test_deletion_in_so_many_words(run_module, ceph, way):
    ceph.have('rbd/a')
    wanted = dict(client='igw', images=[dict(image='rbd/a', state='absent', delete=way)])
    before = run_module(rbd_image, check_mode=True, **wanted)
    assert before['changed'] and 'rbd/a' in ceph.images
    result = run_module(rbd_image, **wanted)
    assert result['changed'] and 'rbd/a' not in ceph.images and ('rbd/a' in ceph.trash) == (way == 'trash')
    assert not run_module(rbd_image, **wanted)['changed']


@pytest.mark.parametrize('state, said', [
    (dict(watchers=['10.0.0.11:0/7']), '10.0.0.11:0/7'),
    (dict(snapshots={'s': dict(protected=False, content=0)}), 'snapshots'),
    (dict(snapshots={'s': dict(protected=True, content=0)}, children={'s': ['child']}), 'rbd/child'),
])
def test_an_image_that_is_used_is_deleted_in_no_way(run_module, ceph, state, said):
    ceph.have('rbd/a', **state)
    ceph.have('rbd/b')
    for way in ('trash', 'forever'):
        result = run_module(rbd_image, client='igw', images=[dict(image='rbd/b', state='absent', delete=way),
                                                             dict(image='rbd/a', state='absent', delete=way)])
        assert result['failed'] and said in result['msg'] and 'rbd/a' in result['msg'], result
    assert set(ceph.images) == {'rbd/a', 'rbd/b'} and ceph.calls == [], 'all is checked before the first is deleted'


def test_an_image_that_only_this_host_knows_as_mapped_is_not_deleted(run_module, ceph, monkeypatch):
    ceph.have('rbd/a')
    monkeypatch.setattr(rbd_image, 'mapped', lambda: {'rbd/a': dict(path='/dev/rbd3')})
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/a', state='absent', delete='forever')])
    assert result['failed'] and '/dev/rbd3' in result['msg'] and 'rbd/a' in ceph.images


def test_data_pool_and_object_size_on_creation(run_module, ceph):
    run_module(rbd_image, client='igw', images=[dict(image='rbd/a', size='1G', data_pool='ec', object_size='8M')])
    words = ceph.images['rbd/a']['words']
    assert words[words.index('--data-pool') + 1] == 'ec' and words[words.index('--object-size') + 1] == '8192K'
    result = run_module(rbd_image, client='igw', images=[dict(image='rbd/b', size='1G', object_size='3M')])
    assert result['failed'] and 'power of two' in result['msg'] and 'rbd/b' not in ceph.images


# ---- snapshots

def snapshot(run_module, check_mode=False, **entry):
    return run_module(rbd_snapshot, check_mode=check_mode, client='igw', snapshots=[dict(dict(image='rbd/a', name='s'), **entry)])


def test_a_snapshot_is_made_protected_unprotected_and_removed_and_each_only_once(run_module, ceph):
    ceph.have('rbd/a')
    assert snapshot(run_module, check_mode=True)['changed'] and ceph.images['rbd/a']['snapshots'] == {}
    for wanted, then in ((dict(protected=True), {'s': True}), (dict(), {'s': True}), (dict(protected=False), {'s': False}),
                         (dict(state='absent'), {})):
        result = snapshot(run_module, **wanted)
        assert not result['failed'] and result['snapshots'] == {'rbd/a': then}, result
        assert not snapshot(run_module, **wanted)['changed']


def test_a_protected_snapshot_is_removed_only_when_told_so(run_module, ceph):
    ceph.have('rbd/a', snapshots={'s': dict(protected=True, content=0)})
    result = snapshot(run_module, state='absent')
    assert result['failed'] and 'protected' in result['msg'] and 'rbd/a@s' in result['msg']
    assert snapshot(run_module, state='absent', protected=False)['changed'] and ceph.images['rbd/a']['snapshots'] == {}


@pytest.mark.parametrize('entry, said', [
    (dict(image='rbd/none'), 'rbd/none'), (dict(name='a@b'), 'a@b'), (dict(name=''), 'no name'),
    (dict(name='other', state='rolled_back'), 'It has: s'), (dict(state='gone'), 'present, absent, rolled_back'), (dict(image='a'), 'pool/image'),
    (dict(state='rolled_back', protected=False), 'protected is false beside state rolled_back'),
    (dict(state='absent', protected=True), 'protected is true beside state absent'),
])
def test_wrong_snapshots_are_refused_by_name(run_module, ceph, entry, said):
    ceph.have('rbd/a', snapshots={'s': dict(protected=False, content=0)})
    result = snapshot(run_module, **entry)
    assert result['failed'] and said in result['msg'] and ceph.calls == []


def test_rolling_back_is_refused_while_a_gateway_maps_the_image(run_module, ceph):
    ceph.have('rbd/a', snapshots={'s': dict(protected=False, content=1)}, content=2, watchers=['10.0.0.12:0/9'])
    result = snapshot(run_module, state='rolled_back')
    assert result['failed'] and '10.0.0.12:0/9' in result['msg'] and ceph.images['rbd/a']['content'] == 2
    ceph.images['rbd/a']['watchers'] = []
    assert snapshot(run_module, state='rolled_back')['changed'] and ceph.images['rbd/a']['content'] == 1
    assert not snapshot(run_module, state='rolled_back')['changed'], 'the image is as the snapshot already'


# ---- mappings

def listed(**more):
    return {'rbd/a': dict(dict(number=3, path='/dev/rbd/rbd/a', image_id='1', size=GIB, fsid='F', client='A'), **more)}


@pytest.fixture
def dead(ceph, monkeypatch):
    """rbd/a is mapped, and reading it fails as after a fence; unmapped it is mapped anew and works."""
    state = dict(mapped=listed(), refuses=True, held=[])
    monkeypatch.setattr(rbd_map, 'mapped', lambda: {image: dict(entry) for image, entry in state['mapped'].items()})
    monkeypatch.setattr(rbd_map, 'holders', lambda entry: state['held'])

    def read(path):
        assert path == '/dev/rbd3'
        if state['refuses']:
            raise OSError(errno.ESHUTDOWN, 'Cannot send after transport endpoint shutdown')

    monkeypatch.setattr(rbd_map, 'health', lambda paths: health(paths, read))

    def unmap(words):
        state['mapped'] = {}
        return 0, '', ''

    def remap(words):
        state.update(mapped=listed(client='B'), refuses=False)
        return 0, '', ''

    ceph.unmap, ceph.map = unmap, remap
    ceph.have('rbd/a')
    return state


def test_a_dead_mapping_is_found_although_it_is_listed_and_mapped_anew(run_module, ceph, dead):
    result = run_module(rbd_map, check_mode=True, client='igw', images=[dict(image='rbd/a')])
    assert result['mapped']['rbd/a']['health'] == 'dead' and ceph.calls == []
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a', options='osdkeepalive=2')])
    assert ceph.calls == [['unmap', '--options', 'force', '/dev/rbd3'], ['map', '--options', 'osdkeepalive=2', 'rbd/a']]
    assert result['mapped']['rbd/a']['health'] == 'works'
    assert not run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])['changed']


def test_a_dead_mapping_that_is_not_wanted_is_forced_away(run_module, ceph, dead):
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a', state='absent')])
    assert not result['failed'] and ceph.calls == [['unmap', '--options', 'force', '/dev/rbd3']] and result['mapped'] == {}
    assert not run_module(rbd_map, client='igw', images=[dict(image='rbd/a', state='absent')])['changed']


def test_a_dead_mapping_that_is_exported_is_named_and_left(run_module, ceph, dead):
    dead['held'] = ['a mount or an exported SCST device']
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])
    assert result['failed'] and 'dead' in result['msg'] and 'exported SCST device' in result['msg'] and 'drain' in result['msg']
    assert ceph.calls == []


def test_without_the_check_nothing_is_read(run_module, ceph, dead):
    result = run_module(rbd_map, client='igw', check_health=False, images=[dict(image='rbd/a')])
    assert not result['changed'] and result['mapped']['rbd/a']['health'] is None


def test_a_slow_ceph_is_no_death():
    import threading
    never = threading.Event()
    found = health(['/dev/rbd0'], lambda path: never.wait(30), patience=0.1)
    never.set()
    assert found['/dev/rbd0'][0] == 'silent' and 'not answered' in found['/dev/rbd0'][1]


def test_a_real_block_of_a_file_is_read_past_the_cache(tmp_path):
    path = tmp_path / 'disk'
    path.write_bytes(b'x' * 8192)
    assert health([str(path)])[str(path)] == ('works', None)


@pytest.mark.parametrize('kernel, options, said', [('3.13.0-170-generic', 'exclusive', 'Linux 4.12'), ('4.9.0', 'ms_mode=crc', 'Linux 5.11')])
def test_a_map_option_that_the_kernel_lacks_is_refused_before_anything(run_module, ceph, monkeypatch, kernel, options, said):
    monkeypatch.setattr(os, 'uname', lambda: ('Linux', 'gw', kernel, '#1', 'x86_64'))
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a', options=options)])
    assert result['failed'] and said in result['msg'] and kernel in result['msg'] and 'rbd/a' in result['msg'] and ceph.calls == []


def test_an_image_that_the_kernel_cannot_map_is_explained(run_module, ceph, monkeypatch):
    monkeypatch.setattr(os, 'uname', lambda: ('Linux', 'gw', '4.19.0', '#1', 'x86_64'))
    monkeypatch.setattr('ansible_collections.cephgate.iscsi.plugins.module_utils.krbd.supported', lambda: None)
    ceph.have('rbd/a', features=['layering', 'exclusive-lock', 'object-map', 'fast-diff'])
    ceph.map = lambda words: (errno.ENXIO, '', 'rbd: sysfs write failed')
    result = run_module(rbd_map, client='igw', images=[dict(image='rbd/a')])
    assert result['failed'] and 'rbd feature disable rbd/a fast-diff object-map' in result['msg'], result['msg']
