# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a gateway: what it restores by itself, when, and what it says meanwhile."""
import json
import time

import pytest
from gateway_world import LUNS, World

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_mapper, gateway_serve, lock


@pytest.fixture
def world(tmp_path):
    world = World(folder=tmp_path)
    world.write()
    return world


@pytest.fixture
def served(world):
    """A world whose keeper has brought everything up."""
    keeper = world.keeper()
    world.run(keeper, 5, until=lambda: world.luns() == ['0', '1', '2'] and world.enabled())
    world.run(keeper, 3)
    world.keeper_of_it = keeper
    return world


def test_from_power_on_to_all_served_then_it_only_looks(served):
    writes, calls = served.scst.writes, len(served.calls)
    served.run(served.keeper_of_it, 120)
    assert served.scst.writes == writes and len(served.calls) == calls
    assert served.reports[-1] == {}


def test_targets_are_back_at_the_next_look_after_the_daemon_is(served):
    served.scst.core.stop_daemon()
    served.run(served.keeper_of_it, 4)
    assert served.luns() == [] and any('iscsi-scstd does not run' in line for line in served.journal)
    served.scst.core.start_daemon()
    served.run(served.keeper_of_it, 1)
    assert served.luns() == ['0', '1', '2'] and served.enabled()


def test_a_daemon_that_was_back_before_anybody_looked_is_noticed_too(served):
    served.scst.core.stop_daemon()
    served.scst.core.start_daemon()
    served.run(served.keeper_of_it, 1)
    assert served.luns() == ['0', '1', '2'] and served.enabled()


def test_a_missing_image_is_named_and_appears_by_itself(world):
    world.broken.add('rbd/b')
    keeper = world.keeper()
    world.run(keeper, 5, until=lambda: world.luns() == ['0', '2'] and world.enabled())
    world.run(keeper, 100)
    assert list(world.reports[-1]) == ['rbd/b'] and 'does not exist' in world.reports[-1]['rbd/b']
    assert len([line for line in world.journal if line.startswith('not served: rbd/b')]) == 1, 'said once'
    tries = [words for words in world.calls if words[-1] == 'rbd/b']
    assert 4 <= len(tries) <= 7, 'it backs off: 5, 10, 20, then every 30 s'
    writes = world.scst.written[:]
    world.broken.clear()
    world.run(keeper, 34, until=lambda: world.luns() == ['0', '1', '2'])
    assert world.reports[-1] == {}
    assert not any('add_device a-' in line or 'add_device c-' in line for _path, line in world.scst.written[len(writes):])


def test_an_image_that_hangs_delays_nobody(world):
    world.hang('rbd/a')
    keeper = world.keeper()
    began = time.monotonic()
    world.run(keeper, 3, until=lambda: world.luns() == ['1', '2'])
    assert not world.enabled(), 'the first logins find all that comes soon'
    world.run(keeper, 6, until=world.enabled)
    assert time.monotonic() - began < 10
    world.time += gateway_mapper.STUCK
    world.run(keeper, 2)
    assert 'cannot be interrupted' in world.reports[-1]['rbd/a'] and list(world.reports[-1]) == ['rbd/a']
    world.scst.core.stop_daemon()
    world.scst.core.start_daemon()
    world.run(keeper, 8, until=lambda: world.luns() == ['1', '2'] and world.enabled())
    world.answer('rbd/a')
    world.run(keeper, 10, until=lambda: world.luns() == ['0', '1', '2'])


def test_ceph_away_at_boot_and_back_later(world):
    world.broken.update(world.ids)
    keeper = world.keeper()
    world.run(keeper, 60)
    assert sorted(world.reports[-1]) == ['rbd/a', 'rbd/b', 'rbd/c'] and not world.enabled()
    world.broken.clear()
    world.run(keeper, 34, until=lambda: world.luns() == ['0', '1', '2'] and world.enabled())


def test_a_daemon_that_comes_long_after_boot(world):
    world.scst.core.stop_daemon()
    keeper = world.keeper()
    world.run(keeper, 30)
    assert sorted(world.mappings) == ['rbd/a', 'rbd/b', 'rbd/c'], 'images are mapped meanwhile'
    world.scst.core.start_daemon()
    world.run(keeper, 1)
    assert world.luns() == ['0', '1', '2'] and world.enabled()


def test_no_state_file_yet_and_a_broken_one(world):
    world.path.unlink()
    keeper = world.keeper()
    world.run(keeper, 3)
    world.path.write_text('{')
    world.run(keeper, 3)
    assert any('is not JSON' in line for line in world.journal)
    world.write()
    world.run(keeper, 5, until=lambda: world.luns() == ['0', '1', '2'] and world.enabled())


def test_a_new_state_is_served(served):
    served.write(served.declare(LUNS + [dict(image='rbd/d', size='1G', hosts={'db': 7})]))
    served.run(served.keeper_of_it, 5, until=lambda: served.luns() == ['0', '1', '2', '7'])


def test_the_playbook_is_left_alone_but_not_for_ever(served):
    new = dict(served.declare(LUNS + [dict(image='rbd/d', size='1G', hosts={'db': 7})]), unfinished=True)
    served.write(new)
    writes = served.scst.writes
    served.run(served.keeper_of_it, gateway_serve.HANDS_OFF - 2)
    assert served.scst.writes == writes
    served.run(served.keeper_of_it, 4, until=lambda: served.luns() == ['0', '1', '2', '7'])


def test_targets_that_vanish_under_the_playbook_are_restored_at_once_as_intended(served):
    served.write(dict(served.declare([LUNS[0], LUNS[2]]), unfinished=True))
    served.run(served.keeper_of_it, 2)
    assert served.luns() == ['0', '1', '2']
    served.scst.core.stop_daemon()
    served.scst.core.start_daemon()
    served.run(served.keeper_of_it, 1)
    assert served.luns() == ['0', '2'] and served.enabled()


def test_it_does_not_come_between_when_a_module_has_the_lock(served):
    served.scst.core.stop_daemon()
    served.scst.core.start_daemon()
    writes = served.scst.writes
    with lock.scst('module scst_target'):
        served.run(served.keeper_of_it, 3)
        assert served.scst.writes == writes and 'module scst_target (process' in served.journal[-1]
    served.run(served.keeper_of_it, 1)
    assert served.luns() == ['0', '1', '2'] and served.enabled()


def test_a_device_that_scst_refuses_is_tried_again_later(served):
    served.scst.core.stop_daemon()
    name = served.state['devices'][1]['name']
    served.scst.write('handlers/vdisk_blockio/mgmt', 'del_device ' + name)
    size = served.files.pop('/dev/rbd/rbd/b')
    served.scst.core.start_daemon()
    served.run(served.keeper_of_it, 1)
    assert served.luns() == ['0', '2'] and served.enabled() and list(served.reports[-1]) == ['rbd/b']
    served.files['/dev/rbd/rbd/b'] = size
    served.run(served.keeper_of_it, gateway_serve.RETRY_EVERY + 1, until=lambda: served.luns() == ['0', '1', '2'])
    assert served.reports[-1] == {}


def test_the_report_is_replaced_in_one_step(tmp_path):
    for text in ('one', 'two'):
        gateway_serve.write_report(str(tmp_path / 'report'), {'rbd/a': text})
        assert json.loads((tmp_path / 'report').read_text()) == {'rbd/a': text}
    assert [path.name for path in tmp_path.iterdir()] == ['report']
