# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog: reads every mapped image directly, past all caches, again and again.

A read that hangs says nothing (Ceph may be slow), and must not keep the others from being made: one thread reads all disks in turn, and when it is
held up another one goes on. What counts is the last answer and its age. An error means that Ceph refuses this client: the kernel hands -108 on as
EIO, so the blocklist is asked whether it is that; an image with a broken object must not take a whole gateway out of service.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import collections
import errno
import io
import mmap
import os
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock

PERIOD = 0.25   # seconds between two reads of a disk; it is the only one
# Reads a second in all. A gateway's mappings share one client of Ceph, so whichever is read first after a fence tells of it: many disks need no
# more reads than two, which are a quarter of a second apart at most. (Measured, emulated: 240 a second took a whole processor, which take-overs were
# waiting for; 60 a third of what the agent had to do while it took over a hundred.)
RATE = 8.0
HELD = 0.2      # seconds for a read, after which another thread goes on with the next disk
FRESH = 1.0     # seconds for which an answer counts: of a disk that is read seldom, the newest one of all, and its own for as long as it must
DOUBT = 0.5     # seconds that the blocklist may take to answer; without an answer the client counts as refused
AGAIN = 2.0     # seconds for which the answer counts that Ceph does not refuse a client: an image with a broken object would have it asked at each read
# Seconds after such an answer in which a late one is asked for again, and does not count as a fence: one broken object and a monitor that is slow for once
# would take all disks of the gateway out of service. That is safe: should Ceph refuse the client since, it refuses its writes, and the next answer tells;
# only initiators wait for longer.
TRUST = 30.0
GONE = (errno.ENOENT, errno.ENXIO, errno.ENODEV)
PAGE = 4096


