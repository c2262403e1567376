# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards made by libdevmapper: the order of its calls, what its refusals become, and that nobody waits for a call that hangs."""
import errno
import threading
import types

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_guard, ha_mapper

TABLE = '0 2097152 multipath 3 queue_if_no_path queue_mode bio 0 1 1 round-robin 0 1 1 253:0 1'


class Library:
    """As libdevmapper. refused: names of calls that answer 0; busy: how many removals find the device open."""

    def __init__(self, refused=(), busy=0):
        self.refused = set(refused)
        self.busy = busy
        self.calls = []
        self.alive = 0

    def __getattr__(self, name):
        if not name.startswith('dm_'):
            raise AttributeError(name)

        def call(*arguments):
            self.calls.append((name[3:],) + tuple(each for each in arguments[1:] if isinstance(each, (bytes, int))))
            if name == 'dm_task_create':
                self.alive += 1
                self.what = arguments[0]
                return 0 if 'task_create' in self.refused else 4711
            if name == 'dm_task_destroy':
                self.alive -= 1
            if name == 'dm_task_get_errno':
                return errno.EBUSY if self.what == ha_mapper.REMOVE else errno.EEXIST
            if name == 'dm_task_run' and self.what == ha_mapper.REMOVE and self.busy:
                self.busy -= 1
                return 0
            return 0 if name[3:] in self.refused else 1
        return call


def mapper(library):
    clock = iter(range(0, 100000, 1))
    return ha_mapper.Mapper(library, clock=lambda: next(clock) / 10, sleep=lambda seconds: None)


def test_a_device_is_made_with_flags_that_keep_udev_away_from_it():
    library = Library()
    mapper(library).create('cephgate-a', 'CEPHGATE-a', TABLE)
    assert library.calls == [
        ('task_create',), ('task_set_name', b'cephgate-a'), ('task_set_uuid', b'CEPHGATE-a'),
        ('task_add_target', 0, 2097152, b'multipath', TABLE.split(' ', 3)[3].encode()), ('task_set_cookie', 15),
        ('task_run',), ('task_update_nodes',), ('task_destroy',)]


def test_a_stand_in_has_no_parameters():
    library = Library()
    mapper(library).create('cephgate-a', 'CEPHGATE-a', '0 16 error')
    assert ('task_add_target', 0, 16, b'error', b'') in library.calls


@pytest.mark.parametrize('refused, text', [
    ('task_create', 'no task for cephgate-a'), ('task_set_name', 'its name was not taken'), ('task_set_uuid', 'its uuid was not taken'),
    ('task_add_target', 'its table was not taken'), ('task_set_cookie', 'its cookie was not taken'), ('task_run', 'create cephgate-a: File exists')])
def test_what_the_library_refuses_is_told_and_leaves_the_next_call_its_turn(refused, text):
    library = Library([refused])
    made = mapper(library)
    with pytest.raises(EnvironmentError, match=text):
        made.create('cephgate-a', 'CEPHGATE-a', TABLE)
    assert library.alive == (1 if refused == 'task_create' else 0), 'what was made is taken down'
    library.refused.clear()
    made.create('cephgate-a', 'CEPHGATE-a', TABLE)


def test_who_has_a_device_open_for_a_moment_is_waited_for():
    library = Library(busy=3)
    mapper(library).remove('cephgate-a')
    assert library.calls.count(('task_run',)) == 4
    with pytest.raises(OSError) as caught:
        mapper(Library(busy=10000)).remove('cephgate-a')
    assert caught.value.errno == errno.EBUSY and not isinstance(caught.value, ha_mapper.Unavailable)


def test_a_call_that_hangs_keeps_nobody():
    hanging, going = threading.Event(), threading.Event()
    library = Library()
    made = mapper(library)
    library.dm_task_update_nodes = lambda: (hanging.set(), going.wait(20))
    thread = threading.Thread(target=made.create, args=('cephgate-a', 'CEPHGATE-a', TABLE))
    thread.start()
    assert hanging.wait(20)
    with pytest.raises(ha_mapper.Unavailable, match='cephgate-b waits for a call that has not ended for 3 s'):
        made.create('cephgate-b', 'CEPHGATE-b', TABLE)
    ran = []
    dmsetup = ha_guard.Guards(lambda argv: (ran.append(argv[1]), (0, '', ''))[1], lambda device: 0, lambda device: True, mapper=made)
    dmsetup.create('b', TABLE)
    dmsetup.remove('b')
    assert ran == ['create', 'remove'], 'dmsetup does it'
    going.set()
    thread.join(20)


