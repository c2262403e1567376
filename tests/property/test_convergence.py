# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state to any other: what apply must reach."""
import edits
import pytest
import world
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
