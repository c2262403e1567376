# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway's paths in SCST: what is seen of them, and the actions raise, lower, close and open of a take-over.

Each disk moves by itself, so each device is alone in a device group of its own name; its target groups are named after
the gateways. What makes the device open and close is the ALUA state of the local group (bind_alua_state).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read

TRANSITIONING = 'transitioning'
CLOSING = 5  # seconds for sessions to go after force_close


class NotOpen(EnvironmentError):
    """SCST took the state active, and could not open what is behind the device; the state was put back."""


class Paths(object):
    """The paths of gateway C(me) through its target. passive: the ALUA state of a path whose disk another gateway has."""

    def __init__(self, sysfs, me, target, passive='standby', sleep=time.sleep):
        self.sysfs = sysfs
        self.me = me
        self.target = 'targets/iscsi/' + target
        self.passive = passive
        self.sleep = sleep
        self._pointing = {}  # {device: lock}

    # -- what there is

    def path(self, device):
        """'active' when the path is active and the device behind it open, else 'passive'."""
        return self.look(device)[0]

    def look(self, device):
        """(the same, whether the path says that it is about to change, whether SCST has what a path needs), with as little to read as can be: an agent
        asks for each of its disks again and again. The LUNs come last, and a host without them looks for them when they do."""
        state = self._state(device, self.me)
        opened = read.value(self.sysfs, 'devices/%s/active' % device) if state == 'active' else None
        made = state is not None and (opened is not None or self.sysfs.exists('devices/' + device))
        return 'active' if opened == '1' else 'passive', state == TRANSITIONING, made

    def is_open(self):
        return read.value(self.sysfs, self.target + '/enabled') == '1'

    def reached(self):
        """Devices that a session of this target has among its LUNs."""
        folders = set(read.link(self.sysfs, '%s/sessions/%s/luns' % (self.target, session)) and
                      self.sysfs.readlink('%s/sessions/%s/luns' % (self.target, session)).rstrip('/').rsplit('/', 2)[-2]
                      for session in self.sessions())
        found = set()
        for group in folders - set([None]):
            base = '%s/ini_groups/%s/luns' % (self.target, group)
            found.update(read.link(self.sysfs, '%s/%s/device' % (base, lun)) for lun in read.names(self.sysfs, base))
        return found

    def sessions(self):
        return read.names(self.sysfs, self.target + '/sessions')

    def _group(self, device, gateway):
        return 'device_groups/%s/target_groups/%s' % (device, gateway)

    def _state(self, device, gateway):
        return read.value(self.sysfs, self._group(device, gateway) + '/state')

    def _active(self, device):
        return read.value(self.sysfs, 'devices/%s/active' % device) == '1'

    # -- what is done

    def _set_state(self, device, gateway, state):
        if self._state(device, gateway) != state:
            self.sysfs.write(self._group(device, gateway) + '/state', state)

    def _set_others(self, device, active=None):
        """What this gateway tells initiators of the other gateways' paths; the active one last, so that they are never told of two."""
        others = [name for name in read.names(self.sysfs, 'device_groups/%s/target_groups' % device) if name != self.me]
        for gateway in sorted(others, key=lambda name: name == active):
            try:
                self._set_state(device, gateway, 'active' if gateway == active else self.passive)
            except EnvironmentError as error:
                if error.errno != errno.ENOENT:  # it has just left the site
                    raise

    def point(self, device, gateway):
        """Tell initiators that another gateway serves a disk.

        They believe the last REPORT TARGET PORT GROUPS for all ports, whichever path it came by: Linux (6.1) refuses to send to a path that a standby
        gateway, which had not heard of the take-over, had called a standby's (S: scsi_dh_alua, alua_rtpg and alua_prep_fn).
        """
        with self._lock(device):
            if self._state(device, self.me) != 'active':
                self._set_others(device, gateway)

    def _lock(self, device):
        return self._pointing.setdefault(device, threading.Lock())

    def make_active(self, device):
        """The other gateways' paths first, so that no initiator is told of two active ones. Raises NotOpen."""
        with self._lock(device):
            self._set_others(device)
            self._raise(device)

    def _raise(self, device):
        if self._state(device, self.me) == 'active' and not self._active(device):
            # The same state again would be no change, and would not open the device.
            self._set_state(device, self.me, self.passive)
        try:
            self._set_state(device, self.me, 'active')
            if not self._active(device):
                # From nonoptimized, which is open for SCST as well, nothing opens it by itself.
                self.sysfs.write('devices/%s/active' % device, '1')
        finally:
            # Opening may fail without an error of the write, so the device itself is asked.
            if not self._active(device):
                self._set_state(device, self.me, self.passive)
        if not self._active(device):
            raise NotOpen(errno.ENXIO, 'device %s: did not open when its path became active; the path is %s again. The kernel log '
                          '(dmesg) says why.' % (device, self.passive))
        self.resync(device)  # the image may have grown while another gateway had it

    def resync(self, device):
        """Have SCST read the size anew, and tell initiators of it."""
        self.sysfs.write('devices/%s/resync_size' % device, '1')

    def size(self, device):
        """Bytes, as initiators are told; None without the device."""
        found = read.value(self.sysfs, 'devices/%s/size' % device)
        return None if found is None else int(found)

    def remember(self, device):
        """Have a closed device read the size of what is behind it now. It is open for that moment: SCST passes no command to it on a passive path."""
        try:
            self.sysfs.write('devices/%s/active' % device, '1')
            self.resync(device)  # opening alone does not read it (3.10)
        finally:
            if self._active(device):
                self.sysfs.write('devices/%s/active' % device, '0')

    def make_passive(self, device, moving=False):
        """On return the device is closed: what is behind it may go.

        moving: another gateway is about to take over, so initiators are told to ask again (SPC-4: transitioning) in place of giving the path up:
        SCST holds their commands for half a second, and Linux (6.1) tries six times.
        """
        self._set_state(device, self.me, TRANSITIONING if moving else self.passive)
        if self._active(device):
            # nonoptimized does not close it
            self.sysfs.write('devices/%s/active' % device, '0')

    def settle(self, device):
        """The end of moving: the path says what it is."""
        if self._state(device, self.me) == TRANSITIONING:
            self._set_state(device, self.me, self.passive)

    def open(self):
        self.sysfs.write(self.target + '/enabled', '1')

    def close(self):
        """No new sessions, and none left on return. Raises OSError when some do not go."""
        if read.value(self.sysfs, self.target + '/enabled') != '0':
            self.sysfs.write(self.target + '/enabled', '0')
        for session in self.sessions():
            try:
                self.sysfs.write('%s/sessions/%s/force_close' % (self.target, session), '1')
            except EnvironmentError as error:
                if error.errno != errno.ENOENT:  # it went by itself
                    raise
        for dummy in range(int(CLOSING / 0.05)):
            left = self.sessions()
            if not left:
                return
            self.sleep(0.05)
        raise OSError(errno.EBUSY, 'target %s: sessions are still there %d seconds after they were cut: %s' % (
            self.target.rsplit('/', 1)[-1], CLOSING, ', '.join(left[:3])))
