# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network half of the initiator: what iscsicli really does to a portal."""
import json
import os
import socket

from . import pdu
from .target import LUNS_KEY


class LoginError(Exception):
    """status: of iSCSI; 0: the connection failed."""

    def __init__(self, status):
        super().__init__('login status 0x%04x' % status)
        self.status = status


class Login:
    """A session with one connection.

    chap: (user, secret) or None; own_secret: what the target must prove to know, None for one-way CHAP
    """

    def __init__(self, portal, initiator, target=None, chap=None, own_secret=None):
        self.portal = portal
        self.luns = []
        self.tag = self.status_sn = 0
        self.isid = b'\x40\0' + os.urandom(4)
        try:
            self.sock = socket.create_connection(portal, timeout=5)
            self._log_in(initiator, target, chap, own_secret)
        except (OSError, ConnectionError) as error:
            raise LoginError(0) from error

    def _exchange(self, stage, transit, next_stage, keys):
        self.tag += 1
        pdu.write(self.sock, pdu.login_request(stage, transit, next_stage, self.isid, self.tag, 1, self.status_sn), pdu.unpairs(keys))
        header, data = pdu.read(self.sock)
        self.status_sn = int.from_bytes(header[24:28], 'big') + 1
        status = int.from_bytes(header[36:38], 'big')
        if status:
            self.sock.close()
            raise LoginError(status)
        return pdu.pairs(data)

    def _log_in(self, initiator, target, chap, own_secret):
        keys = dict(InitiatorName=initiator, SessionType='Normal' if target else 'Discovery', AuthMethod='CHAP,None' if chap else 'None')
        if target:
            keys['TargetName'] = target
        if self._exchange(pdu.SECURITY, False, 0, keys).get('AuthMethod') == 'CHAP':
            asked = self._exchange(pdu.SECURITY, False, 0, dict(CHAP_A='5'))
            keys = dict(CHAP_N=chap[0], CHAP_R=pdu.chap_response(asked['CHAP_I'], chap[1], asked['CHAP_C']))
            if own_secret is not None:
                challenge = '0x' + os.urandom(16).hex()
                keys.update(CHAP_I='9', CHAP_C=challenge)
            answer = self._exchange(pdu.SECURITY, True, pdu.OPERATIONAL, keys)
            if own_secret is not None and answer.get('CHAP_R') != pdu.chap_response(9, own_secret, challenge):
                self.sock.close()
                raise LoginError(pdu.AUTHENTICATION)
        else:
            if own_secret is not None:
                self.sock.close()
                raise LoginError(pdu.AUTHENTICATION)
            self._exchange(pdu.SECURITY, True, pdu.OPERATIONAL, {})
        answer = self._exchange(pdu.OPERATIONAL, True, pdu.FULL_FEATURE, dict(HeaderDigest='None', DataDigest='None'))
        self.luns = json.loads(answer.get(LUNS_KEY, '[]'))

    def send_targets(self):
        """Names of the targets that the portal has for this initiator."""
        header = bytearray(48)
        header[0], header[1] = 0x40 | pdu.TEXT, 0x80
        header[16:20] = (77).to_bytes(4, 'big')
        header[20:24] = b'\xff' * 4
        pdu.write(self.sock, header, b'SendTargets=All\0')
        data = pdu.read(self.sock)[1]
        return [item.split(b'=', 1)[1].decode() for item in data.split(b'\0') if item.startswith(b'TargetName=')]

    def alive(self):
        self.sock.setblocking(False)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) != b''
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            try:
                self.sock.setblocking(True)
            except OSError:
                pass

    def close(self):
        self.sock.close()


def discover(portal, initiator):
    login = Login(portal, initiator)
    try:
        return login.send_targets()
    except (OSError, ConnectionError) as error:
        raise LoginError(0) from error
    finally:
        login.close()
