# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command on a gateway in ha_mode fenced, without its agent: everything in place, nothing active, nothing mapped."""
import json
import types

import pytest
from ha_world import PREFIX, World

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_ha, gateway_intent, ha_agent, ha_guard, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders


@pytest.fixture
def node(tmp_path, monkeypatch):
    world = World(2, 2)
    node = world.gw1
    node.state = world.states['gw1']
    node.path = tmp_path / 'state.json'
    node.path.write_text(json.dumps(node.state))
    monkeypatch.setattr(gateway_cli, 'Sysfs', lambda root: node.scst)
    monkeypatch.setattr(gateway_cli, 'Guards', lambda: ha_guard.Guards(node.dmsetup))
    monkeypatch.setattr(gateway_cli, 'mapped', node.mapped)
    monkeypatch.setattr(ha_agent, 'ceph_of', lambda state: types.SimpleNamespace(exchange=lambda me, record: world.ceph.table))
    monkeypatch.setattr(gateway_cli, 'FencedGateway', lambda state, rbd, sysfs, mapped, guards: type(node.gateway())(
        state, rbd, sysfs, mapped, guards, lambda path: node.files.get(path, {}).get('size')))
    return node


@pytest.fixture
def call(node, capsys):
    def call(verb):
        code = gateway_cli.main(['--state', str(node.path), '--run', lock.FOLDER, '--wait', '0', '--json', verb])
        return code, json.loads(capsys.readouterr().out)
    return call


def test_apply_puts_everything_in_place_and_nothing_into_service(node, call):
    code, answer = call('apply')
    assert code == 0 and answer['problems'] == {} and len(answer['operations']) > 30
    assert node.mappings == {} and node.guards == {} and not node.is_open()
    for device in devices_of(node):
        assert node.value('devices/%s/active' % device) == '0' and node.value('devices/%s/size' % device) == str(1 << 30)
        states = [node.value('device_groups/%s/target_groups/%s/state' % (device, name)) for name in ('gw1', 'gw2')]
        assert states == ['standby', 'standby']
    assert call('apply')[1]['operations'] == [] and call('plan') == (0, dict(operations=[], problems={}))


def devices_of(node):
    return [device['name'] for device in node.state['devices']]


def test_a_second_apply_leaves_what_is_active_alone(node, call):
    call('apply')
    node.start()
    node.world.run(40, until=lambda: node.serves(devices_of(node)[0]))
    writes = node.scst.writes
    assert call('apply')[1]['operations'] == [] and node.scst.writes == writes and node.serves(devices_of(node)[0])


def test_status_without_an_agent_says_so(node, call):
    call('apply')
    code, answer = call('status')
    assert code == 1 and answer['ha_mode'] == 'fenced' and answer['agent'] is None
    assert all(gateway_ha.SILENT in entry['missing'] for entry in answer['images'])


def test_drain_without_an_agent_is_75_and_the_order_stands(node, call):
    assert call('drain') == (75, dict(drained=False, changed=True, left=[gateway_ha.SILENT]))
    assert Orders(str(node.path)).drained()


def test_release_leaves_nothing(node, call):
    call('apply')
    code, answer = call('release')
    assert code == 0 and answer['problems'] == {}
    assert [name for name in node.scst.listdir('devices') if name in devices_of(node)] == []


def test_a_gateway_of_the_other_mode_is_refused(node, call):
    name = devices_of(node)[0]
    node.files['/dev/rbd/rbd/a'] = dict(size=1 << 30, block=True)
    node.scst.write('handlers/vdisk_blockio/mgmt', 'add_device %s filename=/dev/rbd/rbd/a' % name)
    code, answer = call('apply')
    assert code == 1 and 'made in another ha_mode' in json.dumps(answer['problems'])


def test_what_is_not_declared_any_more_keeps_its_group_and_order(node):
    old, name = node.state, devices_of(node)[0]
    kept = [entry for entry in old['devices'] if entry['name'] != name]
    new = dict(old, devices=kept, luns=[lun for lun in old['luns'] if lun['device'] != name],
               images=old['images'][1:], device_groups=[group for group in old['device_groups'] if group['name'] != name],
               ha=dict(old['ha'], order={entry['name']: old['ha']['order'][entry['name']] for entry in kept},
                       sizes={entry['name']: 1 << 30 for entry in kept}))
    both = gateway_intent.intended(old, new, False)
    assert sorted(both['ha']['order']) == sorted(both['ha']['sizes']) == sorted(devices_of(node))
    assert sorted(group['name'] for group in both['device_groups']) == sorted(devices_of(node))
    assert gateway_intent.intended(old, new, True)['ha'] == new['ha']
    assert PREFIX in both['targets'][0]['name']
