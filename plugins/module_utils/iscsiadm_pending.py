# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that a running session does not have yet: a record is read at the login and not again.

What the kernel shows of a session is compared, so a setting stays pending until it holds, whichever
run changed it. Settings that the kernel does not show are known to be pending only in the run that
changes them.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import io
import os

from ansible_collections.cephgate.iscsi.plugins.module_utils.iscsiadm_records import AUTH

# Where the kernel shows what iscsid gave it at the login (iscsi_session_set_params of open-iscsi 2.1.8).
# replacement_timeout is left out: multipathd sets its own for every path that it takes.
SHOWN = {
    'node.conn[0].timeo.noop_out_interval': ('connection', 'recv_tmo'),
    'node.conn[0].timeo.noop_out_timeout': ('connection', 'ping_tmo'),
    'node.session.err_timeo.abort_timeout': ('session', 'abort_tmo'),
    'node.session.err_timeo.lu_reset_timeout': ('session', 'lu_reset_tmo'),
    'node.session.err_timeo.tgt_reset_timeout': ('session', 'tgt_reset_tmo'),
    # A record may offer several; the target chooses one of them.
    'node.conn[0].iscsi.HeaderDigest': ('connection', 'header_digest'),
    'node.conn[0].iscsi.DataDigest': ('connection', 'data_digest'),
    AUTH + 'username': ('session', 'username'),
    AUTH + 'password': ('session', 'password'),
    AUTH + 'username_in': ('session', 'username_in'),
    AUTH + 'password_in': ('session', 'password_in'),
}

# Read at boot or at every login, and nothing that a session has.
NOT_OF_A_SESSION = ('node.startup', 'node.conn[0].startup', 'node.leading_login', 'node.conn[0].timeo.login_timeout',
                    'node.session.initial_login_retry_max', 'node.session.timeo.replacement_timeout',
                    AUTH + 'authmethod', 'iface.transport_name')


def running(session, name):
    """What a session has, or None when the kernel does not show it."""
    place, attribute = SHOWN[name]
    try:
        with io.open(os.path.join(session.folders[place], attribute), encoding='utf-8', errors='replace') as handle:
            text = handle.read().strip()
    except EnvironmentError:
        return None
    if name.startswith(AUTH):
        # That is how the kernel shows a text that was never set.
        return '' if text == '(null)' else text
    return text or None


def differs(name, wanted, found):
    if found is None:
        return False
    if name.endswith('Digest'):
        return found not in (wanted or 'None').split(',')
    if name == 'node.conn[0].timeo.noop_out_timeout' and wanted == '0':
        # iscsid takes its default when only the interval is set.
        return False
    return (wanted or '') != found


def pending(session, settings, managed, changed=()):
    """Names of settings that hold from the next login on, sorted.

    settings: of the record; managed: names that are declared; changed: names changed in this run
    """
    found = set(name for name in managed if name in SHOWN and differs(name, settings.get(name), running(session, name)))
    found.update(name for name in changed if name not in NOT_OF_A_SESSION
                 and (name not in SHOWN or running(session, name) is None))
    return sorted(found)
