# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long ways of whole agents, by chance: after each step nothing must be that `judge` finds, and repaired, everything is served."""
import random

import pytest
from ha_world import HOSTS, World

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_loop

EVENTS = 30


class Walk:
    def __init__(self, seed, gateways=3, disks=3):
        self.chance = random.Random(seed)
        self.world = World(gateways, disks).start()
        self.told = []

    def event(self):
        node = self.chance.choice(list(self.world.nodes.values()))
        what = self.chance.choice(['power', 'freeze', 'cut', 'agent', 'restart', 'sight', 'drain', 'wants', 'daemon', 'fence'])
        self.told.append((what, node.name))
        if node.off:
            node.boot()
            node.start()
        elif node.frozen:
            node.frozen = False
        elif what == 'power':
            node.power_cut()
        elif what == 'freeze':
            node.frozen = True
        elif what == 'cut':
            (node.connected.clear if node.connected.is_set() else node.connected.set)()
        elif not node.agent:
            node.start()
        elif what == 'agent':
            node.kill_agent()
        elif what == 'restart' and not node.agent.leaving:
            node.agent.leave('away')
        elif what == 'sight':
            node.sees = set(self.chance.sample(sorted(HOSTS), self.chance.randrange(len(HOSTS) + 1)))
        elif what == 'drain':
            node.orders['drain'] = not node.orders['drain']
        elif what == 'wants':
            node.orders['wants'] = self.chance.sample(self.world.devices, 1)
        elif what == 'daemon':
            node.scst.core.stop_daemon()
            node.sessions = {}
            node.scst.core.start_daemon()
            node.gateway().export()
        elif what == 'fence' and node.client:
            self.world.ceph.fence('somebody', node.client)

    def repair(self):
        for node in self.world.nodes.values():
            node.frozen = False
            node.connected.set()
            node.orders.update(drain=False, wants=[])
            node.sees = set(HOSTS)
            if node.off:
                node.boot()
            if not node.agent or node.agent.leaving:
                node.kill_agent()
                node.start()


@pytest.mark.parametrize('seed, look', [(seed, (0.25, 1.0)[seed % 2]) for seed in range(8)])
def test_a_long_way(seed, look, monkeypatch):
    """look: seconds between looks at all disks of a gateway, of which there are fewer with many disks."""
    monkeypatch.setattr(ha_loop, 'LOOK', look)
    walk = Walk(seed)
    try:
        for dummy in range(EVENTS):
            walk.event()
            walk.world.run(walk.chance.choice([0.5, 1, 3, 6]))
        walk.repair()
        walk.world.run(150, until=walk.world.all_served)
        walk.world.run(5)
        assert walk.world.all_served()
    except AssertionError as error:
        raise AssertionError('seed %d: %s\n%s' % (seed, walk.told, error))


def test_forty_disks_are_back_together():
    world = World(2, 40).start()
    world.gw1.power_cut()
    began, first = world.time, []

    def back():
        served = sum(len(world.owners(device)) == 1 for device in world.devices)
        if served > 20 and not first:
            first.append(world.time - began)
        return served == 40
    seconds = world.run(20, until=back)
    assert seconds <= 2 * first[0] and len(world.ceph.fences) == 1
