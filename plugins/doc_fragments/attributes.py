# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module promises about check mode, diff mode and a second run.

C(cephgate.iscsi.attributes) promises full support: that is what one list of operations as the
only source of changes gives. A module that promises less overrides C(support) and says why in
C(details). Modules that only report use C(cephgate.iscsi.attributes.info) instead.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description:
      - Defaults for all modules of this collection can be set by C(module_defaults) with C(group/cephgate.iscsi.all).
    support: full
    membership:
      - cephgate.iscsi.all
  check_mode:
    description:
      - In check mode nothing is changed and the result says what would be changed.
    support: full
  diff_mode:
    description:
      - With C(--diff) the result has one line for each operation, in the order in which they are performed.
    support: full
  idempotent:
    description:
      - A second run with the same options has no operations to perform and reports no change.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  action_group:
    description:
      - Defaults for all modules of this collection can be set by C(module_defaults) with C(group/cephgate.iscsi.all).
    support: full
    membership:
      - cephgate.iscsi.all
  check_mode:
    description:
      - In check mode the module does the same as otherwise.
    support: full
    details:
      - The module only reads.
  diff_mode:
    description:
      - With C(--diff) a module reports the changes that it makes.
    support: N/A
    details:
      - The module only reads.
  idempotent:
    description:
      - A second run with the same options reports no change.
    support: full
    details:
      - The module only reads.
"""
