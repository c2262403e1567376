# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop of an agent: what it does at once, how often it looks and tells, and what initiators hear of a disk that moves."""
import json
import threading
import time

import pytest
from ha_world import World

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_loop, ha_pace
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS, action


def test_what_a_take_over_changes_is_looked_at_by_itself(monkeypatch):
    """A look at all disks takes the processor that a take-over of many waits for."""
    monkeypatch.setattr(ha_loop, 'LOOK', 1.0)
    world = World(2, 8).start()
    looks, see = [], world.gw2.agent.hands.see

    def looked(devices=None):
        looks.append(devices)
        return see(devices)

    world.gw2.agent.hands.see = looked
    world.gw1.power_cut()
    seconds = world.run(20, until=world.all_served)
    assert looks.count(None) <= seconds + 1
    some = [devices for devices in looks if devices]
    assert some and set.union(*some) == set(world.devices[0::2]), 'the ones that gw1 had'


@pytest.mark.parametrize('kind', ['raise', 'clear', 'map'])
def test_of_many_actions_a_few_run_at_a_time_and_the_next_begins_without_a_step(kind):
    world = World(2, 8).start()
    agent, running, most, going = world.gw2.agent, set(), [], threading.Event()
    limit = ha_loop.AT_ONCE[ha_loop.NEEDS[kind]]

    def perform(each):
        if each.kind == kind:
            running.add(each.key)
            most.append(len(running))
            going.wait(20)
            running.discard(each.key)
        return 'ok'

    agent.hands.perform = perform
    keys = ['disk%d' % number for number in range(limit + 6)]
    other = 'raise' if kind != 'raise' else 'clear'
    agent._queue += [action(kind, key) for key in keys] + [action(other, 'x'), action('close', None)]
    agent._run_queue()
    deadline = time.monotonic() + 20
    while (len(running) < limit or len(agent._ended) < 2) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(running) == limit and len(agent._queue) == 6
    assert sorted(each[1] for each in agent._ended) == sorted([other, 'close']), 'what needs something else does not wait'
    going.set()
    world.threads.settle()
    assert max(most) <= limit and agent._queue == [] and sorted(each[2] for each in agent._ended if each[1] == kind) == sorted(keys)
    assert set(agent._running.values()) == {0}


def test_threads_are_used_again_and_one_that_hangs_keeps_nobody(monkeypatch):
    started, start = [], ha_loop.start_new_thread
    monkeypatch.setattr(ha_loop, 'start_new_thread', lambda run, arguments: (started.append(run), start(run, arguments)))
    threads, done, hanging, lock = ha_loop.Threads(), [], threading.Event(), threading.Lock()
    all_done, again = threading.Event(), threading.Event()

    def work(number):
        with lock:
            done.append(number)
            if len(done) == 40:
                all_done.set()

    for dummy in range(3):
        threads(lambda: hanging.wait(30))
    assert len(started) == 3
    for number in range(40):
        threads(lambda number=number: work(number))
    assert all_done.wait(20) and sorted(done) == list(range(40)), 'beside three that hang'
    deadline = time.monotonic() + 20
    while not threads._idle and time.monotonic() < deadline:
        time.sleep(0.01)
    before = len(started)
    threads(again.set)
    assert again.wait(20) and len(started) == before
    hanging.set()


def test_others_hear_of_a_drain_before_initiators_wait_for_it(world, device):
    """Else the first thing that they wait for is the next exchange of the gateway that is to take the disk."""
    one, two = world.gw1.agent, world.gw2.agent
    one_paces, path = [], 'device_groups/%s/target_groups/gw1/state' % device
    world.gw1.orders['drain'] = True
    while world.gw1.value(path) == 'active':
        world.round()
        one_paces.append((one._pause(), two._pause()))
        assert len(one_paces) < 20
    assert one_paces[-1][1] == ha_pace.SOON and len(one_paces) * 0.25 <= ha_loop.NOTICE + 0.5
    world.run(10, until=lambda: world.owners(device) == ['gw2'])
    world.run(2)
    assert 'hurry' not in world.ceph.table['gw1'] and one._pause() == two._pause() == ha_pace.BEAT
    world.gw1.orders['drain'] = False
    world.run(1)
    assert one._drain is None


