# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths become active and passive on SCST 3.10 as its emulator has it."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'emulator'))

from scst_emulator import login  # noqa: E402
from scst_emulator.environment import Fake  # noqa: E402
from scst_emulator.face import Emulator  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_scst import NotOpen, Paths  # noqa: E402

IQN = 'iqn.2026-11.com.example.cephgate:'
HOST = 'iqn.1993-08.org.debian:01:db1'
TARGET = 'targets/iscsi/%sgw2' % IQN
GROUPS = 'device_groups/a/target_groups/'


class Gateway:
    """gw2, with a disk that gw1 has."""

    def __init__(self):
        self.files = {'/dev/guard': dict(size=1 << 30, block=True)}
        self.scst = Emulator('3.10', Fake(self.files))
        for path, text in [
                ('handlers/vdisk_blockio/mgmt', 'add_device a filename=/dev/guard'), ('targets/iscsi/mgmt', 'add_target %sgw2' % IQN),
                (TARGET + '/ini_groups/mgmt', 'create db'), (TARGET + '/ini_groups/db/initiators/mgmt', 'add ' + HOST),
                ('device_groups/mgmt', 'create a'), (GROUPS + 'mgmt', 'create gw1'), (GROUPS + 'mgmt', 'create gw2'),
                (GROUPS + 'gw1/mgmt', 'add %sgw1' % IQN), (GROUPS + 'gw2/mgmt', 'add %sgw2' % IQN), ('device_groups/a/devices/mgmt', 'add a'),
                (GROUPS + 'gw2/state', 'standby'), (TARGET + '/ini_groups/db/luns/mgmt', 'add a 0'),
                (TARGET + '/enabled', '1'), ('targets/iscsi/enabled', '1')]:
            self.scst.write(path, text)

    def value(self, path):
        return self.scst.read(path).split('\n')[0]

    def states(self):
        return [self.value(GROUPS + name + '/state') for name in ('gw1', 'gw2')] + [self.value('devices/a/active')]

    def log_in(self):
        return login(self.scst.core.targets.find(IQN + 'gw2'), HOST, client='10.0.0.9', portal='10.0.0.2')


@pytest.fixture
def gateway():
    return Gateway()


def paths(gateway, passive='standby'):
    return Paths(gateway.scst, 'gw2', IQN + 'gw2', passive, sleep=lambda seconds: None)


def test_the_other_path_is_passive_before_the_own_one_is_active(gateway):
    assert paths(gateway).path('a') == 'passive' and gateway.states() == ['active', 'standby', '0']
    written = []
    write = gateway.scst.write
    gateway.scst.write = lambda path, text: (written.append((path, text)), write(path, text))
    paths(gateway).make_active('a')
    assert written[:2] == [(GROUPS + 'gw1/state', 'standby'), (GROUPS + 'gw2/state', 'active')]
    assert gateway.states() == ['standby', 'active', '1'] and paths(gateway).path('a') == 'active'


def test_a_standby_tells_who_serves_and_an_owner_nothing_of_the_kind(gateway):
    paths(gateway).point('a', 'gw9')
    assert gateway.states() == ['standby', 'standby', '0'], 'one of which SCST knows nothing yet'
    paths(gateway).point('a', 'gw1')
    assert gateway.states() == ['active', 'standby', '0']
    gateway.scst.write(GROUPS + 'mgmt', 'create gw3')
    gateway.scst.write(GROUPS + 'gw3/mgmt', 'add %sgw3' % IQN)
    written = []
    write = gateway.scst.write
    gateway.scst.write = lambda path, text: (written.append((path, text)), write(path, text))
    paths(gateway).point('a', 'gw3')
    assert written == [(GROUPS + 'gw1/state', 'standby')], 'SCST has made the new one active'
    written.clear()
    paths(gateway).point('a', 'gw1')
    assert written == [(GROUPS + 'gw3/state', 'standby'), (GROUPS + 'gw1/state', 'active')], 'never two'
    paths(gateway).make_active('a')
    paths(gateway).point('a', 'gw1')
    assert gateway.states() == ['standby', 'active', '1'], 'an older word'


def test_a_device_that_does_not_open_leaves_the_path_passive(gateway):
    del gateway.files['/dev/guard']
    with pytest.raises((NotOpen, OSError)):
        paths(gateway).make_active('a')
    assert gateway.states()[1:] == ['standby', '0'] and paths(gateway).path('a') == 'passive'


def test_an_active_path_without_a_device_is_opened_and_not_taken_for_served(gateway):
    paths(gateway).make_active('a')
    gateway.scst.write('devices/a/active', '0')
    assert paths(gateway).path('a') == 'passive'
    paths(gateway).make_active('a')
    assert gateway.states() == ['standby', 'active', '1']


def test_a_disk_that_grew_elsewhere_has_its_new_size(gateway):
    gateway.files['/dev/guard']['size'] = 2 << 30
    paths(gateway).make_active('a')
    assert gateway.value('devices/a/size') == str(2 << 30)


def test_a_closed_device_remembers_a_new_size_and_stays_closed(gateway):
    paths(gateway).make_passive('a')
    gateway.files['/dev/guard']['size'] = 2 << 30
    assert paths(gateway).size('a') == 1 << 30
    paths(gateway).remember('a')
    assert paths(gateway).size('a') == 2 << 30 and gateway.states()[1:] == ['standby', '0']


def test_a_device_that_does_not_open_remembers_what_it_knew(gateway):
    paths(gateway).make_passive('a')
    del gateway.files['/dev/guard']
    with pytest.raises(OSError):
        paths(gateway).remember('a')
    assert paths(gateway).size('a') == 1 << 30 and gateway.states()[1:] == ['standby', '0']


@pytest.mark.parametrize('passive', ['standby', 'nonoptimized', 'unavailable'])
def test_a_passive_path_has_let_go_of_the_device(gateway, passive):
    paths(gateway).make_active('a')
    paths(gateway, passive).make_passive('a')
    assert gateway.states()[1:] == [passive, '0']
    paths(gateway, passive).make_active('a')
    assert gateway.states() == [passive, 'active', '1']


def test_closing_leaves_no_session(gateway):
    gateway.log_in()
    assert paths(gateway).reached() == {'a'} and paths(gateway).is_open()
    paths(gateway).close()
    assert not paths(gateway).is_open() and paths(gateway).reached() == set()
    paths(gateway).open()
    assert paths(gateway).is_open()


def test_a_session_that_does_not_go_is_an_error(gateway):
    gateway.log_in()
    write = gateway.scst.write
    gateway.scst.write = lambda path, text: None if path.endswith('force_close') else write(path, text)
    with pytest.raises(OSError, match='still there'):
        paths(gateway).close()
