# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Growing and snapshots of an image that a gateway keeps locked. With a real Ceph and kernel: tests/integration/lab/test_held_image.py."""
import errno
import json
import struct

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, RbdError
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_held import Held, HeldError

MIB = 1 << 20
INFO = dict(id='10ab', features=['layering', 'exclusive-lock'])


class Error(Exception):
    def __init__(self, text, number=None):
        super().__init__(text)
        self.errno = number


class Librados:
    """Of one image: its size, its snapshots, and what everybody was told. fails: names of calls that raise, each once for its number."""

    Error = Error

    def __init__(self, size=64 * MIB, **fails):
        self.size, self.fails = size, fails
        self.snapshots, self.numbers, self.told, self.opened, self.open = {}, {}, [], [], 0

    def _may_fail(self, call):
        if self.fails.get(call):
            self.fails[call] -= 1
            raise Error(call + ' failed', errno.ETIMEDOUT)

    def Rados(self, rados_id, clustername, conffile, conf):
        assert (rados_id, clustername, conffile) == ('igw', 'ceph', '/etc/ceph/ceph.conf')
        assert all(int(seconds) for seconds in conf.values()), 'nothing waits for ever'
        self.open += 1
        return self

    def connect(self, timeout):
        self._may_fail('connect')

    def shutdown(self):
        self.open -= 1

    def open_ioctx(self, pool):
        self.opened.append(pool)
        return Pool(self, pool)


class Pool:
    def __init__(self, ceph, pool):
        self.ceph, self.pool = ceph, pool

    def set_namespace(self, name):
        self.pool += '/' + name

    def create_self_managed_snap(self):
        number = 7 + len(self.ceph.numbers)
        self.ceph.numbers[number] = self.pool
        return number

    def remove_self_managed_snap(self, number):
        assert self.ceph.numbers.pop(number) == self.pool

    def notify(self, name, message, timeout_ms):
        assert (name, message) == ('rbd_header.10ab', '')
        self.ceph._may_fail('notify')
        self.ceph.told.append(self.pool)

    def execute(self, name, group, method, data):
        assert (name, group) == ('rbd_header.10ab', 'rbd')
        self.ceph._may_fail(method)
        return 0, getattr(self, method)(data)

    def get_size(self, data):
        assert struct.unpack('<Q', data)[0] == 2 ** 64 - 2
        return struct.pack('<BQ', 22, self.ceph.size)

    def set_size(self, data):
        self.ceph.size = struct.unpack('<Q', data)[0]

    def snapshot_add(self, data):
        length = struct.unpack('<I', data[:4])[0]
        self.ceph.snapshots[data[4:4 + length].decode()] = struct.unpack('<Q', data[4 + length:])[0]

    def snapshot_remove(self, data):
        number, = struct.unpack('<Q', data)
        self.ceph.snapshots = {name: each for name, each in self.ceph.snapshots.items() if each != number}


def test_a_held_image_grows_and_everybody_is_told():
    ceph = Librados()
    Held('igw', 'ceph', ceph).grow('rbd/a', INFO, 96 * MIB)
    assert (ceph.size, ceph.told, ceph.open) == (96 * MIB, ['rbd'], 0)


def test_a_held_image_never_shrinks():
    ceph = Librados(size=128 * MIB)
    Held('igw', 'ceph', ceph).grow('rbd/a', INFO, 96 * MIB)
    assert ceph.size == 128 * MIB


def test_a_held_image_in_a_namespace_gets_a_snapshot_whose_number_is_its_data_pools():
    ceph = Librados()
    Held('igw', 'ceph', ceph).snapshot('rbd/ns/a', dict(INFO, data_pool='ec'), 'nightly')
    assert (ceph.snapshots, ceph.numbers, ceph.told, ceph.open) == ({'nightly': 7}, {7: 'ec'}, ['rbd/ns'], 0)


def test_who_was_just_reconnecting_is_told_once_more():
    ceph = Librados(notify=1)
    Held('igw', 'ceph', ceph).snapshot('rbd/a', INFO, 'nightly')
    assert (ceph.snapshots, ceph.told) == ({'nightly': 7}, ['rbd'])


@pytest.mark.parametrize('fails', [dict(snapshot_add=1), dict(notify=2)])
def test_a_snapshot_that_not_everybody_knows_does_not_stay(fails):
    ceph = Librados(**fails)
    with pytest.raises(HeldError) as error:
        Held('igw', 'ceph', ceph).snapshot('rbd/a', INFO, 'nightly')
    assert error.value.errno == errno.ETIMEDOUT
    assert 'snapshot nightly of image rbd/a' in str(error.value)
    assert (ceph.snapshots, ceph.numbers, ceph.open) == ({}, {}, 0)


@pytest.mark.parametrize('feature', ['object-map', 'journaling', 'one-to-come'])
def test_with_features_that_change_with_it_a_held_image_is_left_alone(feature):
    ceph = Librados()
    for change in (lambda held, info: held.grow('rbd/a', info, 96 * MIB), lambda held, info: held.snapshot('rbd/a', info, 's')):
        with pytest.raises(HeldError) as error:
            change(Held('igw', 'ceph', ceph), dict(INFO, features=INFO['features'] + [feature]))
        assert 'rbd/a' in str(error.value) and feature in str(error.value) and 'Remove its LUN' in str(error.value)
    assert (ceph.size, ceph.snapshots, ceph.opened) == (64 * MIB, {}, [])


def test_a_ceph_that_does_not_answer_is_told_in_words():
    with pytest.raises(HeldError) as error:
        Held('igw', 'ceph', Librados(connect=1)).grow('rbd/a', INFO, 96 * MIB)
    assert 'growing image rbd/a' in str(error.value) and 'run it again' in str(error.value)


def test_a_host_without_the_library_is_told_what_to_install(monkeypatch):
    def none(name):
        raise ImportError(name)

    monkeypatch.setattr('ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_held.importlib.import_module', none)
    with pytest.raises(HeldError) as error:
        Held('igw', 'ceph').grow('rbd/a', INFO, 96 * MIB)
    assert 'Install python3-rados' in str(error.value)


class Recorded:
    def __init__(self):
        self.done = []

    def grow(self, image, info, size):
        self.done.append((image, info['id'], size))

    def snapshot(self, image, info, name):
        self.done.append((image, info['id'], name))


def asked(words, code=errno.EROFS):
    """What is done beside the command rbd when it answers so."""
    def run(argv, stdin):
        if 'info' in argv:
            return 0, json.dumps(dict(INFO, size=64 * MIB)), ''
        return code, '', 'rbd: resize error: (30) Read-only file system'

    rbd = Rbd(run, client='igw')
    rbd.held = Recorded()
    rbd.perform(Operation('image rbd/a', 'change', 'run', rbd.argv(*words)))
    return rbd.held.done


def test_what_the_lock_refuses_is_done_beside_its_holder():
    assert asked(['resize', '--no-progress', '--size', '96M', 'rbd/a']) == [('rbd/a', '10ab', 96 * MIB)]
    assert asked(['snap', 'create', 'rbd/a@nightly']) == [('rbd/a', '10ab', 'nightly')]
    assert asked(['resize', '--no-progress', '--size', '96M', 'rbd/a'], code=0) == []


@pytest.mark.parametrize('words, code', [
    (['resize', '--no-progress', '--size', '96M', 'rbd/a'], errno.EPERM), (['snap', 'rollback', '--no-progress', 'rbd/a@s'], errno.EROFS),
    (['map', 'rbd/a'], errno.EROFS)])
def test_nothing_else_is_done_beside_it(words, code):
    with pytest.raises(RbdError):
        asked(words, code)
