# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gateway_info on an emulated gateway: what it sees, that it writes nothing, and that it answers when much is missing."""
import pathlib
import sys

import pytest

for folder in ('unit/plugins/module_utils', 'page'):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / folder))

import sites  # noqa: E402
from gateway_world import GATEWAYS, HOST, HOSTS, LUNS, PREFIX, World  # noqa: E402
from scst_emulator import login  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_look, lock  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.modules import gateway_info  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import status_document  # noqa: E402


@pytest.fixture(params=['3.10', '3.0.1'])
def world(request, tmp_path, monkeypatch):
    world = World(request.param, tmp_path)
    world.write()
    monkeypatch.setattr(gateway_info, 'Sysfs', lambda root: world.scst)
    monkeypatch.setattr(gateway_info, 'Look', lambda sysfs, path: gateway_look.Look(sysfs, path, mapped=world.mapped))
    return world


@pytest.fixture
def look(world, run_module):
    def look(**options):
        before = world.scst.writes
        result = run_module(gateway_info, path=str(world.path), **options)
        assert world.scst.writes == before and not result.get('changed')
        return result
    return look


def test_a_gateway_that_serves(world, look):
    world.apply()
    login(world.scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    with lock.Lock('serve', 'cephgate serve'):
        seen = look()
    assert seen['errors'] == {} and seen['daemon'] and 'cephgate serve' in seen['service']
    assert [image['served'] for image in seen['state']['images']] == [True] * 3 and not seen['state']['unfinished']
    assert sorted(seen['mapped']) == ['rbd/a', 'rbd/b', 'rbd/c']
    told = {'3.10': '10.99.1.11', '3.0.1': None}[world.personality]  # 3.0.1 does not tell the portal
    assert [(one['initiator'], one['connections'][0].get('target_ip')) for one in seen['scst']['sessions']] == [(HOST, told)]
    site = dict(iqn_prefix=PREFIX, luns=LUNS, hosts=HOSTS, gateways=GATEWAYS)
    document = status_document.build(dict(site=site, now=0, linux={}, windows={}, gateways=dict(
        gw1=dict(seen=seen, planned=look(state=world.state)), gw2={})))
    gateway = document['gateways'][0]
    assert gateway['health'] == 'healthy' and gateway['serves'] == 3 and gateway['sessions'] == 1, gateway
    assert {image['image']: image['gateways']['gw1']['alua'] for image in document['images']} == {
        'rbd/a': 'active', 'rbd/b': 'nonoptimized', 'rbd/c': 'active'}
    assert [link['state'] for link in document['hosts'][0]['links']] == ['up', 'unknown']


def test_the_sites_of_the_page_tests_are_like_it(world, look):
    """The same keys all the way down, so that what is shown by those tests is what gateways say."""
    world.apply()
    login(world.scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    site = dict(iqn_prefix=PREFIX, luns=LUNS, hosts=HOSTS, gateways=GATEWAYS)
    made, real = sites.gateway(site, 'gw1'), look()

    def shape(value):
        if isinstance(value, dict):
            return {key: shape(value[key]) for key in value}
        return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__
    for part in ('devices', 'targets', 'gathered'):
        assert shape(real['scst'][part]) == shape(made['scst'][part]), part
    assert set(real) - {'failed', 'invocation'} == set(made)
    assert shape(real['state']) == shape(made['state'])
    assert set(real['scst']['sessions'][0]) == set(made['scst']['sessions'][0])
    assert {entry['name']: entry['exported'] for entry in real['scst']['devices']} == {
        entry['name']: entry['exported'] for entry in made['scst']['devices']}


def test_drift_is_what_the_modules_would_do(world, look):
    world.apply()
    assert look(state=world.state)['plan'] == dict(operations=[], problems={})
    world.scst.write('targets/iscsi/%s:gw1/ini_groups/db/luns/mgmt' % PREFIX, 'del 1')
    operations = look(state=world.state)['plan']['operations']
    assert len(operations) == 1 and 'LUN 1' in operations[0], operations
    assert [image['image'] for image in look()['state']['images'] if not image['served']] == ['rbd/b']


def test_a_drained_gateway_differs_in_nothing(world, look):
    world.apply()
    world.path.with_name('orders.json').write_text('{"drain": true}')
    world.scst.write('targets/iscsi/%s:gw1/enabled' % PREFIX, '0')
    assert look()['drained'] and look(state=world.state)['plan']['operations'] == []
    world.path.with_name('orders.json').write_text('?')
    assert 'holds no orders' in look()['errors']['orders']


def test_a_bare_host(world, look):
    """SCST is not there, nor the state file: each is told, and nothing else is lost."""
    world.path.unlink()
    world.scst.core.stop_daemon()
    seen = look()
    assert seen['state'] is None and seen['daemon'] is False and seen['service'] is None and seen['scst']['targets'] == []
    world.path.write_text('{}')
    seen = look()
    assert 'Run the site playbook' in seen['errors']['state'] and seen['state'] is None


def test_secrets_are_asked_for_and_not_told(world, look, run_module):
    state = dict(world.state, targets=[dict(target, incoming_users=[dict(name='joe')]) for target in world.state['targets']])
    result = look(state=state)
    assert result['failed'] and 'CHAP user joe' in result['msg']
    assert 'correct-horse-battery' not in str(look(state=state, secrets=dict(joe='correct-horse-battery')))


def test_a_gateway_that_takes_part_in_take_overs(world, look, monkeypatch):
    """Nothing is mapped, which is no problem by itself; its plan is that of its own state file."""
    class Guards:
        def found(self, name):
            return None
    monkeypatch.setattr(gateway_look, 'Guards', Guards)
    found = {image: dict(image_id=name, fsid='F', size=1 << 30, path='/dev/rbd/' + image) for image, name in world.ids.items()}
    world.write(gateway_view(LUNS, 'gw1', HOSTS, GATEWAYS, PREFIX, found, ha_mode='fenced', fsid='F')['state'])
    seen = look()
    assert seen['errors'] == {} and seen['state']['ha_mode'] == 'fenced' and seen['mapped'] == {}
    assert any('stand in for its image' in line for line in seen['plan']['operations']), seen['plan']
    assert not any('not mapped' in text for image in seen['state']['images'] for text in image['missing'])
