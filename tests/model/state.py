# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a state of the model holds. Everything is a tuple or a frozenset, so that a state can be looked up."""
from typing import NamedTuple


class Gateway(NamedTuple):
    on: bool = True            # the host; False: no power
    memory: object = None      # memory of the agent (a number of the store); None: no agent runs
    cut: bool = False          # from Ceph
    sees: bool = True          # initiators reach it
    drain: bool = False        # the operator's orders
    wants: bool = False
    away: bool = False
    open: bool = False         # the target is enabled
    client: str = ''           # address of the kernel's Ceph client; '': none
    knows: frozenset = frozenset()  # blocklist entries in the osdmap of that client
    maps: tuple = ()           # for each disk the number of its lock's taking, 0: not mapped
    path: tuple = ()           # for each disk whether it is active in SCST
    todo: tuple = ()           # (action, whether an agent waits for its end)


class World(NamedTuple):
    gateways: tuple
    lock: tuple                # for each disk (client, number of the taking) or None
    listed: frozenset          # the monitors' blocklist
    osd: tuple                 # for each disk what the OSD that takes its writes knows of the blocklist
    table: tuple               # for each gateway its record (a number of the store) or None
    news: tuple                # news[a][b]: beats of b since a last looked, as far as that matters
    ghosts: frozenset          # (disk, client, number): mappings that are gone and may have left writes on their way
    left: int                  # faults that may still happen


class Broken(Exception):
    """An invariant does not hold."""


class Store:
    """Memories and records by number: a number is quick to compare and to look up."""

    def __init__(self):
        self.numbers = {}
        self.values = []

    def keep(self, value):
        key = frozen(value)
        if key not in self.numbers:
            self.numbers[key] = len(self.values)
            self.values.append(value)
        return self.numbers[key]

    def __getitem__(self, number):
        """The value, which nobody changes; of no number, nothing."""
        return None if number is None else self.values[number]


def frozen(value):
    if isinstance(value, dict):
        return tuple(sorted((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    return value


STORE = Store()


def replaced(items, index, value):
    return items[:index] + (value,) + items[index + 1:]
