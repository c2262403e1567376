# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that is drained leaves service, and nothing but undrain brings it back."""
import json

import pytest
from gateway_world import HOST, PREFIX, TARGET, World
from scst_emulator import login

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_cli, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd


@pytest.fixture
def world(tmp_path, monkeypatch):
    world = World(folder=tmp_path)
    world.write()
    world.apply()
    world.orders = Orders(str(world.path))
    monkeypatch.setattr(gateway_cli.Here, 'gateway', lambda here, state: world.gateway(state))
    monkeypatch.setattr(gateway_cli.Here, 'rbd', lambda here, state: Rbd(world.rbd, 'igw'))
    monkeypatch.setattr(gateway_cli, 'mapped', world.mapped)
    assert world.enabled() and world.luns() == ['0', '1', '2']
    return world


@pytest.fixture
def call(world, capsys):
    def call(verb):
        code = gateway_cli.main(['--state', str(world.path), '--run', lock.FOLDER, '--wait', '0', '--json', verb])
        return code, json.loads(capsys.readouterr().out)
    return call


def log_in(world):
    return login(world.scst.core.targets.find(PREFIX + ':gw1'), HOST, client='10.0.0.9', portal='10.99.1.11')


def sessions(world):
    return list(world.scst.listdir(TARGET + '/sessions'))


def test_drain_disables_the_target_and_closes_its_sessions(world, call):
    log_in(world)
    assert call('drain') == (0, dict(drained=True, changed=True, left=[]))
    assert not world.enabled() and sessions(world) == [] and world.luns() == ['0', '1', '2'], 'only what initiators need is gone'
    assert call('drain') == (0, dict(drained=True, changed=False, left=[]))
    code, status = call('status')
    assert code == 1 and status['drained'] and not status['enabled']
    assert call('plan') == (0, dict(operations=[], problems={})), 'nothing is left to do on a gateway that is to be like this'


def test_undrain_serves_again(world, call):
    call('drain')
    code, answer = call('undrain')
    assert code == 0 and answer['left'] == [] and world.enabled()
    assert call('undrain')[1]['changed'] is False and call('status')[1]['drained'] is False


def test_undrain_waits_for_what_is_not_there(world, call):
    call('drain')
    del world.mappings['rbd/b']
    code, answer = call('undrain')
    assert code == 75 and answer['left'] == ['rbd/b: the image is not mapped'] and world.enabled()


def test_a_session_that_does_not_go_is_75_and_the_order_stands(world, call, monkeypatch):
    from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_scst
    monkeypatch.setattr(ha_scst, 'CLOSING', 0.1)
    log_in(world)
    write = world.scst.write
    monkeypatch.setattr(world.scst, 'write', lambda path, text: None if path.endswith('force_close') else write(path, text))
    code, answer = call('drain')
    assert code == 75 and 'still there' in answer['left'][0] and world.orders.drained() and not world.enabled()


def test_somebody_who_is_at_work_is_75(world, call):
    with lock.scst('module scst_lun'):
        for verb in ('drain', 'undrain'):
            code, answer = call(verb)
            assert code == 75 and 'module scst_lun' in answer['left'][0]


@pytest.mark.parametrize('restart', ['service', 'daemon', 'host'])
def test_the_service_keeps_a_drained_gateway_ready_and_out_of_service(world, call, restart):
    call('drain')
    if restart == 'daemon':
        world.scst.core.stop_daemon()
        world.scst.core.start_daemon()
    elif restart == 'host':
        world.boot()
    keeper = world.keeper(drained=world.orders.drained)
    world.run(keeper, 12, until=lambda: world.luns() == ['0', '1', '2'])
    world.run(keeper, 20)
    assert not world.enabled()
    world.orders.give(drain=False)
    world.run(keeper, 3, until=world.enabled)
    writes = world.scst.writes
    world.run(keeper, 20)
    assert world.scst.writes == writes


def test_apply_does_not_end_it(world, call):
    call('drain')
    assert call('apply')[0] == 0 and not world.enabled()


def test_the_service_says_so_once(world, call):
    keeper = world.keeper(drained=world.orders.drained)
    world.run(keeper, 2)
    call('drain')
    world.run(keeper, 5)
    assert len([line for line in world.journal if line.startswith('drained')]) == 1


def test_orders_that_cannot_be_read_change_nothing(world):
    (world.path.parent / 'orders.json').write_text('{"dra')
    with pytest.raises(Refused, match='cephgate drain, or cephgate undrain'):
        world.orders.read()
    assert world.orders.give(drain=True) and world.orders.drained()
