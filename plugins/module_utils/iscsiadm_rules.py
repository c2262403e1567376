# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options of iscsi_session must be like, whatever the host holds. Nothing is asked or touched before all of it holds."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_ifaces import BUILT_IN, NAME, check
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import check_prefix, check_target
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused


def check_options(params, devices, known):
    """params: of the module iscsi_session; devices: names of network devices, known: of interfaces; None where they may come later"""
    check(params['interfaces'], devices)
    _check_ifaces(params, known)
    if params['connect_timeout'] <= 0:
        raise Refused('connect_timeout is %d seconds. Give 1 or more.' % params['connect_timeout'])
    for target in params['targets']:
        check_target(target['name'])
    for prefix in params['exclusive']:
        check_prefix(prefix, 'exclusive')
    discovery = params['discovery']
    if discovery:
        if not discovery['portals']:
            raise Refused('discovery: portals is empty, so nobody would be asked. List addresses, or leave discovery out.')
        for prefix in discovery['targets']:
            check_prefix(prefix, 'discovery.targets')
    if params['state'] == 'absent':
        return
    for target in params['targets']:
        if not target['portals'] and not discovery:
            raise Refused('target %s has no portals, so there is nowhere to log in. List its addresses.' % target['name'])
    if params['exclusive'] and not params['targets'] and not discovery:
        raise Refused('exclusive is %s, and neither targets nor discovery say what there should be, so everything below it would be logged out. '
                      'List the targets that stay, or those that go, with state absent.' % ', '.join(params['exclusive']))


def _check_ifaces(params, known):
    names = params['ifaces']
    if not names:
        raise Refused('ifaces is empty. Name the interfaces to log in through; "default" lets the kernel route.')
    made = [interface['name'] for interface in params['interfaces'] if interface['state'] == 'present']
    for name in names:
        if names.count(name) > 1:
            raise Refused('ifaces: %s is listed twice. Remove one of them.' % name)
        if not re.match(NAME, name):
            raise Refused('ifaces: "%s" is no name of an interface of open-iscsi: those are of letters, digits, "_", "." and "-". Correct it.' % name)
        if params['state'] == 'present' and known is not None and name not in BUILT_IN and name not in made and name not in known:
            raise Refused('ifaces: this host has no interface %s below /etc/iscsi/ifaces (it has %s), so no login through it is possible. Correct '
                          'the name, or declare it under interfaces.' % (name, ', '.join(known) or 'none'))
