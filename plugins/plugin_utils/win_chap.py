# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CHAP on a Windows host: what may be given to iscsicli, and how a changed secret is noticed.

Windows never shows the user or secret of a login, so a keyed hash of what was given last is kept in the
registry of the host, one value for each login.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import functools
import hashlib
import hmac
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_shell import quote

# A guess costs this many rounds; the secret itself is in the same registry, readable by the system account.
ROUNDS = 50000

# AuthType of iscsicli
NONE, ONE_WAY, MUTUAL = '0', '1', '2'


def check(chap):
    """Raise Refused for what Windows, iscsicli or RFC 7143 does not take; returns the chap without empty entries, or None."""
    if chap is None:
        return None
    chap = dict((key, value) for key, value in chap.items() if value)
    if not chap:
        return {}
    if bool(chap.get('user')) != bool(chap.get('secret')):
        raise Refused('chap: user and secret belong together, and only one of them is given. Give both, or neither to log in without CHAP.')
    if chap.get('mutual_secret') and not chap.get('user'):
        raise Refused('chap: mutual CHAP needs one-way CHAP too (RFC 7143, 12.1.3). Give user and secret.')
    if chap.get('mutual_user') and not chap.get('mutual_secret'):
        raise Refused('chap: mutual_user is given without mutual_secret. Give both, or neither for one-way CHAP.')
    if chap.get('mutual_secret') and chap['mutual_secret'] == chap['secret']:
        raise Refused('chap: secret and mutual_secret are the same, which lets anybody reflect an answer (RFC 7143, 9.2.1, forbids it). '
                      'Choose two.')
    for name in ('user', 'secret', 'mutual_secret'):
        value = chap.get(name)
        if value is None:
            continue
        if name != 'user' and not 12 <= len(value.encode('utf-8')) <= 16:
            raise Refused('chap: %s has %d characters, and Windows takes 12 to 16 (its error 0xEFFF004B). Choose another one, on the gateways '
                          'too.' % (name, len(value)))
        # iscsicli reads * as "none" and 0x... as hexadecimal digits.
        if value == '*' or value[:2].lower() == '0x':
            raise Refused('chap: %s is * or begins with 0x, which iscsicli does not take as text. Choose another one.' % name)
        try:
            quote(value)
        except ValueError as error:
            raise Refused('chap: %s: %s. Choose another one.' % (name, error))
    return chap


def secrets_of(chap):
    return [chap[name] for name in ('secret', 'mutual_secret') if chap and chap.get(name)]


def auth_type(chap):
    if not chap:
        return NONE
    return MUTUAL if chap.get('mutual_secret') else ONE_WAY


@functools.lru_cache(maxsize=64)
def _digest(salt, words):
    return hashlib.pbkdf2_hmac('sha256', '\0'.join(words).encode('utf-8'), bytes.fromhex(salt), ROUNDS).hex()[:32]


@functools.lru_cache(maxsize=None)
def _salt(dummy):
    return os.urandom(8).hex()


def mark(words):
    """What to keep of a user and secret: SALT:HASH."""
    salt = _salt(0)
    return '%s:%s' % (salt, _digest(salt, tuple(words)))


def is_mark_of(kept, words):
    salt, colon, digest = (kept or '').partition(':')
    try:
        return bool(colon) and hmac.compare_digest(digest, _digest(salt, tuple(words)))
    except ValueError:
        return False
