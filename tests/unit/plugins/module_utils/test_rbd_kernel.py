# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping by the kernel's own interface: what is written there, what its errors become, and when rbd is called instead."""
import base64
import errno
import os

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import RbdError
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_kernel import KernelRbd, reachable

FILES = {
    '/etc/ceph/ceph.client.igw.keyring': '[client.igw]\n\tkey = ' + base64.b64encode(b'secret').decode() + '\n',
    '/etc/ceph/ceph.conf': '[global]\nfsid = x\nmon_host = 10.0.0.1:6789, 10.0.0.2\n',
}


class World:
    """answers: errnos of the kernel, one for each write, then 0."""

    seconds = 25

    def __init__(self, *answers, **files):
        self.answers, self.calls, self.keys, self.written, self.order = list(answers), [], [], [], []
        self.startable = True
        self.files = dict(FILES, **files)
        self.time = 0
        self.rbd = KernelRbd(self.run, self, 'igw', read=self.read, exists=lambda path: True, key=self.key,
                             clock=lambda: self.time, sleep=self.sleep)

    def run(self, argv, stdin):
        self.calls.append((argv, stdin))
        return (0, '', '')

    def key(self, *words):
        self.keys.append(words)
        self.order.append('key')

    def start(self):
        if not self.startable:
            raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
        self.order.append('start')

    def write(self, path, text):
        self.written.append((path, text))
        return self.answers.pop(0) if self.answers else 0

    def read(self, path):
        if self.files[path] is None:
            raise IOError(errno.ENOENT, 'No such file or directory')
        return self.files[path]

    def sleep(self, seconds):
        self.time += seconds


def test_an_image_is_mapped_by_one_write_without_the_key():
    world = World()
    world.rbd.map('rbd/db01', ['exclusive', 'osdkeepalive=2'])
    (path, text), = world.written
    assert path == '/sys/bus/rbd/add_single_major' and world.calls == []
    assert text == '10.0.0.1:6789,10.0.0.2:6789 name=igw,key=client.igw,exclusive,osdkeepalive=2 rbd db01 -'
    assert world.keys == [('client.igw', b'secret')]
    world.rbd.map('rbd/ns/db01', ['exclusive'])
    assert world.written[1][1].endswith('exclusive,_pool_ns=ns rbd db01 -')


def test_a_take_over_of_many_reads_the_files_of_ceph_once_and_a_later_one_again():
    world = World()
    for number in range(100):
        world.rbd.map('rbd/many%d' % number, ['exclusive'])
    assert len(world.keys) == 1 and len(world.written) == 100
    world.time += 6
    world.files['/etc/ceph/ceph.conf'] = 'mon_host = 10.0.0.9:6789\n'
    world.rbd.map('rbd/last', ['exclusive'])
    assert len(world.keys) == 2 and world.written[-1][1].startswith('10.0.0.9:6789 ')


def test_the_key_is_there_before_the_process_that_inherits_it():
    world = World()
    world.rbd.load()
    assert world.order == ['key', 'start']


@pytest.mark.parametrize('options, files, why', [
    (['ms_mode=secure'], {}, 'ms_mode'),
    ([], {'/etc/ceph/ceph.client.igw.keyring': None}, 'No such file'),
    ([], {'/etc/ceph/ceph.conf': 'mon_host = mon.example.com'}, 'mon_host'),
    ([], {'/etc/ceph/ceph.client.igw.keyring': '[client.igw]\n'}, 'keyring'),
])
def test_what_is_not_plain_is_left_to_rbd(options, files, why):
    world = World(**files)
    world.rbd.map('rbd/db01', options)
    assert world.calls[0][0] == ['rbd', '--id', 'igw', 'map', '--options', ','.join(options), 'rbd/db01']
    assert why in world.rbd.why


def test_without_the_process_rbd_maps_and_unmaps():
    world = World()
    world.startable = False
    world.rbd.load()
    world.rbd.map('rbd/db01', ['exclusive'])
    world.rbd.unmap(3, force=True)
    assert [argv[3:] for argv, dummy in world.calls] == [['map', '--options', 'exclusive', 'rbd/db01'], ['unmap', '-o', 'force', '/dev/rbd3']]
    assert world.written == [] and 'memory' in world.rbd.why


def test_the_errno_of_the_kernel_arrives():
    world = World(errno.EROFS)
    with pytest.raises(RbdError, match='Read-only') as found:
        world.rbd.map('rbd/db01', ['exclusive'])
    assert found.value.errno == errno.EROFS and 'secret' not in str(found.value)
    with pytest.raises(RbdError, match='no answer within 25 s') as found:
        World(errno.ETIMEDOUT).rbd.map('rbd/db01', ['exclusive'])
    assert found.value.errno == errno.ETIMEDOUT


def test_an_unmap_waits_for_whoever_looks_at_the_device():
    world = World(errno.EBUSY, errno.EBUSY)
    world.rbd.unmap(3)
    assert [text for dummy, text in world.written] == ['3', '3', '3']
    world = World(*[errno.EBUSY] * 100)
    with pytest.raises(RbdError) as found:
        world.rbd.unmap(3, force=True)
    assert found.value.errno == errno.EBUSY and world.written[0][1] == '3 force'


@pytest.mark.parametrize('conf, where', [
    ('mon host = 10.0.0.1', ['10.0.0.1:6789']),
    ('mon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6790/0] [v2:10.0.0.2:3300/0,v1:10.0.0.2:6789/0]', ['10.0.0.1:6790', '10.0.0.2:6789']),
    ('mon_host = [fd00::1]:6789,[fd00::2]', ['[fd00::1]:6789', '[fd00::2]:6789']),
    ('mon_host = v2:10.0.0.1:3300', []),
    ('mon_host = one,two', []),
    ('fsid = x', []),
])
def test_monitors_are_those_of_messenger_1(conf, where):
    assert reachable('[global]\n%s\n' % conf) == where


def test_the_modules_are_loaded_once():
    world = World()
    world.rbd.load()
    assert world.calls == []
    world.rbd._exists = lambda path: path == '/sys/module/dm_multipath'
    world.rbd.load()
    assert world.calls == [(['modprobe', 'rbd'], None), (['modprobe', 'dm-round-robin'], None)]