def test_an_exchange_that_took_too_long_to_judge_others_by_still_shows_that_i_live(world):
    agent = world.gw1.agent
    agent._fresh = agent._wrote = False
    agent._exchange(agent.memory['record'], world.time - agent.site.limits.gap - 1)
    assert agent._wrote and not agent._fresh
    agent._exchange(None, world.time)
    assert agent._wrote and agent._fresh, 'not yet counted by a step'
    number = agent.memory['n']
    agent._exchanging = True  # nothing else meanwhile
    agent.tick()
    assert agent.memory['n'] == number + 1 and not agent._wrote
    agent._exchanging = False


@pytest.mark.parametrize('asks, still, owner', [(dict(), 2, 'gw1'), (dict(), 5, None), (dict(patience=6), 5, 'gw1'), (dict(patience=6), 6, None),
                                                (dict(away=True), 20, 'gw1')])
def test_a_disk_has_its_owner_for_as_long_as_the_others_wait_for_it(world, device, asks, still, owner):
    agent = world.gw2.agent
    agent._table = dict(agent._table, gw1=dict(agent._table['gw1'], **asks))
    agent.memory['peers']['gw1'] = dict(agent.memory['peers']['gw1'], still=still)
    assert agent.report()['disks'][device]['owner'] == owner


def test_a_drain_with_nothing_to_give_away_waits_for_nothing(world, device):
    agent = world.gw2.agent
    assert agent._draining(False, 10) is False and agent._draining(True, 11) is True
    agent = world.gw1.agent
    assert [agent._draining(True, now) for now in (10, 10.5, 10 + ha_loop.NOTICE)] == [False, False, True]
    assert agent._draining(False, 12) is False and agent._draining(True, 13) is False, 'another order'


def test_the_loop_rests_until_the_next_exchange_and_not_beyond(world):
    agent = world.gw1.agent
    agent._exchanging, agent._beaten, agent.pace._wrote = False, world.time - 0.1, world.time - 0.1
    assert abs(agent.rest() - (ha_pace.BEAT - 0.1)) < 1e-6
    agent._beaten = world.time - 2
    assert agent.rest() == 0
    agent._exchanging = True
    assert agent.rest() == ha_pace.BEAT, 'its end wakes the loop'


def test_with_many_disks_orders_are_looked_at_as_often_as_with_few(monkeypatch):
    world = World(2, 8).start()
    agent = world.gw1.agent
    agent._whole, agent._whole_cost = world.time, 0.1
    agent._looked = world.time
    assert agent._due(world.time + 0.2) == (False, set())
    assert agent._due(world.time + ha_loop.LOOK) == (True, set()), 'at what belongs to no disk'
    assert agent._due(world.time + 1) == (True, None)
    agent._cost = 0.03
    agent._ended.append((world.time, 'map', world.devices[0], 'ok', False))
    assert agent._due(world.time) == (True, set(world.devices[:1])), 'nothing else is under way, so nothing waits for the processor'
    agent.memory['busy'] = tuple(('map', number) for number in range(10))
    assert agent._due(world.time + 0.02)[0] is False and agent._due(world.time + 0.04) == (True, set(world.devices[:1]))
    assert agent._due(world.time + 0.8) == (True, set(world.devices[:1])) and agent._due(world.time + 1) == (True, None)


def states_of(world, device, seconds):
    """ALUA states of gw1's path, as gw1 tells it, over so many seconds; and when another gateway served first."""
    found, served, began = [], None, world.time
    while world.time < began + seconds:
        world.round()
        found.append(world.gw1.value('device_groups/%s/target_groups/gw1/state' % device))
        if served is None and world.owners(device) == ['gw2']:
            served = len(found)
    return found, served


