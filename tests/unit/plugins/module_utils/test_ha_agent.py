# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole agents, on gateways whose SCST is emulated: who serves what, after everything that can go wrong."""
import pytest
from ha_world import World

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_agent
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS, action


def test_a_site_comes_up_on_its_preferred_gateways():
    world = World(3, 6).start()
    assert [world.owners(device) for device in world.devices] == [['gw1'], ['gw2'], ['gw3']] * 2
    assert world.ceph.fences == [] and all(node.is_open() for node in world.nodes.values())
    for node in world.nodes.values():
        assert len(node.mappings) == 2, 'what another gateway has is not even mapped'


def test_a_killed_gateway_is_taken_over_from_once_for_all_disks():
    world = World(2, 6).start()
    client = world.gw1.client
    world.gw1.power_cut()
    seconds = world.run(20, until=world.all_served)
    assert seconds <= 6 and world.ceph.fences == [('gw2', client)] and len(world.gw2.mappings) == 6


@pytest.mark.parametrize('other', [False, True], ids=['nobody else is there', 'another is better placed'])
def test_a_mapping_that_was_broken_off_keeps_no_disk_from_service(other):
    """The kernel has the lock by then, and nobody has the image mapped."""
    world = World(2, 6).start()
    lost = next(device for device in world.devices if world.owners(device) == ['gw2'])
    if other:
        lost = next(device for device in world.devices if world.owners(device) == ['gw1'])
        world.gw1.power_cut()
        world.run(20, until=world.all_served)
        world.gw1.boot()
        world.gw1.start()
        world.run(40)
    else:
        world.gw1.power_cut()
        world.run(20, until=world.all_served)
    image, client, fences = world.gw2.agent.hands.images[lost], world.gw2.client, list(world.ceph.fences)
    world.gw2.agent.hands.paths.make_passive(lost)
    world.gw2.agent.hands.guards.remove(lost)
    del world.gw2.mappings[image]
    assert world.ceph.locks[image] == client
    world.run(30, until=world.all_served)
    assert world.owners(lost) == ['gw2'] and world.ceph.fences == fences and world.gw2.client == client


def test_a_disk_that_grew_has_its_new_size_on_the_gateway_that_does_not_serve_it_too(world, device):
    """Initiators take the size that all paths tell."""
    path = 'devices/%s/size' % device
    for node in world.nodes.values():
        node.agent.hands.state['ha']['sizes'][device] = 2 << 30
    before = world.gw2.value(path), world.gw1.value('devices/%s/active' % device)
    assert before == (str(1 << 30), '1')
    world.run(12)
    assert world.gw2.value(path) == str(2 << 30) and world.gw2.value('devices/%s/active' % device) == '0' and not world.gw2.guards
    assert world.owners(device) == ['gw1'] and world.gw1.value(path) == str(1 << 30), 'what is served has the size of its mapping'
    world.gw1.power_cut()
    world.run(20, until=world.all_served)
    assert world.owners(device) == ['gw2']


def test_it_comes_back_on_standby(world, device):
    world.gw1.power_cut()
    world.run(20, until=world.all_served)
    world.gw1.boot()
    world.gw1.start()
    world.run(60)
    assert world.owners(device) == ['gw2'] and world.gw1.is_open() and not world.gw1.mappings
    assert len(world.ceph.fences) == 1


@pytest.mark.parametrize('seconds', [1, 7, 20, 60])
def test_a_frozen_gateway_leaves_service_by_itself_and_returns_under_a_new_address(world, device, seconds):
    old = world.gw1.client
    world.gw1.frozen = True
    world.run(seconds)
    world.gw1.frozen = False
    world.run(20, until=lambda: world.all_served() and world.gw1.is_open())
    world.run(20)
    if seconds == 1:
        assert world.owners(device) == ['gw1'] and world.ceph.fences == []
        return
    assert world.owners(device) == ['gw2'] and world.ceph.fences == [('gw2', old)]
    assert not world.gw1.mappings and world.gw1.client is None and world.gw1.sessions
    world.gw1.orders['wants'] = [device]
    world.run(20, until=lambda: world.owners(device) == ['gw1'])
    assert world.gw1.client != old and len(world.ceph.fences) == 1, 'a planned move fences nobody'


@pytest.mark.parametrize('seconds', [1, 5, 60])
def test_a_ceph_that_hangs_fences_nobody(world, device, seconds):
    for node in world.nodes.values():
        node.connected.clear()
    world.run(seconds)
    assert world.gw1.is_open() == (seconds < 6), 'initiators stop waiting for what hangs here'
    for node in world.nodes.values():
        node.connected.set()
    world.run(20, until=world.all_served)
    world.run(10)
    assert world.ceph.fences == [] and world.owners(device) == ['gw1'] and world.gw1.is_open() and world.gw2.is_open()


