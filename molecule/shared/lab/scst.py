# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for SCST on the gateways: the emulator by default, real modules when SCST_SOURCE is set."""
from __future__ import annotations

from progress import LabError


def fingerprint(source):
    raise LabError("image", "reading SCST_SOURCE", "not wired yet")


def build(source, root, release, log):
    raise LabError("image", "building SCST", "not wired yet")


def provide(progress, host):
    """Have SCST's interface up on a gateway."""