def test_guards_are_made_and_removed_without_a_process():
    library, there = Library(), set()
    made = ha_guard.Guards(lambda argv: pytest.fail('dmsetup %s' % argv), lambda device: 0, there.__contains__, mapper=mapper(library))
    made.ensure('a', '253:0', 1 << 30)
    there.add('a')
    made.remove('a')
    assert [call for call in library.calls if call[0] in ('task_set_name', 'task_set_uuid')] == [
        ('task_set_name', b'cephgate-a'), ('task_set_uuid', b'CEPHGATE-a'), ('task_set_name', b'cephgate-a')]
    library.refused.add('task_run')
    with pytest.raises(ha_guard.GuardError, match='create cephgate-b: File exists'):
        made.create('b', TABLE)


def test_a_guard_lets_go_without_a_process():
    library = Library()
    made = ha_guard.Guards(lambda argv: pytest.fail('dmsetup %s' % argv), lambda device: 0, lambda device: True, mapper=mapper(library))
    made.fail('a')
    assert library.calls == [('task_create',), ('task_set_name', b'cephgate-a'), ('task_set_sector', 0), ('task_set_message', b'fail_if_no_path'),
                             ('task_run',), ('task_update_nodes',), ('task_destroy',)]
    library.refused.add('task_run')
    for number, wrong in ((errno.ENXIO, False), (errno.EINVAL, False), (errno.EIO, True)):
        library.dm_task_get_errno = lambda task, number=number: number
        if wrong:
            with pytest.raises(ha_guard.GuardError, match='message to cephgate-a'):
                made.fail('a')
        else:
            made.fail('a')  # it has just gone, or is a stand-in


def test_the_name_that_a_killed_agent_left_of_a_guard_is_no_guard():
    """It was killed between the removal of the device and that of its name, and each try to remove it failed."""
    def gone(device):
        raise OSError(errno.ENOENT, 'No such file or directory: /sys/dev/block/253:25/inflight')

    ran = []
    ha_guard.Guards(lambda argv: (ran.append(argv[1:]), (0, '', ''))[1], gone, lambda device: True).remove('a')
    assert ran == [['mknodes', 'cephgate-a']]


def test_where_there_is_no_library_dmsetup_is_called():
    def missing(name, **options):
        raise OSError('%s: cannot open shared object file' % name)

    assert ha_mapper.load(missing) is None
    assert ha_mapper.load(lambda name, **options: types.SimpleNamespace(dm_task_create=types.SimpleNamespace())) is None, 'too old'


@pytest.mark.parametrize('there, path, wanted', [
    (['/usr/sbin/dmsetup'], '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', True), (['/sbin/dmsetup'], '/usr/bin:/sbin/', True),
    (['/usr/local/bin/dmsetup', '/usr/sbin/dmsetup'], '/usr/local/bin:/usr/sbin', False), ([], '/usr/sbin', False)])
def test_a_host_that_has_its_own_dmsetup_has_that_one_asked(there, path, wanted):
    assert ha_mapper.ordinary(dict(PATH=path), there.__contains__) is wanted


def test_where_the_kernel_has_no_device_mapper_dmsetup_may_tell():
    ran = []
    made = ha_guard.Guards(lambda argv: (ran.append(argv[1]), (0, '', ''))[1], lambda device: 0, lambda device: True,
                           mapper=mapper(Library(['task_create'])))
    made.create('a', TABLE)
    assert ran == ['create']


def test_no_semaphore_is_made_for_a_udev_that_nobody_waits_for():
    class Whole:
        def __init__(self):
            self.sync = []

        def __getattr__(self, name):
            def call(*arguments):
                if name == 'dm_udev_set_sync_support':
                    self.sync.append(arguments)
            setattr(self, name, call)
            return call

    library = Whole()
    assert ha_mapper.load(lambda name, **options: library) is library and library.sync == [(0,)]
