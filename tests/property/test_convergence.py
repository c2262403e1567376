# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state to any other: what apply must reach."""
import edits
import pytest
import world
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from hypothesis import given
from hypothesis import strategies as st

PERSONALITIES = ['3.10', '3.0.1']


def reached(tree, declared):
    assert world.differences(tree, declared) == []
    assert world.plan_all(tree, declared) == []


@pytest.mark.parametrize('personality', PERSONALITIES)
@given(earlier=st.lists(world.declarations(), min_size=1, max_size=3), declared=world.declarations())
def test_any_declaration_is_reached_from_any_other_and_the_second_plan_is_empty(personality, earlier, declared):
    tree = world.emulator(personality)
    for each in earlier:
        world.apply(tree, each)
    world.apply(tree, declared)
    reached(tree, declared)


@pytest.mark.parametrize('personality', PERSONALITIES)
@given(change=edits.changes())
def test_an_edited_declaration_is_reached_and_the_second_plan_is_empty(personality, change):
    tree = world.emulator(personality)
    for declared in change:
        world.apply(tree, declared)
        reached(tree, declared)


ONE, TWO = 'targets/iscsi/' + world.TARGETS[0], 'targets/iscsi/' + world.TARGETS[1]
OTHER_HANDS = [
    ('handlers/vdisk_nullio/mgmt', 'add_device stray'), ('handlers/vdisk_blockio/mgmt', 'add_device other filename=' + world.FILES[0]),
    ('handlers/vdisk_nullio/mgmt', 'del_device ' + world.DEVICES[0]), ('handlers/vdisk_nullio/mgmt', 'del_device ' + world.DEVICES[1]),
    ('handlers/vdisk_nullio/mgmt', 'add_device %s size_mb=1' % world.DEVICES[2]), ('devices/%s/usn' % world.DEVICES[0], 'stray'),
    ('devices/%s/t10_dev_id' % world.DEVICES[1], 'stray'), ('targets/iscsi/mgmt', 'add_target iqn.2026-11.com.example:stray'),
    ('targets/iscsi/mgmt', 'add_target ' + world.TARGETS[0]), ('targets/iscsi/mgmt', 'del_target ' + world.TARGETS[1]),
    ('targets/iscsi/mgmt', 'add_attribute IncomingUser stray 123456789012'), ('targets/iscsi/enabled', '0'), ('targets/iscsi/enabled', '1'),
    ('targets/iscsi/mgmt', 'add_target_attribute %s OutgoingUser stray 123456789012' % world.TARGETS[0]),
    ('targets/iscsi/mgmt', 'add_target_attribute %s allowed_portal notanip' % world.TARGETS[0]),
    (ONE + '/rel_tgt_id', '2'), (ONE + '/enabled', '1'), (TWO + '/rel_tgt_id', '2'), (TWO + '/enabled', '0'), (ONE + '/luns/mgmt', 'add stray 7'),
    (ONE + '/ini_groups/mgmt', 'create stray'), (ONE + '/ini_groups/stray/initiators/mgmt', 'add ' + world.INITIATORS[0]),
    (ONE + '/ini_groups/red/initiators/mgmt', 'add ' + world.INITIATORS[0]), (ONE + '/ini_groups/red/initiators/mgmt', 'clear'),
    (ONE + '/ini_groups/red/luns/mgmt', 'add stray 0'), (ONE + '/ini_groups/red/luns/mgmt', 'clear'), (ONE + '/ini_groups/mgmt', 'del green'),
    ('device_groups/mgmt', 'create stray'), ('device_groups/stray/devices/mgmt', 'add ' + world.DEVICES[0]), ('device_groups/mgmt', 'create dg0'),
    ('device_groups/dg0/devices/mgmt', 'add stray'), ('device_groups/dg0/target_groups/mgmt', 'create tg1'),
    ('device_groups/dg0/target_groups/mgmt', 'create stray'), ('device_groups/dg0/target_groups/stray/mgmt', 'add ' + world.TARGETS[0]),
    ('device_groups/dg0/target_groups/stray/mgmt', 'add ' + world.REMOTE[0]), ('device_groups/dg0/target_groups/tg1/group_id', '1'),
    ('device_groups/dg0/target_groups/tg0/state', 'offline'), ('device_groups/dg0/target_groups/mgmt', 'del tg0'),
]


@pytest.mark.parametrize('personality', PERSONALITIES)
@given(earlier=world.declarations(), commands=st.lists(st.sampled_from(OTHER_HANDS), max_size=15), declared=world.declarations())
def test_whatever_other_hands_did_the_declaration_is_reached(personality, earlier, commands, declared):
    tree = world.emulator(personality)
    world.apply(tree, earlier)
    for path, data in commands:
        try:
            tree.write(path, data)
        except OSError:
            pass  # not possible in this state
    try:
        world.apply(tree, declared)
    except Refused as error:
        assert 'half destroyed' in str(error)  # by a second OutgoingUser; says what to do
        return
    reached(tree, declared)


@pytest.mark.parametrize('personality', PERSONALITIES)
@given(change=edits.changes(), after=st.integers(0, 60))
def test_a_run_that_dies_after_any_operation_is_completed_by_the_next(personality, change, after):
    before, declared = change
    tree = world.emulator(personality)
    if after % 3:
        world.apply(tree, before)
    world.apply(tree, declared, stop_after=after)
    world.apply(tree, declared)
    reached(tree, declared)


@given(change=edits.changes())
def test_planning_and_check_mode_write_nothing(change):
    before, declared = change
    tree = world.emulator()
    world.apply(tree, before)
    state = tree.tree()
    tree.reset_counters()
    for step in world.steps(declared):
        step(tree, assume=True)
    assert (tree.writes, tree.written) == (0, [])
    assert tree.tree() == state