def test_initiators_of_a_disk_that_moves_are_told_to_ask_again_until_it_is_served(world, device):
    """They would give the path up, find the other one on standby, too, and see it serve with their next look at it, which may be 2 s later."""
    world.gw1.orders['drain'] = True
    found, served = states_of(world, device, 6)
    moving = [number for number, state in enumerate(found) if state == 'transitioning']
    assert served and moving and moving[-1] <= served + 2 and set(found[moving[-1] + 1:]) == {'standby'}
    assert world.ceph.table['gw1']['moving'] == [] and device in world.ceph.table['gw2']['serves']


def test_a_disk_that_nobody_takes_is_not_said_to_be_about_to_move_for_long(world, device):
    world.gw1.orders['drain'] = True
    world.gw2.agent.hands.perform = lambda each: 'failed'
    found, served = states_of(world, device, 8)
    assert served is None and found.count('transitioning') <= (ha_loop.MOVE + 1) / 0.25
    assert found[-1] in ('standby', 'active')


def test_what_the_record_of_a_dead_gateway_says_ends_no_move(world, device):
    agent = world.gw1.agent
    seen = dict(luns={device: dict(moving=True, path='passive')})
    table = dict(agent._table, gw2=dict(agent._table['gw2'], serves=[device]))
    ended = []
    agent.hands.end_move = lambda *what: ended.append(what)
    agent.memory['peers']['gw2']['still'] = agent.site.limits.dead
    agent._follow_moves(seen, agent._serving(table), world.time)
    world.threads.settle()
    assert ended == []
    agent.memory['peers']['gw2']['still'] = 0
    agent._follow_moves(seen, agent._serving(table), world.time)
    world.threads.settle()
    assert ended == [(device, 'gw2')]
    agent.memory['peers']['gw2']['seen'] = False
    assert agent._serving(table) == {}, 'its record may be of before a power cut'


def told(node, device):
    """What REPORT TARGET PORT GROUPS says by a path of this gateway."""
    return {name: node.value('device_groups/%s/target_groups/%s/state' % (device, name)) for name in node.world.nodes}


def test_every_gateway_tells_initiators_who_serves(monkeypatch):
    """Linux believes the last report for all ports, and sends nothing to a path that a bystander called a standby's."""
    world = World(3).start()
    device, = world.devices
    before = world.owners(device)[0]
    one, two, three = sorted(world.nodes, key=lambda name: name != before)
    for node in world.nodes.values():
        assert told(node, device) == {one: 'active', two: 'standby', three: 'standby'}
    written = []
    for node in world.nodes.values():
        def write(path, text, node=node, keep=node.scst.write):
            keep(path, text)
            if path.endswith('/state'):
                written.append(list(told(node, device).values()).count('active'))
        monkeypatch.setattr(node.agent.hands.paths.sysfs, 'write', write)
    world.nodes[one].orders['drain'] = True
    world.run(10, until=lambda: world.owners(device) not in ([one], []))
    world.run(2)
    after = world.owners(device)[0]
    for node in world.nodes.values():
        assert told(node, device) == {name: 'active' if name == after else 'standby' for name in world.nodes}
    assert max(written) == 1, 'never are they told of two'
    world.nodes[after].power_cut()
    world.run(20, until=lambda: world.owners(device) not in ([after], []))
    world.run(2)
    last = world.owners(device)[0]
    assert last == next(name for name in world.nodes if name not in (one, after)), 'the other is drained'
    for name in (one, last):
        assert told(world.nodes[name], device) == {each: 'active' if each == last else 'standby' for each in world.nodes}


def test_initiators_are_told_anew_after_the_state_file_has_changed(world, device):
    """A gateway that left the site and came back has a new target group, which is passive."""
    agent = world.gw2.agent
    world.gw2.scst.write('device_groups/%s/target_groups/gw1/state' % device, 'standby')
    world.run(1)
    assert told(world.gw2, device) == {'gw1': 'standby', 'gw2': 'standby'}, 'each is told once'
    agent.take(agent.site, agent.hands.state)
    world.run(0.5)
    assert told(world.gw2, device) == {'gw1': 'active', 'gw2': 'standby'}


