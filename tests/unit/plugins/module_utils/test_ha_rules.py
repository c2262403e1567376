# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway needs for ha_mode fenced, and which limits go together."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_rules import lacks, limits_problems
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS

SCST = ('active', 'bind_alua_state', 'filename')


@pytest.mark.parametrize('kernel', ['4.12.0', '6.1.0-56-amd64', '10.0'])
def test_a_host_that_has_all(kernel):
    assert lacks('gw1', kernel, SCST) == []


@pytest.mark.parametrize('kernel', ['4.11.9', '3.10.0-1160.el7.x86_64', '2.6.32', 'unknown'])
def test_a_kernel_without_exclusive_mappings_is_named(kernel):
    [problem] = lacks('gw1', kernel, SCST)
    assert 'gw1' in problem and kernel in problem and 'shared' in problem


def test_an_scst_that_cannot_close_devices_is_named():
    [problem] = lacks('gw1', '6.1.0', ('filename',))
    assert 'active' in problem and 'bind_alua_state' in problem and 'shared' in problem


def test_the_default_limits_go_together():
    assert limits_problems(LIMITS, 0.5) == []


@pytest.mark.parametrize('name, value', [('gap', 0.5), ('dead', 2), ('boot', 1), ('away', 1), ('close', 1), ('turn', 0), ('claim', 4)])
def test_limits_that_contradict_each_other_are_named(name, value):
    [problem] = limits_problems(LIMITS._replace(**{name: value}), 0.5)
    assert problem.startswith('%s is %s seconds' % (name, value))
