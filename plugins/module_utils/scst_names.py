# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and values may reach SCST.

SCST checks little: a device called C(mgmt) makes its handler's mgmt file vanish until the module is reloaded,
an initiator name with a slash makes the whole folder unreadable, blanks and C(;) split a command. So every
text is checked here before anything is written. All functions return the native string or raise Refused.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re
import socket
import sys

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import to_bytes, to_text

HCIL = re.compile(r'^[0-9]+:[0-9]+:[0-9]+:[0-9]+$')
ISCSI_NAME = re.compile(r'^(iqn\.[0-9]{4}-[0-9]{2}\.[a-z0-9.-]*[a-z0-9](:.+)?|eui\.[0-9a-f]{16}|naa\.([0-9a-f]{16}){1,2})$', re.I)
CONTROL = re.compile(u'[\x00-\x1f\x7f-\x9f\u2028\u2029]')
# Python 2 decodes halves of a surrogate pair, which are no UTF-8; narrow builds of it have pairs for good characters.
HALF = re.compile(u'[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]')
BLANK = re.compile(u'\\s', re.UNICODE)
# Most texts are plain ASCII; these two spare them the rest (a site of 1000 LUNs has some 10,000 texts).
PLAIN = re.compile('^[!-~](?:[ -~]*[!-~])?\\Z')
PLAIN_WORD = re.compile('^[!-<>-~]+\\Z')
# Nothing in it that any of the rules for a device or for a folder is about, except that it may be C(mgmt).
PLAIN_DEVICE = re.compile('^[A-Za-z0-9_-]{1,64}\\Z')
PLAIN_ENTRY = re.compile('^[A-Za-z0-9][A-Za-z0-9_.:-]{0,222}\\Z')
INTEGER = re.compile(r'^-?(0[xX][0-9a-fA-F]+|[0-9]+)$')
PORTAL_PATTERN = re.compile(r'^!?[0-9A-Fa-f:.*?]+$')

if sys.version_info[0] == 2:
    INTEGERS = (int, long)  # noqa: F821  pylint: disable=undefined-variable
    TEXTS = (str, unicode)  # noqa: F821  pylint: disable=undefined-variable
else:
    INTEGERS = (int,)
    TEXTS = (str, bytes)


def shown(value):
    """The value as it may stand in an error: one printable line, cut when long."""
    if isinstance(value, TEXTS):
        text = repr(to_text(value))
    else:
        text = repr(value)
    return text if len(text) <= 80 else text[:77] + '...'


def text(value, what, longest=4000, empty=False):
    """One line of printable UTF-8 of at most C(longest) bytes."""
    if isinstance(value, str) and len(value) <= longest and PLAIN.match(value):
        return value
    if isinstance(value, bool) or not isinstance(value, TEXTS + INTEGERS):
        raise Refused('%s: %s is not a text. Put it in quotes.' % (what, shown(value)))
    value = to_text(value) if isinstance(value, TEXTS) else str(value)
    try:
        decoded = value.decode('utf-8') if isinstance(value, bytes) else value
        size = len(decoded.encode('utf-8'))
        if HALF.search(decoded):
            raise ValueError
    except ValueError:
        raise Refused('%s: %s is not UTF-8.' % (what, shown(value)))
    if not decoded and not empty:
        raise Refused('%s: is empty. Give a value or leave it out.' % what)
    if CONTROL.search(decoded):
        raise Refused('%s: %s holds a control character. SCST takes one line per value.' % (what, shown(value)))
    if decoded != decoded.strip():
        raise Refused('%s: %s begins or ends with a blank, which SCST would drop. Remove it.' % (what, shown(value)))
    if size > longest:
        raise Refused('%s: %s has %d bytes, %d are allowed.' % (what, shown(value), size, longest))
    return value


def word(value, what, longest=255, forbidden=''):
    """A text that is one word of a command: nothing that separates words, none of C(forbidden).

    SCST and iscsi-scstd split at blanks and at C(=) (a CHAP secret would silently lose its end), and the kernel's
    isspace() takes the byte A0, a part of many UTF-8 characters, for a blank.
    """
    if not (isinstance(value, str) and len(value) <= longest and PLAIN_WORD.match(value)):
        value = text(value, what, longest)
        if BLANK.search(value.decode('utf-8') if isinstance(value, bytes) else value):
            raise Refused('%s: %s holds a blank, where SCST would cut it.' % (what, shown(value)))
        if '=' in value or b'\xa0' in to_bytes(value):
            raise Refused("%s: %s holds '=' or a character with the byte A0 in UTF-8, where SCST would cut it." % (what, shown(value)))
    for char in forbidden:
        if char in value:
            raise Refused("%s: %s holds '%s', which SCST would take for something else." % (what, shown(value), char))
    return value