def test_what_initiators_cannot_be_told_is_tried_again(world, device):
    agent = world.gw2.agent
    agent._pointed.clear()
    point, agent.hands.point = agent.hands.point, lambda wanted: 1 / 0
    world.run(0.5)
    assert any('telling initiators' in line for line in world.gw2.journal) and not agent._pointing
    agent.hands.point = point
    world.run(0.5)
    assert agent._pointed == {device: 'gw1'} and world.gw2.journal[-1].startswith('others: works again')


def test_what_an_agent_before_this_one_has_left_moving_ends(world, device):
    world.gw2.agent.hands.paths.make_passive(device, True)
    assert world.gw2.value('device_groups/%s/target_groups/gw2/state' % device) == 'transitioning'
    world.run(1)
    assert world.gw2.value('device_groups/%s/target_groups/gw2/state' % device) == 'standby', 'gw1 serves it'


def test_an_agent_that_has_just_begun_lowers_no_path_before_it_has_asked_ceph(world, device):
    """On a busy host its first exchange takes longer than the silence of Ceph for which an agent that is at work lowers its paths."""
    world.gw1.kill_agent()
    world.gw1.connected.clear()
    world.gw1.start()
    world.run(LIMITS.close + 2)
    assert world.gw1.serves(device)
    world.run(LIMITS.boot)
    assert not world.gw1.serves(device) and not world.gw1.is_open(), 'but not for ever, should that hang'


def test_a_path_that_is_lowered_for_another_reason_is_passive_at_once(world, device):
    world.gw1.connected.clear()
    found = states_of(world, device, 10)[0]
    assert 'transitioning' not in found and found[-1] == 'standby'


@pytest.mark.parametrize('part, value', [('serves', 7), ('luns', []), ('luns', {'disk': 'x'}), ('wants', [1]), ('host', None), ('n', None), ('n', 'x')])
def test_what_is_no_record_counts_as_nothing_and_is_told(world, device, part, value):
    """Somebody else may write into the object; an agent that ended of it would end again and again."""
    node = world.nodes['gw1']
    others = json.loads(json.dumps(world.ceph.table['gw2']))
    world.ceph.table['gw2'] = dict(others, **{part: value})
    agent = node.agent
    agent._exchange(None, world.time)
    assert set(agent._table) == {'gw1'} and any('record of gw2' in line for line in agent.report()['trouble'])
    agent.tick()
    world.ceph.table['gw2'] = others
    agent._exchange(None, world.time)
    assert set(agent._table) == {'gw1', 'gw2'} and agent.report()['trouble'] == []


def test_a_lock_that_a_stranger_holds_is_told_of_once_until_the_disk_is_taken(world, device):
    """Nobody takes the disk meanwhile, and only people can tell whether that client may be cut off."""
    said, image = len(world.gw2.journal), world.gw2.agent.hands.images[device]
    world.gw1.power_cut()
    world.ceph.locks[image] = '10.5.5.5:0/77'
    world.run(2.5 * LIMITS.unfit)
    told = [line for line in world.gw2.journal[said:] if '10.5.5.5:0/77' in line]
    assert len(told) == 1 and told == world.gw2.agent.report()['trouble']
    assert told[0].startswith('image %s: its lock is held by client 10.5.5.5:0/77, which belongs to no gateway of this site' % image)
    assert world.ceph.fences == [] and world.owners(device) == [], 'and it is left alone'
    del world.ceph.locks[image]
    world.run(LIMITS.unfit + 10, until=lambda: world.owners(device) == ['gw2'])
    assert world.gw2.agent.report()['trouble'] == []
    assert world.gw2.journal.count('taking over %s: works again' % image) == 1
