# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command on a gateway in ha_mode fenced, without its agent: everything in place, nothing active, nothing mapped."""
import copy
import json
import types

import pytest
from ha_world import PREFIX, World

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, gateway_ha, gateway_intent, ha_agent, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders


@pytest.fixture
def node(tmp_path, monkeypatch):
    world = World(2, 2)
    node = world.gw1
    node.state = world.states['gw1']
    node.path = tmp_path / 'state.json'
    node.path.write_text(json.dumps(node.state))
    monkeypatch.setattr(gateway_cli, 'Sysfs', lambda root: node.scst)
    monkeypatch.setattr(gateway_cli, 'Guards', node.dm)
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


def without(state, gone):
    """A state from which a gateway has left, as the site has it then."""
    state = copy.deepcopy(state)
    state['ha']['gateways'].remove(gone)
    for order in state['ha']['order'].values():
        order.remove(gone)
    for group in state['device_groups']:
        group['target_groups'] = [entry for entry in group['target_groups'] if entry['name'] != gone]
    return state


def test_a_gateway_that_leaves_and_comes_back_is_a_passive_target_group_only_while_it_is_there(node, call):
    call('apply')
    node.start()
    device = devices_of(node)[0]
    node.world.run(40, until=lambda: node.serves(device))
    node.path.write_text(json.dumps(without(node.state, 'gw2')))
    writes = node.scst.writes
    assert [entry['action'] for entry in call('apply')[1]['operations']] == ['remove', 'remove']
    assert node.scst.writes == writes + 2 and node.serves(device)
    for name in devices_of(node):
        assert 'gw2' not in node.scst.listdir('device_groups/%s/target_groups' % name)
    assert call('apply')[1]['operations'] == []
    node.path.write_text(json.dumps(node.state))
    assert call('apply')[0] == 0 and node.serves(device)
    for name in devices_of(node):
        assert node.value('device_groups/%s/target_groups/gw2/state' % name) == 'standby', 'SCST makes a target group active'
    assert call('apply')[1]['operations'] == []


class Asked:
    """Another gateway's agents, as far as failback sees: disks that come a second after they are wanted, if they do."""

    def __init__(self, orders, come=(), fail=()):
        self.orders, self.come, self.fail, self.here, self.unfit, self.tried, self.time = orders, come, fail, set(), set(), [], 0.0

    def clock(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds
        for device in self.orders.read()['wants']:
            self.tried.append(device)
            if device in self.come and self.time >= 1:
                self.here.add(device)
            if device in self.fail:
                self.unfit.add(device)

    def agent(self):
        return dict(disks={device: dict(image='rbd/' + device, here='active' if device in self.here else 'passive', doing=None, unfit=device in self.unfit,
                                        owner=None if device in self.here else 'gw2') for device in 'abc'})


def failback(asked, *devices):
    return gateway_ha.failback(devices, asked.orders, asked.agent, 10, asked.clock, asked.sleep)


def test_failback_asks_until_the_disks_are_here_and_no_longer(tmp_path):
    asked = Asked(Orders(str(tmp_path / 'state.json')), come='ab')
    assert failback(asked, 'a', 'b') == dict(changed=True, left=[], failed=False) and asked.time == 1
    assert asked.orders.read() == dict(drain=False, wants=[])
    assert failback(asked, 'a', 'b') == dict(changed=False, left=[], failed=False)


def test_failback_does_not_ask_for_ever(tmp_path):
    asked = Asked(Orders(str(tmp_path / 'state.json')), come='a')
    answer = failback(asked, 'a', 'c')
    assert answer['changed'] and not answer['failed'] and asked.time >= 10 and asked.orders.read()['wants'] == []
    assert len(answer['left']) == 1 and answer['left'][0].startswith('rbd/c: gateway gw2 keeps it') and 'logged in' in answer['left'][0]


def test_a_disk_that_cannot_be_taken_is_tried_once(tmp_path):
    asked = Asked(Orders(str(tmp_path / 'state.json')), come='a', fail='c')
    answer = failback(asked, 'a', 'c')
    assert answer['failed'] and 'journal' in answer['left'][0] and asked.tried.count('c') == 1 and asked.here == {'a'}


def test_failback_without_an_agent_orders_nothing(tmp_path):
    orders = Orders(str(tmp_path / 'state.json'))
    assert gateway_ha.failback(['a'], orders, lambda: None, 0) == dict(changed=False, left=[gateway_ha.SILENT], failed=False)
    assert orders.read()['wants'] == []


def test_drain_and_undrain_end_what_a_killed_failback_left(tmp_path):
    orders = Orders(str(tmp_path / 'state.json'))
    for act in (lambda: gateway_ha.drain(orders, lambda: None, 0), lambda: gateway_ha.undrain(orders, lambda: None)):
        orders.give(wants=['a'])
        act()
        assert orders.read()['wants'] == []
