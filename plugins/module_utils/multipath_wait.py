# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bringing LUNs to completeness: look, do what is missing, look again, until the time is over."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import multipath_luns
from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_guard import refuse_if_used, users_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_sysfs import sessions as read_sessions
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, perform

# Seconds in which the answer to a scan, or the effect of a command, may come before it is repeated.
ASK_AGAIN = 5.0

# Seconds that iscsid's own scan after a login, and udev with multipathd after a new disk, get before
# we step in: what comes by itself is no change of ours.
GRACE = 3.0


class Work(object):
    """Carries out plans and keeps what was done."""

    def __init__(self, disks, multipathd, check_mode, clock=time.time, sleep=time.sleep, sessions=read_sessions):
        self.disks = disks
        self.multipathd = multipathd
        self.check_mode = check_mode
        self.clock = clock
        self.sleep = sleep
        self.sessions = lambda: sessions(disks.sysfs)
        self.operations = []
        self.done = 0
        self.asked = {}
        self.failure = None

    def performer(self, operation):
        if operation.how == 'sysfs':
            with open(os.path.join(self.disks.sysfs, operation.target), 'w') as handle:
                handle.write(operation.data)
        else:
            self.multipathd.call(operation.target)

    def perform(self, operations):
        """Perform those that were not performed within the last seconds."""
        now = self.clock()
        fresh = [operation for operation in operations
                 if now - self.asked.get(str(operation.target), now - ASK_AGAIN) >= ASK_AGAIN]
        for operation in fresh:
            # Asked again because nothing came of it the first time: one line in the report is enough.
            self.asked[str(operation.target)] = now
            if not self.check_mode:
                perform([operation], self.performer)
            if operation.target not in [known.target for known in self.operations]:
                self.operations.append(operation)
                self.done += 0 if self.check_mode else 1

    def attempt(self, operations):
        """Perform what can be performed now. What fails is asked again later: udev may not be ready with a new disk,
        and the last failure is told when time is over."""
        for operation in operations:
            try:
                self.perform([operation])
            except Failed as error:
                self.failure = str(error)

    def plan(self, luns, waited):
        """What to do for incomplete LUNs. waited: seconds since the first look."""
        early = waited < GRACE and not self.check_mode
        sessions = [session for session in self.sessions() if session.disks or not early]

        def unread(disk):
            return not early and self.disks.unread(disk) and not users_of(self.disks, disk, self.multipathd.opened)
        return (multipath_luns.plan_scan(luns, sessions, unread)
                + ([] if early else multipath_luns.plan_claims(luns, self.multipathd))
                + multipath_luns.plan_sizes(luns, self.multipathd.resize, foresee=self.check_mode))

    def complete(self, maps, timeout):
        """(LUNs, [(LUN, what it lacks)]) once nothing is missing, or the time is over."""
        start = self.clock()
        while True:
            luns = multipath_luns.look(self.disks, maps)
            lacking = [(lun, multipath_luns.missing(lun)) for lun in luns]
            lacking = [(lun, text) for lun, text in lacking if text]
            waited = self.clock() - start
            if not lacking or waited > timeout:
                return luns, lacking
            self.attempt(self.plan([lun for lun, dummy in lacking], waited))
            if self.check_mode:
                return luns, lacking
            self.sleep(0.5)

    def remove(self, maps):
        operations = multipath_luns.plan_removal(
            multipath_luns.look(self.disks, maps),
            lambda devices, why: refuse_if_used(self.disks, devices, self.multipathd, why),
            self.multipathd)
        try:
            for operation in operations:
                try:
                    self.perform([operation])
                except Failed:
                    # A precaution: a disk that multipath cannot forget can be let go of all the same.
                    if operation.target[:2] != self.multipathd.forget('')[:2]:
                        raise
        except Failed:
            # A map that stays is to be there after the next boot too.
            for lun in multipath_luns.look(self.disks, maps):
                if lun.map and not self.check_mode:
                    self.multipathd.run(self.multipathd.claim(lun.paths[0]['device']))
            raise
