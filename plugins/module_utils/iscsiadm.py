# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every call of iscsiadm, and what its exit codes mean to the person who must act on them."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import os
import socket

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_names import format_portal

# include/iscsi_err.h of open-iscsi; numbers are part of iscsiadm's interface (iscsiadm(8), EXIT STATUS).
SESSION_EXISTS = 15
NO_OBJECTS = 21

# socket(7); Python 2.7 has no name for it.
SO_BINDTODEVICE = 25

_EXPLAINED = {
    1: 'iscsiadm met an error that it has no number for; "journalctl -u iscsid" may tell more',
    2: 'there is no such session any more',
    3: 'out of memory, or the named interface is missing below /etc/iscsi/ifaces',
    4: 'the connection was refused or broke: does the target listen on this portal (port 3260 of the gateway), '
       'and does a firewall let it through?',
    5: 'the target refused the login: it may not know this initiator (compare /etc/iscsi/initiatorname.iscsi with '
       'the access list on the gateway), or may be disabled',
    6: 'the node database below /etc/iscsi could not be read or written: is the disk full or read-only?',
    7: 'a parameter is not valid',
    8: 'nothing answered in time: is the gateway up, and is there a route to this address?',
    9: 'iscsid failed inside: "journalctl -u iscsid" has the reason',
    10: 'the target did not confirm the logout in time',
    11: 'the target stopped answering in the middle of the exchange',
    12: 'the kernel has no iSCSI transport: "modprobe iscsi_tcp" must work (a container or a cloud kernel has none)',
    13: 'iscsid refused: it takes commands from root only',
    14: 'the transport cannot do that: an interface of a hardware adapter takes no settings of a software one',
    15: 'there is a session for this target and portal already',
    16: 'iscsid does not understand the request: it is older or newer than iscsiadm. "systemctl restart iscsid" starts the '
        'one that is installed',
    17: 'iSNS is not supported',
    18: 'iscsid broke off: "journalctl -u iscsid" has the reason',
    19: 'the target refused the login for good: no target of this name on this portal, no LUN group for this '
        'initiator, a parameter that it cannot grant (log of the gateway), or with mutual CHAP the target\'s own secret '
        'is another one than declared here',
    20: 'iscsid does not run: "systemctl status iscsid"',
    21: 'there is no record or session for this target and portal',
    22: 'the kernel shows no such session in sysfs',
    23: 'the kernel shows no SCSI host for this session',
    24: 'CHAP failed: user or secret differ between this host and the gateway, or only one side asks for CHAP '
        '(for mutual CHAP, the target\'s own secret)',
    25: 'the iSNS server did not answer the question',
    26: 'the iSNS server did not take the registration',
    27: 'the transport or the installed open-iscsi does not know this operation',
    28: 'something on this host still uses a disk of this session',
    29: 'something was busy for a moment: run again',
    30: 'the kind of discovery is not known to the installed open-iscsi',
    31: 'a child process of iscsiadm was ended from outside (out of memory?)',
    32: 'the session is not connected at the moment',
    33: 'iscsid did not answer in time',
}


class IscsiError(EnvironmentError):
    """iscsiadm, or the way to the target, failed. C(code): iscsiadm's exit code, or None."""

    def __init__(self, text, code=None):
        super(IscsiError, self).__init__(text)
        self.code = code

    def __str__(self):
        return self.args[0]


def _reason_of_connect(error):
    if isinstance(error, socket.timeout) or error.errno == errno.ETIMEDOUT:
        return 'no answer: is the gateway up, and does a firewall drop the packets?'
    if error.errno == errno.ECONNREFUSED:
        return 'connection refused: the host is up but no target listens there (is the gateway\'s target enabled?)'
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return 'no route: check the address and this host\'s network'
    return error.strerror or str(error)


def connect(address, port, timeout, device=''):
    """A TCP connection, through one network device as iscsid makes those of a bound interface: another may have no way there."""
    family, kind, protocol, dummy, where = socket.getaddrinfo(address, port, 0, socket.SOCK_STREAM)[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.settimeout(timeout)
        if device:
            made.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device.encode('ascii') + b'\0')
        made.connect(where)
    except Exception:
        made.close()
        raise
    return made


class Iscsiadm(object):
    """iscsiadm.

    run: callable(argv) -> (exit code, stdout, stderr). Secrets never pass here, see iscsiadm_records.
    connect_timeout: seconds to wait for a portal's TCP port before a login
    """

    def __init__(self, run, connect_timeout=5, command='iscsiadm'):
        self.run = run
        self.connect_timeout = connect_timeout
        self.command = command

    def node(self, target, portal, *words, **options):
        """Arguments for one node record. portal: ADDRESS:PORT as the record spells it.

        The interface is always named: without it iscsiadm logs in through, and deletes the records
        of, every interface of the portal (seen with 2.1.8).
        """
        return [self.command, '-m', 'node', '-T', target, '-p', portal,
                '-I', options.get('iface', 'default')] + list(words)

    def call(self, argv, accept=()):
        code, out, err = self.run(argv)
        if code and code not in accept:
            lines = [line.strip() for line in err.splitlines() if line.strip()]
            raise IscsiError('%s (iscsiadm exit code %d; it said: %s)' % (
                _EXPLAINED.get(code, 'iscsiadm failed'), code, lines[0] if lines else 'nothing'), code)
        return out

    def probe(self, address, port, device=''):
        """Whether anything listens there, in seconds. device: network device to ask through; '': the kernel routes.

        iscsiadm itself gives up only after login_timeout x initial_login_retry_max, 120 s by default, for each portal.
        """
        try:
            connect(address, port, self.connect_timeout, device).close()
        except (EnvironmentError, socket.error) as error:
            raise IscsiError('%s %s' % (format_portal(address, port), _reason_of_connect(error)))

    def login(self, argv, address, port, device):
        """device: as Ifaces.device gives it"""
        if device is not None:
            self.probe(address, port, device)
        # Between the look at sysfs and now iscsid may have logged in by itself: no failure.
        self.call(argv, accept=(SESSION_EXISTS,))

    def rescan(self, sid):
        """Ask a session's target for new LUNs and every disk for its size."""
        self.call([self.command, '-m', 'session', '-r', '%d' % sid, '--rescan'])

    @staticmethod
    def installed(command='iscsiadm'):
        return any(os.access(os.path.join(folder, command), os.X_OK)
                   for folder in ('/sbin', '/usr/sbin', '/usr/local/sbin', '/bin', '/usr/bin'))
