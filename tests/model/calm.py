# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a state when nothing more goes wrong: rounds in which every living agent makes a step.

A round is a second: all that was begun ends in it, and the OSDs learn the newest osdmap.
"""
from agents import FRESH
from state import Broken
from world import put, tidy

ACTIONS = 60  # of one round; more would be a quarrel inside it


def healed(world):
    """Everything repaired, every order of the operator withdrawn."""
    for index, gateway in enumerate(world.gateways):
        memory = FRESH if gateway.memory is None or gateway.away else gateway.memory
        world = put(world, index, gateway._replace(on=True, memory=memory, cut=False, sees=True, drain=False, wants=False, away=False))
    return world._replace(left=9)


def left_alone(world):
    """What is broken stays broken; None when no gateway is left that could serve."""
    if not any(able(gateway) and gateway.sees for gateway in world.gateways):
        return None
    for index, gateway in enumerate(world.gateways):
        # a restart ends, and so does a wish that cannot be granted
        memory, away = (FRESH, False) if gateway.away and gateway.on else (gateway.memory, gateway.away)
        world = put(world, index, gateway._replace(wants=False, memory=memory, away=away))
    return world._replace(left=9)


def able(gateway):
    return gateway.on and gateway.memory is not None and not gateway.cut and not gateway.drain


def owner(world, disk):
    """The gateway through which initiators reach a disk, or None."""
    for index, gateway in enumerate(world.gateways):
        if gateway.on and gateway.open and gateway.sees and gateway.path[disk] and gateway.maps[disk] and not gateway.cut \
                and gateway.client not in world.listed:
            return index
    return None


class Calm:
    def __init__(self, rules):
        self.rules = rules
        self.rounds = {}  # {state: rounds until nothing changes any more}

    def served(self, faults):
        """The state after a start without faults, with room for some."""
        world = self.rules.start(0)
        for dummy in range(20):
            world = self.round(world)
        assert all(owner(world, disk) is not None for disk in range(self.rules.disks)), world
        return world._replace(left=faults)

    def worst(self):
        return max(self.rounds.values(), default=0)

    def __call__(self, world):
        """Raises Broken when the disks are not served in the end, by one gateway each, without another fence."""
        self.settle(healed(world))
        alone = left_alone(world)
        if alone is not None:
            self.settle(alone)

    def settle(self, world):
        path, places = [], {}
        while world not in self.rounds and world not in places:
            places[world] = len(path)
            path.append(world)
            world = self.round(world)
        if world in places:
            self._steady(path[places[world]:])
            path = path[:places[world]]
        for each in reversed(path):
            self.rounds[each] = self.rounds[world] + 1
            world = each

    def _steady(self, cycle):
        self.rules.fences.clear()
        for world in cycle:
            self.round(world)
        if self.rules.fences:
            raise Broken('gateways fence each other for ever: %s' % self.rules.fences)
        for disk in range(self.rules.disks):
            owners = {owner(world, disk) for world in cycle}
            if owners == {None}:
                raise Broken('a gateway could serve disk %d, and none ever does' % disk)
            if len(owners) > 1:
                raise Broken('disk %d goes to and fro for ever: %s' % (disk, owners))
        for world in cycle:
            self.rounds[world] = 0

    def round(self, world):
        for index in range(len(world.gateways)):
            if world.gateways[index].on and world.gateways[index].memory is not None:
                world = self.rules.step(world, index, 1)
        for dummy in range(ACTIONS):
            after = self._next_action(world)
            if after is None:
                return tidy(world._replace(osd=(world.listed,) * self.rules.disks, left=9))
            world = after
        raise Broken('a round goes on for ever')

    def _next_action(self, world):
        for index, gateway in enumerate(world.gateways):
            for place in range(len(gateway.todo) if gateway.on else 0):
                for after in self.rules.act(world, index, place):
                    return after
        return None
