# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway of ha_mode shared that Ceph has refused: noticed by reading what is mapped, as in ha_mode fenced.

Who takes the lock of a client that was silent for too long has it blocklisted, a gateway that hung, for example. Such a gateway answers
initiators as before, even says that its disks are there, and every read with a medium error, which multipath hands to the application.
So it leaves: sessions cut, mappings away by force; then it comes back with a new client of Ceph, as after a boot. There is no guard
here that holds back what comes in before (docs/takeover.md).

With some features krbd wants the exclusive lock for a read, too (S: need_exclusive_lock). Two gateways that both read would pull it to and fro, several
times a second, from under the one that initiators write through, and who does not let go of it in time is blocklisted. Such mappings are not read.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import threading

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_loop import Threads
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_watch import Watch, Watchdog, read_disk

FOLLOW = 2.0  # seconds between two looks at what is mapped, and between two questions whether Ceph refuses a client of which nothing can be read
ASK = 4.0     # seconds that Ceph may take to say whether it refuses a client; it is asked again for as long as it does not
OBJECT_MAP = 1 << 3  # of an image's features


def takes_lock(entry, sysfs='/sys/bus/rbd/devices'):
    """Whether krbd wants the exclusive lock for a read of this mapping; when that cannot be known, yes."""
    base = os.path.join(sysfs, str(entry['number']))
    try:
        with open(os.path.join(base, 'features')) as handle:
            if int(handle.read(), 16) & OBJECT_MAP:
                return True
        with open(os.path.join(base, 'config_info')) as handle:
            words = handle.read().split()
    except EnvironmentError as error:
        # A kernel without config_info (before 4.9) knows no lock_on_read either.
        return error.errno != errno.ENOENT or not os.path.exists(os.path.join(base, 'features'))
    return 'lock_on_read' in words[1].split(',') if len(words) > 1 else False


class Sentry(object):
    """Reads what is mapped.

    mapped: () -> the mappings, as rbd.mapped(); listed: (client) -> whether Ceph refuses it; say: called with a line for the journal
    takes_lock: (mapping) -> whether it must not be read
    """

    def __init__(self, mapped, listed, say, read=read_disk, clock=clock, takes_lock=takes_lock):
        def make(path, client):
            return Watch(path, client, listed, say, read=read, clock=clock, certain=ASK)

        self.wake = threading.Event()  # set when something was found; for whoever waits between two looks
        self._mapped = mapped
        self._ask = listed
        self._say = say
        self._takes_lock = takes_lock
        self._clock = clock
        self._start = Threads()
        self._watchdog = Watchdog(self._start, make, clock=clock)
        self._watchdog.news = self.wake.set
        self._clients = {}       # {image: client of its mapping}
        self._asking = False     # whether Ceph is being asked of clients of which nothing is read
        self._refused = set()    # those of them that it refuses
        self._silence = set()    # those of which it did not say
        self._due = None

    def look(self, images):
        """{image: client} of those among C(images) whose client Ceph refuses. To be called twice a second.

        One mapping's answer is enough for all of its client: other OSDs may not know yet.
        """
        self.wake.clear()
        now = self._clock()
        if self._due is None or now >= self._due:
            self._due = now + FOLLOW
            self._follow(images)
        self._watchdog.tend()
        refused = self._refused | set(client for image, client in self._clients.items() if self._watchdog.health(image) == 'fenced')
        return dict((image, client) for image, client in self._clients.items() if client in refused)

    def _follow(self, images):
        # A kernel before 4.11 does not tell its client's address, without which Ceph cannot be asked.
        current = dict((image, entry) for image, entry in self._mapped().items() if image in images and entry.get('client'))
        readable = dict((image, ('/dev/rbd%d' % entry['number'], entry['client'])) for image, entry in current.items() if not self._takes_lock(entry))
        self._clients = dict((image, entry['client']) for image, entry in current.items())
        self._watchdog.follow(readable)
        # What one readable mapping tells holds for its client.
        unread = set(self._clients.values()) - set(client for dummy, client in readable.values())
        self._refused, self._silence = self._refused & unread, self._silence & unread
        if unread - self._refused and not self._asking:
            self._asking = True
            self._start(lambda: self._inquire(sorted(unread - self._refused)))

    def _inquire(self, clients):
        try:
            for client in clients:
                self._inquire_of(client)
        finally:
            self._asking = False

    def _inquire_of(self, client):
        try:
            refused = self._ask(client)
        except Exception as error:  # pylint: disable=broad-except # whatever it was, it is no answer
            if client not in self._silence:
                self._say('Ceph does not say whether it refuses client %s: %s. Does "ceph osd blocklist ls" work with this gateway\'s key?' % (client, error))
            self._silence = self._silence | set([client])
            return
        self._silence = self._silence - set([client])
        if refused:
            self._say('Ceph refuses client %s' % client)
            self._refused = self._refused | set([client])
            self.wake.set()

    def over(self):
        """What is mapped is another one now."""
        self._due = None
