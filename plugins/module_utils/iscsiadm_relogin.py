# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging sessions out and in again, one path of a disk at a time."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.disk_guard import refuse_if_used
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_plan import by_key
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused

# Seconds for the paths of a session to come back into their maps before the next session is touched.
# multipathd takes a new path within its polling interval, 5 s by default.
LONGEST = 120.0


class Relogin(object):
    """tool: Iscsiadm; look: callable() -> sessions; login: callable(key, argv) that returns when there is a session"""

    def __init__(self, tool, disks, multipathd, look, login, clock=time.time, sleep=time.sleep):
        self.tool = tool
        self.disks = disks
        self.multipathd = multipathd
        self.look = look
        self.login = login
        self.clock = clock
        self.sleep = sleep

    def operations(self, session, portal):
        """portal: as the record spells it"""
        thing = 'target %s, portal %s%s' % (session.target, session.portal,
                                            '' if session.iface == 'default' else ' (interface %s)' % session.iface)
        return [
            Operation(thing, 'log out, to apply settings', 'run',
                      [self.tool.command, '-m', 'session', '-r', '%d' % session.sid, '--logout']),
            Operation(thing, 'log in again', 'run',
                      self.tool.node(session.target, portal, '--login', iface=session.iface))]

    def perform(self, session, operations):
        """Yields the number of each operation that succeeded; raises Refused or an EnvironmentError."""
        maps = refuse_if_used(self.disks, session.disks, self.multipathd,
                              'logging out of %s, portal %s, to apply settings' % (session.target, session.portal))
        for name in maps:
            self.multipathd.call(self.multipathd.flush(name))
        before = [(self.disks.serial(disk), self.disks.map_of(disk)) for disk in session.disks]
        self.tool.call(operations[0].target)
        yield 0
        self.login(session.key, operations[1].target)
        yield 1
        self.wait(session.key, before)

    def wait(self, key, before):
        """Until every disk that the session had is there again, as a working path of the same map."""
        end = self.clock() + LONGEST
        while True:
            now = by_key(self.look()).get(key)
            lacking = self.lacking(now, before) if now else ['the session']
            if not lacking:
                return
            if self.clock() > end:
                raise Refused('portal %s of target %s was logged out and in again, but after %d s there is still missing: %s. '
                              'No other session was touched; see "multipathd show paths", then run again.'
                              % (format_portal(key[1], key[2]), key[0], LONGEST, ', '.join(lacking)))
            self.sleep(0.5)

    def lacking(self, session, before):
        states = self.multipathd.path_states()
        found = {}
        for disk in session.disks:
            if self.disks.path(disk)['state'] in ('running', ''):
                found.setdefault(self.disks.serial(disk), []).append(disk)
        texts = []
        for serial, dm in before:
            disks = found.get(serial, [])
            if not disks:
                texts.append('the disk with serial number %s' % serial)
            elif dm and not any(self.disks.map_of(disk) == dm and states.get(disk, ('active',))[0] == 'active' for disk in disks):
                texts.append('%s as a working path of %s' % (' and '.join(disks), dm))
        return texts
