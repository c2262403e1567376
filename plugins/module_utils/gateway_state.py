# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway as a whole, from its state file: the same engine as the modules, without a controller.

The state file holds what the role computed last: the images, and the lists that the SCST modules
take. Whatever is missing (an image that is away, Ceph not answering, a device that SCST refuses)
costs its own LUNs only; everything else is served, and the missing part is named and tried again.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_alua, scst_device, scst_lun, scst_target
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import plan_mappings
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_read import backing_size
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer

VERSION = 1
EXCLUSIVE = ('allowed_portals', 'incoming_users', 'outgoing_user', 'groups', 'initiators')
KEYS = ('version', 'sysfs_root', 'client', 'cluster', 'images', 'devices', 'targets', 'luns', 'device_groups')


def load(path):
    """The state file as a dictionary. Raises Refused when it is not one that this version can apply."""
    try:
        handle = open(path)
    except EnvironmentError as error:
        raise Refused('state file %s: it cannot be read (%s). The site playbook writes it: run that on this gateway, or name the file with '
                      '--state.' % (path, error.strerror))
    with handle:
        try:
            state = json.load(handle)
        except ValueError as error:
            raise Refused('%s is not JSON (%s). Run the site playbook on this gateway to write it anew.' % (path, error))
    check(state, path)
    return state


def check(state, path='state'):
    if not isinstance(state, dict) or state.get('version') != VERSION:
        raise Refused('%s: version is %r, this command applies version %d. Run the site playbook on this gateway.' % (
            path, state.get('version') if isinstance(state, dict) else None, VERSION))
    missing = [key for key in KEYS if key not in state]
    if missing:
        raise Refused('%s lacks %s. Run the site playbook on this gateway.' % (path, ', '.join(missing)))


class Problems(object):
    """What could not be served and why, by image; the first reason counts."""

    def __init__(self):
        self.of = {}

    def add(self, image, reason):
        self.of.setdefault(image, str(reason))


