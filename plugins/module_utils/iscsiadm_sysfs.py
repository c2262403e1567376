# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""iSCSI sessions as the kernel shows them in sysfs, with the disks that came through each."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import listdir, read_text
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import canonical, format_portal

_HCTL = re.compile(r'^\d+:\d+:\d+:\d+$')


class Session(object):
    """One session.

    sid: number of the session; host: number of its SCSI host (software iSCSI has one for each)
    state: C(LOGGED_IN), C(FAILED) (iscsid tries to connect again) or C(FREE)
    disks: names of block devices
    luns: {host:channel:target:lun: names of block devices}; a LUN is there before its block device is
    initiator: name by which this host logged in
    folders: where the kernel shows the session's and its connection's settings
    """

    def __init__(self, sid, target, address, port, iface, state, host, luns, initiator='', folders=None):
        self.sid = sid
        self.target = target
        self.address = address
        self.port = port
        self.iface = iface
        self.state = state
        self.host = host
        self.luns = luns
        self.disks = [disk for hctl in sorted(luns) for disk in luns[hctl]]
        self.initiator = initiator
        self.folders = folders or {}

    @property
    def key(self):
        return (self.target, canonical(self.address), self.port, self.iface)

    @property
    def portal(self):
        return format_portal(self.address, self.port)

    def as_dict(self):
        return dict(sid=self.sid, target=self.target, portal=self.portal, iface=self.iface, state=self.state,
                    disks=list(self.disks))


def _connection(device):
    """(address, port) that was asked for. A target may redirect to another (RFC 7143, 4.1), which
    then is in address and port; the record, and the site, know the first."""
    for name in listdir(device):
        if name.startswith('connection'):
            folder = os.path.join(device, name, 'iscsi_connection', name)
            address = read_text(folder, 'persistent_address') or read_text(folder, 'address')
            port = read_text(folder, 'persistent_port') or read_text(folder, 'port')
            if address and port.isdigit():
                return address, int(port), folder
    return None


def _luns(device):
    return dict((hctl, listdir(device, target, hctl, 'block')) for target in listdir(device)
                if target.startswith('target') for hctl in listdir(device, target) if _HCTL.match(hctl))


def sessions(sysfs='/sys'):
    """All sessions, by number. One that is just coming or going, and has no connection, is left out."""
    found = []
    top = os.path.join(sysfs, 'class', 'iscsi_session')
    for name in listdir(top):
        device = os.path.realpath(os.path.join(top, name, 'device'))
        portal = _connection(device)
        target = read_text(top, name, 'targetname')
        host = re.match(r'^host(\d+)$', os.path.basename(os.path.dirname(device)))
        if portal is None or not target:
            continue
        found.append(Session(
            sid=int(name[len('session'):]), target=target, address=portal[0], port=portal[1],
            iface=read_text(top, name, 'ifacename') or 'default', state=read_text(top, name, 'state'),
            host=int(host.group(1)) if host else None, luns=_luns(device),
            initiator=read_text(top, name, 'initiatorname'),
            folders=dict(session=os.path.join(top, name), connection=portal[2])))
    return sorted(found, key=lambda session: session.sid)
