# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents of the model: the real core, called with what a gateway of the model sees."""
from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import Limits, Site, new_memory

from state import STORE

# A second of the model is one step of an agent. With the smallest limits everything that takes time can happen at any
# time: a gateway is thought dead as soon as another agent was a step quicker.
HASTY = Limits(dead=2, boot=3, away=3, gap=1, suspend=1, close=1, turn=2, blind=1, claim=4, unfit=1, moves=1, takes=2, patient=0, load=9)
FRESH = STORE.keep(new_memory())


def host(index):
    return 'h%d' % index


class Agents:
    """decide: the core's, or one with a seeded bug."""

    def __init__(self, gateways, disks, decide=ha_decide.decide, limits=HASTY):
        self.names = ['g%d' % index for index in range(gateways)]
        self.disks = ['d%d' % index for index in range(disks)]
        turned = {disk: self.names[index % gateways:] + self.names[:index % gateways] for index, disk in enumerate(self.disks)}
        self.sites = [Site(name, host(index), tuple(self.names), turned, limits) for index, name in enumerate(self.names)]
        self.decide = decide
        self.known = {}

    def step(self, world, index, elapsed, done=()):
        """(memory, actions) after one step of gateway C(index)."""
        gateway = world.gateways[index]
        connected = not gateway.cut
        key = (index, elapsed, done, gateway, (world.table, world.news[index]) if connected else None,
               tuple(known and gateway.client in known for known in world.osd))
        if key not in self.known:
            self.known[key] = self._step(world, index, elapsed, done)
        return self.known[key]

    def _step(self, world, index, elapsed, done):
        gateway = world.gateways[index]
        table = None
        if not gateway.cut:
            table = {}
            for other, (name, record) in enumerate(zip(self.names, world.table)):
                if record is not None:
                    table[name] = dict(STORE[record], n=0 if other == index else world.news[index][other])
        luns = {}
        for number, disk in enumerate(self.disks):
            client = gateway.client if gateway.maps[number] else None
            health = None
            if client:
                health = 'silent' if gateway.cut else 'fenced' if client in world.osd[number] else 'good'
            luns[disk] = dict(client=client, health=health, path='active' if gateway.path[number] else 'passive',
                              sessions=gateway.sees and gateway.open)
        view = dict(table=table, fresh=table is not None, wrote=table is not None, luns=luns, open=gateway.open, done=list(done),
                    orders=dict(drain=gateway.drain, away=gateway.away, wants=self.disks if gateway.wants else []))
        memory, actions = self.decide(self.sites[index], STORE[gateway.memory], view, elapsed)
        return STORE.keep(self._relative(memory)), tuple(actions)

    def _relative(self, memory):
        """Beats count from the last look of each agent; only differences matter."""
        numbers = {name: known['n'] for name, known in memory['peers'].items()}
        own = memory['n']
        for taking in memory['taking'].values():
            if taking['stage'] == 'check':
                taking['since'] = max(taking['since'] - numbers.get(taking['owner'], own), -3)
        memory['peers'] = {name: dict(known, n=None if known['n'] is None else 0) for name, known in memory['peers'].items()}
        if own is not None:
            memory['n'] = 0
        if memory['record']:
            memory['record']['n'] = 0
        return memory
