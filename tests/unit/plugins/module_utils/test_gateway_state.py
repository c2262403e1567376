# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway from its state file: what can be served is served, what cannot is named and comes when it can."""
import pytest
from gateway_world import GATEWAYS, HOSTS, LUNS, PREFIX, World

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_state import check
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


@pytest.fixture(params=['3.10', '3.0.1'])
def world(request):
    return World(request.param)


def test_from_nothing_to_all_served_and_then_nothing_to_do(world):
    assert not world.gateway().in_place()
    _done, problems = world.apply()
    assert problems == {} and world.luns() == ['0', '1', '2']
    assert world.gateway().in_place()
    assert all(entry['served'] for entry in world.gateway().status())
    assert world.gateway().plan() == ([], {})
    writes = world.scst.writes
    assert world.apply() == ([], {}) and world.scst.writes == writes


def test_plan_says_what_apply_does_and_writes_nothing(world):
    planned, dummy = world.gateway().plan()
    assert world.scst.writes == 0 and world.calls == []
    done, dummy = world.apply()
    assert sorted(op.line() for op in planned if op.how == 'run') == sorted(op.line() for op in done if op.how == 'run')
    assert len(planned) > 20


def test_a_missing_image_costs_only_its_own_lun_and_comes_back_by_itself(world):
    world.broken.add('rbd/b')
    _done, problems = world.apply()
    assert list(problems) == ['rbd/b'] and 'does not exist' in problems['rbd/b']
    assert world.luns() == ['0', '2'] and world.gateway().in_place()
    missing = [entry for entry in world.gateway().status() if not entry['served']]
    assert [entry['image'] for entry in missing] == ['rbd/b'] and 'not mapped' in missing[0]['missing'][0]
    world.broken.clear()
    done, problems = world.apply()
    assert problems == {} and world.luns() == ['0', '1', '2']
    assert not any('rbd/a' in op.line() or 'a-' in op.thing for op in done), 'what was served was touched'


def test_an_image_made_anew_is_not_served_under_the_old_identity(world):
    world.ids['rbd/c'] = 'another'
    _done, problems = world.apply()
    assert list(problems) == ['rbd/c'] and 'made anew' in problems['rbd/c']
    assert world.luns() == ['0', '1']


def test_a_device_that_scst_refuses_costs_only_its_own_lun(world):
    world.map_all()
    del world.files['/dev/rbd/rbd/b']  # mapped, says the kernel, but the device cannot be opened
    _done, problems = world.apply()
    assert list(problems) == ['rbd/b'] and world.luns() == ['0', '2'] and world.gateway().in_place()


def test_after_a_restart_of_the_daemon_everything_is_restored(world):
    world.apply()
    world.scst.core.stop_daemon()
    assert not world.gateway().in_place()
    with pytest.raises(Refused, match='iscsi-scstd'):
        world.apply()
    world.scst.core.start_daemon()
    assert world.luns() == []
    _done, problems = world.apply()
    assert problems == {} and world.luns() == ['0', '1', '2'] and world.gateway().plan() == ([], {})


def test_a_device_number_that_went_to_another_image_is_not_believed(world):
    for device in world.state['devices']:
        device['filename'] = '/dev/rbd0'  # what an rbd without udev's names reported when the state was written
    _done, problems = world.apply()
    assert problems == {}
    for device in world.state['devices']:
        assert world.scst.read('devices/%s/filename' % device['name']).splitlines()[0] == '/dev/rbd/' + device['image']


def test_a_new_preferred_gateway_moves_the_device_between_the_groups(world):
    world.apply()
    luns = [dict(LUNS[0], gateway='gw2')] + LUNS[1:]
    world.state = gateway_view(luns, 'gw1', HOSTS, GATEWAYS, PREFIX, world.mapped())['state']
    done, problems = world.apply()
    assert problems == {} and [op.data for op in done] == ['del ' + world.state['devices'][0]['name'],
                                                           'add ' + world.state['devices'][0]['name']]
    assert world.gateway().plan() == ([], {})


def test_nothing_is_enabled_for_hosts_to_look_at_as_long_as_no_image_is_there(world):
    world.broken.update(world.ids)
    _done, problems = world.apply()
    assert sorted(problems) == ['rbd/a', 'rbd/b', 'rbd/c'] and not world.enabled()
    world.broken.clear()
    assert world.apply()[1] == {} and world.enabled()


@pytest.mark.parametrize('state', [None, [], {}, {'version': 2}, {'version': 1}])
def test_a_state_file_of_another_kind_is_refused(state):
    with pytest.raises(Refused, match='Run the site playbook'):
        check(state)
