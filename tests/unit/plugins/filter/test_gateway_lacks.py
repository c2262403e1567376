# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that cannot be fenced is told so, with the other mode on offer."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'emulator'))

from scst_emulator.environment import Fake  # noqa: E402
from scst_emulator.face import Emulator  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_lacks import gateway_lacks  # noqa: E402


def blockio(release):
    return Emulator(release, Fake()).read('handlers/vdisk_blockio/mgmt')


def test_nothing_is_missing_on_3_10():
    assert gateway_lacks('gw1', '6.1.0-56-amd64', blockio('3.10'), 'systemd', 'F') == []


@pytest.mark.parametrize('kernel, release, init, fsid, words', [
    ('6.1.0', '3.0.1', 'systemd', 'F', 'no active and no bind_alua_state'),
    ('3.13.0-24-generic', '3.10', 'systemd', 'F', 'kernel is 3.13.0-24-generic'),
    ('6.1.0', '3.10', 'upstart', 'F', 'init system is upstart'),
    ('6.1.0', '3.10', 'systemd', '', 'cephgate_ceph_fsid')])
def test_what_is_missing_is_named(kernel, release, init, fsid, words):
    problems = gateway_lacks('gw1', kernel, blockio(release), init, fsid)
    assert len(problems) == 1 and words in problems[0]
    assert 'Set ha_mode to shared' in problems[0] or fsid == ''