def test_a_ceph_that_comes_back_for_one_gateway_first(world, device):
    for node in world.nodes.values():
        node.connected.clear()
    world.run(20)
    world.gw2.connected.set()
    world.run(1)
    world.gw1.connected.set()
    world.run(30)
    assert world.ceph.fences == [] and world.owners(device) == ['gw1']


def test_a_gateway_cut_from_ceph_is_taken_over_from_and_does_not_fence_back(world, device):
    world.gw1.connected.clear()
    seconds = world.run(20, until=lambda: world.owners(device) == ['gw2'])
    assert seconds <= 6 and not world.gw1.serves(device)
    world.run(10)
    world.gw1.connected.set()
    world.run(30)
    assert [who for who, dummy in world.ceph.fences] == ['gw2'] and world.owners(device) == ['gw2']
    assert world.gw1.is_open() and not world.gw1.mappings


def moments(limit=40):
    """Every place at which an agent may die: before and after each of the actions that it begins."""
    return [(number, moment) for number in range(limit) for moment in ('before', 'after')]


def dying_at(node, place):
    number, moment = place
    seen = []

    def interfere(when, action):
        if when == moment:
            seen.append(action)
            if len(seen) == number + 1:
                node.kill_agent()
    node.interfere = interfere
    return seen


def until_no_place_is_left(story):
    """story(place) -> whether the agent died. Returns how many places there were."""
    for count, place in enumerate(moments()):
        if not story(place):
            return count
    raise AssertionError('it goes on for ever')


def test_an_agent_that_dies_anywhere_in_a_take_over_is_followed_by_one_that_ends_it():
    def story(place):
        world = World().start()
        world.gw1.power_cut()
        dying_at(world.gw2, place)
        world.run(12)
        if world.gw2.agent:
            return False
        world.gw2.interfere = None
        world.gw2.start()
        world.run(60, until=world.all_served)
        world.run(5)
        assert world.owners(world.devices[0]) == ['gw2'] and len(world.ceph.fences) <= 2, place
        return True
    assert until_no_place_is_left(story) >= 8, 'look, fence, map, settle, raise'


@pytest.mark.parametrize('restarted', [True, False])
def test_an_agent_that_dies_anywhere_in_a_release(restarted):
    def story(place):
        world = World().start()
        dying_at(world.gw1, place)
        world.gw1.orders['drain'] = True
        world.run(12)
        if world.gw1.agent:
            return False
        world.gw1.interfere = None
        if restarted:
            world.gw1.start()
        world.run(60, until=lambda: world.owners(world.devices[0]) == ['gw2'])
        world.run(5)
        assert world.owners(world.devices[0]) == ['gw2'], place
        return True
    assert until_no_place_is_left(story) >= 3, 'lower, unmap'


def test_an_agent_that_dies_anywhere_while_its_gateway_leaves_service():
    def story(place):
        world = World().start()
        dying_at(world.gw1, place)
        world.ceph.fence('somebody', world.gw1.client)
        world.run(6)
        if world.gw1.agent:
            return False
        world.gw1.interfere = None
        world.gw1.start()
        world.run(60, until=lambda: world.all_served() and world.gw1.is_open() and not world.gw1.refused())
        return True
    assert until_no_place_is_left(story) >= 4, 'close, clear, open'


def test_an_agent_that_restarts_in_an_orderly_way_is_not_fenced(world, device):
    for dummy in range(3):
        world.gw1.agent.leave('away')
        world.run(3, until=lambda: world.gw1.agent.over)
        world.gw1.kill_agent()
        world.run(10)
        assert world.owners(device) == ['gw1'], 'kernel and SCST serve on'
        world.gw1.start()
        world.run(5)
    assert world.ceph.fences == [] and world.owners(device) == ['gw1']


def test_a_host_that_goes_down_in_an_orderly_way_gives_its_disks_away_first(world, device):
    world.gw1.agent.leave('gone')
    seconds = world.run(10, until=lambda: world.gw1.agent.over)
    assert not world.gw1.mappings
    world.gw1.power_cut()
    seconds += world.run(10, until=lambda: world.owners(device) == ['gw2'])
    assert seconds <= 4 and world.ceph.fences == [], 'nobody waits for the death of who said farewell'


