# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage objects: the steps that turn one configuration of LIO into another."""
import errno

from .lio_dm import mapping_name

OPTIONAL = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOSYS)
HOLE = 'core/rd_mcp_0/scst-emulator-hole'


class StoreSteps:
    """Storage objects. present: name -> Store as it is in LIO."""

    def __init__(self, configfs, mapper, log):
        self.fs = configfs
        self.mapper = mapper
        self.log = log
        self.present = {}

    def holds(self, path):
        """Whether a mapping has this block device open."""
        return any(entry.table.split()[2:4] == ['linear', path] for entry in self.present.values())

    def must_unbind(self, name, wanted):
        """Whether LUNs must let go of the object before it can become what is wanted."""
        found = self.present.get(name)
        return found is not None and (wanted is None or wanted.body != found.body or wanted.wwn != found.wwn)

    def apply(self, name, wanted):
        found = self.present.get(name)
        if found is not None and (wanted is None or wanted.body != found.body):
            self._remove(found)
            found = None
        if wanted is None or wanted == found:
            return
        if found is None:
            self._create(wanted)
        closing = found is not None and wanted.table.endswith('error')
        if not closing:
            self._table(found, wanted)
        for file, value in wanted.wwn:
            if found is None or (file, value) not in found.wwn:
                self.optional('%s/wwn/%s' % (wanted.path, file), value, file != 'vpd_unit_serial')
        for file, value in wanted.attrib:
            if found is None or (file, value) not in found.attrib:
                self.optional('%s/attrib/%s' % (wanted.path, file), value)
        # Ports refuse I/O before the device behind them goes, and accept it after it came.
        self._alua(wanted, found.alua if found else ())
        if closing:
            self._table(found, wanted)
        self.present[name] = wanted

    def _table(self, found, wanted):
        if found is not None and wanted.table != found.table:
            self.mapper.load(mapping_name(wanted.name), wanted.table, wanted.read_only)

    def optional(self, path, value, may_fail=True):
        """Write what a kernel may not have or may refuse."""
        try:
            self.fs.write(path, value)
        except OSError as error:
            if not may_fail or error.errno not in OPTIONAL:
                raise
            self.log('%s: %r not taken: %s' % (path, value, error.strerror))

    def _create(self, wanted):
        if wanted.table:
            self.mapper.create(mapping_name(wanted.name), wanted.table, wanted.read_only)
        self.fs.mkdir(wanted.path)
        try:
            self.fs.write(wanted.path + '/control', wanted.control)
            if wanted.plugin == 'iblock':
                self.fs.write(wanted.path + '/udev_path', wanted.control.split(',')[0].split('=', 1)[1])
            self.fs.write(wanted.path + '/enable', 1)
        except OSError:
            self.fs.rmdir(wanted.path)
            if wanted.table:
                self.mapper.remove(mapping_name(wanted.name))
            raise
        if wanted.block_size != 512:
            self.optional(wanted.path + '/attrib/block_size', wanted.block_size)
        # A device outside every group must not claim ALUA; SCST's TPGS is then 0.
        self.optional(wanted.path + '/alua/default_tg_pt_gp/alua_access_type', 0)

    def _alua(self, wanted, before):
        known = {group.name: group for group in before}
        for group in wanted.alua:
            path = '%s/alua/%s' % (wanted.path, group.name)
            old = known.pop(group.name, None)
            if old is not None and old.number != group.number:
                self._drop_group(wanted.path, group.name)
                old = None
            if old is None:
                self.fs.mkdir(path)
                self.fs.write(path + '/tg_pt_gp_id', group.number)
                # LIO delays commands on non-optimized ports by 100 ms; SCST does not.
                self.optional(path + '/nonop_delay_msecs', 0)
            if old is None or old.access != group.access:
                self.fs.write(path + '/alua_access_type', group.access)
            if old is None or old.state != group.state:
                self._state(path, group.state)
            if old is None or old.preferred != group.preferred:
                self.optional(path + '/preferred', group.preferred)
        for name in known:
            self._drop_group(wanted.path, name)

    def _state(self, path, state):
        try:
            self.fs.write(path + '/alua_access_state', state)
        except OSError as error:
            if error.errno != errno.EINVAL or state != 15:
                raise
            self.fs.write(path + '/alua_access_state', 3)

    def _drop_group(self, path, name):
        try:
            self.fs.rmdir('%s/alua/%s' % (path, name))
        except OSError as error:
            self.log('%s: ALUA group %s stays: %s' % (path, name, error.strerror))

    def _remove(self, found):
        for name in self.fs.listdir(found.path + '/alua'):
            if name != 'default_tg_pt_gp':
                self._drop_group(found.path, name)
        self.fs.rmdir(found.path)
        del self.present[found.name]
        if found.table:
            self.mapper.remove(mapping_name(found.name))

    def hole(self):
        """A disk whose port refuses all I/O: stands in for a LUN 0 that went away under a session."""
        if not self.fs.exists(HOLE):
            self.fs.mkdir(HOLE)
            self.fs.write(HOLE + '/control', 'rd_pages=1,rd_nullio=1')
            self.fs.write(HOLE + '/enable', 1)
            self.fs.mkdir(HOLE + '/alua/closed')
            for file, value in (('tg_pt_gp_id', 65535), ('alua_access_type', 1), ('alua_access_state', 3)):
                self.fs.write('%s/alua/closed/%s' % (HOLE, file), value)
        return HOLE
