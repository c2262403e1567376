# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and mappings: what the plans hold, and what is refused before anything is changed."""
import json
import os
import shutil

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import rbd as rbd_module
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, RbdError, clients, mapped, mapping
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import lacks_of, plan_images, plan_mappings

GIB = 1 << 30


class Ceph:
    """Answers the rbd command line from a dictionary {pool/image: size}."""

    def __init__(self, images):
        self.images = images
        self.locked = []
        self.calls = []

    def __call__(self, argv, stdin):
        assert argv[:3] == ['rbd', '--id', 'igw']
        words = argv[3:]
        self.calls.append(words)
        if words[0] == 'info':
            if words[-1] not in self.images:
                return 2, '', 'rbd: error opening image x: (2) No such file or directory\n'
            return 0, json.dumps(dict(size=self.images[words[-1]], id='id-' + words[-1], features=['layering'])), ''
        if words[0] == 'ls':
            return 0, json.dumps([dict(dict(image=name[len(words[-1]) + 1:], id='id-' + name, size=size),
                                       **(dict(lock_type='exclusive') if name in self.locked else {}))
                                  for name, size in self.images.items() if name.startswith(words[-1] + '/')]), ''
        raise AssertionError(words)


def words(operations):
    return [op.target[3:] for op in operations]


def test_one_image_is_asked_for_by_name_and_several_by_one_listing():
    ceph = Ceph({'rbd/a': GIB, 'rbd/b': GIB, 'ssd/ns/c': GIB})
    found = Rbd(ceph, 'igw').images(['rbd/a', 'rbd/b', 'ssd/ns/c', 'rbd/none'])
    assert found['rbd/a'] == dict(size=GIB, image_id='id-rbd/a', locked=False)
    assert found['ssd/ns/c']['size'] == GIB
    assert found['rbd/none'] is None
    assert sorted(call[0] for call in ceph.calls) == ['info', 'ls']


def test_an_absent_image_is_created_a_smaller_one_grown_an_equal_one_left():
    plan = plan_images(Rbd(None, 'igw'), {'rbd/a': None, 'rbd/b': dict(size=GIB), 'rbd/c': dict(size=GIB)},
                       [dict(image='rbd/a', size=GIB), dict(image='rbd/b', size=2 * GIB), dict(image='rbd/c', size=GIB)],
                       ['layering'])
    assert words(plan) == [
        ['create', '--no-progress', '--size', '1024M', '--image-feature', 'layering', 'rbd/a'],
        ['resize', '--no-progress', '--size', '2048M', 'rbd/b']]
    assert plan[1].line() == 'image rbd/b: grow from 1 GiB to 2 GiB'


@pytest.mark.parametrize('current, entry, said', [
    (None, dict(image='rbd/a'), 'no size is given'),
    (dict(size=2 * GIB), dict(image='rbd/a', size=GIB), 'shrinking'),
    (None, dict(image='rbd/a', size=GIB + 1), 'multiple of 1 MiB'),
    (None, dict(image='rbd/a', size=0), 'multiple of 1 MiB'),
    (None, dict(image='a', size=GIB), 'pool/image'),
    (None, dict(image='rbd/a@s', size=GIB), 'snapshot'),
])
def test_what_cannot_be_is_refused_by_name(current, entry, said):
    with pytest.raises(Refused) as refusal:
        plan_images(Rbd(None, 'igw'), {entry['image']: current}, [entry])
    assert said in str(refusal.value) and entry['image'] in str(refusal.value)


def test_an_image_without_a_feature_that_is_needed_is_refused_before_any_is_made():
    ceph = Ceph({'rbd/b': GIB, 'rbd/c': GIB})
    rbd = Rbd(ceph, 'igw')
    listed = [dict(image='rbd/a', size=GIB), dict(image='rbd/b', size=2 * GIB)]
    for names in (['rbd/a', 'rbd/b'], ['rbd/b']):
        with pytest.raises(Refused, match='image rbd/b lacks exclusive-lock.*rbd feature enable rbd/b exclusive-lock'):
            plan_images(rbd, dict({'rbd/a': None}, **rbd.images(names)), listed, lacks=lacks_of(rbd, ['exclusive-lock']))
    assert len(plan_images(rbd, rbd.images(['rbd/a', 'rbd/b']), listed, lacks=lacks_of(rbd, []))) == 2
    assert plan_images(rbd, rbd.images(['rbd/b', 'rbd/c']), [dict(image='rbd/b')], lacks=lacks_of(rbd, ['layering'])) == []


