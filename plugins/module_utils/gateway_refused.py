# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway of ha_mode shared that Ceph has refused: noticed by reading what is mapped, as in ha_mode fenced.

Who takes the lock of a client that was silent for too long has it blocklisted, a gateway that hung, for example. Such a gateway answers
initiators as before, even says that its disks are there, and every read with a medium error, which multipath hands to the application.
So it leaves: sessions cut, mappings away by force; then it comes back with a new client of Ceph, as after a boot. There is no guard
here that holds back what comes in before (docs/takeover.md).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import threading

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_loop import Threads
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_watch import Watch, Watchdog, read_disk

FOLLOW = 2.0  # seconds between two looks at what is mapped
AGAIN = 2.0   # seconds for which the answer counts that Ceph does not refuse a client: an image with a broken object would have it asked at each read
ASK = 4.0     # seconds that Ceph may take to say whether it refuses a client; it is asked again for as long as it does not


class Sentry(object):
    """Reads what is mapped.

    mapped: () -> the mappings, as rbd.mapped(); listed: (client) -> whether Ceph refuses it; say: called with a line for the journal
    """

    def __init__(self, mapped, listed, say, read=read_disk, clock=clock):
        def make(path, client):
            return Watch(path, client, self._listed, say, read=read, clock=clock, certain=ASK)

        self.wake = threading.Event()  # set when something was found; for whoever waits between two looks
        self._mapped = mapped
        self._ask = listed
        self._good = {}  # {client: when Ceph last said that it does not refuse it}
        self._clock = clock
        self._watchdog = Watchdog(Threads(), make, clock=clock)
        self._watchdog.news = self.wake.set
        self._followed = {}
        self._due = None

    def look(self, images):
        """{image: why} of those among C(images) whose client Ceph refuses. To be called twice a second.

        One mapping's answer is enough for all of its client: other OSDs may not know yet.
        """
        self.wake.clear()
        now = self._clock()
        if self._due is None or now >= self._due:
            self._due = now + FOLLOW
            # A kernel before 4.11 does not tell its client's address, without which Ceph cannot be asked.
            self._followed = dict((image, ('/dev/rbd%d' % entry['number'], entry['client'])) for image, entry in self._mapped().items()
                                  if image in images and entry.get('client'))
            self._watchdog.follow(self._followed)
        self._watchdog.tend()
        refused = set(client for image, (dummy, client) in self._followed.items() if self._watchdog.health(image) == 'fenced')
        return dict((image, 'Ceph refuses client %s' % client) for image, (dummy, client) in self._followed.items() if client in refused)

    def _listed(self, client):
        said = self._good.get(client)
        if said is not None and self._clock() < said + AGAIN:
            return False
        found = self._ask(client)
        if not found:
            self._good = {client: self._clock()}
        return found

    def over(self):
        """What is mapped is another one now."""
        self._due = None
