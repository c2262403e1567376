# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent does to its host, one thing at a time: guards, the watchdog's reads, records over librados, systemd."""
import errno
import json
import os
import socket
import struct
import threading
import time
import types

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import (
    gateway_ha, ha_agent, ha_guard, ha_hands, ha_lock, ha_rados, ha_watch)
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_ceph import CephError

TABLE = '0 2097152 multipath 3 queue_if_no_path queue_mode bio 0 1 1 round-robin 0 1 1 253:0 1'


class Dmsetup:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def __call__(self, argv):
        self.calls.append(' '.join(argv[1:]))
        return self.answers.pop(0) if self.answers else (0, '', '')


def guards(run, left=(0,), there=True):
    left = list(left)
    return ha_guard.Guards(run, lambda device: left.pop(0) if len(left) > 1 else left[0], lambda device: there,
                           clock=iter(range(1000)).__next__, sleep=lambda seconds: None)


def test_a_guard_is_made_once_and_not_touched_again():
    run = Dmsetup()
    guards(run, there=False).ensure('a', '253:0', 1 << 30)
    assert run.calls[0] == 'create cephgate-a --uuid CEPHGATE-a --noudevrules --table ' + TABLE
    run = Dmsetup((0, TABLE.replace('round', 'round') + '\n', ''))
    guards(run).ensure('a', '253:0', 1 << 30)
    assert run.calls == ['table cephgate-a']


