# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When records are exchanged, and when only those of the others are read.

Initiators wait for the records of both sides of a planned move, and so does every exchange for a processor: what polls while it has nothing to learn
takes the time that mapping and opening need (measured, emulated: an exchange every 0.1 s on both gateways is half a processor on each, and most of that of
the OSD). So who waits for another gateway's record reads often, who is at work himself seldom, and what others wait for is written at once.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

BEAT = 0.5      # seconds from the beginning of an exchange to that of the next; and from that of one in which mine was written
SOON = 0.1      # the same while another gateway is about to give me disks
LATER = 0.25    # the same in a planned move while I am at work myself, or while others are at what I gave away
# Of a record, what others wait for in planned moves.
NEWS = ('luns', 'serves')


def news(table, before):
    """Whether any record says something else than before, and not only that its gateway lives."""
    return before is None or set(table) != set(before) or any(_differs(record, before[name]) for name, record in table.items())


def _differs(record, before):
    return dict(record, n=0) != dict(before, n=0)


class Pace(object):
    """Of agent C(me)."""

    def __init__(self, me):
        self.me = me
        self.landed = None   # my record that Ceph has
        self.failed = False  # whether the last exchange did
        self.cost = 0        # seconds that it took
        self._wrote = None   # when one began in which my record was written

    def ended(self, record, succeeded, cost):
        """An exchange has; record: that was written, or None."""
        self.failed, self.cost = not succeeded, cost
        if succeeded and record is not None:
            self.landed = record

    def to_write(self, record, now):
        """The record if it has to be written: it says something new, or shows that I live."""
        old = record is not None and self.landed and not _differs(record, self.landed)
        if old and not self.failed and self._wrote is not None and now < self._wrote + BEAT:
            return None
        self._wrote = now
        return record

    def seconds(self, record, table, moving, crowded):
        """From the beginning of an exchange to that of the next. moving: whether a path here waits for another gateway to serve; crowded: whether so much
        is under way that exchanges are to be few: at least half of the time passes without any."""
        if record is None or self.landed is None or not self._planned(record, table):
            return BEAT
        news = not self.failed and any(self.landed[part] != record[part] for part in NEWS)
        if news and not crowded:
            return 0
        least = SOON if news or self._waits(record, table) else LATER if moving or self._at_work(record) else BEAT
        return min(BEAT, max(least, self.cost * (2 if crowded else 1)))

    def until_written(self, beaten):
        """Seconds from the beginning of the last exchange until mine has to be written, whatever it says: others see by it that I live."""
        return BEAT if self._wrote is None or beaten is None else max(0, self._wrote + BEAT - beaten)

    def _planned(self, record, table):
        """Whether a planned move is under way. What is taken from the dead nobody waits to read of."""
        return bool(set(self.landed['luns']) - set(record['luns'])) or any(
            each.get('hurry') or each['drain'] and each['luns'] or each['wants'] or each.get('moving') for each in table.values())

    def _at_work(self, record):
        """Whether I am taking disks, or giving them away."""
        return bool(set(record['luns']) - set(record['serves']))

    def _waits(self, record, table):
        """Whether there is nothing to do before another gateway has written something."""
        return not self._at_work(record) and (bool(record['wants']) or any(
            each.get('hurry') or each['drain'] and each['luns'] or each.get('moving') for name, each in table.items() if name != self.me))