def entry(value, what, longest=255, forbidden=''):
    """A word that becomes a folder or file in sysfs."""
    if isinstance(value, str) and PLAIN_ENTRY.match(value) and value.lower() != 'mgmt':
        return value
    return _entry(value, what, longest, forbidden)


def _entry(value, what, longest, forbidden):
    value = word(value, what, longest, '/' + forbidden)
    if value in ('.', '..') or value.lower() == 'mgmt':
        raise Refused("%s: '%s' is a name that SCST itself uses. Choose another." % (what, value))
    return value


def device(value, what='device name'):
    if isinstance(value, str) and PLAIN_DEVICE.match(value) and value.lower() != 'mgmt':
        return value
    # 64 is SCST's limit since 3.1; 3.0 has 16 and says EINVAL.
    value = _entry(value, what, 64, './;=!,')
    if HCIL.match(value):
        raise Refused("%s: '%s' looks like a SCSI device of this node (H:C:I:L). Choose another." % (what, value))
    return value


def target(value, what='target name'):
    """An iSCSI name (RFC 7143 section 4.2.7), at most 223 bytes."""
    value = entry(value, what, 223, '!;')
    if not ISCSI_NAME.match(value):
        raise Refused("%s: '%s' is not an iSCSI name: it reads iqn.YYYY-MM.reversed.domain[:anything], eui. with 16 "
                      "or naa. with 16 or 32 hexadecimal digits." % (what, value))
    return value


def group(value, what='group name'):
    return entry(value, what, 255, '!;')


def initiator(value, what='initiator name'):
    """An initiator's name; C(*), C(?) and a leading C(!) are SCST's wildcards, C(#portal) its per-portal form."""
    return entry(value, what, 255)


def portal(value, what='portal'):
    """An address, in the canonical form which iscsi-scstd compares with, or a pattern of addresses."""
    value = word(value, what, 64)
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, value))
        except (socket.error, ValueError):
            pass
    if not PORTAL_PATTERN.match(value) or not ('*' in value or '?' in value or value.startswith('!')):
        raise Refused("%s: '%s' is neither an IPv4 nor an IPv6 address (without port and brackets) nor a pattern "
                      "with * or ?. SCST would accept it and match nothing." % (what, value))
    return value


def user(value, what='user name'):
    return word(value, what, 255)


def secret(value, what='secret'):
    """A CHAP secret. Errors never show it."""
    try:
        value = word(value, what, 255)
    except Refused:
        raise Refused("%s: must be one word of printable UTF-8 of 12 to 255 bytes without '=' (SCST would cut it there)." % what)
    if len(value) < 12:
        raise Refused('%s: is shorter than 12 characters, which SCST refuses.' % what)
    return value


def integer(value, what, lowest, highest):
    """A whole number; decimal or 0x… as text is fine, SCST's octal is not."""
    if type(value) is int and lowest <= value <= highest:  # pylint: disable=unidiomatic-typecheck
        return value
    if isinstance(value, TEXTS):
        value = to_text(value)
        digits = value.lstrip('-')
        if not INTEGER.match(value) or len(value) > 40 or (len(digits) > 1 and digits.isdigit() and digits[0] == '0'):
            raise Refused('%s: %s is not a whole number.' % (what, shown(value)))
        value = int(value, 16 if 'x' in value.lower() else 10)
    if isinstance(value, bool) or not isinstance(value, INTEGERS):
        raise Refused('%s: %s is not a whole number.' % (what, shown(value)))
    if not lowest <= value <= highest:
        raise Refused('%s: %s is outside %d..%d.' % (what, shown(value), lowest, highest))
    return int(value)


def choice(value, what, allowed):
    if value not in allowed:
        raise Refused('%s: %s is none of %s.' % (what, shown(value), ', '.join(allowed)))
    return value


def present(item, what):
    """Whether an object is to exist, by its C(state)."""
    return choice(item.get('state') or 'present', what + ': state', ('present', 'absent')) == 'present'


def listed(value, what):
    """A list, or nothing for one."""
    if value is None:
        return []
    if not isinstance(value, (list, tuple)):
        raise Refused('%s: %s is not a list.' % (what, shown(value)))
    return value


def mapping(value, what):
    """A dictionary, or nothing for one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refused('%s: %s is not a dictionary.' % (what, shown(value)))
    return value


def mappings(value, what):
    """A list of dictionaries, or nothing for one."""
    return [mapping(item, what) for item in listed(value, what)]


def unique(values, what, advice='It must be unique.'):
    """Refuse a value that is listed twice; C(values) are (value, owner) pairs."""
    seen = {}
    for value, owner in values:
        if value in seen:
            raise Refused('%s %s: both %s and %s have it. %s' % (what, shown(value), seen[value], owner, advice))
        seen[value] = owner
