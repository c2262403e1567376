# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image that was made anew, identities that collide, gateways that mean different disks: refused before anything is exported."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from gateway_world import LUNS, World  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.exported import exported  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.filter.identity_problems import identity_problems  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_fenced import FencedGateway  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_identity import check  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.modules import gateway_state  # noqa: E402

FSID = 'a7f64266-0894-4f1e-a635-d0aeaca0e993'


@pytest.fixture
def world():
    world = World('3.10')
    world.map_all()
    world.gateway().export()
    return world


def test_nothing_is_said_of_disks_that_are_what_they_were(world):
    check(world.scst, world.state, world.declare(LUNS))
    check(world.scst, None, world.declare(LUNS))


def test_an_image_that_was_made_anew_is_refused_by_what_is_exported(world):
    world.ids['rbd/b'] = 'id-new'
    with pytest.raises(Refused) as refusal:
        check(world.scst, None, world.declare(LUNS))
    said = str(refusal.value)
    assert 'rbd/b' in said and 'serial number' in said and 'remove_lun' in said and 'cephgate_new_disks' in said and 'rbd/a' not in said
    check(world.scst, None, world.declare(LUNS), ['rbd/b'])


def test_it_is_refused_after_a_reboot_too_by_what_the_state_file_says(world):
    old = world.declare(LUNS)
    world.ids['rbd/b'] = 'id-new'
    world.boot()
    with pytest.raises(Refused, match='rbd/b.*id-b.*id-new|rbd/b'):
        check(world.scst, old, world.declare(LUNS))


def test_another_declared_identity_of_an_exported_disk_is_refused(world):
    with pytest.raises(Refused, match='rbd/a'):
        check(world.scst, None, world.declare([dict(LUNS[0], identity=dict(usn='other'))] + LUNS[1:]))


def test_the_module_refuses_it_before_anything_is_written(world, run_module, monkeypatch, tmp_path):
    monkeypatch.setattr(gateway_state, 'Sysfs', lambda root: world.scst)
    options = dict(secrets={}, phase='begin', path=str(tmp_path / 'etc/state.json'), command=str(tmp_path / 'bin/cephgate'),
                   library=str(tmp_path / 'lib'))
    assert not run_module(gateway_state, state=world.state, **options)['failed']
    before = (tmp_path / 'etc/state.json').read_text()
    world.ids['rbd/b'] = 'id-new'
    state = json.loads(json.dumps(world.declare(LUNS)))
    result = run_module(gateway_state, state=state, **options)
    assert result['failed'] and 'rbd/b' in result['msg'] and (tmp_path / 'etc/state.json').read_text() == before
    assert not run_module(gateway_state, state=state, new_disks=['rbd/b'], **options)['failed']


def test_two_disks_with_one_identity_are_refused_by_the_module_too(world):
    twins = [dict(LUNS[0], identity=dict(usn='same')), dict(LUNS[1], identity=dict(usn='same')), LUNS[2]]
    with pytest.raises(Refused, match='rbd/a and rbd/b have the same usn'):
        check(world.scst, None, world.declare(twins), ['rbd/a', 'rbd/b'])


def facts(**ids):
    return {'rbd/' + name: dict(path='/dev/rbd/rbd/' + name, fsid=FSID, image_id=number, size=1) for name, number in ids.items()}


def test_gateways_that_mean_different_disks_by_one_name_are_named():
    assert identity_problems({'gw1': facts(a='1', b='2'), 'gw2': facts(a='1', b='2')}, LUNS) == []
    problems = identity_problems({'gw1': facts(a='1', b='2'), 'gw2': facts(a='1', b='3')}, LUNS)
    assert len(problems) == 1 and all(word in problems[0] for word in ('rbd/b', 'gw1', 'gw2', ' 2 ', ' 3 '))
    other = {name: dict(entry, fsid='f') for name, entry in facts(a='1').items()}
    assert 'cluster' in identity_problems({'gw1': facts(a='1'), 'gw2': other}, LUNS)[0]


@pytest.mark.parametrize('identity', [dict(usn='same'), dict(naa_id='0x3000000000000001'), dict(t10_dev_id='eight888')])
def test_two_disks_with_one_identity_are_refused(identity):
    twins = [dict(LUNS[0], identity=identity), dict(LUNS[1], identity={key: value.upper() if key != 'naa_id' else value
                                                                       for key, value in identity.items()})]
    problems = identity_problems({'gw1': facts(a='1', b='2')}, twins)
    assert len(problems) == 1 and list(identity)[0] in problems[0] and '/rbd/a' in problems[0] and '/rbd/b' in problems[0]


def test_t10_dev_ids_that_differ_after_the_eighth_character_only_collide_on_scst_3_0_1():
    twins = [dict(LUNS[0], identity=dict(t10_dev_id='eight888-one')), dict(LUNS[1], identity=dict(t10_dev_id='eight888-two'))]
    assert len(identity_problems({'gw1': facts(a='1', b='2')}, twins)) == 1


def test_a_lun_that_goes_collides_with_nobody():
    assert identity_problems({'gw1': facts(a='1', b='2')}, [
        dict(LUNS[0], identity=dict(usn='x')), dict(LUNS[1], identity=dict(usn='x'), state='absent')]) == []


@pytest.mark.parametrize('mode', ['shared', 'fenced'])
def test_what_is_exported_is_what_the_gateways_say_of_it(world, mode):
    """In both modes the command tells the ids: with fenced no gateway needs to have an image mapped."""
    gateway = world.gateway() if mode == 'shared' else FencedGateway(world.state, None, world.scst, lambda: {}, None)
    told = json.dumps(dict(images=gateway.status()))
    known = exported({'gw1': told, 'gw2': told, 'gw3': '', 'gw4': '{"error": "no state file"}', 'gw5': 'Traceback', 'gw6': '[]'})
    assert known == [dict(image=lun['image'], image_id=world.ids[lun['image']], gateways=['gw1', 'gw2']) for lun in LUNS]
    assert [entry['image'] for entry in exported({'gw1': told}, [LUNS[0]['image']])] == [lun['image'] for lun in LUNS[1:]]


def test_a_gateway_that_exports_another_disk_than_the_others_is_heard_too():
    def told(image_id):
        return json.dumps(dict(images=[dict(image='rbd/a', image_id=image_id), dict(image='rbd/older')]))
    assert exported({'gw1': told('1'), 'gw2': told('2'), 'gw3': told('1')}) == [
        dict(image='rbd/a', image_id='1', gateways=['gw1', 'gw3']), dict(image='rbd/a', image_id='2', gateways=['gw2'])]


def test_a_mapped_image_that_lost_its_name_to_another_one_is_refused():
    """The kernels keep the old name with the old id, so that all gateways agree on the wrong image."""
    mapped = {'gw1': facts(a='1', b='2'), 'gw2': facts(a='1', b='2')}
    assert identity_problems(mapped, LUNS, {'rbd/a': dict(image_id='1'), 'rbd/b': {}}) == []
    problems = identity_problems(mapped, LUNS, {'rbd/a': dict(image_id='9'), 'rbd/b': dict(image_id='2')})
    assert len(problems) == 1
    for word in ('image rbd/a', 'gw1, gw2', 'internal id 1', 'now has 9', 'rbd rename', 'remove_lun.yml'):
        assert word in problems[0], problems[0]
