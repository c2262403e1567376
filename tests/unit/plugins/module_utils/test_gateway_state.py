# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway from its state file: what can be served is served, what cannot is named and comes when it can."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'emulator'))

from scst_emulator.environment import Fake  # noqa: E402
from scst_emulator.face import Emulator  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_state import Gateway, check
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd

PREFIX = 'iqn.2026-11.com.example.cephgate'
TARGET = 'targets/iscsi/%s:gw1' % PREFIX
LUNS = [dict(image='rbd/a', size='1G', gateway='gw1', hosts={'db': 0}),
        dict(image='rbd/b', size='1G', gateway='gw2', hosts={'db': 1}),
        dict(image='rbd/c', size='1G', gateway='gw1', hosts={'db': 2})]
HOSTS = {'db': dict(initiators=['iqn.1993-08.org.debian:01:db1'])}
GATEWAYS = {'gw1': dict(number=1, portals=['10.99.1.11']), 'gw2': dict(number=2, portals=['10.99.1.12'])}


class World:
    """Images in Ceph, mappings and SCST of one gateway."""

    def __init__(self, personality):
        self.ids = {'rbd/a': 'id-a', 'rbd/b': 'id-b', 'rbd/c': 'id-c'}
        self.broken = set()
        self.mappings = {}
        self.files = {}
        self.scst = Emulator(personality, Fake(self.files))
        self.boot()
        self.map_all()
        self.state = gateway_view(LUNS, 'gw1', HOSTS, GATEWAYS, PREFIX, self.mapped())['state']
        self.mappings.clear()
        self.files.clear()

    def boot(self):
        self.calls = []

    def rbd(self, argv, stdin):
        self.calls.append(argv[3:])
        image = argv[-1]
        if image not in self.ids or image in self.broken:
            return 2, '', 'rbd: error opening image: (2) No such file or directory\n'
        self.map(image)
        return 0, '', ''

    def map(self, image):
        self.mappings[image] = dict(number=len(self.mappings), path='/dev/rbd/' + image, image_id=self.ids[image],
                                    fsid='F', size=1 << 30)
        self.files['/dev/rbd/' + image] = dict(size=1 << 30, block=True)

    def map_all(self):
        for image in self.ids:
            self.map(image)

    def mapped(self):
        return {image: dict(entry) for image, entry in self.mappings.items()}

    def gateway(self):
        return Gateway(self.state, Rbd(self.rbd, 'igw'), self.scst, self.mapped,
                       lambda path: self.files.get(path, {}).get('size'))

    def luns(self):
        try:
            return sorted(n for n in self.scst.listdir(TARGET + '/ini_groups/db/luns') if n != 'mgmt')
        except OSError:
            return []


@pytest.fixture(params=['3.10', '3.0.1'])
def world(request):
    return World(request.param)


def test_from_nothing_to_all_served_and_then_nothing_to_do(world):
    assert not world.gateway().in_place()
    _done, problems = world.gateway().apply()
    assert problems == {} and world.luns() == ['0', '1', '2']
    assert world.gateway().in_place()
    assert all(entry['served'] for entry in world.gateway().status())
    assert world.gateway().plan() == ([], {})
    writes = world.scst.writes
    assert world.gateway().apply() == ([], {}) and world.scst.writes == writes


def test_plan_says_what_apply_does_and_writes_nothing(world):
    planned, dummy = world.gateway().plan()
    assert world.scst.writes == 0 and world.calls == []
    done, dummy = world.gateway().apply()
    assert [op.line() for op in planned if op.how == 'run'] == [op.line() for op in done if op.how == 'run']
    assert len(planned) > 20


def test_a_missing_image_costs_only_its_own_lun_and_comes_back_by_itself(world):
    world.broken.add('rbd/b')
    _done, problems = world.gateway().apply()
    assert list(problems) == ['rbd/b'] and 'does not exist' in problems['rbd/b']
    assert world.luns() == ['0', '2'] and world.gateway().in_place()
    missing = [entry for entry in world.gateway().status() if not entry['served']]
    assert [entry['image'] for entry in missing] == ['rbd/b'] and 'not mapped' in missing[0]['missing'][0]
    world.broken.clear()
    done, problems = world.gateway().apply()
    assert problems == {} and world.luns() == ['0', '1', '2']
    assert not any('rbd/a' in op.line() or 'a-' in op.thing for op in done), 'what was served was touched'


def test_an_image_made_anew_is_not_served_under_the_old_identity(world):
    world.ids['rbd/c'] = 'another'
    _done, problems = world.gateway().apply()
    assert list(problems) == ['rbd/c'] and 'made anew' in problems['rbd/c']
    assert world.luns() == ['0', '1']


def test_a_device_that_scst_refuses_costs_only_its_own_lun(world):
    world.map_all()
    del world.files['/dev/rbd/rbd/b']  # mapped, says the kernel, but the device cannot be opened
    _done, problems = world.gateway().apply()
    assert list(problems) == ['rbd/b'] and world.luns() == ['0', '2'] and world.gateway().in_place()


def test_after_a_restart_of_the_daemon_everything_is_restored(world):
    world.gateway().apply()
    world.scst.core.stop_daemon()
    assert not world.gateway().in_place()
    with pytest.raises(Refused, match='iscsi-scstd'):
        world.gateway().apply()
    world.scst.core.start_daemon()
    assert world.luns() == []
    _done, problems = world.gateway().apply()
    assert problems == {} and world.luns() == ['0', '1', '2'] and world.gateway().plan() == ([], {})


def test_a_device_number_that_went_to_another_image_is_not_believed(world):
    for device in world.state['devices']:
        device['filename'] = '/dev/rbd0'  # what an rbd without udev's names reported when the state was written
    _done, problems = world.gateway().apply()
    assert problems == {}
    for device in world.state['devices']:
        assert world.scst.read('devices/%s/filename' % device['name']).splitlines()[0] == '/dev/rbd/' + device['image']


def test_a_new_preferred_gateway_moves_the_device_between_the_groups(world):
    world.gateway().apply()
    luns = [dict(LUNS[0], gateway='gw2')] + LUNS[1:]
    world.state = gateway_view(luns, 'gw1', HOSTS, GATEWAYS, PREFIX, world.mapped())['state']
    done, problems = world.gateway().apply()
    assert problems == {} and [op.data for op in done] == ['del ' + world.state['devices'][0]['name'],
                                                           'add ' + world.state['devices'][0]['name']]
    assert world.gateway().plan() == ([], {})


def test_one_silent_cluster_is_asked_once(world):
    world.rbd = lambda argv, stdin: (world.calls.append(argv) or (110, '', ''))
    _done, problems = world.gateway().apply()
    assert sorted(problems) == ['rbd/a', 'rbd/b', 'rbd/c'] and len(world.calls) == 1


@pytest.mark.parametrize('state', [None, [], {}, {'version': 2}, {'version': 1}])
def test_a_state_file_of_another_kind_is_refused(state):
    with pytest.raises(Refused, match='Run the site playbook'):
        check(state)
