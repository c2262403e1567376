# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs a host has."""
from . import disks, features, iscsicli, mpclaim, registry, services


def find(host, name):
    """The program of this name: callable(host, arguments, stdin) -> (rc, stdout); None when the host has none."""
    found = dict(reg=registry.reg, sc=services.sc, shutdown=services.shutdown, iscsicli=iscsicli.iscsicli, diskpart=disks.diskpart)
    if host.personality.wmic:
        found['wmic'] = disks.wmic
    if host.personality.feature_tool == 'servermanagercmd':
        found['servermanagercmd'] = features.servermanagercmd
    # [1] ServerManagerCmd is not on Server Core.
    if host.personality.feature_tool == 'ocsetup':
        found['cmd'] = features.cmd_start_ocsetup
    if host.personality.feature_tool in ('dism', 'cmdlets'):
        found['dism'] = features.dism
    if host.feature == 'installed' or host.feature == 'pending' and not host.mpclaim_late:
        found['mpclaim'] = mpclaim.mpclaim
    return found.get(name)
