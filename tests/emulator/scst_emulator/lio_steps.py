# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that turn one configuration of LIO into another."""
import errno
import os

from .lio_dm import mapping_name

OPTIONAL = (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOSYS)
LINK = 'backstore'


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
            if error.errno != errno.EINVAL or state not in (14, 15):
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


class Present:
    """A portal group as it is in LIO."""

    def __init__(self):
        self.portals = set()
        self.numbers = {}       # device -> LUN of the portal group
        self.alua = {}
        self.acls = {}          # initiator -> {LUN: (device, read only)}
        self.files = {}         # path -> value written last


class TargetSteps:
    """Portal groups, in two passes: shrink before storage objects change, grow after."""

    def __init__(self, configfs, log, stores):
        self.fs = configfs
        self.log = log
        self.stores = stores
        self.present = {}

    def using(self, device):
        return [name for name, found in self.present.items() if device in found.numbers]

    # -- taking away --------------------------------------------------------

    def shrink(self, name, wanted, unbound):
        found = self.present.get(name)
        if found is None:
            return
        path = 'iscsi/%s/tpgt_1' % name
        if wanted is None:
            remove_target(self.fs, name)
            del self.present[name]
            return
        for portal in sorted(found.portals - set(wanted.portals)):
            self.fs.rmdir('%s/np/%s' % (path, portal))
            found.portals.discard(portal)
        for initiator, luns in list(found.acls.items()):
            keep = wanted.acls.get(initiator, {})
            for number, mapping in list(luns.items()):
                if keep.get(number, (None,))[0] != mapping[0] or mapping[0] in unbound:
                    unmap(self.fs, '%s/acls/%s/lun_%d' % (path, initiator, number))
                    del luns[number]
            if initiator not in wanted.acls and not self.is_logged_in(path, initiator):
                self.fs.rmdir('%s/acls/%s' % (path, initiator))
                del found.acls[initiator]
        for device, number in list(found.numbers.items()):
            moved = wanted.dynamic and wanted.numbers.get(device, number) != number
            if device not in wanted.devices or device in unbound or moved:
                self._drop_lun(path, found, device, number)

    def _drop_lun(self, path, found, device, number):
        for initiator, luns in found.acls.items():
            for lun in [lun for lun, mapping in luns.items() if mapping[0] == device]:
                unmap(self.fs, '%s/acls/%s/lun_%d' % (path, initiator, lun))
                del luns[lun]
        unmap(self.fs, '%s/lun/lun_%d' % (path, number))
        del found.numbers[device]
        found.alua.pop(device, None)

    def is_logged_in(self, path, initiator):
        """An ACL with a session is kept, without LUNs: removing it would cut the session."""
        try:
            return not self.fs.read('%s/acls/%s/info' % (path, initiator)).startswith('No active')
        except OSError:
            return False

    # -- adding -------------------------------------------------------------

    def grow(self, name, wanted):
        path = wanted.path
        found = self.present.get(name)
        if found is None:
            self.fs.mkdir(path)
            found = self.present[name] = Present()
        for folder, files in (('attrib', wanted.attrib), ('param', wanted.param)):
            for file, value in files:
                self._write(found, '%s/%s/%s' % (path, folder, file), value)
        for device in wanted.devices:
            self._lun(path, found, wanted, device)
        for initiator, luns in wanted.acls.items():
            self._acl(path, found, wanted, initiator, luns)
        if wanted.portals:
            self._write(found, path + '/enable', 1)
        for portal in wanted.portals:
            if portal not in found.portals:
                self.fs.mkdir('%s/np/%s' % (path, portal))
                found.portals.add(portal)

    def _write(self, found, path, value):
        if found.files.get(path) != value:
            self.stores.optional(path, value, not path.endswith(('/enable', '/authentication')))
            found.files[path] = value

    def _lun(self, path, found, wanted, device):
        if device not in self.stores.present:
            return
        if device not in found.numbers:
            number = wanted.numbers.get(device)
            if number is None:
                number = next(n for n in range(len(found.numbers) + 1) if n not in found.numbers.values())
            self.fs.mkdir('%s/lun/lun_%d' % (path, number))
            self.fs.link(self.stores.present[device].path, '%s/lun/lun_%d/%s' % (path, number, LINK))
            found.numbers[device] = number
        group = wanted.alua.get(device)
        if group != found.alua.get(device):
            self.fs.write('%s/lun/lun_%d/alua_tg_pt_gp' % (path, found.numbers[device]),
                          group or 'default_tg_pt_gp')
            found.alua[device] = group

    def _acl(self, path, found, wanted, initiator, luns):
        acl = '%s/acls/%s' % (path, initiator)
        if initiator not in found.acls:
            self.fs.mkdir(acl)
            found.acls[initiator] = {}
        if found.files.get(acl + '/cmdsn_depth') != wanted.depth and not self.is_logged_in(path, initiator):
            # LIO ends the sessions of an initiator whose depth changes.
            self._write(found, acl + '/cmdsn_depth', wanted.depth)
        for file, value in wanted.auth:
            self._write(found, '%s/auth/%s' % (acl, file), value)
        mapped = found.acls[initiator]
        for number, (device, read_only) in luns.items():
            if device not in found.numbers:
                continue
            place = '%s/lun_%d' % (acl, number)
            if number not in mapped:
                self.fs.mkdir(place)
                self.fs.link('%s/lun/lun_%d' % (path, found.numbers[device]), place + '/' + LINK)
                mapped[number] = (device, 0)
            if mapped[number] != (device, read_only):
                self.fs.write(place + '/write_protect', read_only)
                mapped[number] = (device, read_only)


