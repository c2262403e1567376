# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):

    DOCUMENTATION = r"""
options:
  client:
    description:
      - Ceph client name without C(client.). Its keyring lies where Ceph looks for it,
        C(/etc/ceph/<cluster>.client.<name>.keyring). The key itself is never passed to the module.
      - A gateway needs C(profile rbd) for mon and osd, nothing more.
    type: str
    default: admin
  cluster:
    description: Cluster name, which selects C(/etc/ceph/<cluster>.conf).
    type: str
    default: ceph
requirements:
  - The C(rbd) command (Debian and Ubuntu package C(ceph-common)) and a kernel with the rbd client.
"""
