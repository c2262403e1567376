# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""LIO's configfs as a dictionary, with the kernel's rules that the data plane has to obey."""
import errno
import os
import re

DEFAULT_GROUPS = {
    r'core/[a-z_]+_\d+/[^/]+': ('alua', 'attrib', 'wwn', 'pr', 'alua/default_tg_pt_gp'),
    r'iscsi/[^/]+/tpgt_\d+': ('acls', 'attrib', 'auth', 'lun', 'np', 'param'),
    r'iscsi/[^/]+/tpgt_\d+/acls/[^/]+': ('attrib', 'auth', 'param'),
}
FILES = {
    r'core/[a-z_]+_\d+/[^/]+': ('control', 'enable', 'udev_path', 'info'),
    r'core/[a-z_]+_\d+/[^/]+/wwn': ('vpd_unit_serial', 'vendor_id', 'product_id', 'revision'),
    r'core/[a-z_]+_\d+/[^/]+/attrib': ('emulate_3pc', 'is_nonrot', 'emulate_tpu', 'block_size'),
    r'core/[a-z_]+_\d+/[^/]+/alua/[^/]+': ('tg_pt_gp_id', 'alua_access_type', 'alua_access_state', 'preferred',
                                           'nonop_delay_msecs'),
    r'iscsi/[^/]+/tpgt_\d+': ('enable',),
    r'iscsi/[^/]+/tpgt_\d+/attrib': ('authentication', 'generate_node_acls', 'demo_mode_write_protect',
                                     'cache_dynamic_acls'),
    r'iscsi/[^/]+/tpgt_\d+/lun/lun_\d+': ('alua_tg_pt_gp',),
    r'iscsi/[^/]+/tpgt_\d+/acls/[^/]+': ('cmdsn_depth', 'info'),
    r'iscsi/[^/]+/tpgt_\d+(/acls/[^/]+)?/auth': ('userid', 'password', 'userid_mutual', 'password_mutual'),
    r'iscsi/[^/]+/tpgt_\d+/acls/[^/]+/lun_\d+': ('write_protect',),
    r'iscsi/discovery_auth': ('userid', 'password', 'userid_mutual', 'password_mutual', 'enforce_discovery_auth'),
}


def fail(number, path):
    raise OSError(number, os.strerror(number), path)


