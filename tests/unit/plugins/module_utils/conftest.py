# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the tests here import gateway_world and ha_world, and what tests of agents start from: two gateways, and a disk of the first."""
import pathlib
import sys

import pytest

if str(pathlib.Path(__file__).parent) not in sys.path:
    sys.path.insert(0, str(pathlib.Path(__file__).parent))


@pytest.fixture
def world():
    from ha_world import World  # which is found now
    return World().start()


@pytest.fixture
def device(world):
    assert world.owners(world.devices[0]) == ['gw1']
    return world.devices[0]
