# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Growing and snapshots of an image whose exclusive lock somebody keeps: a mapping with krbd's option exclusive, as ha_mode fenced makes.

The command rbd asks for the lock and is refused (EROFS). It needs the lock for the image's object map and journal. An image without these is
grown by one operation on its header object, and gets a snapshot by one, too; then everybody who has the image open is told to read the header
again. That is what rbd itself does (librbd, ResizeRequest and SnapshotCreateRequest), and all that it did before there were locks.

The snapshot is one moment's: krbd gives each write the list of snapshots that it knew when the write began, so what the snapshot holds is all
writes up to some moment and none that began later. As with every snapshot of a disk in use, hosts' own caches are not in it.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import importlib
import struct

# Of an image with another feature (object-map, fast-diff, journaling, migrating, one to come) more than the header would have to be changed.
UNDERSTOOD = frozenset(['layering', 'striping', 'exclusive-lock', 'data-pool', 'deep-flatten', 'operations'])

CONF = dict(rados_osd_op_timeout='10', rados_mon_op_timeout='10', client_mount_timeout='10')
PATIENCE = 10   # seconds for a connection
NOTICE = 5000   # milliseconds for the answers of those that have the image open
HEAD = struct.pack('<Q', 2 ** 64 - 2)  # the image itself and none of its snapshots (CEPH_NOSNAP)


class HeldError(EnvironmentError):
    """An image could not be changed beside its lock's holder."""


def refusal(image, info):
    """Why an image is not changed beside its lock's holder, or None. info: what C(rbd info --format json) says of it."""
    strange = sorted(set(info['features']) - UNDERSTOOD)
    if strange:
        return ('image %s is mapped exclusively (ha_mode fenced) and has the features %s, which are changed together with it by the holder of its '
                'lock only. Remove its LUN, do it then, and declare the LUN again; or disable these features while nobody has it mapped.' % (
                    image, ', '.join(strange)))
    return None


class Held(object):
    """Changes an image through its header. library: Ceph's Python binding of librados; None: to be found."""

    def __init__(self, client, cluster, library=None):
        self.client, self.cluster = client, cluster
        self.rados = library

    def grow(self, image, info, size):
        """Give an image so many bytes; never fewer than it has."""
        def change(ioctx, header, dummy):
            dummy, answer = ioctx.execute(header, 'rbd', 'get_size', HEAD)
            # The order of its objects in one byte, then its size.
            if struct.unpack('<BQ', answer[:9])[1] < size:
                ioctx.execute(header, 'rbd', 'set_size', struct.pack('<Q', size))
            self._tell(ioctx, header)

        self._change('growing', image, info, change)

    def snapshot(self, image, info, name):
        """Make a snapshot of an image."""
        def change(ioctx, header, connection):
            data = connection.open_ioctx(info['data_pool']) if info.get('data_pool') else ioctx
            number = data.create_self_managed_snap()
            text = name.encode('utf-8')
            try:
                ioctx.execute(header, 'rbd', 'snapshot_add', struct.pack('<I', len(text)) + text + struct.pack('<Q', number))
            except Exception:
                data.remove_self_managed_snap(number)
                raise
            try:
                self._tell(ioctx, header)
            except Exception:
                # Who was not told writes on as if there were no snapshot: it would hold what is written from now on.
                ioctx.execute(header, 'rbd', 'snapshot_remove', struct.pack('<Q', number))
                data.remove_self_managed_snap(number)
                raise

        self._change('making snapshot %s of' % name, image, info, change)

    def _change(self, what, image, info, change):
        thing = '%s image %s, which is mapped exclusively' % (what, image)
        problem = refusal(image, info)
        if problem:
            raise HeldError(errno.EROFS, problem)
        if self.rados is None:
            try:
                self.rados = importlib.import_module('rados')
            except ImportError:
                raise HeldError(errno.EROFS, '%s: that needs Ceph\'s Python library rados on this host. Install python3-rados (python-rados for '
                                'Python 2).' % thing)
        parts = image.split('/')
        connection = self.rados.Rados(rados_id=self.client, clustername=self.cluster, conffile='/etc/ceph/%s.conf' % self.cluster, conf=dict(CONF))
        try:
            connection.connect(timeout=PATIENCE)
            ioctx = connection.open_ioctx(parts[0])
            if len(parts) > 2:
                ioctx.set_namespace(parts[1])
            change(ioctx, 'rbd_header.%s' % info['id'], connection)
        except self.rados.Error as error:
            raise HeldError(getattr(error, 'errno', None) or errno.EIO, '%s: %s. Nothing was changed, or running again finds it done; see that '
                            'all gateways reach Ceph, then run it again.' % (thing, error))
        finally:
            connection.shutdown()

    @staticmethod
    def _tell(ioctx, header):
        """An empty notification means that the header has changed, to librbd and krbd alike. Once more, as one who was just reconnecting missed it."""
        for left in (1, 0):
            try:
                ioctx.notify(header, '', NOTICE)
                return
            except Exception:
                if not left:
                    raise
