# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that talk to Ceph share: their options, and the rbd command of this host."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

from ansible_collections.cephgate.iscsi.plugins.module_utils.rbd import Rbd


def ceph_argument_spec():
    return dict(
        client=dict(type='str', default='admin'),
        cluster=dict(type='str', default='ceph'),
    )


def rbd_of(module):
    """The Rbd of a module's parameters. C(missing) tells that the command is not installed."""
    path = module.get_bin_path('rbd')

    def run(argv, stdin):
        return module.run_command(argv, data=stdin, environ_update=dict(LC_ALL='C'))

    rbd = Rbd(run, client=module.params['client'], cluster=module.params['cluster'], command=path or 'rbd')
    rbd.missing = path is None
    return rbd