def unmap(fs, path):
    """Remove a LUN directory with its link."""
    for name in fs.listdir(path):
        if fs.is_link('%s/%s' % (path, name)):
            fs.unlink('%s/%s' % (path, name))
    fs.rmdir(path)


def remove_target(fs, name):
    """A target with all it has; sessions end."""
    base = 'iscsi/' + name
    for tpg in [entry for entry in fs.listdir(base) if entry.startswith('tpgt_')]:
        path = '%s/%s' % (base, tpg)
        try:
            fs.write(path + '/enable', 0)
        except OSError:
            pass                         # was not enabled
        for portal in fs.listdir(path + '/np'):
            fs.rmdir('%s/np/%s' % (path, portal))
        for initiator in fs.listdir(path + '/acls'):
            for lun in fs.listdir('%s/acls/%s' % (path, initiator)):
                if lun.startswith('lun_'):
                    unmap(fs, '%s/acls/%s/%s' % (path, initiator, lun))
            fs.rmdir('%s/acls/%s' % (path, initiator))
        for lun in fs.listdir(path + '/lun'):
            unmap(fs, '%s/lun/%s' % (path, lun))
        fs.rmdir(path)
    fs.rmdir(base)


def wipe(fs, mapper):
    """Remove every iSCSI target, every storage object and every mapping of ours."""
    for name in fs.listdir('iscsi'):
        if name.startswith(('iqn.', 'eui.', 'naa.')) or fs.exists('iscsi/%s/tpgt_1' % name):
            remove_target(fs, name)
    for hba in fs.listdir('core'):
        if hba == 'alua' or not os.path.basename(hba).rpartition('_')[2].isdigit():
            continue
        for name in fs.listdir('core/' + hba):
            path = 'core/%s/%s' % (hba, name)
            if not fs.exists(path + '/control'):
                continue
            for group in fs.listdir(path + '/alua'):
                if group != 'default_tg_pt_gp':
                    fs.rmdir('%s/alua/%s' % (path, group))
            fs.rmdir(path)
        fs.rmdir('core/' + hba)
    for name in mapper.names():
        mapper.remove(name)
