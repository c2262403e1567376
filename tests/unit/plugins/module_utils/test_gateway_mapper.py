# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping many images of which some hang, are missing, or are not wanted any more."""
import errno
import os
import time

import pytest
from gateway_world import World

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_mapper, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import bounded_run


@pytest.fixture
def many(tmp_path):
    world = World(folder=tmp_path)
    names = ['rbd/%02d' % number for number in range(30)]
    world.ids = {name: 'id' + name[4:] for name in names}
    world.write(dict(world.state, images=[dict(image=name, image_id=world.ids[name]) for name in names]))
    return world


def settle(world, mapper, seconds=1):
    """Ticks until nothing but what hangs is under way."""
    for _second in range(seconds):
        for _round in range(20):
            mapper.tick()
            end = time.monotonic() + 5
            while time.monotonic() < end and any(
                    not attempt.ended if image not in world.hanging else ['map', image] not in world.calls
                    for image, attempt in list(mapper._running.items())):
                time.sleep(0.002)
        world.time += 1


def test_many_that_hang_starve_nobody_for_long(many):
    for number in range(gateway_mapper.WIDTH):
        many.hang('rbd/%02d' % number)
    mapper = many.mapper(clock=many.clock)
    settle(many, mapper)
    assert many.mappings == {} and len(many.calls) == gateway_mapper.WIDTH, 'not more at a time'
    many.time += gateway_mapper.STUCK  # those cannot even be killed
    settle(many, mapper)
    assert len(many.mappings) == 30 - gateway_mapper.WIDTH
    assert sorted(mapper.problems()) == ['rbd/%02d' % number for number in range(gateway_mapper.WIDTH)]
    settle(many, mapper, 100)
    assert len(many.calls) == 30, 'what is stuck in the kernel is not tried a second time'
    for number in range(gateway_mapper.WIDTH):
        many.answer('rbd/%02d' % number)
    end = time.monotonic() + 5
    while mapper._running and time.monotonic() < end:
        mapper.tick()
    assert len(many.mappings) == 30 and mapper.problems() == {}


def test_an_image_that_is_not_wanted_any_more_is_not_mapped_by_who_waited(many):
    """The playbook removed it from the state file between our look and our lock."""
    mapper = many.mapper(clock=many.clock)
    entries = many.current()['images']
    answers = [entries, entries[1:]]
    mapper.wanted = lambda: answers.pop(0) if len(answers) > 1 else answers[0]
    settle(many, mapper)
    assert 'rbd/00' not in many.mappings and len(many.mappings) == 29


def test_an_image_that_somebody_else_maps_meanwhile_is_left_to_him(many, locks):
    mapper = many.mapper(clock=many.clock)
    with lock.rbd(['rbd/03'], 'module rbd_map'):
        settle(many, mapper)
        assert 'rbd/03' not in many.mappings and 'module rbd_map' in mapper.problems()['rbd/03']
        many.map('rbd/03')
    settle(many, mapper, 10)
    assert mapper.problems() == {} and ['map', 'rbd/03'] not in many.calls


def test_a_command_that_takes_too_long_is_killed_and_named():
    began = time.monotonic()
    code, dummy, err = bounded_run(0.3)(['sleep', '30'], None)
    assert code == errno.ETIMEDOUT and 'no answer within' in err and time.monotonic() - began < 10


def test_a_lock_is_not_handed_down_to_the_command(locks):
    with lock.scst('one'):
        bounded_run(5)(['sh', '-c', 'sleep 3 >/dev/null 2>&1 </dev/null &'], None)
    with lock.scst('two', wait=0):
        assert os.path.exists(str(locks))
