# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog of many mappings: how often it reads, whom it wakes, what it asks Ceph."""
import errno
import queue
import threading

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_watch


def test_the_loop_may_ask_for_a_disks_health_at_any_moment_of_its_first_answer():
    found = []
    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: ha_watch.Watch(path, client, None, None, lambda path, page: None, lambda: 7))
    dog.follow({'a': ('/dev/rbd0', 'c')})
    watch, heard = dog._watches['a'], dog._watches['a'].heard
    watch.heard = lambda when: (found.append(dog.health('a')), heard(when), found.append(dog.health('a')))
    watch.look()
    assert found == [None, None] and dog.health('a') == 'good'


def test_the_loop_is_woken_for_what_it_waits_for():
    woken, failing = [], []

    def read(path, page):
        if failing:
            raise OSError(errno.ESHUTDOWN, 'Cannot send after transport endpoint shutdown')

    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: ha_watch.Watch(path, client, None, lambda text: None, read, lambda: 7))
    dog.follow({'a': ('/dev/rbd0', 'c')})
    dog.news = lambda: woken.append(dog.health('a'))
    for dummy in range(3):
        dog._watches['a'].look()
    failing.append(True)
    dog._watches['a'].look()
    assert woken == ['good', 'fenced'], 'with the first answer, not with those that tell nothing new, and with a fence'


def test_a_refused_client_is_asked_for_once_for_all_its_disks():
    asked, answer, time = [], [False], [7]

    def read(path, page):
        raise OSError(errno.EIO, 'Input/output error')

    def listed(client):
        asked.append(client)
        return answer[0]

    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: ha_watch.Watch(path, client, listed, lambda text: None, read, lambda: time[0]),
                            lambda: time[0])
    dog.follow(dict((str(number), ('/dev/rbd%d' % number, 'c' if number < 50 else 'other')) for number in range(51)))
    dog._watches['7'].look()
    dog._watches['8'].look()
    assert asked == ['c'] and dog.health('7') == dog.health('8') == 'good', 'a broken object does not ask four times a second'
    time[0] += ha_watch.AGAIN
    dog._watches['8'].look()
    assert asked == ['c', 'c'], 'who is not listed now may be later'
    time[0] += ha_watch.AGAIN
    answer[0] = True
    for number in range(50):
        dog._watches[str(number)].look()
    assert asked == ['c', 'c', 'c'] and all(dog.health(str(number)) == 'fenced' for number in range(50))
    dog._watches['50'].look()
    assert asked[-1] == 'other'


class Monitors:
    """Of two mappings of one client whose reads fail. Ceph says whom it refuses when it is let: go."""

    def __init__(self, monkeypatch, certain=None):
        monkeypatch.setattr(ha_watch, 'DOUBT', 0.1)
        self.time, self.asked, self.said, self.refused, self.broken, self.go = 0, 0, [], False, False, threading.Event()
        self.go.set()
        self.dog = ha_watch.Watchdog(lambda run: None, lambda path, client: ha_watch.Watch(
            path, client, self.listed, self.said.append, self.read, lambda: self.time, certain), lambda: self.time)
        self.dog.follow({'a': ('/dev/rbd0', 'c'), 'b': ('/dev/rbd1', 'c')})

    def read(self, path, page):
        raise OSError(errno.EIO, 'Input/output error')

    def listed(self, client):
        self.asked += 1
        assert self.go.wait(10)
        if self.broken:
            raise OSError(errno.ETIMEDOUT, 'Connection timed out')
        return self.refused

    def look(self, seconds=0, device='a'):
        self.time += seconds
        self.dog._watches[device].look()
        return self.dog.health(device)

    def answer(self):
        self.go.set()
        for watch in self.dog.watches():
            if watch._question:
                watch._question[0].join(10)