def test_an_image_that_somebody_has_exclusively_is_not_asked_for_its_features():
    ceph = Ceph({'rbd/a': GIB, 'rbd/b': GIB})
    ceph.locked = ['rbd/a', 'rbd/b']
    rbd = Rbd(ceph, 'igw')
    assert plan_images(rbd, rbd.images(['rbd/a', 'rbd/b']), [dict(image='rbd/a')], lacks=lacks_of(rbd, ['exclusive-lock'])) == []
    assert [call[0] for call in ceph.calls] == ['ls']


def test_an_image_listed_twice_is_refused():
    with pytest.raises(Refused, match='twice'):
        plan_images(Rbd(None, 'igw'), {}, [dict(image='rbd/a', size=GIB), dict(image='rbd/a', size=2 * GIB)])


def test_only_what_is_not_mapped_is_mapped():
    plan = plan_mappings(Rbd(None, 'igw'), {'rbd/a': dict(number=0, path='/dev/rbd0')},
                         [dict(image='rbd/a'), dict(image='rbd/b', options='osdkeepalive=2')], lambda entry: [])
    assert words(plan) == [['map', '--options', 'osdkeepalive=2', 'rbd/b']]


def test_a_used_mapping_is_not_unmapped():
    current = {'rbd/a': dict(number=7, path='/dev/rbd7')}
    desired = [dict(image='rbd/a', state='absent')]
    with pytest.raises(Refused, match='rbd/a.*dm-3'):
        plan_mappings(Rbd(None, 'igw'), current, desired, lambda entry: ['dm-3'])
    assert words(plan_mappings(Rbd(None, 'igw'), current, desired, lambda entry: [])) == [['unmap', '/dev/rbd7']]


TWICE = {'rbd/a': dict(number=3, path='/dev/rbd/rbd/a', also=[5])}


def test_every_mapping_of_an_image_is_unmapped_or_none():
    absent = [dict(image='rbd/a', state='absent')]
    assert words(plan_mappings(Rbd(None, 'igw'), TWICE, absent, lambda entry: [])) == [['unmap', '/dev/rbd3'], ['unmap', '/dev/rbd5']]
    with pytest.raises(Refused, match='rbd/a.*/dev/rbd5 .*a mount'):
        plan_mappings(Rbd(None, 'igw'), TWICE, absent, lambda entry: ['a mount'] if entry['path'] == '/dev/rbd5' else [])


@pytest.mark.parametrize('state, dead, then', [
    ('absent', [3], [['unmap', '--options', 'force', '/dev/rbd3'], ['unmap', '/dev/rbd5']]),
    ('present', [3, 5], [['unmap', '--options', 'force', '/dev/rbd3'], ['unmap', '--options', 'force', '/dev/rbd5'], ['map', 'rbd/a']]),
    ('present', [3], [['unmap', '--options', 'force', '/dev/rbd3']]),
    ('present', [5], []),
])
def test_only_what_is_dead_is_forced_and_what_works_needs_no_other(state, dead, then):
    plan = plan_mappings(Rbd(None, 'igw'), TWICE, [dict(image='rbd/a', state=state)], lambda entry: [], dict.fromkeys(dead, 'refused'))
    assert words(plan) == then


@pytest.mark.parametrize('code, said', [(1, 'profile rbd'), (13, 'profile rbd'), (110, 'mon_host'), (77, 'exit code 77')])
def test_exit_codes_are_explained(code, said):
    rbd = Rbd(lambda argv, stdin: (code, '', 'first\nlast line\n'), 'igw')
    with pytest.raises(RbdError) as error:
        rbd.call(rbd.argv('map', 'rbd/a'))
    assert said in str(error.value) and 'last line' in str(error.value) and 'rbd/a' in str(error.value)


NO_KEYRING = """2026-12-01T02:31:07.000+0000 7f05573bad40 -1 auth: unable to find a keyring on /etc/ceph/ceph.keyring: (2) No such file or directory
rbd: couldn't connect to the cluster!
"""
NO_DEFAULT_POOL = "rbd: error opening default pool 'rbd'\nEnsure that the default pool has been created or specify an alternate pool name.\n"


@pytest.mark.parametrize('err, said', [
    (NO_KEYRING, '/etc/ceph/ceph.client.igw.keyring'), (NO_DEFAULT_POOL, 'pool does not exist'),
    ("rbd: error opening pool 'ssd': (2) No such file or directory\n", 'pool does not exist'),
    ("rbd: namespace 'ns' does not exist.\n", 'namespace does not exist'), ('', 'Last line: none'),
])
def test_what_keeps_rbd_from_looking_is_no_missing_image(err, said):
    rbd = Rbd(lambda argv, stdin: (2, '', err), 'igw')
    for ask in (rbd.info, rbd.snapshots, rbd.watchers, lambda image: rbd.images([image])):
        with pytest.raises(RbdError) as error:
            ask('ssd/ns/a')
        assert said in str(error.value) and 'ssd/ns/a' in str(error.value)


