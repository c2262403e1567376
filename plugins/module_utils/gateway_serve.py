# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping a gateway as its state file says: once (apply), or for ever (serve)."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_release, gateway_state
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.lock import Busy
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused

LOOK_EVERY = 0.5  # seconds: a restarted iscsi-scstd has lost all targets, and initiators wait
RETRY_EVERY = 10  # seconds: for what SCST refused; images have their own rhythm (gateway_mapper.BACK_OFF)

# seconds that the first images wait for the others before the target is enabled: a host that logs in
# looks for LUNs once, and not every initiator is told of later ones
GRACE = 5

# seconds that a run of the playbook is left alone, as long as the targets are there
HANDS_OFF = 300

# seconds after which one run of apply starts no further attempt to map an image
PATIENCE = 90


def apply_once(mapper, export, sleep=time.sleep):
    """Serve what can be served: (operations done, {image: why it is not served}).

    export: (known problems, enable) -> as Gateway.export
    """
    done = []
    end = clock() + PATIENCE
    while mapper.busy() or mapper.untried() and clock() < end:
        mapper.closing = clock() >= end
        if mapper.tick():
            done += export(mapper.problems(), False)[0]
        sleep(0.05)
    known = mapper.problems()
    for image in mapper.untried():
        known[image] = 'not tried yet: others took longer than %d s' % PATIENCE
    more, problems = export(known, True)
    return mapper.operations + done + more, problems


def write_report(path, report):
    """Replace the file in one step."""
    with open(path + '.new', 'w') as handle:
        json.dump(report, handle, sort_keys=True)
    os.rename(path + '.new', path)


class Keeper(object):
    """Looks twice a second and does what is missing.

    path:    the state file
    gateway: state -> Gateway
    mapper:  maps its images
    guard:   () -> the lock around planning and writing; Busy when somebody else works
    report:  called with what cannot be served, whenever that changes
    say:     called with a line for the journal
    drained: () -> whether the operator took the gateway out of service; then all is kept ready, and the target disabled
    sentry:  gateway_refused.Sentry, or None: nobody looks whether Ceph refuses this gateway
    release: as gateway_release.release
    """

    def __init__(self, path, gateway, mapper, guard, report, say, clock=clock, drained=lambda: False, sentry=None, release=gateway_release.release):
        self.sentry = sentry
        self.release = release
        self.path = path
        self.gateway = gateway
        self.mapper = mapper
        self.guard = guard
        self.report = report
        self.say = say
        self._clock = clock
        self._asked_drained = drained
        self._drained = None
        self._stamp = None
        self._state = None
        self._here = None
        self._served = False  # the targets were in place when we looked last
        self._held_back = False  # the target is not enabled yet, for the sake of images that are still to come
        self._again = self._leave_again = 0
        self._look_for_images = 0
        self._new_since = self._ready_since = None
        self._told = {}

    def tick(self):
        try:
            self._load()
            refused = self._refused()
            if refused:
                if self._clock() >= self._leave_again:
                    with self.guard():
                        self._leave(refused)
            elif self._needed():
                with self.guard():
                    self._load()  # a module may have had the lock
                    self._act()
            self._tell('error', None)
        except Busy as error:
            self._tell('error', str(error))
        except (Refused, Failed, EnvironmentError) as error:
            self._again = self._clock() + RETRY_EVERY
            self._tell('error', str(error))

    def _load(self):
        found = os.stat(self.path)
        stamp = found.st_mtime, found.st_size, found.st_ino
        if stamp != self._stamp:
            self._state = gateway_state.load(self.path)
            self._here = self.gateway(self._state)
            self._stamp, self._new_since = stamp, self._clock()
            self._again = self._look_for_images = 0

    def _refused(self):
        if self.sentry is None or self._state.get('ha'):
            return {}  # with ha_mode fenced the agent looks
        return self.sentry.look(set(entry['image'] for entry in self._state['images']))

    def _leave(self, refused):
        """Sessions go before anything else: what still comes is answered with medium errors. The next looks bring everything back."""
        self.say('this gateway leaves service until it has a new client of Ceph: %s' % '; '.join(
            'Ceph refuses client %s' % client for client in sorted(set(refused.values()))))
        done, problems = self.release(self._here, dead=refused)
        for operation in done:
            self.say(operation.line())
        for what in sorted(problems):
            self.say('still held: %s: %s' % (what, problems[what]))
        self.sentry.over()
        self._leave_again = self._clock() + (RETRY_EVERY if problems else 0)
        self._served, self._again, self._look_for_images = False, 0, 0
        self._ready_since = None  # as after a boot: the first images wait for the others

    def _needed(self):
        now = self._clock()
        drained = self._asked_drained()
        if drained != self._drained:
            if self._drained is not None:
                self.say('drained: the target stays out of service' if drained else 'not drained any more')
            self._drained, self._again = drained, 0
        news = False
        if now >= self._look_for_images:
            news = self.mapper.tick()
            waiting = self.mapper.problems() or self.mapper.untried()
            self._look_for_images = now + (0 if waiting else RETRY_EVERY)
            if news or waiting:
                self._publish(self.mapper.problems())
        if not self._here.ready():
            self._served, self._ready_since = False, None
            raise Refused('iscsi-scstd does not run; waiting for it')
        if self._ready_since is None:
            self._ready_since, self._again = now, 0
        in_place = self._here.in_place(enabled=not drained)
        if self._state.get('unfinished') and in_place and now < self._new_since + HANDS_OFF:
            # The playbook is at it. Should it have been killed, what it began is done when the time is over,
            # or at once when the targets vanish.
            self._again = self._new_since + HANDS_OFF
            return False
        return (news or now >= self._again or self._served and not in_place or
                self._held_back and not self.mapper.untried())

    def _act(self):
        now = self._clock()
        untried = self.mapper.untried()
        # Asked anew under the lock: an order that came since has been given for the time after it.
        drained = self._asked_drained()
        enable = not untried or now >= self._ready_since + GRACE
        self._held_back = not enable
        done, problems = self._here.export(self.mapper.problems(), enable and not drained)
        for operation in done:
            self.say(operation.line())
        self._served = self._here.in_place(enabled=not drained)
        # What is under way for the first time is no problem yet.
        problems = dict((image, problems[image]) for image in problems if image not in untried)
        refused = set(problems) - set(self.mapper.problems())
        if not enable:
            self._again = self._ready_since + GRACE
        elif refused or not self._served:
            self._again = now + RETRY_EVERY
        else:
            self._again = float('inf')
        self._publish(problems)

    def _publish(self, problems):
        for image in sorted(set(problems) | set(self._told) - set(['error'])):
            self._tell(image, problems.get(image))
        self.report(problems)

    def _tell(self, what, text):
        """Say what is new, once."""
        if self._told.get(what) != text:
            if text:
                self.say(text if what == 'error' else 'not served: %s: %s' % (what, text))
            elif what != 'error':
                self.say('%s: nothing is in the way any more' % what)
            self._told[what] = text
            if not text:
                del self._told[what]
