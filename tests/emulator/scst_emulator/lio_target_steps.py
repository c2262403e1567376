# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Portal groups, LUNs and ACLs: the steps that turn one configuration of LIO into another."""
import os

from .lio_steps import HOLE

LINK = 'backstore'
HOLE_LUN = 65000


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
            self._shrink_acl(path, wanted, initiator, luns, unbound)
            if initiator not in wanted.acls and not self.is_logged_in(path, initiator):
                self.fs.rmdir('%s/acls/%s' % (path, initiator))
                del found.acls[initiator]
        for device, number in list(found.numbers.items()):
            moved = wanted.dynamic and wanted.numbers.get(device, number) != number
            if device not in wanted.devices or device in unbound or moved:
                self._drop_lun(path, found, device, number)

    def _shrink_acl(self, path, wanted, initiator, luns, unbound):
        acl = '%s/acls/%s' % (path, initiator)
        keep = wanted.luns_of(initiator)
        for number, (device, _read_only) in list(luns.items()):
            if device == HOLE:
                stays = number not in keep and self.is_logged_in(path, initiator)
            else:
                stays = keep.get(number, (None,))[0] == device and device not in unbound
            if not stays:
                unmap(self.fs, '%s/lun_%d' % (acl, number))
                del luns[number]
                if number == 0 and device != HOLE and not wanted.dynamic and self.is_logged_in(path, initiator):
                    self._plug(path, acl)
                    luns[0] = (HOLE, 0)

    def _plug(self, path, acl):
        """LIO has a LUN 0 of its own that reads as zeros; a session that lost its LUN 0 must not see it."""
        lun = '%s/lun/lun_%d' % (path, HOLE_LUN)
        if not self.fs.exists(lun):
            self.fs.mkdir(lun)
            self.fs.link(self.stores.hole(), '%s/%s' % (lun, LINK))
            self.fs.write(lun + '/alua_tg_pt_gp', 'closed')
        self.fs.mkdir(acl + '/lun_0')
        self.fs.link(lun, '%s/lun_0/%s' % (acl, LINK))

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
        if wanted.dynamic:
            self._auth(path, found, wanted)
        for initiator in dict.fromkeys(list(wanted.acls) + list(found.acls)):
            self._acl(path, found, wanted, initiator, wanted.luns_of(initiator))
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

    def _auth(self, owner, found, wanted):
        """CHAP of an ACL; the portal group's own is for initiators without one."""
        wanted_files = dict(wanted.auth)
        for file in ('userid', 'password', 'userid_mutual', 'password_mutual'):
            path = '%s/auth/%s' % (owner, file)
            if file in wanted_files:
                self._write(found, path, wanted_files[file])
            elif path in found.files:
                self._write(found, path, 'NULL')      # LIO's word for none

    def cut(self, name, initiator, wanted):
        """End an initiator's sessions. One that is not to come back loses its ACL, before it can try."""
        found = self.present.get(name)
        path = 'iscsi/%s/tpgt_1' % name
        acl = '%s/acls/%s' % (path, initiator)
        if found is None or not self.fs.exists(acl):
            return
        if initiator in found.acls and initiator not in wanted.acls:
            for number in list(found.acls.pop(initiator)):
                unmap(self.fs, '%s/lun_%d' % (acl, number))
            self.fs.rmdir(acl)
            found.files = {file: value for file, value in found.files.items() if not file.startswith(acl + '/')}
            return
        # LIO ends the sessions of an initiator whose queue depth changes.
        depth = int(self.fs.read(acl + '/cmdsn_depth'))
        self.fs.write(acl + '/cmdsn_depth', depth + 1)
        self.fs.write(acl + '/cmdsn_depth', depth)

    def _acl(self, path, found, wanted, initiator, luns):
        acl = '%s/acls/%s' % (path, initiator)
        if initiator not in found.acls:
            self.fs.mkdir(acl)
            found.acls[initiator] = {}
        if found.files.get(acl + '/cmdsn_depth') != wanted.depth and not self.is_logged_in(path, initiator):
            # LIO ends the sessions of an initiator whose depth changes.
            self._write(found, acl + '/cmdsn_depth', wanted.depth)
        self._auth(acl, found, wanted)
        mapped = found.acls[initiator]
        for number, (device, read_only) in luns.items():
            if device not in found.numbers:
                continue
            place = '%s/lun_%d' % (acl, number)
            if number in mapped and mapped[number][0] == HOLE:
                unmap(self.fs, place)
                del mapped[number]
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