def test_a_missing_image_or_snapshot_is_none_whatever_librbd_logs_before():
    said = '2026-12-01T02:31:07.000+0000 7f0 -1 librbd::image::OpenRequest: failed to retrieve image id: (2) No such file or directory\n'
    for line in ('rbd: error opening image a: (2) No such file or directory\n', 'error setting snapshot context: (2) No such file or directory\n'):
        assert Rbd(lambda argv, stdin, line=line: (2, '', said + line), 'igw').info('rbd/a') is None


def add_mapping(root, number, **attributes):
    base = root / str(number)
    base.mkdir(parents=True)
    values = dict(pool='rbd', pool_ns='', name='a', current_snap='-', image_id='1f', size=str(GIB), cluster_fsid='F',
                  client_addr='10.0.0.1:0/1')
    values.update(attributes)
    for name, value in values.items():
        if value is not None:
            (base / name).write_text(value + '\n')


def test_mappings_are_read_from_the_kernel(tmp_path):
    add_mapping(tmp_path, 0)
    add_mapping(tmp_path, 1, name='b', pool_ns='ns')
    add_mapping(tmp_path, 2, name='c', current_snap='s1')
    add_mapping(tmp_path, 10, name='d', pool_ns=None, cluster_fsid=None, client_addr=None)
    add_mapping(tmp_path, 11)
    found = mapped(str(tmp_path), dev='/nonexistent')
    assert sorted(found) == ['rbd/a', 'rbd/d', 'rbd/ns/b']
    assert found['rbd/a'] == dict(number=0, image_id='1f', size=GIB, fsid='F', client='10.0.0.1:0/1',
                                  path='/nonexistent/rbd0', also=[11])
    assert found['rbd/d']['fsid'] is None


def test_who_asks_again_reads_only_what_may_have_changed(tmp_path):
    add_mapping(tmp_path, 0)
    add_mapping(tmp_path, 1, name='b')
    add_mapping(tmp_path, 2, name='c', current_snap='s1')
    known = {}
    whole = mapped(str(tmp_path), dev='/nonexistent')
    found = mapped(str(tmp_path), known=known)
    assert {image: dict(entry, path='/nonexistent/rbd%d' % entry['number'], size=GIB) for image, entry in found.items()} == whole
    for number in range(3):
        for path in (tmp_path / str(number)).iterdir():
            path.write_text('not to be read\n')
    assert mapped(str(tmp_path), known=known) == found


def test_another_mapping_under_the_same_number_is_read_anew(tmp_path):
    add_mapping(tmp_path / 'sys', 0)
    known = {}
    assert list(mapped(str(tmp_path / 'sys'), known=known)) == ['rbd/a']
    (tmp_path / 'sys/0').rename(tmp_path / 'gone')
    assert mapped(str(tmp_path / 'sys'), known=known) == {}
    add_mapping(tmp_path / 'sys', 0, name='b', client_addr='10.0.0.1:0/2')
    found = mapped(str(tmp_path / 'sys'), known=known)
    assert list(found) == ['rbd/b'] and found['rbd/b']['client'] == '10.0.0.1:0/2'


def test_one_mapping_is_found_without_reading_the_others(tmp_path):
    add_mapping(tmp_path, 0)
    add_mapping(tmp_path, 1, name='b')
    add_mapping(tmp_path, 2, name='c', current_snap='s1')
    known = {}
    found = mapped(str(tmp_path), known=known)
    for path in [*(tmp_path / '0').iterdir(), *(tmp_path / '2').iterdir()]:
        path.unlink()
    assert mapping('rbd/b', known, str(tmp_path)) == dict(found['rbd/b'], size=GIB)
    (tmp_path / '1/size').write_text(str(2 * GIB))
    assert mapping('rbd/b', known, str(tmp_path))['size'] == 2 * GIB
    add_mapping(tmp_path, 3, name='new')
    assert mapping('rbd/new', known, str(tmp_path))['number'] == 3
    assert mapping('rbd/new', {3: known[3]}, str(tmp_path))['number'] == 3
    assert mapping('rbd/c', known, str(tmp_path)) is None, 'a snapshot is none'


