# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that goes down lets go of all it can, and does not wait for what it cannot."""
import errno
import threading
import time

import pytest
from gateway_world import HOST, PREFIX, World
from scst_emulator import login

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_release
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_release import release


@pytest.fixture(params=['3.10', '3.0.1'])
def world(request):
    world = World(request.param)
    world.apply()
    return world


def free(entry):
    return []


def test_sessions_are_closed_and_nothing_is_left(world):
    target = world.scst.core.targets.iscsi.targets['%s:gw1' % PREFIX]
    login(target, HOST, portal='10.99.1.11')
    done, problems = release(world.gateway(), free)
    assert problems == {} and world.mappings == {} and not world.enabled()
    assert not any(device['name'] in world.scst.listdir('devices') for device in world.state['devices'])
    words = [operation.line() for operation in done]
    assert [word for word in ('disable', 'close session', ': remove', 'unmap')
            if any(word in line for line in words)] == ['disable', 'close session', ': remove', 'unmap']
    assert release(world.gateway(), free) == ([], {})
    assert world.apply()[1] == {} and world.luns() == ['0', '1', '2']


def test_without_the_daemon_the_images_are_let_go_all_the_same(world):
    world.scst.core.stop_daemon()
    dummy, problems = release(world.gateway(), free)
    assert problems == {} and world.mappings == {}


def test_an_image_that_is_held_costs_only_itself_and_not_for_ever(world):
    began = time.monotonic()
    dummy, problems = release(world.gateway(), lambda entry: ['a mount'] if entry['path'].endswith('/b') else [], patience=1)
    assert list(problems) == ['rbd/b'] and 'a mount' in problems['rbd/b'] and list(world.mappings) == ['rbd/b']
    assert time.monotonic() - began < 10


def test_a_device_of_somebody_else_is_seen_in_this_gateways_scst(world, tmp_path):
    """SCST before 3.8 claims nothing, and a forced unmap would take the mapping away under it."""
    (tmp_path / 'devices/other').mkdir(parents=True)
    (tmp_path / 'devices/other/filename').write_text('/dev/rbd%d\n' % world.mappings['rbd/b']['number'])
    gateway = world.gateway(dict(world.state, sysfs_root=str(tmp_path)))
    dummy, problems = release(gateway, patience=0, dead=dict.fromkeys(world.mappings, 'Ceph refuses this client'))
    assert list(problems) == ['rbd/b'] and 'SCST device other' in problems['rbd/b'] and list(world.mappings) == ['rbd/b']


def test_a_session_that_goes_late_keeps_its_target_for_a_moment_only(world, monkeypatch):
    write, busy = world.scst.write, ['EBUSY', 'EBUSY']

    def reluctant(path, data):
        if data.startswith('del_target') and busy:
            busy.pop()
            raise OSError(errno.EBUSY, 'Device or resource busy')
        return write(path, data)

    monkeypatch.setattr(world.scst, 'write', reluctant)
    done, problems = release(world.gateway(), free, sleep=lambda seconds: None)
    assert problems == {} and not busy and world.mappings == {} and any(': remove' in operation.line() for operation in done)


CLIENT = '10.99.0.11:0/1'  # of all that is mapped first


def test_who_is_held_up_does_not_go_on_when_the_gateway_is_back(world, monkeypatch):
    """What is mapped then is new, and may be served: to unmap it by force would be errors for applications."""
    monkeypatch.setattr(gateway_release, 'WIDTH', 2)
    rbd, go, ended = world.rbd, threading.Event(), []

    def slow(argv, stdin):
        assert go.wait(20)
        try:
            return rbd(argv, stdin)
        finally:
            ended.append(argv[-1])

    world.rbd = slow
    world.mappings['rbd/c']['number'] = 9
    began = time.monotonic()
    dummy, problems = release(world.gateway(), free, patience=-4.9, dead=dict.fromkeys(world.mappings, CLIENT))
    assert time.monotonic() - began < 5 and not any(words[0] == 'unmap' for words in world.calls)
    assert sorted(problems) == ['rbd/a', 'rbd/b', 'rbd/c']
    assert 'unmapping it has not ended' in problems['rbd/a'] and 'not tried' in problems['rbd/c']
    world.mappings['rbd/c']['client'] = '10.99.0.11:0/2'
    go.set()
    end = time.monotonic() + 20
    while len(ended) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.2)
    assert '/dev/rbd9' not in ended and list(world.mappings) == ['rbd/c']


def test_only_what_the_refused_client_has_is_unmapped_by_force(world):
    world.mappings['rbd/b'].update(client='10.99.0.11:0/2', number=9)
    dummy, problems = release(world.gateway(), free, dead=dict.fromkeys(world.mappings, CLIENT))
    unmapped = dict((words[-1], 'force' in words) for words in world.calls if words[0] == 'unmap')
    assert problems == {} and sorted(unmapped.values()) == [False, True, True] and unmapped['/dev/rbd9'] is False
