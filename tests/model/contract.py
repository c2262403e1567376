# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What safety rests on, and nothing else: agents that do at any time whatever a few rules allow.

The core decides by records, beats and clocks, which make too many states to see them all. None of them bears on safety, so here
agents know nothing of them: any agent may fence anybody, take and give away any disk, close and open its target, at any moment
and in any order, as long as the rules of C(allows) are kept. What it does then is all that the core could ever do, whatever it was
told, and more; the states are few enough to be explored to the end. C(Keeping) holds the core to the same rules.

Hosts and agents die and come back in every state; mappings are broken off. What leads nowhere else has no event of its own:

- who is dead for long, frozen or slow just does nothing, and so does who is cut from Ceph; krbd may take anybody's watch for lost at any time;
- a target is closed only when the gateway has found itself refused, and open again when that is over: initiators reach more than they ever do;
- an agent that has settled makes the path active, some time later: its mapping may be another one by then, or gone;
- images are mapped and unmapped also by commands that have outlived their agent, so at any time.
"""
from types import SimpleNamespace
from typing import NamedTuple

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_types

from state import Broken, Gateway, World, replaced
from world import Rules, put, tidy


class Facts(NamedTuple):
    """Of one disk on one gateway, and of the gateway."""
    mapped: bool
    active: bool     # the path
    settled: bool    # whether the newest osdmap was had for this mapping
    own: frozenset   # addresses of this gateway's clients that hold mappings
    refused: bool    # one of them was found to be refused, and mappings of it are left
    open: bool       # the target


def allows(kind, key, facts):
    """Whether an agent may begin an action. key: of a fence the client's address"""
    if kind == 'fence':
        return key not in facts.own
    if kind == 'map':
        return not facts.mapped
    if kind == 'settle':
        return facts.mapped and not facts.refused
    if kind == 'raise':
        return facts.mapped and facts.settled and not facts.refused
    if kind == 'unmap':
        return not facts.active
    if kind == 'clear':
        return facts.refused and not facts.open
    if kind == 'open':
        return not facts.refused
    return kind in ('look', 'lower', 'close')


class Contract(Rules):
    """ghosts: as many mappings may be gone at the same time of clients that the OSD does not know to be refused; a host with a mapping
    does not die while there are so many. names: a path is made active only for the mapping that was settled; leaves: a refused gateway closes
    first. The others as in Rules."""

    def __init__(self, gateways, disks, ghosts=2, names=True, leaves=True, **surroundings):
        super().__init__(SimpleNamespace(disks=range(disks)), **surroundings)
        self.count, self.ghosts, self.names, self.leaves = gateways, ghosts, names, leaves

    def start(self, faults=0):
        return World((self._booted(),) * self.count, (None,) * self.disks, frozenset(), (frozenset(),) * self.disks, (), (), frozenset(), 0)

    def _booted(self):
        """todo: for each disk whether its path is about to be made active."""
        no = (False,) * self.disks
        return Gateway(maps=(0,) * self.disks, path=no, todo=no, open=True)

    def _disk(self, action):
        return getattr(action, 'key', action)

    def _watches(self, world, disk, lock):
        return False  # when it does, nothing comes of it

    def _address(self, world, index):
        used = clients(world)
        return next(name for name in map(str, range(99)) if name not in used)

    def events(self, world):
        for name, after in self._all(world):
            yield name, named(after)

    def _all(self, world):
        for index, gateway in enumerate(world.gateways):
            yield from self._dies(world, index, gateway)
            for client in sorted(clients(world) - world.listed):
                if allows('fence', client, self._facts(world, gateway, 0)):
                    yield 'fence %d %s' % (index, client), world._replace(listed=world.listed | {client})
            if gateway.open and any(number and gateway.client in known for number, known in zip(gateway.maps, world.osd)):
                yield 'gateway %d finds itself refused and closes' % index, put(world, index, gateway._replace(open=False))
            for disk in range(self.disks):
                yield from self._of_disk(world, index, gateway, disk)
        for disk in range(self.disks):
            if world.osd[disk] != world.listed:
                yield 'osd learns', tidy(world._replace(osd=replaced(world.osd, disk, world.listed)))

    def _dies(self, world, index, gateway):
        ghosts = world.ghosts | {(disk, gateway.client, gateway.maps[disk]) for disk in range(self.disks) if gateway.maps[disk]}
        if len(ghosts) <= self.ghosts or ghosts == world.ghosts:
            yield 'host %d dies and boots' % index, tidy(put(world, index, self._booted())._replace(ghosts=ghosts))
        yield 'agent %d dies, another opens' % index, put(world, index, gateway._replace(todo=(False,) * self.disks, open=True))

    def _facts(self, world, gateway, disk):
        refused = not gateway.open or not self.leaves and gateway.client in world.osd[disk]
        return Facts(bool(gateway.maps[disk]), gateway.path[disk], gateway.todo[disk], frozenset([gateway.client]), refused, gateway.open and self.leaves)

    def _of_disk(self, world, index, gateway, disk):
        def may(kind):
            return allows(kind, disk, self._facts(world, gateway, disk))

        if may('map'):
            for outcome, after in self._map(world, index, disk):
                if outcome == 'ok':
                    yield 'map %d %d' % (index, disk), after
            lock = world.lock[disk]
            if (lock is None or lock[0] in world.listed) and gateway.client not in world.osd[disk]:
                lock = (gateway.client or self._address(world, index), self._next(world, disk))
                yield 'map %d %d is broken off' % (index, disk), tidy(world._replace(lock=replaced(world.lock, disk, lock)))
        if may('settle') and not gateway.path[disk] and not gateway.todo[disk]:
            yield 'settle %d %d' % (index, disk), put(world, index, gateway._replace(
                knows=world.listed if self.settles else gateway.knows, todo=replaced(gateway.todo, disk, True)))
        if gateway.todo[disk]:
            yield 'raise %d %d' % (index, disk), self._raised(world, index, disk)
        if gateway.path[disk] and may('lower'):
            yield 'lower %d %d' % (index, disk), put(world, index, gateway._replace(path=replaced(gateway.path, disk, False)))
        if gateway.maps[disk] and may('unmap'):
            for dummy, after in self._unmap(world, index, disk):
                yield 'unmap %d %d' % (index, disk), self._gone(after, index, disk)
        if gateway.maps[disk] and may('clear'):
            yield 'clear %d %d' % (index, disk), self._cleared(world, index, gateway, disk)

    def _cleared(self, world, index, gateway, disk):
        [(dummy, after)] = self._clear(world, index, ha_types.action('clear', disk, gateway.client))
        return self._gone(after, index, disk)

    def _gone(self, world, index, disk):
        """What was begun for a mapping fails without it; a gateway is out of service until the last mapping of its refused client is gone."""
        gateway = world.gateways[index]
        todo = replaced(gateway.todo, disk, False) if self.names else gateway.todo
        return put(world, index, gateway._replace(todo=todo, open=gateway.open or not any(gateway.maps)))

    def _raised(self, world, index, disk):
        gateway = world.gateways[index]
        good = gateway.maps[disk] or not self.verifies
        return put(world, index, gateway._replace(todo=replaced(gateway.todo, disk, False), path=replaced(gateway.path, disk, True) if good else gateway.path))