def read_disk(path, page):
    """One direct read of the first page. Opened each time: an open device could not be unmapped."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        reader = io.FileIO(handle, 'r', closefd=False)
        try:
            reader.readinto(page)
        finally:
            reader.close()
    finally:
        os.close(handle)


class Watch(object):
    """Of one mapping. listed(client) -> whether Ceph has it in its blocklist; may raise and may take its time.

    certain: seconds that the answer may take, when without one the client does not count as refused; else in doubt it does, but not for a while after
    Ceph has said that it is none
    """

    def __init__(self, path, client, listed, say, read=read_disk, clock=clock, certain=None):
        self.certain = certain
        self.path = path
        self.client = client
        self.listed = listed
        self.say = say
        self._read = read
        self._clock = clock
        self.pace = lambda: PERIOD
        self.heard = lambda when: None   # told of each answer
        self.news = lambda: None         # called after the first answer and after a refusal: somebody waits for them
        self.newest = lambda: self._answered  # when any disk of this gateway was answered last
        self.cleared = lambda: None      # when Ceph last said that it does not refuse the client
        self._answered = None
        self._refused = False
        self._odd = set()
        self._question = None            # (thread that asks Ceph, list for the answer)
        self.over = False

    def health(self):
        if self._refused:
            return 'fenced'
        if self._answered is None:
            return None
        now = self._clock()
        return 'good' if now - self._answered <= max(FRESH, 2 * self.pace()) and now - self.newest() <= FRESH else 'silent'

    def look(self, page=None):
        """One read and what it means."""
        try:
            self._read(self.path, page)
        except EnvironmentError as error:
            if error.errno in GONE or self.over:
                return
            listed = True if error.errno == errno.ESHUTDOWN else self._listed()
            if listed is None and self.certain:
                # It is asked again with the next read.
                self._tell('%s: reading its first block: %s, and Ceph does not say whether it refuses client %s. Does "ceph osd blocklist ls" '
                           "work with this gateway's key?" % (self.path, error, self.client))
                return
            if listed is None and self._trusted():
                self._tell('%s: reading its first block: %s, and Ceph does not say in time whether it refuses client %s, which it did not a moment ago. '
                           'It is asked again.' % (self.path, error, self.client))
                return
            if listed is False:
                self._tell('%s: reading its first block: %s, though Ceph does not refuse this client: is an object broken?' % (self.path, error))
                self._answer()
                return
            self._refused = True
            self.say('%s: Ceph refuses client %s (%s)' % (self.path, self.client, error.strerror))
            self.news()
            return
        self._answer()

    def _tell(self, text):
        """Once."""
        if text not in self._odd:
            self._odd.add(text)
            self.say(text)

    def _trusted(self):
        said = self.cleared()
        return said is not None and 0 <= self._clock() - said < TRUST

    def _answer(self):
        # Told first: whoever asks how this disk is asks for the newest answer of all, which must be there by then.
        now, first = self._clock(), self._answered is None
        self.heard(now)
        self._answered = now
        if first:
            self.news()

    def _listed(self):
        """None without an answer in time. Who is late is waited for at the next read as well: more questions would only queue up behind that one."""
        if self._question is None or not self._question[0].is_alive():
            answer = []

            def ask():
                try:
                    answer.append(self.listed(self.client))
                except Exception:  # pylint: disable=broad-except # whatever it was, it is no answer
                    pass

            thread = threading.Thread(target=ask)
            thread.daemon = True
            thread.start()
            self._question = thread, answer
        thread, answer = self._question
        thread.join(self.certain or DOUBT)
        return answer[0] if answer else None

    def ended(self):
        """Whether nobody needs to read it any more."""
        return self.over or self._refused


class Watchdog(object):
    """Keeps a Watch for every mapping, and reads them in turn. start(function): runs it in a thread."""

    def __init__(self, start, make, clock=clock, sleep=time.sleep):
        self.start = start
        self.make = make
        self.news = lambda: None  # called when a mapping was answered for the first time, or a client was refused
        self._clock = clock
        self._sleep = sleep
        self._watches = {}
        self._listed = {}  # {client: True}, which stays so for a year; all mappings of a client ask at once
        self._cleared = {}  # {client: when Ceph last said that it does not refuse it}
        self._asking, self._failures = threading.Lock(), 0
        self._newest = None
        self._turns = threading.Lock()
        self._rota = collections.deque()  # watches that nobody reads now, the one that was read longest ago first
        self._reader = None   # who reads; another one than itself tells a reader to end
        self._reading = None  # since when its read is under way

    def _heard(self, when):
        self._newest = when

    def _told(self):
        self.news()  # which may be set later than a mapping's watch is made

    def listed(self, client, ask):
        """Whether Ceph refuses a client, asked for by C(ask); its hundred mappings need it once."""
        failures = self._failures
        if not self._known(client):
            with self._asking:
                if self._failures != failures:
                    raise EnvironmentError(errno.ETIMEDOUT, 'Ceph did not answer whoever asked before')  # a hundred would wait one after the other
                if not self._known(client):
                    self._ask(client, ask)
        return self._listed.get(client, False)

    def _known(self, client):
        said = self._cleared.get(client)
        return client in self._listed or said is not None and 0 <= self._clock() - said < AGAIN

    def _ask(self, client, ask):
        try:
            listed = ask(client)
        except Exception:
            self._failures += 1
            raise
        if listed:
            self._listed[client] = True
        else:
            self._cleared[client] = self._clock()

    def follow(self, mappings):
        """mappings: {device: (path of the mapping, client address)}."""
        for device, watch in list(self._watches.items()):
            if mappings.get(device) != (watch.path, watch.client):
                watch.over = True
                del self._watches[device]
        for device, (path, client) in mappings.items():
            if device not in self._watches:
                watch = self._watches[device] = self.make(path, client)
                watch.pace, watch.heard, watch.newest, watch.news = self.pace, self._heard, lambda: self._newest, self._told
                watch.listed = lambda client, ask=watch.listed: self.listed(client, ask)
                watch.cleared = lambda client=client: self._cleared.get(client)
                self.start(lambda watch=watch: self._begin(watch))

    def watches(self):
        return list(self._watches.values())

    def pace(self):
        """Seconds between the reads of one disk."""
        return max(PERIOD, len(self._watches) / RATE)

    def _begin(self, watch):
        """The first read, which somebody waits for."""
        try:
            watch.look(mmap.mmap(-1, PAGE))
        finally:
            self._back(watch)

    def _back(self, watch):
        with self._turns:
            if not watch.ended():
                self._rota.append(watch)

    def tend(self):
        """To be called several times a second: sees to it that somebody reads."""
        with self._turns:
            held = self._reading is not None and self._clock() >= self._reading + HELD
            if not self._rota or self._reader is not None and not held:
                return
            me = self._reader = object()
            self._reading = None
        self.start(lambda: self._read(me))

    def _read(self, me):
        try:
            self._read_on(me)
        finally:
            # However it ended: the next one goes on.
            with self._turns:
                if self._reader is me:
                    self._reader = None

    def _read_on(self, me):
        page = mmap.mmap(-1, PAGE)  # O_DIRECT wants aligned memory
        due = self._clock()
        while True:
            with self._turns:
                while self._rota and self._rota[0].ended():
                    self._rota.popleft()
                if self._reader is not me:  # the host was frozen, and the loop woke first
                    return
                if not self._rota:
                    return
                watch, self._reading = self._rota.popleft(), self._clock()
            try:
                watch.look(page)
            finally:
                self._back(watch)
            with self._turns:
                if self._reader is not me:
                    return
                self._reading = None
            # A read takes a part of the time until the next one; what is late already is not made up for.
            due = max(due + self.pace() / max(1, len(self._watches)), self._clock())
            self._sleep(max(0, due - self._clock()))

    def health(self, device):
        watch = self._watches.get(device)
        return watch.health() if watch else None