class Slow(Dmsetup):
    """The first call ends when all the others wait behind it."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.made, self.behind = set(), threading.Event()

    def __call__(self, argv):
        if not self.calls:
            self.calls.append('')
            assert self.behind.wait(10)
            self.calls.pop()
        answer = super().__call__(argv)
        self.made.update(word.split(',')[0].replace(ha_guard.PREFIX, '') for word in argv[-1].split(';') if '--concise' in argv and not answer[0])
        return answer


def create_together(run, names):
    made = ha_guard.Guards(run, lambda device: 0, run.made.__contains__)
    errors = {}

    def create(name):
        try:
            made.create(name, TABLE)
        except ha_guard.GuardError as error:
            errors[name] = str(error)

    threads = [threading.Thread(target=create, args=(name,)) for name in names]
    for number, thread in enumerate(threads):
        thread.start()
        while len(made._waiting) < number:  # pylint: disable=protected-access
            time.sleep(0.01)
    run.behind.set()
    for thread in threads:
        thread.join(10)
    return errors


def test_guards_that_wait_for_dmsetup_are_made_in_one_call():
    run = Slow()
    assert create_together(run, 'abcd') == {}
    assert run.calls[0].startswith('create cephgate-a ') and run.calls[1:] == ['create --noudevrules --concise ' + ';'.join(
        'cephgate-%s,CEPHGATE-%s,,rw,%s' % (name, name, TABLE) for name in 'bcd')]


@pytest.mark.parametrize('said', ["dmsetup: unrecognized option '--concise'", 'device-mapper: reload ioctl on cephgate-c failed'])
def test_each_guard_of_a_call_that_fails_has_its_own_end(said):
    run = Slow((0, '', ''), (1, '', said), (0, '', ''), (1, '', 'no such disk'))
    assert list(create_together(run, 'abcd')) == ['c']
    assert [call.split()[1] for call in run.calls] == ['cephgate-a', '--noudevrules', 'cephgate-b', 'cephgate-c', 'cephgate-d']


def test_a_guard_over_another_disk_is_replaced_and_over_a_larger_one_reloaded():
    run = Dmsetup((0, TABLE, ''))
    guards(run).ensure('a', '253:16', 1 << 30)
    assert [call.split()[0] for call in run.calls] == ['table', 'remove', 'create']
    run = Dmsetup((0, TABLE, ''))
    guards(run).ensure('a', '253:0', 2 << 30)
    assert [call.split()[0] for call in run.calls] == ['table', 'load', 'resume']


def test_a_guard_goes_when_nothing_is_under_way_in_it_and_not_before():
    run = Dmsetup()
    guards(run, [3, 3, 0]).remove('a')
    assert [call.split()[0] for call in run.calls] == ['remove']
    run = Dmsetup()
    with pytest.raises(ha_guard.GuardError, match='guard cephgate-a: 2 commands are under way in it after 3 seconds'):
        guards(run, [2]).remove('a')
    assert run.calls == []


def test_a_stand_in_holds_nothing_back():
    run = Dmsetup((0, ha_guard.stand_in(1 << 30), ''))
    guards(run).fail('a')
    assert run.calls == ['table cephgate-a']
    run = Dmsetup((0, TABLE, ''))
    guards(run).fail('a')
    assert run.calls[1] == 'message cephgate-a 0 fail_if_no_path'


def test_what_dmsetup_says_is_in_the_error():
    with pytest.raises(ha_guard.GuardError, match='exit code 1. Last line: device-mapper: create ioctl failed'):
        ha_guard.Guards(Dmsetup((1, '', 'device-mapper: create ioctl failed\n'))).create('a', TABLE)


def test_all_guards_are_seen_at_once():
    text = 'cephgate-a: 0 2097152 multipath 2 0 1 0 1 1 A 0 1 0 253:0 F 1 \nmpatha: 0 8 multipath 2 0 0 0 1 1 A 0 1 0 8:0 A 0\n'
    assert ha_guard.Guards(Dmsetup((0, text, ''))).overview() == {'a': (1 << 30, ['253:0'])}


def test_stand_ins_are_guards_too_and_other_devices_are_not():
    text = 'cephgate-a: 0 8 multipath 3 253:0 1 \nmpatha: 0 8 multipath 2 8:0 A 0\ncephgate-b-1: 0 8 error \n'
    assert ha_guard.Guards(Dmsetup((0, text, ''))).tables() == {'a': '0 8 multipath 3 253:0 1'.split(), 'b-1': '0 8 error'.split()}
    assert ha_guard.Guards(Dmsetup((0, 'No devices found\n', ''))).tables() == {}


class Reads:
    def __init__(self):
        self.error, self.time, self.said, self.listed = None, 100.0, [], False
        self.watch = ha_watch.Watch('/dev/rbd0', '10.0.0.1:0/7', self.ask, self.said.append, self.read, lambda: self.time)

    def read(self, path, page):
        if self.error:
            raise OSError(self.error, os.strerror(self.error))

    def ask(self, client):
        assert client == '10.0.0.1:0/7'
        if isinstance(self.listed, Exception):
            raise self.listed
        return self.listed


def test_what_the_watchdogs_reads_mean():
    reads = Reads()
    assert reads.watch.health() is None
    reads.watch.look()
    assert reads.watch.health() == 'good'
    reads.time += 2
    assert reads.watch.health() == 'silent'
    reads.error = errno.EIO
    reads.watch.look()
    assert reads.watch.health() == 'good' and 'broken' in reads.said[-1], 'Ceph answers; this image has trouble of its own'
    reads.listed = True
    reads.watch.look()
    assert reads.watch.health() == 'fenced'


@pytest.mark.parametrize('number, listed', [(errno.ESHUTDOWN, False), (errno.EIO, CephError(errno.EIO, 'no answer'))])
def test_who_cannot_tell_counts_as_refused(number, listed):
    reads = Reads()
    reads.error, reads.listed = number, listed
    reads.watch.look()
    assert reads.watch.health() == 'fenced'


def test_a_mapping_that_has_just_gone_is_no_fence():
    reads = Reads()
    reads.error = errno.ENXIO
    reads.watch.look()
    assert reads.watch.health() is None


def test_a_read_goes_past_the_cache(tmp_path):
    import mmap
    path = tmp_path / 'disk'
    path.write_bytes(b'x' * 4096)
    page = mmap.mmap(-1, 4096)
    ha_watch.read_disk(str(path), page)
    assert page[:4] == b'xxxx'


class Library:
    """librados and librbd, as far as they are used."""

    class Error(Exception):
        def __init__(self, text, number=None):
            super().__init__(text)
            self.errno = number

    class ObjectNotFound(Error):
        pass

    def __init__(self):
        self.values, self.troubles, self.made, self.commands = None, [], 0, []
        self.locks, self.opened = [], []
        self.answer, self.executed = None, []  # of a method of the OSDs; None: a binding that is too old to call one

    def Rados(self, **options):  # noqa: N802 # as Ceph calls it
        assert options['conf']['rados_osd_op_timeout']
        self.made += 1
        return types.SimpleNamespace(connect=lambda timeout: None, shutdown=lambda: None, open_ioctx=self.ioctx, mon_command=self.command)

    class WriteOpCtx:
        def __enter__(self):
            return self

        def __exit__(self, *what):
            pass
    ReadOpCtx = WriteOpCtx

    def ioctx(self, pool):
        for trouble in self.troubles:
            raise trouble
        calls = {} if self.answer is None else dict(execute=self.execute)
        return types.SimpleNamespace(**calls, close=lambda: None, set_omap=self.set_omap, operate_write_op=lambda op, name: None, operate_read_op=self.operate,
                                     get_omap_vals=lambda op, after, prefix, most: (list((self.values or {}).items()), 0), set_namespace=lambda name: None)

    def execute(self, name, group, method, data, length=8192):
        self.executed.append((name, group, method, data))
        return len(self.answer), self.answer

    def set_omap(self, operation, keys, values):
        assert isinstance(keys, tuple) and isinstance(values, tuple)
        self.values = dict(self.values or {}, **{keys[0]: values[0]})

    def operate(self, operation, name):
        if self.values is None:
            raise self.ObjectNotFound('no such object', 2)

    def command(self, text, data, timeout):
        words = json.loads(text)
        self.commands.append(words)
        if words['prefix'] == 'osd blocklist ls':
            return 0, json.dumps([dict(addr=each['addr'], until='2027') for each in self.commands if each['prefix'] == 'osd blocklist']).encode() + b'[]\n', ''
        return 0, b'{"epoch": 17}', ''

    def Image(self, ioctx, name, read_only):  # noqa: N802
        self.opened.append(name)
        return types.SimpleNamespace(close=lambda: None, list_lockers=lambda: dict(lockers=self.locks))


@pytest.fixture
def library():
    return Library()


@pytest.fixture
def ceph(library):
    return ha_rados.Rados((library, library), 'rbd', 'igw')


def test_records_over_librados(library, ceph):
    assert ceph.exchange('gw1', None) == {}
    assert ceph.exchange('gw1', {'n': 1}) == {'gw1': {'n': 1}}
    library.values.update(gw2=b'{"n": 2}', gw3=b'not JSON', gw4=b'[]')
    assert ceph.exchange('gw1', None) == {'gw1': {'n': 1}, 'gw2': {'n': 2}} and library.made == 1


def test_a_connection_over_which_nothing_works_is_made_anew(library, ceph):
    library.troubles.append(Library.Error('timed out', 110))
    for dummy in range(ha_rados.ENOUGH):
        with pytest.raises(CephError, match='timed out'):
            ceph.exchange('gw1', None)
    library.troubles.clear()
    assert ceph.exchange('gw1', None) == {} and library.made == 2


def test_holders_fences_and_the_newest_map(library, ceph):
    assert ceph.holder('rbd/a') is None and ceph.epoch() == 17 and not ceph.listed('10.0.0.1:0/7')
    library.locks = [('client.1', 'auto 1', '10.0.0.1:0/7')]
    assert ceph.holder('rbd/space/a') == '10.0.0.1:0/7'
    assert ceph.fence('10.0.0.1:0/7') == '2027' and ceph.listed('10.0.0.1:0/7')
    assert [each['expire'] for each in library.commands if 'expire' in each] == [365 * 24 * 3600.0]
    library.locks.append(('client.2', 'auto 2', '10.0.0.2:0/7'))
    with pytest.raises(CephError, match='can be by one only'):
        ceph.holder('rbd/a')


def test_a_client_of_a_host_or_of_a_range_that_is_listed_is_refused(ceph, monkeypatch):
    monkeypatch.setattr(ceph, '_monitors', lambda **words: b'[{"addr":"10.99.0.11:0/0","until":"2027"}]\n[{"range":"10.98.0.0:0/24","until":"2027"}]\n')
    assert ceph.listed('10.99.0.11:0/2202855461') and ceph.listed('10.98.0.7:0/1') and not ceph.listed('10.99.1.11:0/2202855461')


# As Ceph 16.2.15 answered for an image that a kernel had mapped.
LOCKED = (b"\x01\x01r\x00\x00\x00\x01\x00\x00\x00\x01\x01&\x00\x00\x00\x08'\x10\x00\x00\x00\x00\x00\x00\x19\x00\x00\x00auto 18446462598732840961"
          b"\x01\x01/\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x01\x1c\x00\x00\x00\x01\x00\x00\x00%\xe8L\x83\x10\x00\x00\x00"
          b"\x02\x00\x00\x00\nc\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x08\x00\x00\x00internal")
FREE = b'\x01\x01\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00'


def locked_by_two():
    """The same answer, with its only holder twice."""
    entry = LOCKED[10:-13]
    body = b'\x02\x00\x00\x00' + entry + entry + LOCKED[-13:]
    return b'\x01\x01' + struct.pack('<I', len(body)) + body


def test_the_holder_of_an_image_is_known_without_opening_it(library, ceph):
    library.answer = LOCKED
    assert ceph.holder('rbd/a', '101b1daca481') == '10.99.0.11:0/2202855461'
    library.answer = FREE
    assert ceph.holder('rbd/a', '101b1daca481') is None
    assert library.opened == [] and set(library.executed) == {('rbd_header.101b1daca481', 'lock', 'get_info', b'\x01\x01\x0c\0\0\0\x08\0\0\0rbd_lock')}
    assert ha_lock.lockers(locked_by_two()) == [('10.99.0.11:0/2202855461', (8, 4135, b'auto 18446462598732840961'))] * 2
    six = LOCKED.replace(b'\x10\x00\x00\x00\x02\x00\x00\x00\nc\x00\x0b' + b'\0' * 8,
                         b'\x1c\x00\x00\x00\x0a\x00\x00\x00' + b'\0' * 4 + b'\xfd' + b'\0' * 14 + b'\x11' + b'\0' * 4)
    six = six.replace(b'/\0\0\0', b';\0\0\0', 1).replace(b'\x1c\x00\x00\x00\x01\0\0\0%', b'\x28\x00\x00\x00\x01\0\0\0%').replace(b'r\0\0\0', b'\x7e\0\0\0', 1)
    assert [address for address, dummy in ha_lock.lockers(six)] == ['[fd00::11]:0/2202855461']


def test_the_lock_is_taken_from_those_who_are_fenced_and_from_nobody_else(library, ceph):
    library.answer = LOCKED
    ceph.free('rbd/a', '101b1daca481', set(), set())
    assert library.executed == []
    ceph.free('rbd/a', '101b1daca481', {'10.99.0.11:0/1'}, {'10.99.0.12:0/9'})
    assert [call[2] for call in library.executed] == ['get_info']
    ceph.free('rbd/a', '101b1daca481', {'10.99.0.11:0/1', '10.99.0.11:0/2202855461'}, set())
    name, group, method, data = library.executed[-1]
    assert (name, group, method) == ('rbd_header.101b1daca481', 'lock', 'break_lock')
    # The lock's name, and exactly the locker that was seen: client.4135 with its cookie.
    assert data == b'\x01\x01\x32\0\0\0\x08\0\0\0rbd_lock' + LOCKED[16:25] + b'\x19\0\0\0auto 18446462598732840961'
    library.executed.clear()
    ceph.free('rbd/a', '101b1daca481', set(), {'10.99.0.11:0/2202855461'})
    assert [call[2] for call in library.executed] == ['get_info', 'break_lock']
    library.answer = FREE
    ceph.free('rbd/a', '101b1daca481', {'10.99.0.11:0/2202855461'}, set())
    assert library.executed[-1][2] == 'get_info'


def test_a_lock_of_ones_own_that_cannot_be_given_back_is_no_matter_for_the_kernel(library, ceph):
    """It would take its own client for a dead one, and have it blocklisted."""
    library.answer = b'of another form'
    library.locks = [('client.1', 'auto 1', '10.0.0.1:0/7')]
    with pytest.raises(CephError, match='rbd/a: its lock is held by this host, which has not mapped it'):
        ceph.free('rbd/a', '101b1daca481', set(), {'10.0.0.1:0/7'})
    ceph.free('rbd/a', '101b1daca481', {'10.0.0.1:0/7'}, set())
    assert 'break_lock' not in [call[2] for call in library.executed]


@pytest.mark.parametrize('answer', [LOCKED[:-20], LOCKED[:50], b'', b'\x02\x02' + LOCKED[2:], LOCKED.replace(b'\x01\x01\x01\x1c', b'\x00\x00\x00\x00'),
                                    LOCKED.replace(b'\x10\0\0\0\x02\0', b'\x10\0\0\0\x05\0'), FREE + b'\0' * ha_lock.LONGEST, None])
def test_what_is_not_understood_is_asked_of_librbd(library, ceph, answer):
    library.answer = answer
    library.locks = [('client.1', 'auto 1', '10.0.0.1:0/7')]
    assert ceph.holder('rbd/a', '101b1daca481') == '10.0.0.1:0/7' and library.opened == ['a']


def test_the_own_address_is_that_towards_the_monitors():
    assert ha_agent.own_address([('127.0.0.1', 6789)]) == '127.0.0.1'
    assert ha_agent.own_address([]) is None


def test_systemd_is_told(tmp_path):
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / 'notify'))
    ha_agent.notify('WATCHDOG=1', dict(NOTIFY_SOCKET=str(tmp_path / 'notify')))
    assert channel.recv(100) == b'WATCHDOG=1'
    ha_agent.notify('READY=1', {})
    ha_agent.notify('READY=1', dict(NOTIFY_SOCKET=str(tmp_path / 'nobody')))


class Ended(Exception):
    pass


def watched(steps):
    """What an agent's Beat says when its loop takes so many steps in each of these seconds; None when it does not end the agent."""
    said, left = [], list(steps)

    def sleep(seconds):
        assert seconds == 1
        if not left:
            raise Ended()
        beat.number += left.pop(0)

    def end(code):
        assert code
        raise Ended()

    beat = ha_agent.Beat(said.append, sleep, end)
    with pytest.raises(Ended):
        beat.watch()
    return said[0] if said else None


