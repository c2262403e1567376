# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Status codes of iscsicli (iscsierr.h of the Windows SDK) and of Windows, with what to do about each."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

SERVICE_STOPPED = 0xEFFF003E
NOT_FOUND = 0xEFFF0029

# code: (what Windows says, what to do)
ISCSI = {
    0xEFFF0002: ('login failed', "See the target's log on the gateway, and the source iScsiPrt in the System event log of this host."),
    0xEFFF0003: ('connection failed', 'Is the gateway up, is the address right, and does a firewall let TCP port {port} through?'),
    0xEFFF0009: ('authentication failure', 'The CHAP user or secret is not the one that the gateway has (or the gateway wants CHAP and '
                 'none is declared). Compare chap of this host in cephgate_hosts with the incoming users of the target.'),
    0xEFFF000A: ('authorization failure', "The gateway does not admit this host's initiator name. Compare it with the initiators of "
                 'the host in cephgate_hosts.'),
    0xEFFF000B: ('target not found by the gateway', "The gateway has no such target, or does not show it to this host's initiator name. "
                 'Compare the name with the initiators of the host in cephgate_hosts, and run the play for the gateways first.'),
    0xEFFF0012: ('target error', "The gateway has an error of its own: see its kernel log and 'systemctl status iscsi-scstd' there."),
    0xEFFF0016: ('the session exists already', 'Run again: the sessions are read anew.'),
    0xEFFF001C: ('no such session', 'It ended in the meantime. Run again: the sessions are read anew.'),
    0xEFFF0022: ('logon failed', 'See the source iScsiPrt in the System event log of this host for the reason that the gateway gave.'),
    0xEFFF0029: ('target name not known to the initiator', 'Discovery through portal {portal} did not bring it. Does the gateway export '
                 "it, and does it admit this host's initiator name?"),
    0xEFFF0032: ('the portal exists already', 'Run again: the portals are read anew.'),
    0xEFFF003E: ('the service MSiSCSI is not running', 'Start it: sc.exe start msiscsi. It stops by itself only when something is '
                 'wrong: see the System event log.'),
    0xEFFF003F: ('already logged in', 'There is a session that was made without multipath. Log it out (iscsicli SessionList, '
                 'iscsicli LogoutTarget ID) and run again.'),
    0xEFFF0040: ('a disk of the session is in use', 'It is the last path of a disk with a mounted volume. Take the disk offline, or '
                 'let the other gateways be logged in first, and run again.'),
    0xEFFF0042: ('the persistent login could not be removed', 'Remove it by hand (iscsicpl.exe, Favorite Targets) and run again.'),
    0xEFFF0043: ('the portal is not known to the initiator', 'It was removed in the meantime. Run again: the portals are read anew.'),
    0xEFFF0044: ('the initiator instance was not found', 'Is the driver of the Microsoft iSCSI Initiator there? See iscsicli ListInitiators.'),
    0xEFFF004B: ('the CHAP secret is not allowed', 'Windows takes 12 to 16 characters. Change it on the gateways and here.'),
    0xAFFF002E: ('done, with a warning', 'See the System event log.'),
    0xAFFF003B: ('done, and holds after a reboot', 'Reboot the host.'),
    0xAFFF0048: ('done, with a warning', 'See the System event log.'),
}

SYSTEM = {
    5: ('access denied', "The account that Ansible logs in as must be one of the host's administrators, with a full token (a local "
        'account other than Administrator needs LocalAccountTokenFilterPolicy=1).'),
    87: ('invalid parameter', 'This version of Windows takes other arguments. Please report the operation and the version.'),
    1056: ('the service runs already', 'Run again.'),
    1058: ('the service is disabled', 'Set its start type: sc.exe config msiscsi start= auto.'),
    1060: ('no such service', 'The iSCSI initiator is part of Server 2008 and later. Is this a stripped installation?'),
    1062: ('the service was not running', 'Start it: sc.exe start msiscsi.'),
    1190: ('a shutdown is scheduled already', 'Wait for it, or stop it: shutdown.exe /a.'),
}


def is_warning(rc):
    """iscsicli's warnings mean that it was done."""
    return rc is not None and rc >> 28 == 0xA


def explain(rc, out='', portal=None, port=3260):
    """An exit code as a sentence that says what to do; the program's own words, in whatever language, at the end."""
    said = ' '.join(word for word in out.split())[-200:]
    if rc is None:
        return 'there is no such program on this host. %s' % said
    known = ISCSI.get(rc) or SYSTEM.get(rc)
    shown = '0x%08X' % rc if rc > 0xFFFF else '%d' % rc
    if known is None:
        return 'exit code %s: %s' % (shown, said or 'and no word')
    return '%s (%s). %s' % (known[0], shown, known[1].replace('{portal}', str(portal)).replace('{port}', str(port)))
