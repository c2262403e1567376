# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever agents do by the rules of contract.py, in whatever order, no two gateways serve writes of one disk. Explored to the end."""
import time

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_decide

from agents import Agents
from bugs import CHANGES, changed
from calm import Calm
from contract import Contract, Keeping
from explore import Found, explore
from world import Rules

# (gateways, disks, ghosts)
QUICK = [(2, 1, 4), (3, 1, 1)]
FULL = QUICK + [(3, 1, 2), (2, 2, 1)]  # how many states those have is not known


def pytest_generate_tests(metafunc):
    if 'size' in metafunc.fixturenames:
        metafunc.parametrize('size', QUICK if metafunc.config.getoption('--model') == 'quick' else FULL,
                             ids=lambda size: '%d gateways, %d disks, %d mappings gone' % size)


def test_no_two_gateways_serve_writes_of_one_disk_in_any_state(size, capsys):
    gateways, disks, ghosts = size
    began = time.monotonic()
    result = explore(Contract(gateways, disks, ghosts), 0)
    with capsys.disabled():
        print('\nmodel: by the rules alone, any number of faults, %d gateways, %d disks, %d mappings gone: %d states, %d events, complete, %.0f s' % (
            gateways, disks, ghosts, result.states, result.events, time.monotonic() - began))
    assert result.complete and result.states > 1000


FORMER, ERROR = 'former owner', 'application sees an error'


@pytest.mark.parametrize('rule, harm', [('names', FORMER), ('settles', FORMER), ('exclusive', FORMER), ('guard', ERROR), ('leaves', ERROR)])
def test_each_rule_is_needed(rule, harm):
    with pytest.raises(Found) as found:
        explore(Contract(2, 1, **{rule: False}), 0)
    assert harm in found.value.reason and found.value.trail


@pytest.mark.parametrize('kind', CHANGES)
def test_a_core_that_breaks_a_rule_is_found(kind):
    """Where the core does the one thing, these do another."""
    rules = Rules(Agents(2, 1, decide=Keeping(changed(CHANGES[kind]))))
    with pytest.raises(Found) as found:
        explore(rules, 1, limit=60000, start=Calm(Rules(Agents(2, 1, decide=Keeping(ha_decide.decide)))).served(1))
    assert 'what is not allowed is begun' in found.value.reason and kind in found.value.reason