def test_an_agent_whose_loop_stands_still_ends():
    assert watched([3, 1] + [0] * 40) == 'the loop has stood still for 15 s, so this agent ends'
    assert watched([0] * 40) is not None, 'also one that never moved'


def test_an_agent_whose_loop_is_slow_goes_on():
    assert watched(([0] * 14 + [1]) * 4) is None
    assert watched([1] * 40) is None


def test_an_agent_that_has_left_is_not_watched():
    beat = ha_agent.Beat(None, lambda seconds: setattr(beat, 'over', True), None)
    beat.watch()


@pytest.mark.parametrize('says, wanted', [(b'stopping\n', True), (b'running\n', False)])
def test_whether_the_host_goes_down(says, wanted):
    assert ha_agent.going_down(lambda *words, **options: types.SimpleNamespace(communicate=lambda: (says, b''))) is wanted


def test_the_kernels_map(tmp_path):
    files = {'/sys/bus/rbd/devices/3/client_id': 'client4711\n', ha_hands.OSDMAP % ('F', 'client4711'): 'epoch 42 barrier 0 flags 0x588000\n',
             '/sys/bus/rbd/devices/3/config_info': '10.0.0.1:6789 name=igw,key=client.igw,exclusive,osdkeepalive=2 rbd a -\n'}

    def read(path):
        if path not in files:
            raise FileNotFoundError(2, 'No such file or directory')
        return files[path]
    entry = dict(number=3, fsid='F')
    assert ha_hands.kernel_epoch(entry, read) == 42 and 'exclusive' in ha_hands.map_options(entry, read)
    del files[ha_hands.OSDMAP % ('F', 'client4711')]
    with pytest.raises(OSError, match='Is debugfs mounted'):
        ha_hands.kernel_epoch(entry, read)


