# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the monitors are, by a ceph.conf: C(mon_host) in all the forms that Ceph's "Monitor configuration reference" knows."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import re

PORT = 6789  # of messenger 1, and of an address that names none
_MONITOR = re.compile(r'(?:(v[12]):)?(\[[0-9a-fA-F:.]+\]|[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,}|[\w.-]+)(?::(\d+))?(?:/\d+)?')
_NUMBER = re.compile(r'(?:\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$')


def monitors(conf):
    """Monitors of the text of a ceph.conf, in its order: [(messenger C(v1), C(v2) or None, host, port)]."""
    found = re.search(r'^[ \t]*mon[ _-]host[ \t]*=[ \t]*(.+)$', conf, re.MULTILINE)
    return [(messenger or None, host.strip('[]'), int(port or PORT))
            for messenger, host, port in (_MONITOR.findall(found.group(1)) if found else [])]


def written(host, port):
    """host:port, as a kernel reads it; None for a name, which it cannot look up."""
    if not _NUMBER.match(host):
        return None
    return '%s:%d' % ('[%s]' % host if ':' in host else host, port)
