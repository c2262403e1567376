# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent does to its gateway: the actions of the take-over protocol, and what it sees of the result.

Every action may hang (Ceph, the kernel, SCST), so each is called in a thread of its own; each returns its outcome and
raises nothing. Which order they come in is decided in ha_decide; what an action must leave behind when it fails halfway,
here.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import contextlib
import errno
import itertools
import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_guard import stand_in
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import MOVING
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import human

SETTLING = 10   # seconds for the kernel's osdmap to become the newest
GRACE = 5       # seconds that a target waits for its last LUNs before it is opened without them
HELD = 5        # seconds that an action waits for another one that goes by the same mapping; then it fails, and is begun again
OSDMAP = '/sys/kernel/debug/ceph/%s.%s/osdmap'


def _read(path):
    with open(path) as handle:
        return handle.read()


def kernel_epoch(entry, read=_read):
    """Number of the osdmap that the kernel client of a mapping has."""
    client = read('/sys/bus/rbd/devices/%d/client_id' % entry['number']).strip()
    try:
        words = read(OSDMAP % (entry['fsid'], client)).split()
    except EnvironmentError as error:
        raise OSError(error.errno, '%s: %s. It tells which osdmap the kernel has. Is debugfs mounted? '
                      'A kernel that is locked down does not show it.' % (OSDMAP % (entry['fsid'], client), error.strerror))
    return int(words[words.index('epoch') + 1])


def disk_number(entry, read=_read):
    """major:minor of a mapping."""
    return read('/sys/block/rbd%d/dev' % entry['number']).strip()


def map_options(entry, read=_read):
    """The options with which an image was mapped, whoever did it."""
    words = read('/sys/bus/rbd/devices/%d/config_info' % entry['number']).split()
    return words[1].split(',') if len(words) > 1 else []