def test_a_late_answer_is_a_fence_unless_ceph_has_just_said_that_it_is_none(monkeypatch):
    monitors = Monitors(monkeypatch)
    assert monitors.look() == 'good'
    monitors.go.clear()
    questions = set()
    for dummy in range(5):
        assert monitors.look(5) == 'silent', 'neither fenced nor an answer'
        questions.add(monitors.dog._watches['a']._question[0])
    assert monitors.asked == 2 and len(questions) == 1, 'one question at a time'
    assert len([line for line in monitors.said if 'does not say in time whether it refuses client c' in line]) == 1 and len(monitors.said) == 2
    assert monitors.look(5) == 'fenced', 'for half a minute nobody has said that it is none'
    monitors.go.set()


def test_nobody_has_said_anything_yet_and_an_answer_is_late(monkeypatch):
    monitors = Monitors(monkeypatch)
    monitors.go.clear()
    assert monitors.look() == 'fenced'
    monitors.go.set()


@pytest.mark.parametrize('refused', [True, False])
def test_an_answer_that_came_late_counts_for_the_next_read(monkeypatch, refused):
    monitors = Monitors(monkeypatch)
    monitors.look()
    monitors.go.clear()
    assert monitors.look(5) == 'silent'
    monitors.refused = refused
    monitors.answer()
    assert monitors.look() == ('fenced' if refused else 'good') and monitors.asked == 2
    monitors.go.clear()
    assert monitors.look(29, 'b') == ('fenced' if refused else None), 'a slow monitor is no fence for as long as it answers at all'
    monitors.go.set()


def test_of_many_who_wait_for_an_answer_that_does_not_come_one_asks(monkeypatch):
    monitors = Monitors(monkeypatch, certain=0.1)
    monitors.broken = True
    monitors.go.clear()
    assert monitors.look() is None and monitors.look(0, 'b') is None
    monitors.answer()
    assert monitors.asked == 1, 'each would wait for as long as Ceph may take, one after the other'
    monitors.broken = False
    assert monitors.look() == 'good' and monitors.asked == 2


def test_many_disks_are_read_no_more_often_in_all_than_few():
    watches = {}
    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: watches.setdefault(path, ha_watch.Watch(
        path, client, None, None, lambda path, page: None, lambda: 0)))
    dog.follow({'a': ('/dev/rbd0', 'c')})
    assert dog.pace() == ha_watch.PERIOD
    dog.follow(dict((str(number), ('/dev/rbd%d' % number, 'c')) for number in range(300)))
    assert dog.pace() == 37.5 and watches['/dev/rbd7'].pace() == 37.5
    watches['/dev/rbd7'].look()
    watches['/dev/rbd7']._clock = watches['/dev/rbd8']._clock = lambda: 38
    assert dog.health('7') == 'silent', 'nobody had an answer for longer than a second'
    watches['/dev/rbd8'].look()
    assert dog.health('7') == 'good', 'read every 37.5 s, so its answer counts for longer as long as others are answered'
    watches['/dev/rbd7']._clock = watches['/dev/rbd8']._clock = lambda: 75.5
    watches['/dev/rbd8'].look()
    assert dog.health('7') == 'silent' and dog.health('8') == 'good'


class Reading:
    """A watchdog whose threads are real and whose time is not: it sleeps until it is told that time has passed."""

    def __init__(self, disks):
        self.time, self.slept, self.read, self.hangs, self.sleepers = 0.0, [], queue.Queue(), {}, queue.Queue()
        self.dog = ha_watch.Watchdog(self.start, lambda path, client: ha_watch.Watch(path, client, None, None, self.look, self.clock), self.clock, self.sleep)
        self.dog.follow({name: ('/dev/' + name, 'c') for name in disks})
        for dummy in disks:
            self.read.get(timeout=10)
        for thread in self.threads:
            thread.join(10)

    threads = ()

    def start(self, function):
        thread = threading.Thread(target=function, daemon=True)
        self.threads += (thread,)
        thread.start()

    def clock(self):
        return self.time

    def look(self, path, page):
        name = path.rsplit('/', 1)[-1]
        if name in self.hangs:
            self.read.put(name + ' hangs')
            assert self.hangs[name].wait(10)
        self.read.put(name)

    def sleep(self, seconds):
        self.slept.append(seconds)
        go = threading.Event()
        self.sleepers.put((self.time + seconds, go))
        if not go.wait(10):
            raise SystemExit  # of a test that is over

    def round(self):
        """One read, and the rest after it."""
        self.dog.tend()
        name = self.read.get(timeout=10)
        if not name.endswith(' hangs'):
            self.time, go = self.sleepers.get(timeout=10)
            go.set()
        return name