def test_one_mapping_that_went_or_came_back_elsewhere(tmp_path):
    add_mapping(tmp_path / 'sys', 0)
    known = {}
    assert mapping('rbd/a', known, str(tmp_path / 'sys'))['number'] == 0
    (tmp_path / 'sys/0').rename(tmp_path / 'gone')
    assert mapping('rbd/a', known, str(tmp_path / 'sys')) is None
    add_mapping(tmp_path / 'sys', 0, name='b')
    add_mapping(tmp_path / 'sys', 5, client_addr='10.0.0.1:0/2')
    found = mapping('rbd/a', known, str(tmp_path / 'sys'))
    assert (found['number'], found['client']) == (5, '10.0.0.1:0/2')
    assert mapping('rbd/b', known, str(tmp_path / 'sys'))['number'] == 0


def test_whose_mappings_there_are_is_told_without_reading_what_is_known(tmp_path):
    add_mapping(tmp_path, 0)
    add_mapping(tmp_path, 1, name='b', client_addr='10.0.0.1:0/2')
    add_mapping(tmp_path, 2, name='c', current_snap='s1')
    known = {}
    expected = {'rbd/a': '10.0.0.1:0/1', 'rbd/b': '10.0.0.1:0/2'}
    assert clients(known, str(tmp_path)) == expected == {image: entry['client'] for image, entry in mapped(str(tmp_path), known=known).items()}
    for path in [*(tmp_path / '0').iterdir(), *(tmp_path / '1').iterdir(), *(tmp_path / '2').iterdir()]:
        path.write_text('not to be read\n')
    assert clients(known, str(tmp_path)) == expected
    shutil.rmtree(tmp_path / '1')
    assert clients(known, str(tmp_path)) == {'rbd/a': '10.0.0.1:0/1'}


def test_no_rbd_module_means_nothing_is_mapped(tmp_path):
    assert mapped(str(tmp_path / 'none')) == {}
    assert clients({}, str(tmp_path / 'none')) == {}
    assert mapping('rbd/a', {}, str(tmp_path / 'none')) is None


def test_holders_are_found(tmp_path):
    (tmp_path / 'block/rbd3/holders/dm-1').mkdir(parents=True)
    assert rbd_module.holders(dict(number=3), str(tmp_path / 'block'), str(tmp_path)) == ['dm-1']
    assert rbd_module.holders(dict(number=4), str(tmp_path / 'block'), str(tmp_path)) == []


def test_an_exported_mapping_is_held_although_old_scst_claims_nothing(tmp_path):
    """Before 3.8 SCST opens block devices without O_EXCL, so only its own devices tell."""
    stable = tmp_path / 'dev/rbd/rbd/a'
    stable.parent.mkdir(parents=True)
    for number in (3, 4, 33):
        (tmp_path / ('dev/rbd%d' % number)).write_text('')
    stable.symlink_to('../../rbd3')
    for device, attributes in dict(lun1=dict(filename='%s\n[key]\n' % stable), part=dict(filename='%s/dev/rbd3p1\n' % tmp_path, active='1\n'),
                                   closed=dict(filename='%s\n[key]\n' % stable, active='0\n[key]\n'), tape=dict(type='1\n'),
                                   other=dict(filename='%s/dev/rbd33\n' % tmp_path)).items():
        (tmp_path / 'scst/devices' / device).mkdir(parents=True)
        for name, value in attributes.items():
            (tmp_path / 'scst/devices' / device / name).write_text(value)
    held = [rbd_module.holders(dict(number=number), str(tmp_path / 'block'), str(tmp_path / 'dev'), str(tmp_path / 'scst')) for number in (3, 4)]
    assert held == [['the SCST device lun1', 'the SCST device part'], []]


def test_what_scst_does_not_tell_of_a_device_is_no_word_that_the_mapping_is_free(tmp_path):
    (tmp_path / 'scst/devices/lun1/filename').mkdir(parents=True)  # reading it fails, as with EAGAIN
    held = rbd_module.holders(dict(number=3), str(tmp_path / 'block'), str(tmp_path / 'dev'), str(tmp_path / 'scst'))
    assert len(held) == 1 and 'perhaps the SCST device lun1' in held[0]


@pytest.mark.skipif(os.geteuid() != 0, reason='the stable name only counts when it leads to a block device')
def test_the_stable_name_is_used_where_udev_made_it(tmp_path):
    add_mapping(tmp_path / 'sys', 0)
    os.mknod(tmp_path / 'rbd0', 0o600 | 0o060000, os.makedev(7, 0))
    (tmp_path / 'rbd/rbd').mkdir(parents=True)
    os.symlink('../../rbd0', tmp_path / 'rbd/rbd/a')
    assert mapped(str(tmp_path / 'sys'), str(tmp_path))['rbd/a']['path'] == str(tmp_path / 'rbd/rbd/a')
