# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can happen in the model, one event at a time, in any order.

There is no clock: an agent's step is a second of its own, and one agent may make many while another makes
none. So a frozen agent, a frozen host and a slow one need no events of their own, and nothing here can rely
on time. Where krbd or Ceph may do one of two things, both happen.
"""
from functools import lru_cache

from agents import FRESH, host
from state import STORE, Broken, Gateway, World, replaced

CEPH = ('look', 'fence', 'map', 'settle', 'unmap', 'clear')  # actions that wait while the gateway is cut from Ceph
AT_ONCE = ('look', 'settle', 'open')
# Commands that may end although the agent that began them is dead. What clear does step by step ends with its agent.
OUTLIVE = ('map', 'unmap', 'fence')


class Rules:
    """The surroundings. guard: a queue between krbd and SCST holds what Ceph refuses; settles: the wait for the newest
    osdmap waits; exclusive: images are mapped with the option exclusive; verifies: active=1 is read back; frees: a lock of one's own
    without a mapping is given back before the image is mapped."""

    def __init__(self, agents, guard=True, settles=True, exclusive=True, verifies=True, frees=True):
        self.agents = agents
        self.guard = guard
        self.settles = settles
        self.exclusive = exclusive
        self.verifies = verifies
        self.frees = frees
        self.disks = len(agents.disks)
        self.fences = []  # (who, client) of the event that is being worked out

    def start(self, faults):
        """All hosts have power, no agent runs, nothing is mapped."""
        none, count = (False,) * self.disks, len(self.agents.names)
        gateway = Gateway(memory=FRESH, maps=(0,) * self.disks, path=none)
        return World((gateway,) * count, (None,) * self.disks, frozenset(), (frozenset(),) * self.disks, (None,) * count,
                     ((0,) * count,) * count, frozenset(), faults)

    # -- all that can happen

    def events(self, world):
        """(what happened, world after it) for everything that can happen next. Raises Broken."""
        for index, gateway in enumerate(world.gateways):
            if gateway.on:
                if gateway.memory is not None:
                    yield 'step %d' % index, self.step(world, index, 1)
                for place, (action, dummy) in enumerate(gateway.todo):
                    for after in self.act(world, index, place):
                        yield '%s %d %s' % (action.kind, index, action.key), after
            yield from self.repairs(world, index)
            if world.left:
                yield from self.faults(world._replace(left=world.left - 1), index)
        for disk in range(self.disks):
            if world.osd[disk] != world.listed:
                yield 'osd learns', tidy(world._replace(osd=replaced(world.osd, disk, world.listed)))

    def step(self, world, index, elapsed, done=()):
        """The agent exchanges its record for those of the others, when Ceph answers, and decides. What it then does
        without delay, and what does not change anything, is part of the step."""
        gateway = world.gateways[index]
        record = record_of(gateway.memory)
        if not gateway.cut and record is not None:
            world = world._replace(table=replaced(world.table, index, record), news=tuple(
                replaced(row, index, min(row[index] + 1, 2 if _counts(other.memory) else 1))
                for row, other in zip(world.news, world.gateways)))
        memory, actions = self.agents.step(world, index, elapsed, done)
        if not gateway.cut:
            world = world._replace(news=replaced(world.news, index, (0,) * len(world.news)))
        soon = [action for action in actions if action.kind in AT_ONCE and not gateway.cut]
        gateway = gateway._replace(memory=memory, todo=tuple(sorted(gateway.todo + tuple((action, True) for action in actions if action not in soon), key=str)))
        world = ranked(put(world, index, gateway), self.agents.disks)
        if soon:
            outcomes = []
            for action in soon:
                [(outcome, world)] = getattr(self, '_' + action.kind)(world, index, action)
                outcomes.append((action.kind, action.key, outcome))
            world = self.step(world, index, 0, tuple(outcomes))
        return world

    def act(self, world, index, place):
        """An action that was begun takes effect, and the agent hears of it: a world for each way it may end."""
        gateway = world.gateways[index]
        action, heard = gateway.todo[place]
        if gateway.cut and action.kind in CEPH:
            return
        rest = gateway._replace(todo=gateway.todo[:place] + gateway.todo[place + 1:])
        for outcome, after in getattr(self, '_' + action.kind)(put(world, index, rest), index, action):
            if heard and after.gateways[index].memory is not None:
                after = self.step(after, index, 0, ((action.kind, action.key, outcome),))
            yield after

    # -- what actions do

    def _disk(self, action):
        return self.agents.disks.index(action.key)

    def _look(self, world, index, action):
        lock = world.lock[self._disk(action)]
        yield lock and lock[0], world

    def _fence(self, world, index, action):
        """A living host that is fenced counts as one that was frozen for long enough, which is a fault."""
        self.fences.append((index, action.key))
        victim = [gateway for gateway in world.gateways if gateway.on and gateway.client == action.key]
        if action.key in world.listed:
            yield 'ok', world
        elif not victim or world.left:
            yield 'ok', world._replace(listed=world.listed | {action.key}, left=world.left - len(victim))

    def _break(self, world, index, action):
        """What no agent does: 'rbd lock rm'."""
        yield 'ok', world._replace(lock=replaced(world.lock, self._disk(action), None))

    def _map(self, world, index, action):
        disk, gateway = self._disk(action), world.gateways[index]
        if gateway.maps[disk]:
            yield 'ok', world
            return
        if gateway.client and gateway.client in world.osd[disk]:
            yield 'failed', world
            return
        lock = world.lock[disk]
        if lock is not None and lock[0] == gateway.client and self.frees:
            lock = None  # of a mapping that was broken off: the agent gives it back first
        if lock is None or lock[0] in world.listed or not self.exclusive:
            yield 'ok', self._mapped(world, index, disk)
        if lock is not None and self.exclusive:
            if lock[0] not in world.osd[disk]:
                yield 'refused', world  # the holder is still watching
            if lock[0] not in world.listed and not self._watches(world, disk, lock):
                # krbd finds no watcher, blocklists the holder itself and waits for the osdmap
                listed = world.listed | {lock[0]}
                yield 'ok', self._mapped(world._replace(listed=listed), index, disk, listed)

    def _watches(self, world, disk, lock):
        """Only whoever has the image mapped does."""
        return any(gateway.on and gateway.client == lock[0] and gateway.maps[disk] == lock[1] and not gateway.cut for gateway in world.gateways)

    def _next(self, world, disk):
        return 1 + max([lock[1] for lock in (world.lock[disk],) if lock] +
                       [each.maps[disk] for each in world.gateways] + [ghost[2] for ghost in world.ghosts if ghost[0] == disk])

    def _mapped(self, world, index, disk, knows=frozenset()):
        gateway, number = world.gateways[index], self._next(world, disk)
        client = gateway.client or self._address(world, index)
        gateway = gateway._replace(client=client, knows=(gateway.knows if gateway.client else frozenset()) | knows,
                                   maps=replaced(gateway.maps, disk, number))
        return tidy(put(world, index, gateway)._replace(lock=replaced(world.lock, disk, (client, number))))

    def _address(self, world, index):
        """A client address that nothing in the world knows."""
        text = repr((world, [STORE[each] for each in world.table], [STORE[each.memory] for each in world.gateways]))
        number = 1
        while '%s:%d' % (host(index), number) in text:
            number += 1
        return '%s:%d' % (host(index), number)

    def _settle(self, world, index, action):
        gateway = world.gateways[index]
        yield 'ok', put(world, index, gateway._replace(knows=world.listed)) if self.settles else world

    def _raise(self, world, index, action):
        disk, gateway = self._disk(action), world.gateways[index]
        if gateway.maps[disk] or not self.verifies:
            yield 'ok', put(world, index, gateway._replace(path=replaced(gateway.path, disk, True)))
        else:
            yield 'failed', world  # active=1 was not read back: the state was put back

    def _lower(self, world, index, action):
        gateway = world.gateways[index]
        yield 'ok', put(world, index, gateway._replace(path=replaced(gateway.path, self._disk(action), False)))

    def _unmap(self, world, index, action):
        """krbd waits for what is under way and gives the lock back; a device in use is refused."""
        disk, gateway = self._disk(action), world.gateways[index]
        if gateway.path[disk]:
            yield 'failed', world
        else:
            lock = world.lock[disk]
            if lock and lock[0] == gateway.client and gateway.client not in world.osd[disk]:
                lock = None
            yield 'ok', self._unmapped(world._replace(lock=replaced(world.lock, disk, lock)), index, disk)

    def _clear(self, world, index, action):
        """Let the guard's queue fail, make the path passive, unmap by force; the mapping of another client is left alone."""
        disk, gateway = self._disk(action), world.gateways[index]
        if gateway.client != action.arg or not gateway.maps[disk]:
            yield 'ok', world
            return
        if gateway.open and gateway.path[disk]:
            raise Broken('the guard lets go while sessions are open: an application sees an error')
        world = world._replace(ghosts=world.ghosts | {(disk, gateway.client, gateway.maps[disk])})
        gateway = gateway._replace(path=replaced(gateway.path, disk, False))
        yield 'ok', self._unmapped(put(world, index, gateway), index, disk)

    def _unmapped(self, world, index, disk):
        gateway = world.gateways[index]
        maps = replaced(gateway.maps, disk, 0)
        client = gateway.client if any(maps) else ''
        return tidy(put(world, index, gateway._replace(maps=maps, client=client, knows=gateway.knows if client else frozenset())))

    def _open(self, world, index, action):
        yield 'ok', put(world, index, world.gateways[index]._replace(open=True))

    def _close(self, world, index, action):
        yield 'ok', put(world, index, world.gateways[index]._replace(open=False))

    # -- what initiators would notice

    def judge(self, world):
        """Raises Broken when a write or a command at this moment could do harm.

        A mapping may at any time hold a write back, for as long as it likes, even when its host is dead. So as soon as
        a gateway takes writes, no older mapping may be left of which Ceph would accept one after them: the OSD learns
        of the blocklist entries that the writer's osdmap has, but perhaps of no others.
        """
        for disk in range(self.disks):
            mappings = [(gateway.maps[disk], gateway.client) for gateway in world.gateways if gateway.maps[disk]]
            mappings += [(number, client) for where, client, number in world.ghosts if where == disk]
            for index, gateway in enumerate(world.gateways):
                if not (gateway.path[disk] and gateway.open and gateway.sees):
                    continue
                if not gateway.maps[disk]:
                    raise Broken('gateway %d takes commands for a disk that it has not mapped: an application sees an error' % index)
                if gateway.client in world.osd[disk]:
                    if not self.guard and not gateway.cut:
                        raise Broken('gateway %d answers what a blocklisted client gets: an application sees an error' % index)
                    continue
                for number, client in mappings:
                    if number < gateway.maps[disk] and client not in world.osd[disk] | gateway.knows:
                        raise Broken('a write of a former owner (%s) can be accepted after one of gateway %d' % (client, index))

    # -- what breaks, what the operator wants, and what is repaired

    def faults(self, world, index):
        gateway = world.gateways[index]
        if gateway.on:
            ghosts = frozenset((disk, gateway.client, gateway.maps[disk]) for disk in range(self.disks) if gateway.maps[disk])
            yield 'host %d dies' % index, tidy(put(world, index, self._dead())._replace(ghosts=world.ghosts | ghosts))
            if not gateway.cut:
                yield 'host %d is cut from Ceph' % index, put(world, index, gateway._replace(cut=True))
            if gateway.sees:
                yield 'host %d is cut from initiators' % index, put(world, index, gateway._replace(sees=False))
        if gateway.memory is not None:
            yield 'agent %d dies' % index, put(world, index, gateway._replace(memory=None, todo=()))
            for disk in self._halfway(world, gateway):
                lock = (gateway.client or self._address(world, index), self._next(world, disk))
                yield 'agent %d dies, its map %d is broken off' % (index, disk), put(world, index, gateway._replace(
                    memory=None, todo=()))._replace(lock=replaced(world.lock, disk, lock))
            left = tuple((action, False) for action, dummy in gateway.todo if action.kind in OUTLIVE)
            if left:
                yield 'agent %d dies, its commands go on' % index, put(world, index, gateway._replace(memory=None, todo=left))
            yield 'order to %d' % index, put(world, index, gateway._replace(drain=not gateway.drain))
            if not gateway.wants:
                yield 'wish of %d' % index, put(world, index, gateway._replace(wants=True))
            if not gateway.away:
                yield 'restart of agent %d' % index, put(world, index, gateway._replace(away=True))

    def _halfway(self, world, gateway):
        """Disks whose mapping may have got the lock and nothing else."""
        for action, dummy in gateway.todo:
            if action.kind == 'map' and not gateway.cut:
                disk, lock = self._disk(action), world.lock[self._disk(action)]
                if not gateway.maps[disk] and (lock is None or lock[0] in world.listed) and not (gateway.client and gateway.client in world.osd[disk]):
                    yield disk

    def _dead(self):
        none = (False,) * self.disks
        return Gateway(on=False, maps=(0,) * self.disks, path=none)

    def repairs(self, world, index):
        gateway = world.gateways[index]
        if not gateway.on:
            yield 'host %d boots' % index, put(world, index, gateway._replace(on=True, memory=FRESH))
            return
        if gateway.memory is None:
            yield 'agent %d starts' % index, put(world, index, gateway._replace(memory=FRESH, away=False))
        elif gateway.away and not gateway.todo and world.table[index] is not None and STORE[world.table[index]]['away']:
            yield 'agent %d stops' % index, put(world, index, gateway._replace(memory=None))
        if gateway.wants and all(gateway.maps):
            yield 'wish of %d fulfilled' % index, put(world, index, gateway._replace(wants=False))
        if gateway.cut:
            yield 'host %d has Ceph again' % index, put(world, index, gateway._replace(cut=False))
        if not gateway.sees:
            yield 'host %d has initiators again' % index, put(world, index, gateway._replace(sees=True))


