# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Windows a host is: what differs between versions. Numbers in brackets, here and in the other files, are those of README.md."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Personality:
    name: str
    current_version: str        # registry value CurrentVersion [1]
    iscsicli: str               # version in the banner of iscsicli [4]
    powershell: int             # major version; Ansible's commands need 2 [0]
    feature_tool: str           # servermanagercmd, ocsetup, dism or cmdlets [1]
    mpclaim_full: bool          # -s -l -e -h are new in 2008 R2 [3]
    wmic: bool = True           # not installed on Server 2025 [6]
    major: int = 0              # registry value CurrentMajorVersionNumber, since Windows 10 [1]


PERSONALITIES = {one.name: one for one in (
    Personality('2008', '6.0', '6.0 Build 6000', 2, 'servermanagercmd', False),
    Personality('2008-core', '6.0', '6.0 Build 6000', 2, 'ocsetup', False),
    Personality('2008-powershell1', '6.0', '6.0 Build 6000', 1, 'servermanagercmd', False),
    Personality('2008r2', '6.1', '6.1 Build 7601', 2, 'dism', True),
    Personality('2019', '6.3', '10.0 Build 17763', 5, 'cmdlets', True, major=10),
    Personality('2025', '6.3', '10.0 Build 26100', 5, 'cmdlets', True, wmic=False, major=10),
)}
