# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Login PDUs of iSCSI (RFC 7143, 11.12 and 11.13), as far as logging in, discovery and CHAP go."""
import hashlib
import struct

LOGIN, LOGIN_RESPONSE = 0x03, 0x23
TEXT, TEXT_RESPONSE = 0x04, 0x24
LOGOUT, LOGOUT_RESPONSE = 0x06, 0x26
NOP_OUT, NOP_IN = 0x00, 0x20
SECURITY, OPERATIONAL, FULL_FEATURE = 0, 1, 3
# Login status: class and detail
SUCCESS, AUTHENTICATION, AUTHORIZATION, NOT_FOUND = 0x0000, 0x0201, 0x0202, 0x0203


def pairs(data):
    """b'A=1\\0B=2\\0' as a dict."""
    return dict(item.decode().split('=', 1) for item in data.split(b'\0') if b'=' in item)


def unpairs(values):
    return b''.join(b'%s=%s\0' % (name.encode(), value.encode()) for name, value in values.items())


def receive(sock, count):
    data = b''
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            raise ConnectionError('the other side closed the connection')
        data += chunk
    return data


def read(sock):
    """(header, data) of the next PDU; no digests."""
    header = receive(sock, 48)
    length = int.from_bytes(header[5:8], 'big')
    return header, receive(sock, (length + 3) // 4 * 4)[:length] if length else b''


def write(sock, header, data=b''):
    header = bytearray(header)
    header[5:8] = len(data).to_bytes(3, 'big')
    sock.sendall(bytes(header) + data + b'\0' * (-len(data) % 4))


def login_request(stage, transit, target, isid, tag, sequence, status_sn):
    flags = (0x80 if transit else 0) | stage << 2 | (target if transit else 0)
    return struct.pack('>BBBB4s6sHIHHII16s', 0x40 | LOGIN, flags, 0, 0, b'', isid, 0, tag, 0, 0, sequence, status_sn, b'')


def chap_response(identifier, secret, challenge):
    """RFC 1994: MD5 of identifier, secret and challenge; everything as iSCSI writes it."""
    return '0x' + hashlib.md5(bytes([int(identifier)]) + secret.encode() + bytes.fromhex(challenge[2:])).hexdigest()
