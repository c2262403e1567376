# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests that run the site playbook on the VM lab and look at what became of it.

They need the lab up (make lab-up) and say so when it is not: they are run by name (make lab-test),
never by accident.
"""
import pathlib
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from labsite import STATE, TOP, play_site  # noqa: E402
from runbooks import Inventory  # noqa: E402

sys.path[:0] = [str(TOP / "tests/emulator"), str(TOP / "build/collections")]


@pytest.fixture(scope="session")
def site():
    if not (STATE / "ssh_config").exists():
        pytest.fail("the lab is not up: make lab")
    return play_site


@pytest.fixture(scope="session")
def declared():
    """The lab's declaration, to change and hand back as extra variables."""
    return yaml.safe_load((TOP / "inventories/lab/group_vars/all.yml").read_text())


@pytest.fixture(scope="session")
def inventory(site):
    """The lab's inventory in a copy that operations change."""
    return Inventory()


@pytest.fixture(scope="session")
def browser():
    sys.path.insert(0, str(TOP / "tests/page"))
    from browser import Browser  # only what looks at the page needs one
    (TOP / "build/page").mkdir(parents=True, exist_ok=True)
    one = Browser()
    yield one
    one.close()


@pytest.fixture
def idempotent(inventory):
    """What a runbook leaves is what the inventory says: the site has nothing left to do."""
    yield
    inventory.idle("site")
