# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state that can be reached, and a way to each that breaks an invariant."""
import random
import time

from state import Broken


class Found(Exception):
    """An invariant is broken; the text is what happened, in order."""

    def __init__(self, reason, trail):
        super().__init__('%s\n  %s' % (reason, '\n  '.join(trail)))
        self.reason = reason
        self.trail = trail


class Result:
    def __init__(self):
        self.states = self.events = 0
        self.complete = True
        self.worst = 0


def explore(rules, faults, limit=None, seconds=None, further=None, start=None):
    """Breadth first from the start with up to C(faults) faults. further(world): raises Broken for a bad state.

    limit, seconds: stop there; the result is then not complete.
    """
    begin = start if start is not None else rules.start(faults)
    seen = {begin: None}
    level, result, end = [begin], Result(), time.monotonic() + seconds if seconds else None
    while level:
        following = []
        for world in level:
            if (limit and len(seen) >= limit) or (end and time.monotonic() > end):
                result.complete = False
                break
            name = None
            try:
                rules.judge(world)
                if further:
                    further(world)
                for name, after in rules.events(world):
                    result.events += 1
                    if after not in seen:
                        seen[after] = (world, name)
                        following.append(after)
            except Broken as error:
                raise Found(str(error), trail(seen, world))
        if not result.complete:
            break
        level = following
    result.states = len(seen)
    return result


def walk(rules, begin, length, seed, further=None):
    """One long way of C(length) events taken by chance; the same seed is the same way. Returns its states."""
    chance, world, names, seen = random.Random(seed), begin, [], [begin]
    try:
        for dummy in range(length):
            rules.judge(world)
            name, world = chance.choice(list(rules.events(world)))
            names.append(name)
            seen.append(world)
        if further:
            further(world)
    except Broken as error:
        raise Found(str(error), names)
    return seen


def trail(seen, world):
    names = []
    while seen[world] is not None:
        world, name = seen[world]
        names.append(name)
    return names[::-1]
