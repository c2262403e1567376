# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The explorer can fail: each seeded bug is found, and what it says names the harm."""
import pytest

from bugs import SEEDED
from calm import Calm
from explore import Found, explore

STATES = 60000


@pytest.mark.parametrize('name', SEEDED)
def test_a_seeded_bug_is_found(name):
    harm, make, served = SEEDED[name]
    with make() as rules, pytest.raises(Found) as found:
        calm = Calm(rules)
        explore(rules, 1, limit=STATES, start=calm.served(1) if served else None, further=calm if 'ever' in harm else None)
    assert harm in found.value.reason and found.value.trail