class FakeConfigfs:
    """The surface of Configfs. log: every change as a tuple, in order."""

    def __init__(self):
        self.dirs = {'core', 'core/alua', 'iscsi', 'iscsi/discovery_auth'}
        self.values = {}
        self.links = {}
        self.log = []

    # -- rules --------------------------------------------------------------

    def _exports(self, store):
        return [path for path, target in self.links.items() if target == store]

    def _check(self, path, text):
        where, file = path.rsplit('/', 1)
        patterns = [names for pattern, names in FILES.items() if re.fullmatch(pattern, where)]
        if where not in self.dirs or where.endswith('/param') is False and not any(file in n for n in patterns):
            fail(errno.ENOENT, path)
        store = '/'.join(path.split('/')[:3])
        if '/wwn/' in path and self._exports(store):
            fail(errno.EINVAL, path)
        if file == 'alua_access_state':
            if not self.values.get(store + '/enable'):
                fail(errno.ENODEV, path)
            if not int(self.values.get(where + '/alua_access_type', 3)) & 1 or not self.values.get(
                    where + '/tg_pt_gp_id'):
                fail(errno.EINVAL, path)
        if file == 'enable' and path.startswith('core/') and store + '/control' not in self.values:
            fail(errno.EINVAL, path)
        if file == 'alua_tg_pt_gp':
            target = next((t for p, t in self.links.items() if p.startswith(where + '/')), None)
            if target is None:
                fail(errno.ENODEV, path)
            if '%s/alua/%s' % (target, text) not in self.dirs:
                fail(errno.ENODEV, path)
        if file == 'write_protect' and not any(p.startswith(where + '/') for p in self.links):
            fail(errno.EINVAL, path)

    # -- surface ------------------------------------------------------------

    def exists(self, path):
        return path in self.dirs or path in self.values or path in self.links or any(
            re.fullmatch(pattern, path.rpartition('/')[0]) and path.rpartition('/')[0] in self.dirs
            and path.rpartition('/')[2] in names for pattern, names in FILES.items())

    def mkdir(self, path):
        parts = path.split('/')
        for depth in range(1, len(parts) + 1):
            part = '/'.join(parts[:depth])
            if part not in self.dirs:
                self.dirs.add(part)
                self.log.append(('mkdir', part))
                for pattern, names in DEFAULT_GROUPS.items():
                    if re.fullmatch(pattern, part):
                        self.dirs.update('%s/%s' % (part, name) for name in names)

    def rmdir(self, path):
        if path not in self.dirs:
            fail(errno.ENOENT, path)
        if any(link.startswith(path + '/') for link in self.links) or self._exports(path):
            fail(errno.EBUSY, path)
        defaults = [names for pattern, names in DEFAULT_GROUPS.items() if re.fullmatch(pattern, path)]
        own = {'%s/%s' % (path, name) for names in defaults for name in names}
        if any(d.startswith(path + '/') and d not in own for d in self.dirs):
            fail(errno.ENOTEMPTY, path)
        if '/alua/' in path and any(self.values.get('/'.join(link.split('/')[:-1]) + '/alua_tg_pt_gp')
                                    == path.split('/')[-1] for link in self._exports('/'.join(path.split('/')[:3]))):
            self.log.append(('rmdir-used-group', path))
        self.dirs -= {d for d in self.dirs if d == path or d.startswith(path + '/')}
        self.values = {k: v for k, v in self.values.items() if not k.startswith(path + '/')}
        self.log.append(('rmdir', path))

    def listdir(self, path):
        nodes = self.dirs | set(self.links)
        return sorted({node[len(path) + 1:].split('/')[0] for node in nodes if node.startswith(path + '/')})

    def is_link(self, path):
        return path in self.links

    def read(self, path):
        if path not in self.values:
            if path.endswith('/info') and path.rpartition('/')[0] in self.dirs:
                return 'No active iSCSI Session for Initiator Endpoint: %s\n' % path.split('/')[-2]
            fail(errno.ENOENT, path)
        return str(self.values[path])

    def write(self, path, text):
        self._check(path, text)
        self.values[path] = str(text)
        self.log.append(('write', path, str(text)))

    def link(self, target, path):
        if target not in self.dirs or path.rpartition('/')[0] not in self.dirs:
            fail(errno.ENOENT, path)
        if target.startswith('core/') and not self.values.get(target + '/enable'):
            fail(errno.ENODEV, path)
        self.links[path] = target
        self.log.append(('link', path, target))

    def unlink(self, path):
        if path not in self.links:
            fail(errno.ENOENT, path)
        if '/lun/lun_' in path and path.rpartition('/')[0] in self.links.values():
            fail(errno.EBUSY, path)
        del self.links[path]
        self.log.append(('unlink', path))


class FakeMapper:
    """Device-mapper: which mapping holds which device. log: every change."""

    def __init__(self):
        self.tables = {}
        self.log = []

    def _claim(self, name, table):
        path = table.split()[3] if ' linear ' in table else None
        if path and any(path in other.split() for key, other in self.tables.items() if key != name):
            fail(errno.EBUSY, path)
        self.tables[name] = table

    def create(self, name, table, read_only):
        if name in self.tables:
            fail(errno.EEXIST, name)
        self._claim(name, table)
        self.log.append(('create', name, table, read_only))

    def load(self, name, table, read_only):
        self._claim(name, table)
        self.log.append(('load', name, table, read_only))

    def remove(self, name):
        del self.tables[name]
        self.log.append(('remove', name))

    def names(self):
        return sorted(self.tables)