class Hands(object):
    """state: of the gateway; ceph: ha_rados.Rados or ha_ceph.Ceph; rbd: rbd.Rbd or rbd_kernel.KernelRbd, bounded;
    paths: ha_scst.Paths; guards: ha_guard.Guards; mapped: as rbd.mapped; say: called with a line for the journal;
    mapping: (image) its entry of mapped, with its size, or None; clients: () {image: client of its mapping}."""

    def __init__(self, state, ceph, rbd, paths, guards, mapped, say, mapping=None, clients=None, epoch=kernel_epoch, number=disk_number,
                 options=map_options, clock=clock, sleep=time.sleep):
        self.ceph = ceph
        self.rbd = rbd
        self.paths = paths
        self.guards = guards
        self.mapped = mapped
        self.mapping = mapping or (lambda image: mapped().get(image))
        self.clients = clients or (lambda: dict((image, entry['client']) for image, entry in mapped().items()))
        self.say = say
        self._epoch = epoch
        self._number = number
        self._options = options
        self._clock = clock
        self._sleep = sleep
        self._waiting = None
        self._fenced = set()     # by this agent: their locks are anybody's
        self._moments = itertools.count()  # which of two things came first
        self._since = {}         # {device: ((client, number) of its mapping, when it was made)}, until that was settled
        self._ready = {}         # {device: (client, number) of the mapping that was settled last}
        self._settling = threading.Lock()
        self._holds = {}         # {device: lock of its mapping}
        self._known = {}         # {device: size that SCST was seen to know}
        self._settled = {}       # {client: (when the newest osdmap was last asked for, when that ended, what came of it)}
        self.take(state)

    def take(self, state):
        """The state file says something new."""
        self.state = state
        self.images = dict((device['name'], device['image']) for device in state['devices'])
        self.entries = dict((entry['image'], entry) for entry in state['images'])

    def perform(self, action):
        """The outcome of an action, as ha_decide wants it."""
        began = self._clock()
        try:
            outcome = getattr(self, '_' + action.kind)(action.key, action.arg)
        except (EnvironmentError, Refused, Failed, ValueError, KeyError) as error:
            self.say('%s %s: %s' % (action.kind, action.key or '', error))
            return 'failed'
        # A target that is not complete yet is asked for four times a second.
        if action.kind not in ('look', 'settle') and (action.kind, outcome) != ('open', 'failed'):
            self.say('%s %s: %s, %.2f s' % (action.kind, action.key or '', outcome, self._clock() - began))
        return outcome

    def _entry(self, device):
        """The mapping of a device, which must be of the image that is declared."""
        image = self.images[device]
        entry = self.mapping(image)
        if entry is None:
            raise OSError(errno.ENODEV, 'image %s is not mapped' % image)
        wanted = self.entries[image].get('image_id')
        if wanted and entry['image_id'] != wanted:
            raise OSError(errno.ESTALE, 'image %s has the internal id %s, but the exported one had %s: it was made anew. Run the site playbook.' % (
                image, entry['image_id'], wanted))
        if 'exclusive' not in self._options(entry):
            # Without it the lock goes to whoever asks and comes back, and with it what was held back meanwhile: old data.
            raise OSError(errno.EPERM, 'image %s is mapped without the option exclusive, by somebody else than this agent' % image)
        return entry

    @contextlib.contextmanager
    def _holding(self, device, meanwhile=lambda: None):
        """Nobody else unmaps it: who makes a path active goes by a number, which is another image's as soon as the mapping has gone.

        meanwhile: called again and again until whoever holds it lets go
        """
        hold, end = self._holds.setdefault(device, threading.Lock()), self._clock() + HELD
        while not hold.acquire(False):
            if self._clock() >= end:
                raise OSError(errno.EBUSY, 'another action with the mapping of %s is still under way after %d s' % (device, HELD))
            meanwhile()
            self._sleep(0.05)
        try:
            yield
        finally:
            hold.release()

    # -- of Ceph

    def _look(self, device, _arg):
        image = self.images[device]
        return self.ceph.holder(image, self.entries[image].get('image_id'))

    def _fence(self, client, _arg):
        until = self.ceph.fence(client)
        self._fenced.add(client)
        self.say('fenced client %s until %s' % (client, until))
        return 'ok'

    def _forget(self, device):
        """What is known of its mapping."""
        self._since.pop(device, None)
        self._ready.pop(device, None)

    def _map(self, device, _arg):
        self._forget(device)
        image = self.images[device]
        current = self.clients()
        if image in current:
            self._entry(device)
            return 'ok'
        # A lock of this host's own client, without a mapping, is what a mapping that was broken off has left. The kernel would take it for that
        # of a dead client, and blocklist it: itself, with all that it serves.
        self.ceph.free(image, self.entries[image].get('image_id'), self._fenced, set(current.values()))
        options = ['exclusive'] + [word for word in (self.entries[image].get('options') or '').split(',') if word]
        try:
            self.rbd.map(image, options)
        except EnvironmentError as error:
            if error.errno == errno.EROFS:
                return 'refused'
            raise
        try:
            entry = self._entry(device)
        except EnvironmentError:
            self._unmap(device, None)
            raise
        self._since[device] = ((entry['client'], entry['number']), next(self._moments))
        return 'ok'

    def _settle(self, device, _arg):
        """What another gateway fenced, the OSDs learn of from this client's operations, if its map is new enough."""
        called = next(self._moments)
        entry = self._entry(device)
        client, mapped = self._since.pop(device, (None, None))
        asked = mapped if client == (entry['client'], entry['number']) else called
        with self._settling:
            # Disks that share a client share the answer, if the question came after they were mapped: a large cluster's map is long to read. An error
            # is shared by those who waited for it.
            began, ended, error = self._settled.get(entry['client'], (None, None, None))
            if began is None or (began <= asked if error is None else ended <= called):
                began, error = next(self._moments), None
                try:
                    self._catch_up(entry)
                except EnvironmentError as found:
                    error = found
                self._settled = {entry['client']: (began, next(self._moments), error)}
        if error is not None:
            raise error
        self._ready[device] = (entry['client'], entry['number'])
        return 'ok'

    def _catch_up(self, entry):
        newest = self.ceph.epoch()
        end = self._clock() + SETTLING
        while self._epoch(entry) < newest:
            # The watchdog's reads go on meanwhile; with each answer an OSD sends what it has that is newer.
            if self._clock() >= end:
                raise OSError(errno.ETIMEDOUT, 'the kernel has osdmap %d after %d s, the monitors have %d' % (self._epoch(entry), SETTLING, newest))
            self._sleep(0.05)

    # -- of this gateway

    def _raise(self, device, _arg):
        # A gateway that is refused clears its mappings, whatever is under way: not this one before its path is active, and not after it was looked at.
        with self._holding(device):
            entry = self._entry(device)
            if self._ready.pop(device, None) != (entry['client'], entry['number']):
                # Unmapped and mapped anew meanwhile, as by a command that has outlived its agent: others may have written and been fenced since, and
                # some OSD may not know that yet (found by tests/model/contract.py).
                raise OSError(errno.ESTALE, 'image %s has another mapping than the one that was found to be up to date' % self.images[device])
            self.guards.ensure(device, self._number(entry), entry['size'])
            # What others unmap (an operator, a command that has outlived its agent) they could until the guard was over it.
            now = self.mapping(self.images[device])
            if now is None or (now['client'], now['number']) != (entry['client'], entry['number']):
                self.guards.remove(device)
                raise OSError(errno.ESTALE, 'image %s was unmapped while its path was to become active' % self.images[device])
            self.paths.make_active(device)
        return 'ok'

    def _lower(self, device, why):
        self.paths.make_passive(device, why == MOVING)
        return 'ok'

    def point(self, devices):
        """Tell initiators who serves. devices: {device: another gateway}"""
        for device, gateway in sorted(devices.items()):
            self.paths.point(device, gateway)

    def end_move(self, device, gateway):
        """gateway: the one that serves it now, or None"""
        if gateway:
            self.paths.point(device, gateway)
        self.paths.settle(device)

    def _unmap(self, device, _arg):
        self._forget(device)
        self._let_go(device, self.images[device])
        return 'ok'

    def _let_go(self, device, image):
        with self._holding(device):
            self.guards.remove(device)
            entry = self.mapping(image)
            if entry is not None:
                self.rbd.unmap(entry['number'])

    def _clear(self, device, client):
        """Nothing here must wait for what the guard holds back, so it lets go first; the sessions are gone by now."""
        # A raise that is under way may wait for it, too, and may just be about to make the guard.
        with self._holding(device, lambda: self.guards.fail(device)):
            entry = self.mapping(self.images[device])
            if entry is None or entry['client'] != client:
                return 'ok'
            self._forget(device)
            self.guards.fail(device)
            self.paths.make_passive(device)
            self.guards.remove(device)
            self.rbd.unmap(entry['number'], force=True)
        return 'ok'

    def _open(self, _key, _arg):
        """When all LUNs are there: a host that logs in looks for them once. Some may never come, so not for ever."""
        target = self.paths.target
        if not self.paths.sysfs.exists(target):
            self._waiting = None
            return 'failed'
        missing = [lun for lun in self.state['luns'] if not self.paths.sysfs.exists(
            '%s/ini_groups/%s/luns/%d' % (target, lun['group'], lun['lun']))]
        if missing:
            self._waiting = self._waiting or self._clock()
            if len(missing) == len(self.state['luns']) or self._clock() < self._waiting + GRACE:
                return 'failed'
        self._waiting = None
        self.paths.open()
        return 'ok'

    def _close(self, _key, _arg):
        self.paths.close()
        return 'ok'

    # -- what the protocol knows nothing of

    def undeclared(self):
        """{device: its image or None} of guards that belong to no declared LUN: an agent before this one did not get to let go of them."""
        image_of = dict((self._number(entry), image) for image, entry in self.mapped().items())
        return dict((device, next((image_of[word] for word in words if word in image_of), None))
                    for device, words in self.guards.tables().items() if device not in self.images)

    def forget(self, device, image):
        """A LUN that is not declared any more: let go of its mapping as soon as SCST has let go of the guard."""
        self._let_go(device, image)

    def follow(self, mappings):
        """Guards and devices as large as their images, which may have grown, and guards' paths in use. mappings: devices whose mappings are good."""
        for device, (size, failed) in sorted(self.guards.overview().items()):
            entry = self.mapping(self.images[device]) if device in mappings and device in self.images else None
            if entry is None:
                continue
            if size != entry['size']:
                with self._holding(device):
                    entry = self.mapping(self.images[device])
                    if entry is None:
                        continue
                    self.guards.ensure(device, self._number(entry), entry['size'])
                    self.paths.resync(device)
            for disk in failed:
                self.say('%s: its path %s had failed though Ceph answers; trying it again' % (device, disk))
                self.guards.reinstate(device, disk)
        self._remind_all()

    def _remind_all(self):
        """Devices of disks that another gateway serves as large as their images, too: initiators use what a disk has grown by when all its paths tell
        of it. SCST reads the size of what it opens, so it opens something of that size for a moment."""
        for device, size in sorted(self.state['ha'].get('sizes', {}).items()):
            if device in self.images and self._known.get(device) != size:
                with self._holding(device):
                    if self._remind(device, size):
                        self._known[device] = size

    def _remind(self, device, size):
        """Whether SCST knows that a device has so many bytes."""
        found = self.paths.size(device)
        if found is None or found >= size:
            return found is not None
        if self.paths.look(device)[:2] != ('passive', False) or self.mapping(self.images[device]) is not None or self.guards.found(device):
            return False  # what is served, or about to be, is looked after by follow and by the next raise
        self.guards.create(device, stand_in(size))
        try:
            self.paths.remember(device)
        finally:
            self.guards.remove(device)
        self.say('%s: initiators are told that it has %s now' % (device, human(size)))
        return True

    def see(self, devices=None):
        """{open, sessions, luns: {device: {client, path, moving, sessions, made}}, mappings: {device: entry}}.

        devices: only these, without what is asked of all at once: which of them sessions reach
        """
        images = self.images
        if devices is None:
            current, reached = self.mapped(), self.paths.reached()
            entries = dict((device, current.get(image)) for device, image in images.items())
        else:
            entries = dict((device, self.mapping(images[device])) for device in devices if device in images)
        luns = {}
        for device, entry in entries.items():
            path, moving, made = self.paths.look(device)
            luns[device] = dict(client=entry['client'] if entry else None, path=path, moving=moving, made=made)
            if devices is None:
                luns[device]['sessions'] = device in reached
        return dict(open=self.paths.is_open(), sessions=len(self.paths.sessions()), luns=luns,
                    mappings=dict((device, entry) for device, entry in entries.items() if entry is not None))
