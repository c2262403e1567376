# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of SCST's management interface in sysfs. See ../README.md."""
from .environment import Fake, Real
from .face import Emulator
from .session import login

__all__ = ['Emulator', 'Fake', 'Real', 'login']