def test_systemd_hears_of_an_agent_seldom_for_each_time_costs_a_step(monkeypatch):
    said, now = [], [100.0]
    agent = types.SimpleNamespace(over=False, leaving=None, wake=threading.Event())

    def wait():
        now[0] += 0.5
        agent.over = now[0] >= 140

    monkeypatch.setattr(ha_agent, 'notify', said.append)
    monkeypatch.setattr(ha_agent, 'clock', lambda: now[0])
    monkeypatch.setattr(ha_agent.signal, 'signal', lambda *dummy: None)
    monkeypatch.setattr(ha_agent.Beat, 'start', lambda self: None)
    keeper = types.SimpleNamespace(agent=agent, say=said.append, tick=lambda: None, wait=wait, report=lambda: None)
    assert ha_agent.run(keeper, lambda: False) is False
    assert said == ['READY=1'] + ['WATCHDOG=1'] * 4
    assert ha_agent.ALIVE * 4 < 120, 'what the unit file says: WatchdogSec'


DISK = dict(image='rbd/a', mapped=None, here='passive', doing=None, owner='gw2')


@pytest.mark.parametrize('agent, left', [
    (None, [gateway_ha.SILENT]), (dict(drain=False, disks={}), ['the agent has not heard of it yet']),
    (dict(drain=True, disks=dict(a=DISK)), []), (dict(drain=True, disks=dict(a=dict(DISK, mapped='x', doing='giving away'))), ['rbd/a: giving away'])])
