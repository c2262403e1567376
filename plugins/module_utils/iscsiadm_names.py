# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Portals and targets as people write them, and one form to compare them by."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import binascii
import collections
import re
import socket

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

# address: in the one form that is compared; port: int; tag: target portal group tag or None
Portal = collections.namedtuple('Portal', 'address port tag')

# RFC 7143, 4.2.7.1: port of a portal that names none.
DEFAULT_PORT = 3260

_DIGITS = re.compile(r'[0-9]+\Z')
# RFC 6890 and RFC 4291: "this network", multicast, reserved with broadcast; unspecified, multicast.
_NOBODY = ('0.0.0.0/8', '224.0.0.0/3', '::/128', 'ff00::/8')


def canonical(address):
    """One spelling for each IP address: FD00::00A1 and fd00::a1 are the same portal.

    A zone (fe80::1%eth1) is kept. What is no address (a host name in a record made by hand)
    is returned in lower case.
    """
    bare, percent, zone = address.strip('[]').partition('%')
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, bare)) + percent + zone
        except (socket.error, ValueError, UnicodeError):
            pass
    return address.lower()


def is_address(address):
    bare = address.partition('%')[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, bare)
            return True
        except (socket.error, ValueError, UnicodeError):
            pass
    return False


def parse_portal(text):
    """C(10.0.0.1), C(10.0.0.1:3260), C(fd00::1), C([fd00::1]:3260), each with C(,TAG) or without.

    Raises Refused for anything else; host names too, because sessions and records are compared
    by address and a name may change its meaning between two runs.
    """
    rest, comma, tag = text.strip().partition(',')
    bracketed = re.match(r'^\[([^\]]+)\](?::([0-9]+))?\Z', rest)
    if bracketed:
        address, port = bracketed.groups()
    elif rest.count(':') == 1:
        address, dummy, port = rest.partition(':')
    else:
        address, port = rest, None
    if port is None:
        port = '%d' % DEFAULT_PORT
    # int() takes the digits of every script, signs and blanks.
    if _DIGITS.match(port) and (not comma or _DIGITS.match(tag)):
        port, tag = int(port), int(tag) if comma else None
    else:
        port, tag = 0, None
    if not is_address(address) or not 0 < port < 65536 or (tag is not None and not 0 <= tag < 65536):
        raise Refused('portal "%s" is not of the form ADDRESS, ADDRESS:PORT or [IPV6]:PORT with an IP address '
                      'and a port from 1 to 65535. Correct it.' % text)
    if in_networks(address, _NOBODY):
        raise Refused('portal "%s": %s is the address of no single host (unspecified, multicast or broadcast), so nobody can be asked there. '
                      'Give the address that the gateway listens on.' % (text, canonical(address)))
    return Portal(canonical(address), port, tag)


def format_portal(address, port):
    """As iscsiadm wants it after -p."""
    return '[%s]:%d' % (address, port) if ':' in address else '%s:%d' % (address, port)


def _number(address):
    """(family, the address as a number) of an IP address without its zone, or None."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return family, int(binascii.hexlify(socket.inet_pton(family, address.partition('%')[0])), 16)
        except (socket.error, ValueError, UnicodeError):
            pass
    return None


def in_networks(address, networks):
    """Whether an address lies in one of the networks, each ADDRESS/LENGTH. Raises Refused for what is no network."""
    found = False
    for text in networks:
        start, slash, length = text.strip().partition('/')
        first = _number(start)
        bits = 32 if first and first[0] == socket.AF_INET else 128
        if not first or not length.isdigit() or int(length) > bits:
            raise Refused('network "%s" is not of the form ADDRESS/LENGTH, such as 10.0.0.0/24 or fd00::/64. Correct it.'
                          % text)
        own = _number(address)
        found = found or (own is not None and own[0] == first[0]
                          and own[1] >> (bits - int(length)) == first[1] >> (bits - int(length)))
    return found


def check_target(name):
    """Looser than RFC 7143: some arrays have upper-case letters in the names of their targets."""
    if not re.match(r'(?:iqn|eui|naa)\.[^\s/]+\Z', name):
        raise Refused('target "%s" is no iSCSI name: it begins with iqn., eui. or naa. and has no blank and no slash (RFC 7143, 4.2.7). '
                      'Correct it.' % name)


def check_prefix(text, option):
    """Refused for a prefix of target names that leaves out whose they are: it covers those of everybody, or of nobody."""
    if not re.match(r'(?:iqn\.[0-9]{4}-[0-9]{2}\.[^\s/]+|(?:eui|naa)\.[0-9A-Fa-f]+)\Z', text):
        raise Refused('%s: "%s" does not say whose targets are meant, so it would cover those of others, or none. Write the beginning of their '
                      'names with date and domain, such as iqn.2026-11.com.example: (RFC 7143, 4.2.7).' % (option, text))


def in_scope(target, prefixes):
    """Whether a target's name lies under one of the declared prefixes.

    Only whole parts count: iqn.x.example is no prefix of iqn.x.example2:gw1, which may be
    somebody else's. A prefix that ends in ":" or "." says itself which part comes next: with an
    organisation's own name, iqn.x:, the storage of its other departments, iqn.x.other:array, is outside.
    """
    return any(target == prefix or target.startswith((prefix,) if prefix.endswith((':', '.')) else (prefix + ':', prefix + '.'))
               for prefix in prefixes)
