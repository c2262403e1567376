# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LIO data plane: keeps this kernel's LIO target in step with the emulated SCST.

Only what changed is touched; a LUN that stays is never unlinked, so sessions do not notice
that another one comes or goes.
"""
import sys
import time

from . import lio_configfs
from .iscsi import Driver, Target
from .alua import DeviceGroup
from .device import Device
from .lio_model import PORT, portal_group, store
from .lio_sessions import Sessions
from .lio_steps import StoreSteps
from .lio_target_steps import TargetSteps, wipe

REFRESH = 1.0      # seconds between looks at LIO's sessions


class Plane:
    """follow() after every write; refresh_sessions() before sessions are shown."""

    def __init__(self, core, configfs, mapper, host_addresses=lio_configfs.host_addresses,
                 connections=lambda: lio_configfs.established(PORT)):
        self.core = core
        self.configfs = configfs
        self.mapper = mapper
        self.host_addresses = host_addresses
        self.stores = StoreSteps(configfs, mapper, self.log)
        self.targets = TargetSteps(configfs, self.log, self.stores)
        self.sessions = Sessions(core, configfs, connections)
        self.failed = {}
        self.looked = 0.0
        self.closed = False
        self.discovers = False     # discovery has ever had users

    @staticmethod
    def log(text):
        sys.stderr.write('lio: %s\n' % text)
        sys.stderr.flush()

    def open(self):
        """Begin with an empty LIO; leftovers of a run that was killed go."""
        self.configfs.mkdir('iscsi')
        wipe(self.configfs, self.mapper)
        self.core.cut_session = self.cut
        self.core.env.held_elsewhere = self.stores.holds
        self.follow()

    def close(self):
        """As iscsi-scstd's end: every target vanishes."""
        if not self.closed:
            self.closed = True
            wipe(self.configfs, self.mapper)

    # -- following ----------------------------------------------------------

    def follow(self):
        """Carry what changed since the last call over to LIO."""
        things = {**self.failed, **self.core.touched}
        self.core.touched, self.failed = {}, {}
        if not things:
            return
        devices, targets = self._affected(things)
        by_name = self.core.devices.by_name if self.core.devices else {}
        wanted = {name: store(by_name[name]) if name in by_name else None for name in devices}
        unbound = {name for name in devices if self.stores.must_unbind(name, wanted[name])}
        iscsi = self.core.targets.iscsi if self.core.targets else None
        live = iscsi.targets if iscsi else {}
        present = set(self.stores.present) - {n for n in devices if wanted[n] is None}
        present |= {name for name in devices if wanted[name] is not None}
        groups = {name: portal_group(live[name], present, self.host_addresses) if name in live else None
                  for name in targets}
        for name in targets:
            self._try(live.get(name), self.targets.shrink, name, groups[name], unbound)
        for name in devices:
            self._try(by_name.get(name), self.stores.apply, name, wanted[name])
        for name in targets:
            if groups[name] is not None:
                self._try(live.get(name), self.targets.grow, name, groups[name])
        if iscsi in things:
            self._try(iscsi, self._discovery, iscsi)

    def _try(self, thing, step, *arguments):
        try:
            step(*arguments)
        except OSError as error:
            self.log('%s: %s' % (arguments[0], error))
            if thing is not None:
                self.failed[thing] = True

    def _affected(self, things):
        """Names of devices and targets to look at, in order of change."""
        devices, targets = {}, {}
        for thing in things:
            if isinstance(thing, Device):
                devices[thing.name] = True
                targets.update((lun.group.target.name, True) for lun in thing.luns)
                targets.update((name, True) for name in self.targets.using(thing.name))
            elif isinstance(thing, DeviceGroup):
                for device in thing.devices.values():
                    devices[device.name] = True
                    targets.update((lun.group.target.name, True) for lun in device.luns)
            elif isinstance(thing, Target):
                targets[thing.name] = True
            elif isinstance(thing, Driver):
                targets.update((name, True) for name in thing.targets)
        targets.pop('copy_manager_tgt', None)
        return list(devices), list(targets)

    def _discovery(self, driver):
        users = driver.lists.users
        for direction, names in (('IncomingUser', ('userid', 'password')),
                                 ('OutgoingUser', ('userid_mutual', 'password_mutual'))):
            name, secret = (users[direction][0].key, users[direction][0].value) if users[direction] else (None, None)
            if name is not None or self.discovers:
                # NULL is LIO's word for none.
                self.configfs.write('iscsi/discovery_auth/' + names[0], name or 'NULL')
                self.configfs.write('iscsi/discovery_auth/' + names[1], secret or 'NULL')
        self.discovers = self.discovers or bool(users['IncomingUser'] or users['OutgoingUser'])
        self.configfs.write('iscsi/discovery_auth/enforce_discovery_auth', int(bool(users['IncomingUser'])))

    # -- sessions -----------------------------------------------------------

    def refresh_sessions(self):
        now = time.monotonic()
        if now - self.looked >= REFRESH:
            self.looked = now
            self.sessions.refresh()
            self.follow()

    def cut(self, session):
        """force_close."""
        target, initiator = session.target, session.initiator.split('#')[0]
        self.targets.cut(target.name, initiator, portal_group(target, set(self.stores.present), self.host_addresses))
        session.close()
        self.looked = 0.0
