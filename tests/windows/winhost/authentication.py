# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Basic and NTLM authentication, and NTLM's encryption of messages (MS-WSMV 2.2.9.1)."""
import base64
import os
import struct
import tempfile

import spnego

BOUNDARY = b'--Encrypted Boundary'
ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'


class Authentication:
    """Of one connection: NTLM authenticates connections, not requests."""

    def __init__(self, user, password, basic):
        self.user, self.password, self.basic = user, password, basic
        self.context = None
        self.done = False

    def challenges(self):
        return ['Negotiate', 'NTLM'] + (['Basic realm="WSMAN"'] if self.basic else [])

    def check(self, header):
        """(whether the request is authenticated, value of WWW-Authenticate to go on with or None)"""
        scheme, dummy, token = header.partition(' ')
        if scheme == 'Basic':
            # [7]: off by default.
            good = base64.b64encode(('%s:%s' % (self.user, self.password)).encode()).decode()
            return self.basic and token == good, None
        if scheme in ('NTLM', 'Negotiate'):
            if self.context is None or self.context.complete:
                self.context = server(self.user, self.password)
            try:
                answer = self.context.step(base64.b64decode(token))
            except spnego.exceptions.SpnegoError:
                self.context = None
                return False, None
            self.done = self.context.complete
            return self.done, '%s %s' % (scheme, base64.b64encode(answer).decode()) if answer and not self.done else None
        return self.done, None

    def decrypt(self, body):
        payload = body.split(BOUNDARY + b'\r\n')[2].split(b'\tContent-Type: application/octet-stream\r\n', 1)[1]
        payload = payload[:-len(BOUNDARY + b'--\r\n')]
        length = struct.unpack('<i', payload[:4])[0]
        # pyspnego unwraps signature and message in one piece.
        return self.context.unwrap_winrm(payload[4:4 + length], payload[4 + length:])

    def encrypt(self, message):
        header, data, dummy = self.context.wrap_winrm(message)
        return (BOUNDARY + b'\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n'
                b'\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n' % len(message)
                + BOUNDARY + b'\r\n\tContent-Type: application/octet-stream\r\n' + struct.pack('<i', len(header)) + header + data
                + BOUNDARY + b'--\r\n')


# Lives as long as the process: pyspnego takes accounts from a file only, named in the environment, and reads it late.
ACCOUNTS = tempfile.NamedTemporaryFile('w', prefix='winhost-')
os.environ['NTLM_USER_FILE'] = ACCOUNTS.name
known = set()


def server(user, password):
    """An acceptor of NTLM. An account has the same password on all hosts of a process."""
    if user not in known:
        known.add(user)
        ACCOUNTS.write(':%s:%s\n' % (user, password))
        ACCOUNTS.flush()
    return spnego.server(protocol='ntlm', options=spnego.NegotiateOptions.use_ntlm)
