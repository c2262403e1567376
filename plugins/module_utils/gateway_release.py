# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letting go of everything, before a gateway goes down.

A gateway that simply stops keeps its exclusive locks: the others cannot write to the images until Ceph has missed it for
30 s (osd_client_watch_timeout). One that unmaps its images has given the locks back.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import threading
import time

from ansible_collections.cephgate.iscsi.plugins.module_utils import rbd, scst_device, scst_target
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_mapper import WIDTH, clock
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd_plan import plan_mappings

# Seconds: what is not unmapped by then stays, for a shutdown must come to its end.
PATIENCE = 30
# Sessions that were told to close go when their last command ends, and until then SCST keeps their target (measured: EBUSY).
CLOSING = 5


def release(gateway, holders=None, patience=PATIENCE, sleep=time.sleep, dead=None):
    """Targets out of service, sessions closed, devices removed, images unmapped: (operations done, {object: problem}).

    dead: {image: client} of mappings of a client that Ceph refuses; those are unmapped by force
    holders: as rbd.holders, which looks in the SCST of this gateway
    """
    holders = holders or (lambda entry: rbd.holders(entry, scst=gateway.state['sysfs_root']))
    done, problems = [], {}
    end = clock() + patience
    for what, plan in (('targets', _targets), ('devices', _devices)):
        late = clock() + min(CLOSING, patience)
        while True:
            try:
                done += perform(plan(gateway), gateway.perform)
                problems.pop(what, None)
                break
            except (Refused, Failed, EnvironmentError) as error:
                done += getattr(error, 'done', [])
                problems[what] = str(error)
            if clock() >= late:
                break
            sleep(0.25)
    _unmap(gateway, holders, end, sleep, done, problems, dead or {})
    return list(done), dict(problems)  # who is held up may still add to them


def _targets(gateway):
    if not gateway.ready():
        return []  # they went with the daemon
    listed, driver = scst_target.normalise([dict(name=target['name'], state='absent') for target in gateway.state['targets']], None)
    return scst_target.plan(scst_target.snapshot(gateway.sysfs, listed, driver), listed, driver, disrupt_sessions=True)


def _devices(gateway):
    listed = scst_device.normalise([dict(name=device['name'], state='absent') for device in gateway.state['devices']])
    return scst_device.plan(scst_device.snapshot(gateway.sysfs, listed), listed, remove_exported=True)


def _unmap(gateway, holders, end, sleep, done, problems, dead):
    """Several at a time; again for a while where something still holds the mapping."""
    images = [entry['image'] for entry in gateway.state['images']]
    queue, over, given_up = list(images), [], []

    def unmap(image):
        gateway.unguard(image)
        current = gateway.mapped()
        # What was mapped anew since has another client, and may be in use.
        found = current.get(image)
        refused = dict.fromkeys(rbd.numbers(found), 'Ceph refuses client %s' % dead[image]) if found and found['client'] == dead.get(image) else {}
        plan = plan_mappings(gateway.rbd, current, [dict(image=image, state='absent')], holders, refused)
        if not given_up:
            done.extend(perform(plan, gateway.rbd.perform))

    def work():
        # Who was held up must not go on when the gateway is back: what is mapped then is new.
        while not given_up:
            try:
                image = queue.pop(0)
            except IndexError:
                return
            while not given_up:
                try:
                    unmap(image)
                    problems.pop(image, None)
                    break
                except (Refused, Failed, EnvironmentError) as error:
                    problems[image] = str(error)
                if clock() >= end:
                    break
                sleep(0.5)
            over.append(image)

    threads = [threading.Thread(target=work) for _number in range(min(WIDTH, len(queue)))]
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(max(0.1, end + 5 - clock()))
    given_up.append(True)
    late = [image for image in images if image not in over]
    for image in late:
        problems.setdefault(image, 'image %s: %s' % (image, 'not tried, others took too long' if image in queue else 'unmapping it has not ended'))