def test_what_keeps_a_gateway_from_being_drained(tmp_path, agent, left):
    orders = Orders(str(tmp_path / 'state.json'))
    assert gateway_ha.drain(orders, lambda: agent, 0) == dict(drained=not left, changed=True, left=left)
    assert orders.drained() and gateway_ha.undrain(orders, lambda: agent)['left'] == ([] if agent else [gateway_ha.SILENT])


def test_a_farewell_claims_nothing_and_keeps_the_count(library, ceph):
    gateway_ha.farewell(ceph, 'gw1')
    assert ceph.exchange('gw1', None) == {}, 'who never had a record needs no farewell'
    ceph.exchange('gw1', dict(n=7, host='10.0.0.1', luns={'a': 3}, addrs=['10.0.0.1:0/7'], away=True, drain=False, wants=[], blind=[], unfit=[]))
    gateway_ha.farewell(ceph, 'gw1')
    assert ceph.exchange('gw1', None)['gw1'] == dict(
        n=8, host='10.0.0.1', luns={}, addrs=[], away=False, drain=True, wants=[], blind=[], unfit=[])


def test_the_status_of_an_image():
    images = [dict(image='rbd/a', device='a', missing=[], served=True), dict(image='rbd/b', device='b', missing=[], served=True)]
    gateway_ha.status(images, dict(disks=dict(a=DISK, b=dict(DISK, owner=None, doing='map'))))
    assert [entry['served'] for entry in images] == [True, False] and images[1]['missing'] == ['no gateway has it (here: map)']
    assert gateway_ha.place(images[0]) == 'served by gateway gw2, on standby here'


def test_debugfs_is_mounted_where_the_host_does_not():
    calls, there = [], [False]

    def run(argv, **dummy):
        calls.append(argv)
        return types.SimpleNamespace(returncode=32, communicate=lambda: (b'mount: permission denied\n', None))

    ha_agent.show_debugfs(lambda path: True, run)
    assert calls == []
    with pytest.raises(ha_agent.Refused, match=r'/sys/kernel/debug cannot be mounted \(mount: permission denied\)'):
        ha_agent.show_debugfs(lambda path: there[0], run)
    assert calls == [['mount', '-t', 'debugfs', 'debugfs', '/sys/kernel/debug']]
