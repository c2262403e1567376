# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No order of crashes, cuts, freezes and orders leads to a lost or stale write, an error, or a disk without a gateway."""
import time

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide

from agents import HASTY, Agents
from calm import Calm
from contract import Keeping
from explore import explore, walk
from world import Rules

# (gateways, disks, faults, from: boot or a disk that is served, states after which quick stops or None)
QUICK = [
    (2, 1, 0, 'boot', 20000),
    (2, 1, 1, 'served', 25000),
    (3, 1, 1, 'served', 20000),
    (2, 2, 1, 'served', 12000),
]
FULL = [(2, 1, 1, 'boot', None), (2, 1, 2, 'served', None), (3, 1, 1, 'served', None), (2, 2, 1, 'served', None)]


def pytest_generate_tests(metafunc):
    if 'bounds' in metafunc.fixturenames:
        metafunc.parametrize('bounds', QUICK if metafunc.config.getoption('--model') == 'quick' else FULL,
                             ids=lambda b: '%d gateways, %d disks, %d faults, from %s' % b[:4])


def test_every_state_is_safe_and_leads_back_to_service(bounds, capsys):
    gateways, disks, faults, start, limit = bounds
    keeping = Keeping(ha_decide.decide)
    rules = Rules(Agents(gateways, disks, decide=keeping))
    calm = Calm(rules)
    began = time.monotonic()
    result = explore(rules, faults, limit=limit, further=calm, start=calm.served(faults) if start == 'served' else None)
    with capsys.disabled():
        print('\nmodel: %d gateways, %d disks, %d faults, from %s: %d states, %d events, %s, %.0f s; served again within %d rounds' % (
            gateways, disks, faults, start, result.states, result.events,
            'complete' if result.complete else 'stopped at the limit', time.monotonic() - began, calm.worst()))
    assert result.complete or limit
    assert result.states > 100 and calm.worst() > 0
    assert keeping.kinds >= {'look', 'map', 'settle', 'raise', 'open'}


@pytest.mark.parametrize('gateways, disks, takes', [(2, 1, 2), (3, 1, 2), (3, 2, 2), (2, 2, 1)])
def test_long_ways_by_chance_with_many_faults(gateways, disks, takes, request, capsys):
    """Far beyond what can be explored to the end. takes: disks that one gateway takes over at a time"""
    quick = request.config.getoption('--model') == 'quick'
    keeping = Keeping(ha_decide.decide)
    rules = Rules(Agents(gateways, disks, decide=keeping, limits=HASTY._replace(takes=takes)))
    calm = Calm(rules)
    begin, states = calm.served(12), set()
    for seed in range(30 if quick else 3000):
        states.update(walk(rules, begin, 150, seed, further=calm))
    with capsys.disabled():
        print('\nmodel: %d gateways, %d disks, 12 faults, by chance: %d states' % (gateways, disks, len(states)))
    assert len(states) > 1000 and keeping.kinds >= {'fence', 'lower', 'unmap', 'close', 'clear'}