def test_drain_moves_everything_and_undrain_takes_nothing_back():
    world = World(2, 4).start()
    world.gw1.orders['drain'] = True
    seconds = world.run(20, until=lambda: world.all_served() and not world.gw1.mappings)
    assert seconds <= 5 and world.ceph.fences == []
    world.run(10)
    world.gw1.orders['drain'] = False
    world.run(20)
    assert [world.owners(device) for device in world.devices] == [['gw2']] * 4


def test_a_power_cut_of_all_gives_each_its_own_back():
    world = World(2, 2).start()
    for node in world.nodes.values():
        node.power_cut()
    world.run(5)
    world.gw2.boot()
    world.gw2.start()
    world.run(10)
    world.gw1.boot()
    world.gw1.start()
    world.run(60, until=world.all_served)
    assert [world.owners(device) for device in world.devices] == [['gw1'], ['gw2']]


def hold_up(guards, device, threads):
    """Has the guard of a device wait before it is made: {"now": whether it waits, "go": set it}"""
    ensure, state = guards.ensure, dict(now=False, go=False)

    def held(which, disk, size):
        while which == device and not state['go']:
            state['now'] = True
            threads.sleep(0)
        return ensure(which, disk, size)

    guards.ensure = held
    return state


def test_a_raise_that_is_held_up_while_its_gateway_is_refused_serves_no_other_image():
    """Its mapping's number would be another image's by the time it goes on: the target opens, and writes to one disk land in another."""
    world = World(disks=4).start()
    disk, gw2, served = world.devices[0], world.gw2, []
    held, paths = hold_up(gw2.agent.hands.guards, disk, world.threads), gw2.agent.hands.paths
    make_active = paths.make_active

    def look(device):
        make_active(device)
        served.append((device, gw2.under(device)))

    paths.make_active = look
    world.gw1.power_cut()
    world.run(60, until=lambda: held['now'])
    old = gw2.client
    world.ceph.fence('somebody', old)
    world.run(20)
    out = not gw2.is_open() and list(gw2.mappings) == [world.images[disk]]
    held['go'] = True
    world.run(60, until=world.all_served)
    assert all(image == world.images[device] for device, image in served), served
    assert gw2.client != old and world.owners(disk) == ['gw2']
    assert out, 'what it was about to use stayed, and so did the gateway out of service'


def test_initiators_that_see_different_gateways_do_not_make_a_disk_go_to_and_fro(world, device):
    world.gw1.sees, world.gw2.sees = {'db'}, {'web'}
    before = len(world.gw1.actions) + len(world.gw2.actions)
    world.run(120)
    assert world.owners(device) == ['gw1'] and len(world.gw1.actions) + len(world.gw2.actions) == before


def test_a_gateway_that_no_initiator_sees_gives_its_disks_away(world, device):
    world.gw1.sees = set()
    seconds = world.run(30, until=lambda: world.owners(device) == ['gw2'])
    assert LIMITS.blind <= seconds <= LIMITS.blind + 4 and world.ceph.fences == []
    world.gw1.sees = {'db', 'web'}
    world.run(30)
    assert world.owners(device) == ['gw2']


def test_an_image_that_was_made_anew_is_not_served(world, device):
    world.gw1.power_cut()
    world.ceph.ids['rbd/a'] = 'another'
    world.run(20)
    assert world.owners(device) == [] and not world.gw2.mappings
    assert any('it was made anew' in line for line in world.gw2.journal)


def test_a_mapping_without_the_option_exclusive_is_never_served(world, device):
    world.gw1.power_cut()
    world.gw2.client = '10.99.0.12:0/99'
    world.gw2.mappings['rbd/a'] = dict(number=0, image_id='id-rbd/a', size=1 << 30, client='10.99.0.12:0/99', fsid='F', path='/dev/rbd0', options=['rw'])
    assert world.gw2.agent.hands.perform(action('raise', device)) == 'failed' and not world.gw2.serves(device)
    assert 'without the option exclusive' in world.gw2.journal[-1]
    world.run(20, until=world.all_served)
    assert 'exclusive' in world.gw2.mappings['rbd/a']['options'], 'it was let go and mapped anew'


def test_a_daemon_that_dies_costs_only_its_own_time(world, device):
    world.gw1.scst.core.stop_daemon()
    world.gw1.sessions = {}
    world.run(2)
    world.gw1.scst.core.start_daemon()
    world.gw1.gateway().export()
    world.run(10, until=world.all_served)
    assert world.owners(device) == ['gw1'] and world.ceph.fences == []


