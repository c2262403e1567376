# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway must have for C(ha_mode: fenced), and limits that go together."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

MODES = ('shared', 'fenced')
# What a path reports while another gateway has the disk. Which of them an initiator bears: docs/takeover.md.
PASSIVE_STATES = ('standby', 'nonoptimized', 'unavailable')
EXCLUSIVE_SINCE = (4, 12)
OFFER = 'Set ha_mode to shared, and read there what it risks.'


def lacks(gateway, kernel, attributes):
    """Why this host cannot take part, as texts; empty when it can.

    kernel: its release, as uname prints it; attributes: names that an SCST device of vdisk_blockio takes or has.
    """
    problems = []
    found = re.match(r'(\d+)\.(\d+)', kernel)
    if not found or (int(found.group(1)), int(found.group(2))) < EXCLUSIVE_SINCE:
        problems.append('gateway %s: its kernel is %s; ha_mode fenced maps images with the option exclusive, which came with %d.%d. '
                        'Install a newer kernel. %s' % ((gateway, kernel) + EXCLUSIVE_SINCE + (OFFER,)))
    missing = [name for name in ('active', 'bind_alua_state') if name not in attributes]
    if missing:
        problems.append('gateway %s: the devices of its SCST have no %s; ha_mode fenced closes the device of a disk that another gateway '
                        'has, which needs them. Install SCST 3.3 or later. %s' % (gateway, ' and no '.join(missing), OFFER))
    return problems


def limits_problems(limits, exchange):
    """What is wrong with limits, as texts. exchange: seconds from the beginning of one exchange to the next.

    No limit bears on safety; these that do not go together leave disks unserved, or let them go round.
    """
    rules = (
        ('gap', limits.gap, 'two exchanges', 2 * exchange),
        ('dead', limits.dead, 'twice gap', 2 * limits.gap),
        ('boot', limits.boot, 'dead', limits.dead),
        ('away', limits.away, 'dead', limits.dead),
        ('close', limits.close, 'suspend', limits.suspend),
        ('turn', limits.turn, 'two exchanges', 2 * exchange),
        ('claim', limits.claim, 'dead and four exchanges', limits.dead + 4 * exchange),
    )
    return ['%s is %s seconds; it must be at least %s, %s seconds. Raise it.' % (name, value, what, least)
            for name, value, what, least in rules if value < least]
