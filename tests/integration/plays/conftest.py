# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks on gateways that are namespaces of this machine. They need root and /dev/fuse, and fail without."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from plays_site import Site  # noqa: E402


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Two gateways that serve the site."""
    site = Site(tmp_path_factory.mktemp('site'))
    try:
        run = site.play('site')
        assert run.code == 0, run.error
        yield site
    finally:
        for gateway in site.gateways.values():
            gateway.end()
