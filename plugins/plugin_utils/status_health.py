# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the status report: how an object does, why, and what to do."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re


HEALTHY, DEGRADED, BROKEN, UNKNOWN = 'healthy', 'degraded', 'broken', 'unknown'
# Worst first. What nobody was asked about is neither good nor bad, but worth a look.
ORDER = (BROKEN, DEGRADED, UNKNOWN, HEALTHY)


def worst(healths):
    """The worst of some; healthy when there are none."""
    return min(list(healths) or [HEALTHY], key=ORDER.index)


def finding(health, what, reason, remedy, cause=None):
    """One thing that is not as it should be.

    what:   a word for its kind; findings of one kind on many objects are told once
    cause:  name of a gateway whose own trouble explains it, or None
    """
    return dict(health=health, what=what, reason=reason.rstrip('.'), remedy=remedy.rstrip('.'), cause=cause)


def count(number, one, many=None):
    return '%d %s' % (number, one if number == 1 else many or one + 's')


def some(names, most=3):
    """Names as a text: the first ones and how many more."""
    names = list(names)
    if len(names) <= most:
        return ', '.join(names)
    return '%s and %d more' % (', '.join(names[:most]), len(names) - most)


def own(record):
    """Whether an object has a trouble of its own, not just one that a broken gateway explains."""
    return any(entry['cause'] is None for entry in record['findings'])


def rank(record):
    """A key that sorts the worst first, and among the equally bad those with a trouble of their own."""
    return ORDER.index(record['health']), not own(record)


def natural(name):
    """A key that sorts gw2 before gw10."""
    return [(0, int(part), '') if part.isdigit() else (1, 0, part) for part in re.split(r'(\d+)', name)]


def why(result):
    """What a module's failure says, in one line."""
    text = ' '.join(str(result.get('msg') or 'no reason given').split())
    # What ssh says comes with a name of its own.
    return text.replace('Failed to connect to the host via ssh: ssh: ', 'ssh: ', 1)
