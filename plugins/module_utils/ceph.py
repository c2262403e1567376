# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that talk to Ceph share: their options, and the rbd command of this host."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import re

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd, bounded_run

CONF = '/etc/ceph/%s.conf'


def ceph_argument_spec():
    return dict(
        client=dict(type='str', default='admin'),
        cluster=dict(type='str', default='ceph'),
    )


def rbd_of(module, timeout=None):
    """The Rbd of a module's parameters. C(missing) tells that this host is no Ceph client yet.

    timeout: seconds for each call; None: as long as rbd itself waits.
    """
    path = module.get_bin_path('rbd')

    def run(argv, stdin):
        if path is None:
            raise Refused('%s: the rbd command is not installed. Install the Ceph client (package ceph-common), as the role '
                          'ceph_client does.' % ' '.join(argv))
        if timeout is not None:
            return bounded_run(timeout)(argv, stdin)
        return module.run_command(argv, data=stdin, environ_update=dict(LC_ALL='C'))

    rbd = Rbd(run, client=module.params['client'], cluster=module.params['cluster'], command=path or 'rbd')
    rbd.missing = path is None or not os.path.exists(CONF % module.params['cluster'])
    return rbd


def conf_fsid(cluster):
    """The cluster's id from its ceph.conf, for kernels that do not tell it (cluster_fsid in sysfs came late); or None."""
    try:
        with open(CONF % cluster) as handle:
            found = re.search(r'^\s*fsid\s*=\s*([0-9A-Fa-f-]{36})', handle.read(), re.MULTILINE)
    except EnvironmentError:
        return None
    return found.group(1).lower() if found else None
