# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""open-iscsi's interfaces: which network device, and which initiator name, a session uses.

An interface is a file below /etc/iscsi/ifaces. A node record holds a copy of it, which is what a
login takes (usr/idbm.c), so a changed interface has to be written into its records too.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.disks import listdir, read_text
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import in_networks
from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import (
    as_text, changes_text, edit, put, read, settings_of)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Operation, Refused

IFACES = '/etc/iscsi/ifaces'
# iscsiadm makes these two up itself and keeps no file for them.
BUILT_IN = ('default', 'iser')
SETTINGS = dict(device='iface.net_ifacename', hwaddress='iface.hwaddress', initiator_name='iface.initiatorname')
NAME = r'[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}\Z'
_NEW = '# BEGIN RECORD\n# END RECORD\n'


def copied_settings(interface):
    """What a node record must say of an interface; None: nothing."""
    found = dict((name, as_text(interface[option]) if interface.get(option) else None)
                 for option, name in SETTINGS.items())
    found['iface.transport_name'] = 'tcp'
    return found


def check(interfaces, devices):
    """Refuse declarations that cannot work. devices: names of network devices; None when they may come later."""
    seen = set()
    for interface in interfaces:
        name = interface['name']
        if not re.match(NAME, name) or name in BUILT_IN:
            raise Refused('interface "%s": open-iscsi keeps an interface as a file of its name, and default and iser are its '
                          'own. Choose a name of letters, digits, "_", "." and "-".' % name)
        if name in seen:
            raise Refused('interface %s is listed twice. Remove one of them.' % name)
        seen.add(name)
        in_networks('127.0.0.1', interface.get('networks') or [])
        if interface.get('state') == 'absent':
            continue
        if not any(interface.get(option) for option in SETTINGS):
            raise Refused('interface %s binds to nothing. Give its device, hwaddress or initiator_name.' % name)
        _check_binding(interface)
        device = interface.get('device')
        if device and devices is not None and device not in devices:
            raise Refused('interface %s: this host has no network device %s (it has %s), so every login through it would '
                          'fail. Correct the name, or set the network up first.' % (name, device, ', '.join(sorted(devices))))


def _check_binding(interface):
    address, initiator = interface.get('hwaddress'), interface.get('initiator_name')
    # InfiniBand has 20 bytes.
    if address and not re.match(r'[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5,19}\Z', address):
        raise Refused('interface %s: hwaddress "%s" is no hardware address, so no device has it. Write it as "ip link" shows it, such as '
                      '52:54:00:12:34:56.' % (interface['name'], address))
    if initiator and not re.match(r'(?:iqn|eui|naa)\.[^\s/]+\Z', initiator):
        raise Refused('interface %s: initiator_name "%s" is no iSCSI name: it begins with iqn., eui. or naa. and has no blank and no slash '
                      '(RFC 7143, 4.2.7). Correct it.' % (interface['name'], initiator))


def names_for(address, interfaces, common):
    """Names of the interfaces through which a portal is logged in to: those whose networks hold it, else the common ones."""
    own = [interface['name'] for interface in interfaces
           if interface.get('state') != 'absent' and in_networks(address, interface.get('networks') or [])]
    return own or list(common)


class Ifaces(object):
    """The files. changes: {name: value, or None to remove}"""

    def __init__(self, folder=IFACES, net='/sys/class/net'):
        self.folder = folder
        self.net = net

    def names(self):
        return listdir(self.folder)

    def text(self, name):
        """None when there is no such interface."""
        path = os.path.join(self.folder, name)
        if not os.path.isfile(path):
            return None
        return read(path)

    def device(self, name):
        """Network device of logins through an interface; '' when the kernel routes them; None when it is not known which."""
        if name == 'default':
            return ''
        settings = settings_of(self.text(name) or '')
        if settings.get('iface.transport_name') != 'tcp':
            return None
        address = (settings.get('iface.hwaddress') or '').lower()
        if settings.get('iface.net_ifacename') or not address:
            return settings.get('iface.net_ifacename') or ''
        found = [device for device in listdir(self.net) if read_text(self.net, device, 'address').lower() == address]
        return found[0] if len(found) == 1 else None

    def update(self, name, changes):
        if not os.path.isdir(self.folder):
            os.makedirs(self.folder, 0o700)
        # iscsiadm takes every file in the folder for an interface, so the new text is made beside it.
        put(os.path.join(self.folder, name), edit(self.text(name) or _NEW, changes),
            os.path.dirname(self.folder.rstrip('/')))

    def remove(self, name):
        os.unlink(os.path.join(self.folder, name))


def plan_ifaces(ifaces, interfaces):
    """[(name, Operation)] that make or complete the declared interfaces."""
    steps = []
    for interface in interfaces:
        if interface.get('state') == 'absent':
            continue
        name = interface['name']
        text = ifaces.text(name)
        current = settings_of(text or '')
        if current.get('iface.transport_name', 'tcp') != 'tcp':
            raise Refused('interface %s: on this host that is a hardware interface (transport %s). Choose another name.'
                          % (name, current['iface.transport_name']))
        wanted = dict(copied_settings(interface), **{'iface.iscsi_ifacename': name})
        changes = dict((key, value) for key, value in wanted.items() if current.get(key) != value)
        if changes:
            words = ', '.join('%s = %s' % (key, changes[key]) if changes[key] is not None else 'remove %s' % key
                              for key in sorted(changes))
            steps.append((name, Operation(
                'interface %s' % name, ('create: ' if text is None else 'set ') + words, 'iface',
                os.path.join(ifaces.folder, name), data=changes_text(changes))))
    return steps


def plan_removal(ifaces, interfaces, staying):
    """[(name, Operation)] for interfaces that are declared absent.

    staying: keys of records and sessions that will be left
    """
    steps = []
    for interface in interfaces:
        name = interface['name']
        if interface.get('state') != 'absent' or ifaces.text(name) is None:
            continue
        users = sorted(set(key[0] for key in staying if key[3] == name))
        if users:
            raise Refused('interface %s cannot be removed: records or sessions of %s use it. Remove those first.'
                          % (name, ', '.join(users)))
        steps.append((name, Operation('interface %s' % name, 'remove', 'iface', os.path.join(ifaces.folder, name))))
    return steps
