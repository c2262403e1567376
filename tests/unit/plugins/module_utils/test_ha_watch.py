# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog of many mappings: how often it reads, whom it wakes, what it asks Ceph."""
import errno

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
    asked, answer = [], [False]

    def read(path, page):
        raise OSError(errno.EIO, 'Input/output error')

    def listed(client):
        asked.append(client)
        return answer[0]

    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: ha_watch.Watch(path, client, listed, lambda text: None, read, lambda: 7))
    dog.follow(dict((str(number), ('/dev/rbd%d' % number, 'c' if number < 50 else 'other')) for number in range(51)))
    dog._watches['7'].look()
    dog._watches['8'].look()
    assert asked == ['c', 'c'] and dog.health('7') == 'good', 'who is not listed now may be later'
    answer[0] = True
    for number in range(50):
        dog._watches[str(number)].look()
    assert asked == ['c', 'c', 'c'] and all(dog.health(str(number)) == 'fenced' for number in range(50))
    dog._watches['50'].look()
    assert asked[-1] == 'other'


def test_many_disks_are_read_no_more_often_in_all_than_few():
    watches = {}
    dog = ha_watch.Watchdog(lambda run: None, lambda path, client: watches.setdefault(path, ha_watch.Watch(
        path, client, None, None, lambda path, page: None, lambda: 0)))
    dog.follow({'a': ('/dev/rbd0', 'c')})
    assert dog.pace() == ha_watch.PERIOD
    dog.follow(dict((str(number), ('/dev/rbd%d' % number, 'c')) for number in range(300)))
    assert dog.pace() == 15.0 and watches['/dev/rbd7'].pace() == 15.0
    watches['/dev/rbd7'].look()
    watches['/dev/rbd7']._clock = watches['/dev/rbd8']._clock = lambda: 15.5
    assert dog.health('7') == 'silent', 'nobody had an answer for longer than a second'
    watches['/dev/rbd8'].look()
    assert dog.health('7') == 'good', 'read every 15 s, so its answer counts for longer as long as others are answered'
    watches['/dev/rbd7']._clock = watches['/dev/rbd8']._clock = lambda: 16
    watches['/dev/rbd8'].look()
    assert dog.health('7') == 'silent' and dog.health('8') == 'good'