def test_one_thread_reads_all_disks_in_turn_eight_a_second():
    reading = Reading('abcde')
    found = [reading.round() for dummy in range(15)]
    assert sorted(found[:5]) == list('abcde') and found == found[:5] * 3
    assert len(reading.threads) == 6, 'one for the first read of each, and one that goes on'
    assert set(reading.slept) == {0.125}


def test_one_disk_is_read_four_times_a_second():
    reading = Reading('a')
    for dummy in range(3):
        reading.round()
    assert set(reading.slept) == {0.25}


def test_a_read_that_hangs_holds_up_no_other_and_its_disk_is_read_again_when_it_has_ended():
    reading = Reading('abc')
    reading.hangs['b'] = threading.Event()
    found = [reading.round()]
    while not found[-1].endswith(' hangs'):
        found.append(reading.round())
    reading.dog.tend()
    assert reading.read.empty(), 'it may be answered yet'
    reading.time += ha_watch.HELD
    assert [reading.round() for dummy in range(4)] in (list('acac'), list('caca'))
    held = reading.threads[-2]
    reading.hangs.pop('b').set()
    held.join(10)
    assert not held.is_alive(), 'who was held up leaves the rest to who reads now'
    assert 'b' in reading.round() + reading.read.get(timeout=10), 'and it has ended'
    assert sorted(reading.round() for dummy in range(3)) == list('abc')


def test_a_disk_that_is_gone_is_read_no_more_and_without_any_nobody_reads():
    reading = Reading('ab')
    reading.round()
    reading.dog.follow({'b': ('/dev/b', 'c')})
    assert [reading.round() for dummy in range(3)] == ['b'] * 3
    reading.dog.follow({})
    reading.threads[-1].join(10)
    assert not reading.threads[-1].is_alive() and reading.dog.watches() == []
    reading.dog.follow({'d': ('/dev/d', 'c')})
    assert reading.read.get(timeout=10) == 'd', 'the first read does not wait for its turn'
    reading.threads[-1].join(10)
    assert reading.round() == 'd'


@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_what_no_read_can_raise_ends_one_reader_and_not_the_reading():
    reading = Reading('ab')
    look, fail = reading.look, [True]

    def broken(path, page):
        if fail:
            fail.pop()
            raise ValueError('nobody has thought of it')
        look(path, page)

    for watch in reading.dog.watches():
        watch._read = broken
    reading.dog.tend()
    reading.threads[-1].join(10)
    assert sorted(reading.round() for dummy in range(2)) == ['a', 'b']


def test_nobody_sleeps_until_a_moment_that_has_just_passed():
    reading = Reading('a')
    reading.dog._clock = lambda: setattr(reading, 'time', reading.time + 1) or reading.time
    for dummy in range(3):
        reading.round()
    assert reading.slept == [0] * 3


def test_the_time_that_a_read_takes_is_part_of_the_time_until_the_next_one():
    reading = Reading('abc')
    look = reading.look

    def slow(path, page):
        reading.time += 0.1
        look(path, page)

    for watch in reading.dog.watches():
        watch._read = slow
    for dummy in range(6):
        reading.round()
    assert [round(seconds, 3) for seconds in reading.slept] == [0.025] * 6
