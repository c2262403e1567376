# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateways that are short of processor: whoever has the disk is late with its beats, again and again."""
import pytest

from agents import Agents
from calm import Calm, owner
from explore import walk
from test_time import PATIENT
from world import Rules

LATE = 5     # rounds in which the owner makes no step; a gateway is dead after 3
EASY = 6     # rounds between two such times
TAKING = 9   # rounds in which a take-over comes to nothing: it is taken from for that, and not yet as one that restarts
TIMES = 40


class Late(Calm):
    """Rounds in which one agent makes no step: its host goes on, and what was begun ends."""

    def round_without(self, world, index):
        for other in range(len(world.gateways)):
            if other != index:
                world = self.rules.step(world, other, 1)
        while (after := self._next_action(world)) is not None:
            world = after
        return world._replace(left=9, osd=(world.listed,) * self.rules.disks)

    def ends(self, world, index, kinds=None):
        """What this one agent has begun ends; kinds: only such actions."""
        while True:
            places = [place for place, (action, dummy) in enumerate(world.gateways[index].todo) if kinds is None or action.kind in kinds]
            if not places:
                return world._replace(left=9, osd=(world.listed,) * self.rules.disks)
            world = next(iter(self.rules.act(world, index, places[0])))

    def late(self, world, rounds):
        """The owner is late once; its next step knows how long it made none."""
        index = owner(world, 0)
        for dummy in range(rounds):
            world = self.round_without(world, index)
        world = self.rules.step(world, index, rounds)
        for dummy in range(EASY):
            world = self.round(world)
        return world


def fences(patient, late=LATE, gateways=2):
    rules = Rules(Agents(gateways, 1, limits=PATIENT._replace(patient=patient, away=12)))
    days = Late(rules)
    world = days.served(9)
    rules.fences.clear()
    for dummy in range(TIMES):
        world = days.late(world, late)
        assert owner(world, 0) is not None
    return len(rules.fences)


def test_without_patience_they_fence_each_other_for_as_long_as_they_are_late():
    assert fences(0) == TIMES


@pytest.mark.parametrize('gateways', [2, 3])
def test_with_patience_it_ends(gateways):
    assert fences(10 ** 6, gateways=gateways) == 4, 'two of them are wronged twice each, and then given long enough'


def test_the_longest_patience_is_given_after_the_third_time():
    assert fences(10 ** 6, late=9) == 6


def test_it_is_forgotten_and_the_next_time_counts_anew():
    assert 4 < fences(100) < TIMES / 2


def test_whoever_is_silent_for_longer_than_any_patience_is_not_given_more():
    assert fences(10 ** 6, late=13) == TIMES


def fences_while_who_took_is_late(load):
    """The owner is late once; who took its disk over has begun to map it when it is late in its turn, and what it has begun does not end."""
    rules = Rules(Agents(2, 1, limits=PATIENT._replace(away=12, load=load)))
    days = Late(rules)
    world = days.served(9)
    rules.fences.clear()
    late = owner(world, 0)
    taker = 1 - late
    while not any(action.kind == 'map' for action, dummy in world.gateways[taker].todo):
        world = days.ends(rules.step(world, taker, 1), taker, ('look', 'fence'))
    world = rules.step(world, taker, 1)
    for dummy in range(TAKING):
        world = days.ends(rules.step(world, late, 1), late)
    return len(rules.fences)


def test_who_has_its_hands_full_is_waited_for():
    assert fences_while_who_took_is_late(9) == 2, 'nothing to show'
    assert fences_while_who_took_is_late(1) == 1


@pytest.mark.parametrize('load', [1, 9])
def test_it_makes_nothing_unsafe(load):
    rules = Rules(Agents(2, 1, limits=PATIENT._replace(patient=8, load=load)))
    calm, states = Calm(rules), set()
    begin = calm.served(12)
    for seed in range(30):
        states.update(walk(rules, begin, 150, seed, further=calm))
    assert len(states) > 1000