class Gateway(object):
    """One gateway: C(state) as in the state file, C(rbd) and C(sysfs) to reach the world, C(mapped) to see the mappings,
    C(size_of) to see a backing device's size."""

    def __init__(self, state, rbd, sysfs, mapped, size_of=backing_size):
        self.state = state
        self.rbd = rbd
        self.sysfs = sysfs
        self.mapped = mapped
        self.size_of = size_of
        self.perform = performer(sysfs)

    def _usable(self, problems):
        """The images that are mapped and are the declared ones; the others are problems."""
        current = self.mapped()
        usable = []
        for entry in self.state['images']:
            image = entry['image']
            found = current.get(image)
            if found is None:
                problems.add(image, 'the image is not mapped')
            elif entry.get('image_id') and found['image_id'] != entry['image_id']:
                # Its identity belongs to the image that was: initiators would take the new one for it.
                problems.add(image, 'image %s has the internal id %s, but the exported one had %s: it was made anew, which '
                             'makes it another disk. Remove its LUN (playbooks/remove_lun.yml), or name it in cephgate_new_disks and run '
                             'the site playbook.' % (
                                 image, found['image_id'], entry['image_id']))
            else:
                usable.append(image)
        return usable

    def _stages(self, images, enable):
        """The modules' work in the roles' order, restricted to C(images), as (plan, arguments) to call one by one."""
        devices = [device for device in self.state['devices'] if device['image'] in images]
        names = set(device['name'] for device in devices)
        targets = [dict(target, enabled=None) for target in self.state['targets']]
        groups = [dict(group, devices=[name for name in group['devices'] if name in names])
                  for group in self.state['device_groups']]
        yield self._devices, devices
        yield self._targets, (targets, None)
        # ALUA first: a host looks at a new LUN at once, and would take it for one without.
        yield self._alua, groups
        yield self._luns, [lun for lun in self.state['luns'] if lun['device'] in names]
        if enable:
            yield self._targets, ([dict(target, enabled=True) for target in targets], dict(enabled=True))

    def _devices(self, devices, assume):
        mapped = self.mapped()
        listed = []
        for device in devices:
            device = dict(device)
            image = device['image']
            # /dev/rbdN may have been another image when the state was written: only the kernel knows today's path.
            if image in mapped:
                device['filename'] = mapped[image]['path']
            listed.append(device)
        return self._plan_devices(listed, self.size_of, assume)

    def _plan_devices(self, devices, size_of, assume=False):
        wanted = scst_device.normalise([dict((key, device[key]) for key in device if key != 'image') for device in devices])
        return scst_device.plan(scst_device.snapshot(self.sysfs, wanted, assume=assume, size_of=size_of), wanted)

    def _targets(self, arguments, assume):
        wanted, driver = scst_target.normalise(*arguments)
        return scst_target.plan(scst_target.snapshot(self.sysfs, wanted, driver, assume=assume), wanted, driver)

    def _luns(self, luns, assume):
        wanted, scopes = scst_lun.normalise(luns)
        return scst_lun.plan(scst_lun.snapshot(self.sysfs, wanted, scopes, assume=assume), wanted, scopes)

    def _alua(self, groups, assume):
        wanted = scst_alua.normalise(groups)
        return scst_alua.plan(scst_alua.snapshot(self.sysfs, wanted, assume=assume), wanted)

    def _export(self, images, enable):
        done = []
        for plan, arguments in self._stages(images, enable):
            done += perform(plan(arguments, False), self.perform)
        return done

    def plan(self, enable=True):
        """What apply would do now: (operations, problems). enable: the target, too."""
        problems = Problems()
        operations = plan_mappings(self.rbd, self.mapped(), [dict(image=entry['image'], options=entry.get('options'))
                                                             for entry in self.state['images']], lambda found: [])
        missing = Problems()
        self._usable(missing)
        current = self.mapped()
        images = []
        for entry in self.state['images']:
            if entry['image'] in current and entry['image'] in missing.of:
                problems.add(entry['image'], missing.of[entry['image']])
            else:
                images.append(entry['image'])
        for plan, arguments in self._stages(images, enable):
            operations += plan(arguments, True)
        return operations, problems.of

    def check_removals(self, complete, removed=()):
        """Refuse what the removal of some LUNs, or the state when it is complete for its targets, would take from live sessions."""
        targets = []
        if complete:
            targets = [dict(target, enabled=None, exclusive=EXCLUSIVE) for target in self.state['targets']]
            self._targets((targets, None), True)
        wanted, scopes = scst_lun.normalise(self.state['luns'] + list(removed), [dict(target=target['name']) for target in targets])
        scst_lun.plan(scst_lun.snapshot(self.sysfs, wanted, scopes, assume=True), wanted, scopes)

    def export(self, known=(), enable=True):
        """Serve what is mapped: (operations done, {image: why it is not served}).

        known: {image: reason} of those that could not be mapped. enable: the target, too; unless there are LUNs and
        not one of them can be served: an initiator that logs in to nothing looks no further.
        Raises Refused or Failed only for what concerns the gateway as a whole.
        """
        problems = Problems()
        for image in known:
            problems.add(image, known[image])
        images = self._usable(problems)
        enable = enable and bool(images or not self.state['images'])
        done = []
        try:
            return self._export(images, enable), problems.of
        except (Refused, Failed) as error:
            done += getattr(error, 'done', [])
        # Something in the way of one image must not keep the others from being served: one by one,
        # and the target enabled when all that can be there is there.
        good = []
        for image in images:
            try:
                done += self._export([image], False)
                good.append(image)
            except (Refused, Failed) as error:
                problems.add(image, error)
        return done + self._export(good, enable and bool(good or not self.state['images'])), problems.of

    def unguard(self, image):
        """What has to go before an image is unmapped: nothing, here."""

    def status(self):
        """For each image whether it is served here, and if not, what is missing."""
        mapped = self.mapped()
        problems = Problems()
        self._usable(problems)
        strange = problems.of
        report = []
        ids = dict((entry['image'], entry.get('image_id')) for entry in self.state['images'])
        luns = {}
        for lun in self.state['luns']:
            luns.setdefault(lun['device'], []).append(lun)
        for device in self.state['devices']:
            image, missing = device['image'], []
            if image not in mapped:
                missing.append('the image is not mapped')
            elif image in strange:
                missing.append(strange[image])
            if not self.sysfs.exists('devices/' + device['name']):
                missing.append('SCST has no device %s' % device['name'])
            absent = [lun for lun in luns.get(device['name'], ()) if
                      not self.sysfs.exists('%s/%d' % (scst_lun.folder(lun['target'], lun['group']), lun['lun']))]
            missing += ['%s: LUN %d is not there' % (scst_lun.place(lun['target'], lun['group']), lun['lun']) for lun in absent]
            report.append(dict(image=image, image_id=ids.get(image), device=device['name'], served=not missing, missing=missing))
        return report

    def held(self):
        """What of this gateway SCST has, as texts; nothing after a release."""
        places = (('target', 'targets/iscsi/', self.state['targets']), ('device', 'devices/', self.state['devices']))
        return ['%s %s' % (what, entry['name']) for what, folder, entries in places
                for entry in entries if self.sysfs.exists(folder + entry['name'])]

    def ready(self):
        """Whether targets can be made: the driver's attributes exist only while iscsi-scstd runs."""
        return self.sysfs.exists('targets/iscsi/enabled')

    def is_open(self):
        """Whether initiators can log in."""
        return self.in_place()

    def in_place(self, enabled=True):
        """Whether the targets exist and (unless told otherwise) are enabled: a few stat calls, to be asked every second."""
        for target in self.state['targets']:
            try:
                if self.sysfs.read('targets/iscsi/%s/enabled' % target['name'])[:1] != '1' and enabled:
                    return False
            except EnvironmentError:
                return False
        return True