def put(world, index, gateway):
    return world._replace(gateways=replaced(world.gateways, index, gateway))


@lru_cache(None)
def record_of(memory):
    """The number of the record that an agent writes next."""
    record = STORE[memory]['record']
    return record and STORE.keep(record)


@lru_cache(None)
def _counts(memory):
    """Whether an agent waits for more than one beat of another."""
    return memory is not None and any(taking['stage'] == 'check' for taking in STORE[memory]['taking'].values())


def tidy(world):
    """Forget mappings that can do nothing any more, blocklist entries of nobody, and count takings from 1."""
    ghosts = frozenset(ghost for ghost in world.ghosts if ghost[1] not in world.osd[ghost[0]])
    alive = {gateway.client for gateway in world.gateways} | {ghost[1] for ghost in ghosts} | {lock[0] for lock in world.lock if lock}
    listed = world.listed & alive
    world = world._replace(listed=listed, ghosts=ghosts, osd=tuple(known & listed for known in world.osd), gateways=tuple(
        gateway._replace(knows=gateway.knows & listed) for gateway in world.gateways))
    for disk in range(len(world.lock)):
        world = numbered(world, disk)
    return world


def numbered(world, disk):
    lock = world.lock[disk]
    used = sorted({gateway.maps[disk] for gateway in world.gateways} | {ghost[2] for ghost in world.ghosts if ghost[0] == disk} |
                  {lock[1] if lock else 0, 0})
    if used == list(range(len(used))):
        return world
    new = {number: place for place, number in enumerate(used)}
    return world._replace(
        gateways=tuple(gateway._replace(maps=replaced(gateway.maps, disk, new[gateway.maps[disk]])) for gateway in world.gateways),
        lock=replaced(world.lock, disk, lock and (lock[0], new[lock[1]])),
        ghosts=frozenset((d, client, new[number] if d == disk else number) for d, client, number in world.ghosts))


