# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the take-over protocol asks of Ceph, over a connection that is kept (librados, through the Python binding that
Ceph's own command needs): 0.2 to 1.2 ms for an exchange, where two processes need 100 ms and more.

Every call ends: an OSD or monitor that does not answer raises after a time (rados_osd_op_timeout, rados_mon_op_timeout).
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import errno
import importlib
import json
import threading

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_ceph import OBJECT, OWN, YEAR, CephError, blocklist, lives_until, refuses

CONF = dict(rados_osd_op_timeout='2', rados_mon_op_timeout='8', client_mount_timeout='8')
PATIENCE = 8   # seconds for a connection and for a command of the monitors
ENOUGH = 5     # calls that fail one after the other, before the connection is made anew
MANY = 1000    # more gateways than there can be


def bindings():
    """(rados, rbd) of Ceph, or None where they are not installed: then its commands do. Loaded late: only the agent needs them."""
    try:
        return importlib.import_module('rados'), importlib.import_module('rbd')
    except ImportError:
        return None


class Rados(object):
    """As ha_ceph.Ceph. found: bindings()."""

    def __init__(self, found, pool, client='admin', cluster='ceph', conf=None):
        self.rados, self.librbd = found
        self.pool = pool
        self.client = client
        self.cluster = cluster
        self.conf = dict(CONF, **(conf or {}))
        self._lock = threading.Lock()
        self._connection = None
        self._failed = 0

    def _connected(self):
        with self._lock:
            if self._connection is None:
                made = self.rados.Rados(rados_id=self.client, clustername=self.cluster,
                                        conffile='/etc/ceph/%s.conf' % self.cluster, conf=self.conf)
                made.connect(timeout=PATIENCE)
                self._connection = made
            return self._connection

    def _asking(self, what, call):
        """call(connection); its errors in words, and a new connection when nothing works over this one."""
        try:
            result = call(self._connected())
        except self.rados.Error as error:
            self._failed += 1
            if self._failed >= ENOUGH:
                self._drop()
            raise CephError(getattr(error, 'errno', None) or errno.EIO, '%s: %s' % (what, error))
        self._failed = 0
        return result

    def _drop(self):
        with self._lock:
            old, self._connection, self._failed = self._connection, None, 0
        if old is not None:
            thread = threading.Thread(target=old.shutdown)  # waits for what is under way
            thread.daemon = True
            thread.start()

    def exchange(self, me, record):
        """Write my record (None: do not) and read all: {gateway: record}. What is no record is left out."""
        def call(connection):
            ioctx = connection.open_ioctx(self.pool)
            try:
                if record is not None:
                    with self.rados.WriteOpCtx() as operation:
                        ioctx.set_omap(operation, (me,), (json.dumps(record, sort_keys=True).encode('utf-8'),))
                        ioctx.operate_write_op(operation, OBJECT)
                with self.rados.ReadOpCtx() as operation:
                    values, dummy = ioctx.get_omap_vals(operation, '', '', MANY)
                    try:
                        ioctx.operate_read_op(operation, OBJECT)
                    except self.rados.ObjectNotFound:
                        return {}
                    return dict(values)
            finally:
                ioctx.close()

        found = {}
        for name, text in self._asking('exchanging records in pool %s' % self.pool, call).items():
            try:
                value = json.loads((text or b'').decode('utf-8'))
            except ValueError:
                continue
            if isinstance(value, dict) and 'n' in value:
                found[name] = value
        return found

    def _about(self, what, image, call):
        """call(ioctx of the image's pool and namespace)"""
        parts = image.split('/')

        def connected(connection):
            ioctx = connection.open_ioctx(parts[0])
            try:
                if len(parts) > 2:
                    ioctx.set_namespace(parts[1])
                return call(ioctx)
            finally:
                ioctx.close()

        return self._asking('%s %s' % (what, image), connected)

    def holder(self, image, image_id=None):
        """The address of the client that holds the exclusive lock of an image, or None. With its internal id the answer is cheap."""
        def call(ioctx):
            found = self._lockers(ioctx, image_id)
            return self._thorough(ioctx, image) if found is None else [address for address, dummy in found]

        addresses = sorted(set(self._about('asking who holds', image, call)))
        if len(addresses) > 1:
            raise CephError(errno.EEXIST, 'image %s is locked by %s, and can be by one only. Release the locks that are not '
                            "krbd's with rbd lock rm." % (image, ', '.join(addresses)))
        return addresses[0] if addresses else None

    def free(self, image, image_id, fenced, own):
        """Take the lock of an image from those of its holders who cannot write any more, and from nobody else.

        fenced: addresses that this gateway has had listed, for a year. krbd takes their locks, too, when it maps the image, but has the
        monitors list the client again before that, for each image: an osdmap for each. own: of this host's kernel, which has not mapped it
        """
        if not fenced and not own:
            return

        def call(ioctx):
            found = self._lockers(ioctx, image_id)
            if found is None and own.intersection(self._thorough(ioctx, image)):
                raise CephError(errno.EBUSY, OWN % image)
            for address, locker in found or ():
                if address in fenced or address in own:
                    try:
                        ioctx.execute(ha_lock.OBJECT % image_id, ha_lock.CLASS, ha_lock.BREAK, ha_lock.breaking(locker))
                    except self.rados.ObjectNotFound:
                        pass  # it has just been given back

        self._about('taking the lock of', image, call)

    def _lockers(self, ioctx, image_id):
        """Without opening the image; None when that is not to be had."""
        if not image_id:
            return None
        try:
            code, answer = ioctx.execute(ha_lock.OBJECT % image_id, ha_lock.CLASS, ha_lock.GET, ha_lock.request(), ha_lock.LONGEST)
            return None if code < 0 else ha_lock.lockers(answer)
        except (self.rados.ObjectNotFound, AttributeError, ValueError):
            return None  # made anew under another id; a binding without the call; another form

    def _thorough(self, ioctx, image):
        try:
            opened = self.librbd.Image(ioctx, image.rsplit('/', 1)[-1], read_only=True)
            try:
                found = opened.list_lockers()
            finally:
                opened.close()
        except self.librbd.Error as error:
            raise CephError(getattr(error, 'errno', None) or errno.EIO, 'asking who holds %s: %s' % (image, error))
        return [address for dummy, dummy2, address in (found or {}).get('lockers') or []]

    def _monitors(self, **words):
        code, out, err = self._asking(words['prefix'], lambda connection: connection.mon_command(
            json.dumps(dict(words, format='json')), b'', timeout=PATIENCE))
        if code:
            raise CephError(abs(code), '%s: %s' % (words['prefix'], err or 'exit code %d' % code))
        return out

    def _blocklist(self):
        try:
            return 'blocklist', blocklist(self._monitors(prefix='osd blocklist ls').decode('utf-8'))
        except CephError as error:
            if error.errno != errno.EINVAL:
                raise
            return 'blacklist', blocklist(self._monitors(prefix='osd blacklist ls').decode('utf-8'))  # before Ceph 16

    def listed(self, address):
        """Whether Ceph refuses a client."""
        return refuses(self._blocklist()[1], address)

    def fence(self, address):
        """Blocklist a client for a year. On return Ceph has confirmed it; the text says until when the entry lives."""
        noun = self._blocklist()[0]
        self._monitors(**{'prefix': 'osd ' + noun, noun + 'op': 'add', 'addr': address, 'expire': float(YEAR)})
        return lives_until(self._blocklist()[1], address)

    def epoch(self):
        """Number of the newest osdmap."""
        return json.loads(self._monitors(prefix='osd stat').decode('utf-8'))['epoch']
