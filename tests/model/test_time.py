# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With clocks that agree: what must not be taken for the death of a gateway, in every order over any number of seconds.

Here a second is a round of all living agents (calm), so these are promises about ordinary days, not about safety.
"""
import itertools

import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide, ha_lease
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import Limits

from agents import FRESH, Agents
from bugs import replaced
from calm import Calm, owner
from state import STORE
from world import Rules, put

PATIENT = Limits(dead=3, boot=5, away=6, gap=1, suspend=2, close=3, turn=2, blind=3, claim=6, unfit=3, moves=1, takes=1, patient=0, load=9)
ENOUGH = 20000  # states; none of the tests comes near


class Day:
    """Gateways that serve, and all that can come of what C(choices) lets happen before each round."""

    def __init__(self, gateways=2):
        self.rules = Rules(Agents(gateways, 1, limits=PATIENT))
        self.calm = Calm(self.rules)
        self.start = self.calm.served(9)
        self.rules.fences.clear()

    def unfold(self, choices):
        """Every (state before, state after a round); choices(world): what may be changed before the round."""
        seen, level = {self.start}, [self.start]
        while level:
            following = []
            for world in level:
                for changed in choices(world):
                    after = self.calm.round(changed)
                    yield changed, after
                    if after not in seen:
                        seen.add(after)
                        following.append(after)
            level = following
            assert len(seen) < ENOUGH
        assert len(seen) > 5, 'nothing has happened'


def everywhere(world, **change):
    for index, gateway in enumerate(world.gateways):
        world = put(world, index, gateway._replace(**change))
    return world


def outages(world):
    """Ceph answers everybody or nobody, for any number of rounds each; afterwards one of them may be a round earlier."""
    if all(gateway.cut for gateway in world.gateways):
        for index, gateway in enumerate(world.gateways):
            yield put(world, index, gateway._replace(cut=False))
    yield everywhere(world, cut=False)
    yield everywhere(world, cut=True)


def fences_in_outages(gateways):
    day = Day(gateways)
    for dummy in day.unfold(outages):
        if day.rules.fences:
            return day.rules.fences
    return None


@pytest.mark.parametrize('gateways', [2, 3])
def test_a_ceph_that_hangs_fences_nobody(gateways):
    assert fences_in_outages(gateways) is None


def test_it_would_be_found_if_silence_were_counted_over_an_outage():
    def observe(site, memory, view, elapsed):
        ha_lease.observe(site._replace(limits=site.limits._replace(gap=99)), memory, view, elapsed)
    with replaced(ha_decide, 'observe', observe):
        assert fences_in_outages(2)


def test_after_an_outage_the_same_gateway_serves():
    day = Day()
    first = owner(day.start, 0)
    for dummy, after in day.unfold(outages):
        assert owner(after, 0) in (first, None)
        for dummy in range(4):
            after = day.calm.round(everywhere(after, cut=False))
        assert owner(after, 0) == first


def test_gateways_that_have_ceph_never_fence_whoever_the_initiators_see():
    """Nor does a disk move without a change of what initiators see: several that see different gateways do not make it
    go to and fro."""
    def choices(world):
        for sight in itertools.product((True, False), repeat=2):
            changed = world
            for index, sees in enumerate(sight):
                changed = put(changed, index, changed.gateways[index]._replace(sees=sees))
            yield changed
    day = Day()
    moved = 0
    for before, after in day.unfold(choices):
        assert not day.rules.fences
        if all(gateway.sees for gateway in before.gateways):
            # whoever serves is seen, and keeps the disk
            moved += owner(before, 0) is not None and owner(after, 0) != owner(before, 0)
    assert moved == 0


def planned(world):
    """The agent of gateway 0 restarts in an orderly way and is away for up to 4 rounds."""
    gateway = world.gateways[0]
    if gateway.memory is None:
        yield put(world, 0, gateway._replace(memory=FRESH, away=False))
        if STORE[world.gateways[1].memory]['peers']['g0']['still'] < 4:
            yield world
        return
    yield world
    yield put(world, 0, gateway._replace(away=True))
    if gateway.away and not gateway.todo and STORE[world.table[0]]['away']:
        yield put(world, 0, gateway._replace(memory=None))


def test_an_agent_that_restarts_in_an_orderly_way_is_not_fenced():
    day = Day()
    for dummy, after in day.unfold(planned):
        assert not day.rules.fences
        assert owner(after, 0) == owner(day.start, 0), 'the kernel serves on while the agent is away'


def test_an_agent_that_only_dies_is_fenced():
    day = Day()
    world = put(day.start, 0, day.start.gateways[0]._replace(memory=None))
    for dummy in range(10):
        world = day.calm.round(world)
    assert day.rules.fences and owner(world, 0) == 1


@pytest.mark.parametrize('order', ['drain', 'wants'])
def test_a_planned_move_fences_nobody_and_ends(order):
    day = Day(3)
    index = 0 if order == 'drain' else 2
    world = put(day.start, index, day.start.gateways[index]._replace(**{order: True}))
    rounds = 0
    while owner(world, 0) in (0, None):
        world = day.calm.round(world)
        rounds += 1
        assert rounds < 5
    assert owner(world, 0) == (1 if order == 'drain' else 2)
    assert not day.rules.fences


def test_a_gateway_that_was_cut_off_comes_back_without_taking_the_disk_back():
    day = Day()
    world = put(day.start, 0, day.start.gateways[0]._replace(cut=True))
    while owner(world, 0) != 1:
        world = day.calm.round(world)
    world = put(world, 0, world.gateways[0]._replace(cut=False))
    for dummy in range(8):
        world = day.calm.round(world)
    assert owner(world, 0) == 1 and world.gateways[0].open and not world.gateways[0].client
    assert len(day.rules.fences) == 1
