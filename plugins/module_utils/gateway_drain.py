# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking a gateway out of service and back, in C(shared) mode: initiators go on through the other gateways.

Images stay mapped: with nobody to write, the lock of each goes to the gateway that writes next. Whether other
gateways are there at all is not known here; who asks must have looked.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_read as read
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_scst import Paths
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused


def sessions(gateway):
    """Sessions of the gateway's own targets, as (target, session)."""
    return [(target['name'], session) for target in gateway.state['targets']
            for session in read.names(gateway.sysfs, 'targets/iscsi/%s/sessions' % target['name'])]


def drain(gateway, orders):
    """Order first, for the service would bring the target back. {drained, changed, left: what keeps it from being out of service}"""
    changed = orders.give(drain=True)
    left = []
    for target in gateway.state['targets']:
        paths = Paths(gateway.sysfs, None, target['name'])
        try:
            if paths.is_open() or paths.sessions():
                changed = True
                paths.close()
        except EnvironmentError as error:
            left.append(str(error))
    left += ['target %s still has session %s' % each for each in sessions(gateway)]
    return dict(drained=not left, changed=changed, left=left)


def undrain(gateway, orders):
    """Serve again what can be served. {drained, changed, left}"""
    changed = orders.give(drain=False)
    try:
        done, problems = gateway.export()
    except (Refused, Failed) as error:
        return dict(drained=False, changed=changed, left=[str(error)])
    left = ['%s: %s' % item for item in sorted(problems.items())]
    if not gateway.in_place():
        left.append('the target is not in service')
    return dict(drained=False, changed=changed or bool(done), left=left)
