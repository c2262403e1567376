# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""librbd, as far as the agent uses it."""
import errno

import cluster
import rados

Error = rados.Error


class Image:
    def __init__(self, ioctx, name, read_only):
        assert read_only
        self.name = '%s/%s' % (ioctx.pool, name)
        if not (cluster.IMAGES / cluster.flat(self.name)).exists():
            raise Error('no such image', errno.ENOENT)

    def list_lockers(self):
        with cluster.shared() as state:
            holder = state['locks'].get(self.name)
        return dict(lockers=[('client.1', 'auto 1', holder)]) if holder else []

    def close(self):
        pass
