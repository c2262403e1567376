# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]


@pytest.fixture
def gateways():
    """Two gateways with two portals each, on loopback."""
    from winhost import site
    found = [site.gateway('gw1'), site.gateway('gw2')]
    yield found
    for one in found:
        one.stop()
