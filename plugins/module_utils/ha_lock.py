# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds an image's exclusive lock, and taking it from one who is fenced, in one call to the OSD each: what librbd does after it has
opened the image.

Opening is what costs: under emulation 60 ms of processor time for each disk of a dead gateway, and this 3 ms. The forms are those of Ceph's
cls_lock_get_info_op, cls_lock_get_info_reply and cls_lock_break_op (src/cls/lock/cls_lock_ops.h) and of entity_addr_t (src/msg/msg_types.h).
What is not exactly of these forms is a ValueError, and librbd is asked: whoever is overlooked here would not be fenced.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import socket
import struct

OBJECT = 'rbd_header.%s'   # of an image's internal id
CLASS, GET, BREAK = 'lock', 'get_info', 'break_lock'
LOCK = b'rbd_lock'         # RBD_LOCK_NAME
LONGEST = 8192             # of an answer; a longer one would come cut off
INET, INET6 = 2, 10        # as Linux numbers them, whatever this host does


class _Reader(object):
    def __init__(self, data):
        self.data = data

    def take(self, form):
        size = struct.calcsize(form)
        if len(self.data) < size:
            raise ValueError('an answer that is too short')
        values, self.data = struct.unpack(form, self.data[:size]), self.data[size:]
        return values

    def text(self):
        length, = self.take('<I')
        return self.take('<%ds' % length)[0]

    def part(self):
        """What is behind version, compatible version and length of a structure. A newer version may have more at its end."""
        dummy, compatible, length = self.take('<BBI')
        if compatible != 1:
            raise ValueError('an answer of a newer form')
        return _Reader(self.take('<%ds' % length)[0])


def _text(data):
    return struct.pack('<I', len(data)) + data


def _structure(body):
    return struct.pack('<BBI', 1, 1, len(body)) + body


def request():
    """The argument of get_info."""
    return _structure(_text(LOCK))


def breaking(locker):
    """The argument of break_lock. The OSD refuses it (ENOENT) when this very locker has the lock no more."""
    kind, number, cookie = locker
    return _structure(_text(LOCK) + struct.pack('<Bq', kind, number) + _text(cookie))


def lockers(answer):
    """[(address, locker)] of those who hold the lock. Addresses have the form of the blocklist: 10.99.0.11:0/2202855461, [fd00::11]:0/22."""
    if len(answer) >= LONGEST:
        raise ValueError('an answer that may be cut off')
    reply = _Reader(answer).part()
    count, = reply.take('<I')
    found = []
    for dummy in range(count):
        locker = reply.part()
        kind, client = locker.take('<Bq')
        cookie = locker.text()
        info = reply.part()
        info.take('<II')  # when the lock expires
        found.append((_address(info), (kind, client, cookie)))
    return found


def _address(reader):
    if reader.take('<B') != (1,):
        raise ValueError('an address of the form before Ceph 12')
    address = reader.part()
    dummy, nonce, length = address.take('<III')
    place = _Reader(address.take('<%ds' % length)[0])
    family, = place.take('<H')
    port, = place.take('>H')
    if family == INET:
        host = '%s' % socket.inet_ntop(socket.AF_INET, place.take('4s')[0])
    elif family == INET6:
        place.take('<I')
        host = '[%s]' % socket.inet_ntop(socket.AF_INET6, place.take('16s')[0])
    else:
        raise ValueError('an address of family %d' % family)
    return '%s:%d/%d' % (host, port, nonce)