def clients(world):
    return ({gateway.client for gateway in world.gateways} | {ghost[1] for ghost in world.ghosts} | {lock[0] for lock in world.lock if lock}) - {''}


def named(world):
    """The same world for all that differ in the names of gateways and clients only: the former sorted by their state, the latter counted."""
    gateways = sorted(world.gateways, key=lambda gateway: (
        gateway.maps, gateway.path, gateway.open, gateway.todo, gateway.client in world.listed,
        tuple(gateway.client in known for known in world.osd), len(gateway.knows)))
    new = {'': ''}
    for client in [gateway.client for gateway in gateways if gateway.client] + [lock[0] for lock in world.lock if lock] + [
            ghost[1] for ghost in sorted(world.ghosts, key=lambda ghost: (ghost[0], ghost[2]))]:
        if client not in new:
            new[client] = str(len(new) - 1)
    return world._replace(
        gateways=tuple(gateway._replace(client=new[gateway.client], knows=frozenset(new[each] for each in gateway.knows)) for gateway in gateways),
        lock=tuple(lock and (new[lock[0]], lock[1]) for lock in world.lock), listed=frozenset(new[each] for each in world.listed),
        osd=tuple(frozenset(new[each] for each in known) for known in world.osd),
        ghosts=frozenset((disk, new[client], number) for disk, client, number in world.ghosts))


class Keeping:
    """A core that is held to the rules: an action that they do not allow is Broken. To be given to agents.Agents."""

    def __init__(self, decide):
        self.decide = decide
        self.kinds = set()

    def __call__(self, site, memory, view, elapsed):
        after, actions = self.decide(site, memory, view, elapsed)
        own = frozenset(found['client'] for found in view['luns'].values() if found['client'])
        for each in actions:
            self.kinds.add(each.kind)
            found = view['luns'].get(each.key, dict(client=None, path=None))
            settled = found['client'] is not None and after['settled'].get(each.key) == found['client']
            facts = Facts(found['client'] is not None, found['path'] == 'active', settled, own, bool(after['refused']), view['open'])
            if not allows(each.kind, each.key, facts) or each.kind == 'clear' and each.arg not in after['refused']:
                raise Broken('what is not allowed is begun: %s, when %s' % (each, facts))
        return after, actions
