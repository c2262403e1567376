# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""librados, as far as the agent uses it, over the folder that stands for Ceph."""
import contextlib
import errno
import json

import cluster


class Error(Exception):
    def __init__(self, text, number=errno.EIO):
        super().__init__(text)
        self.errno = number


class ObjectNotFound(Error):
    pass


class Operation:
    def __init__(self):
        self.steps = []


@contextlib.contextmanager
def WriteOpCtx():  # noqa: N802 # as Ceph calls it
    yield Operation()


ReadOpCtx = WriteOpCtx


class Ioctx:
    def __init__(self, pool):
        self.pool = pool

    def set_omap(self, operation, keys, values):
        operation.steps += list(zip(keys, values))

    def operate_write_op(self, operation, name):
        with cluster.shared() as state:
            state['omaps'].setdefault('%s/%s' % (self.pool, name), {}).update({key: value.decode() for key, value in operation.steps})

    def get_omap_vals(self, operation, after, prefix, most):
        operation.found = {}
        return operation.found.items(), 0

    def operate_read_op(self, operation, name):
        with cluster.shared() as state:
            found = state['omaps'].get('%s/%s' % (self.pool, name))
        if found is None:
            raise ObjectNotFound('no such object', errno.ENOENT)
        operation.found.update({key: value.encode() for key, value in found.items()})

    def close(self):
        pass


class Rados:
    def __init__(self, rados_id, clustername, conffile, conf):
        with open(conffile) as conf:
            assert 'mon_host' in conf.read()

    def connect(self, timeout):
        pass

    def shutdown(self):
        pass

    def open_ioctx(self, pool):
        return Ioctx(pool)

    def mon_command(self, text, data, timeout):
        words = json.loads(text)
        if words['prefix'] == 'osd blocklist ls':
            with cluster.shared() as state:
                return 0, json.dumps([dict(addr=address, until='2027-11-22') for address in state['blocklist']]).encode(), ''
        if words['prefix'] == 'osd blocklist' and words['blocklistop'] == 'add':
            cluster.blocklist(words['addr'])
            return 0, b'', ''
        if words['prefix'] == 'osd stat':
            with cluster.shared() as state:
                return 0, json.dumps(dict(epoch=state['epoch'])).encode(), ''
        return -errno.EINVAL, b'', 'not known here: %s' % words