@lru_cache(None)
def _generations(number, disk):
    found = STORE[number]
    if 'claims' not in found:
        return frozenset([found['luns'].get(disk, 0)])
    return frozenset([found['claims'].get(disk, 0), (found['record'] or {'luns': {}})['luns'].get(disk, 0)])


@lru_cache(None)
def _renumbered(number, disk, new):
    def changed(claims):
        return dict(claims, **{disk: dict(new)[claims[disk]]}) if disk in claims else claims

    found = STORE[number]
    if 'luns' in found:
        return STORE.keep(dict(found, luns=changed(found['luns'])))
    record = found['record'] and dict(found['record'], luns=changed(found['record']['luns']))
    return STORE.keep(dict(found, claims=changed(found['claims']), record=record))


def ranked(world, disks):
    """Generations count from 1: only their order matters."""
    kept = [each for each in [gateway.memory for gateway in world.gateways] + list(world.table) if each is not None]
    for disk in disks:
        used = frozenset([0]).union(*[_generations(each, disk) for each in kept])
        if max(used) >= len(used):
            new = tuple((number, place) for place, number in enumerate(sorted(used)))
            world = world._replace(
                table=tuple(None if record is None else _renumbered(record, disk, new) for record in world.table),
                gateways=tuple(gateway if gateway.memory is None else gateway._replace(memory=_renumbered(gateway.memory, disk, new))
                               for gateway in world.gateways))
    return world
