# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mapping images, each on its own: one that is missing, or whose OSDs do not answer, keeps nobody waiting."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import MAP_TIMEOUT
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import plan_mappings

# At a time: each is a Ceph client of its own, 50 MB and a connection to every monitor while it starts.
WIDTH = 8

# Seconds until the next attempt after the first, second, … failure. The last one is how late, at most, an
# image that is back is noticed.
BACK_OFF = (5, 10, 20, 30)

# An attempt that was killed and did not end by then is stuck in the kernel. It does not count any more, but
# its image is not tried again until it ends.
STUCK = MAP_TIMEOUT + 10


# Not moved by whoever sets the clock; Python 2 has none.
clock = getattr(time, 'monotonic', time.time)


class Attempt(object):
    """One attempt to map one image; C(error) is None when it went well."""

    def __init__(self, began):
        self.began = began
        self.ended = False
        self.error = None
        self.done = []


class Mapper(object):
    """Maps what is wanted and not mapped, in threads.

    wanted:  () -> the images to map, [{image, options}], read anew each time: an image that is not wanted any
             more must not come back
    mapped:  () -> the mappings, as rbd.mapped()
    rbd:     () -> the rbd command
    take:    image -> the lock to hold meanwhile
    """

    def __init__(self, wanted, mapped, rbd, take=None, clock=clock):
        self.wanted = wanted
        self.mapped = mapped
        self.rbd = rbd
        self.take = take or (lambda image: lock.rbd([image], 'cephgate, mapping it', wait=0))
        self._clock = clock
        self.operations = []  # what was done so far
        self.closing = False  # start nothing any more
        self._running = {}
        self._failed = {}  # image: (how often, reason, when to try again)
        self._seen = 0

    def tick(self):
        """Collect what ended, start what is due. True when an image was mapped since the last call."""
        self._collect()
        wanted = [] if self.closing else self.wanted()
        # In the mode fenced nothing is wanted of it, and many mappings take long to read.
        current = self.mapped() if wanted or self._failed else {}
        names = set(entry['image'] for entry in wanted)
        for image in list(self._failed):
            if image in current or image not in names and not self.closing:
                del self._failed[image]
        now = self._clock()
        due = [entry for entry in wanted if entry['image'] not in current and entry['image'] not in self._running
               and self._due(entry['image']) <= now]
        # Those that were never tried come first, then whoever has waited longest.
        due.sort(key=lambda entry: self._due(entry['image']))
        for entry in due[:max(0, WIDTH - sum(now - attempt.began < STUCK for attempt in self._running.values()))]:
            self._start(entry, now)
        self._collect()
        seen, self._seen = self._seen, 0
        return seen > 0

    def _due(self, image):
        return self._failed[image][2] if image in self._failed else 0

    def _start(self, entry, now):
        attempt = self._running[entry['image']] = Attempt(now)
        thread = threading.Thread(target=self._try, args=(entry['image'], attempt))
        thread.daemon = True  # one that hangs must not keep the process from ending
        thread.start()

    def _try(self, image, attempt):
        try:
            with self.take(image):
                rbd = self.rbd()
                # Under the lock, for what was true before may not be any more.
                entries = [dict(image=image, options=entry.get('options')) for entry in self.wanted() if entry['image'] == image]
                attempt.done = perform(plan_mappings(rbd, self.mapped(), entries, lambda found: []), rbd.perform)
        except (Refused, Failed, EnvironmentError, ValueError) as error:
            attempt.error = str(error)
        finally:
            attempt.ended = True

    def _collect(self):
        for image, attempt in list(self._running.items()):
            if not attempt.ended:
                continue
            del self._running[image]
            if attempt.error is None:
                self._failed.pop(image, None)
                self.operations += attempt.done
                self._seen += 1
            else:
                often = self._failed[image][0] + 1 if image in self._failed else 1
                self._failed[image] = often, attempt.error, self._clock() + BACK_OFF[min(often, len(BACK_OFF)) - 1]

    def problems(self):
        """{image: why it is not mapped}, for those of which it is known."""
        found = dict((image, failed[1]) for image, failed in self._failed.items())
        for image, attempt in self._running.items():
            age = self._clock() - attempt.began
            if age >= STUCK:
                found[image] = 'mapping it has hung for %d s and cannot be interrupted: Ceph does not answer this host\'s kernel' % age
        return found

    def untried(self):
        """The wanted images that are neither mapped nor known not to be mappable."""
        wanted = self.wanted()
        current = self.mapped() if wanted else {}
        known = self.problems()
        return [entry['image'] for entry in wanted if entry['image'] not in current and entry['image'] not in known]

    def busy(self):
        """Whether an attempt is under way that may still end."""
        self._collect()
        return any(self._clock() - attempt.began < STUCK for attempt in self._running.values())
