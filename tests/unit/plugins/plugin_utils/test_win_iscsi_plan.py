# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What win_iscsi_session is asked for, before any host is."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_iscsi_plan import Desired

TARGETS = [dict(name="iqn.2026-11.com.example:gw1", portals=["10.0.0.1"])]


@pytest.mark.parametrize("prefix", ["", "iqn", "iqn.", "iqn.2026-11", "eui"])
def test_a_prefix_that_covers_others_targets_is_refused(prefix):
    with pytest.raises(Refused, match='exclusive: "%s" does not say whose' % prefix):
        Desired(TARGETS, exclusive=[prefix])


@pytest.mark.parametrize("prefix", ["iqn.2026-11.com.example", "iqn.2026-11.com.example:", "eui.02004567a425678d"])
def test_one_that_says_whose_they_are_is_taken(prefix):
    assert Desired(TARGETS, exclusive=[prefix]).exclusive == [prefix]