def test_an_error_that_is_no_fence_takes_nobody_out_of_service(world, device):
    read = world.gw1.read

    def broken(path, page):
        read(path, page)
        raise OSError(5, 'Input/output error')
    for watch in world.gw1.agent.watchdog.watches():
        watch._read = broken
    world.run(10)
    assert world.owners(device) == ['gw1'] and any('is an object broken' in line for line in world.gw1.journal)


def test_what_the_report_says(world, device):
    report = world.gw2.agent.report()
    assert report['disks'][device]['owner'] == 'gw1' and report['disks'][device]['here'] == 'passive'
    assert report['gateways'] == {'gw1': 'alive', 'gw2': 'me'} and report['trouble'] == []
    assert world.gw1.agent.report()['disks'][device]['owner'] == 'gw1'
    world.gw1.power_cut()
    world.run(3.5)
    assert world.gw2.agent.report()['disks'][device]['owner'] != 'gw1', 'the old claim of the dead is still in Ceph'
    world.run(20, until=world.all_served)
    world.run(1)
    report = world.gw2.agent.report()
    assert report['gateways']['gw1'].startswith('silent') and report['disks'][device]['owner'] == 'gw2'


def test_a_lun_that_is_declared_no_more_is_let_go(world, device):
    state = dict(world.states['gw1'], devices=[], images=[], luns=[], device_groups=[])
    state['ha'] = dict(state['ha'], order={}, sizes={})
    world.devices = []
    world.gw1.agent.take(ha_agent.site_of(state, world.gw1.host), state)
    world.run(12)
    assert world.gw1.mappings, 'SCST has the guard open'
    world.gw1.scst.write('handlers/vdisk_blockio/mgmt', 'del_device ' + device)
    world.run(12, until=lambda: not world.gw1.mappings)
    assert world.gw1.guards == {}


def test_what_an_agent_before_this_one_did_not_let_go_of_is_let_go(world, device):
    node = world.gw1
    node.scst.write('handlers/vdisk_blockio/mgmt', 'del_device ' + device)
    state = dict(world.states[node.name], devices=[], images=[], luns=[], device_groups=[])
    state['ha'] = dict(state['ha'], order={}, sizes={})
    world.states[node.name], world.devices = state, []
    node.guards['mpatha'] = '0 8 multipath 0 0 1 1 round-robin 0 1 1 8:0 1'
    node.kill_agent()
    node.start()
    world.run(12, until=lambda: not node.mappings and list(node.guards) == ['mpatha'])


def test_a_guard_follows_its_image_and_its_path_is_tried_again(world, device):
    name = 'cephgate-' + device
    world.gw1.mappings['rbd/a']['size'] = 2 << 30
    world.gw1.failed.add(name)
    world.run(6)
    assert world.gw1.guards[name].split()[1] == str((2 << 30) // 512) and not world.gw1.failed
    assert world.gw1.files['/dev/mapper/' + name]['size'] == 2 << 30
    assert world.gw1.value('devices/%s/size' % device) == str(2 << 30), 'initiators are told'


def test_an_operator_gets_a_disk_to_a_gateway_and_it_does_not_come_back_later_by_itself(world, device):
    world.gw2.orders['wants'] = [device]
    world.run(20, until=lambda: world.owners(device) == ['gw2'])
    world.gw2.orders['wants'] = []
    world.gw2.orders['drain'] = True
    world.run(20, until=lambda: world.owners(device) == ['gw1'])
    world.gw2.orders['drain'] = False
    world.run(30)
    assert world.owners(device) == ['gw1'] and not world.ceph.fences


def test_a_new_disk_is_taken_when_scst_has_it_and_not_before():
    """The playbook writes the state file first."""
    world = World(2, 2)
    states, new = dict(world.states), world.devices[1]
    for name, node in world.nodes.items():
        part = dict(states[name], devices=states[name]['devices'][:1], images=states[name]['images'][:1], device_groups=states[name]['device_groups'][:1],
                    luns=[lun for lun in states[name]['luns'] if lun['device'] != new])
        part['ha'] = dict(part['ha'], order={world.devices[0]: part['ha']['order'][world.devices[0]]})
        world.states[name] = part
    both, world.devices = world.devices, world.devices[:1]
    world.start()
    world.states = states
    for name, node in world.nodes.items():
        node.agent.take(ha_agent.site_of(states[name], node.host), states[name])
    world.run(5)
    assert not [action for node in world.nodes.values() for action in node.actions if action[1] == new]
    assert [new in world.ceph.table[name]['unfit'] for name in ('gw1', 'gw2')] == [True, True]
    for node in world.nodes.values():
        node.gateway().export()
    world.devices = both
    world.run(6, until=lambda: world.owners(new) == ['gw2'])
