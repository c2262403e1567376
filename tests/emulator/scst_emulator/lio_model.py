# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What LIO must look like for a given state of SCST: pure functions, no file is touched.

One storage object per open device, one portal group (tpgt_1) per target, one ACL per initiator
named in an initiator group. What LIO cannot do like SCST is said where it is decided.
"""
from dataclasses import dataclass, field

from .addresses import is_address
from .lio_dm import error, linear, mapping_name
from .target import wildcard_match

PORT = 3260
EVERYWHERE = '0.0.0.0:%d' % PORT
# alua_access_state of LIO; SPC-4 table "asymmetric access state". Offline is 14, but there LIO would refuse INQUIRY too and call
# the command invalid; SCST answers as in unavailable.
STATE_NUMBERS = {'active': 0, 'nonoptimized': 1, 'standby': 2, 'unavailable': 3, 'offline': 3, 'transitioning': 15}
IMPLICIT, IMPLICIT_AND_EXPLICIT = 1, 3


@dataclass(frozen=True)
class AluaGroup:
    name: str
    number: int
    state: int
    access: int
    preferred: int


@dataclass(frozen=True)
class Store:
    """A storage object: core/<plugin>_0/<name>."""
    name: str
    plugin: str
    control: str
    block_size: int
    wwn: tuple          # (file, value): cannot change while a LUN shows it
    attrib: tuple
    alua: tuple         # AluaGroup
    table: str = ''     # of the mapping below, for iblock
    read_only: bool = False

    @property
    def path(self):
        return 'core/%s_0/%s' % (self.plugin, self.name)

    @property
    def body(self):
        """What can only change by making the object anew."""
        return self.plugin, self.control, self.block_size


@dataclass(frozen=True)
class PortalGroup:
    """iscsi/<name>/tpgt_1."""
    name: str
    portals: tuple = ()
    dynamic: bool = False        # initiators without an ACL get every LUN
    attrib: tuple = ()
    param: tuple = ()
    acls: dict = field(default_factory=dict)      # initiator -> {LUN: (device, read only)}
    fallen: dict = field(default_factory=dict)    # the same for those that are logged in but in no group any more
    auth: tuple = ()             # files of an ACL's auth directory
    depth: int = 32
    alua: dict = field(default_factory=dict)      # device -> ALUA group
    numbers: dict = field(default_factory=dict)   # device -> LUN number, when dynamic

    @property
    def path(self):
        return 'iscsi/%s/tpgt_1' % self.name

    @property
    def devices(self):
        found = dict.fromkeys(self.numbers)
        for luns in list(self.acls.values()) + list(self.fallen.values()):
            found.update(dict.fromkeys(device for device, _read_only in luns.values()))
        return list(found)

    def luns_of(self, initiator):
        """What an initiator sees that has an ACL."""
        return self.acls.get(initiator) or self.fallen.get(initiator, {})


def alua_groups(device):
    """The device's target port groups, those of other nodes too: RTPG lists them all."""
    group = device.device_group
    if group is None:
        return ()
    access = IMPLICIT_AND_EXPLICIT if device.expl_alua else IMPLICIT
    return tuple(AluaGroup(g.name.replace('/', '!'), g.group_id, STATE_NUMBERS[g.state], access, g.preferred)
                 for g in group.target_groups.values() if g.group_id)


def group_for(device, target):
    """The target port group that a LUN of this device on this target belongs to, or None."""
    if device.device_group is None:
        return None
    group = device.device_group.group_of_member(target.name)
    return group if group is not None and group.group_id else None


def store(device):
    """The storage object of a device, or None when there is nothing to show.

    A closed blockio device (active=0) stays, over a mapping that fails all I/O. A closed fileio
    device is not shown.
    """
    plugins = {'vdisk_blockio': 'iblock', 'vdisk_fileio': 'fileio', 'vdisk_nullio': 'rd_mcp'}
    plugin = plugins.get(device.handler)
    if plugin is None or plugin == 'fileio' and not device.active:
        return None
    table = ''
    if plugin == 'iblock':
        control = 'udev_path=/dev/mapper/%s%s' % (mapping_name(device.name), ',readonly=1' if device.read_only else '')
        table = linear(device.filename, device.size) if device.active else error(device.size)
    elif plugin == 'fileio':
        control = 'fd_dev_name=%s,fd_dev_size=%d' % (device.filename, device.size)
        control += '' if device.write_through else ',fd_buffered_io=1'
    else:
        control = 'rd_pages=%d,rd_nullio=1' % max(1, device.size // 4096)
    values = device.values
    wwn = (('vpd_unit_serial', values['usn']), ('vendor_id', values['t10_vend_id']),
           ('product_id', values['prod_id']), ('revision', values['prod_rev_lvl']))
    attrib = (('emulate_3pc', 0), ('is_nonrot', int(not device.rotational)),
              ('emulate_tpu', int(device.thin_provisioned and plugin != 'rd_mcp')))
    return Store(device.name, plugin, control, 1 << device.block_shift, wwn, attrib, alua_groups(device),
                 table, bool(device.read_only))


def portals(target, host_addresses):
    """Listening addresses: allowed_portal entries that are addresses, patterns over the host's own.

    A disabled target has none: that keeps new sessions out and lets those that are there stay,
    as SCST does; LIO's own switch would end them. host_addresses is only called for patterns.
    """
    if not target.enabled or not target.driver.enabled:
        return ()
    patterns = [entry.key for entry in target.lists.portals]
    if not patterns:
        return (EVERYWHERE,)
    plain = [text.strip('[]') for text in patterns]
    wanted = [text for text in plain if is_address(text)]
    if any(not is_address(text) for text in plain):
        wanted += [text for text in host_addresses()
                   if any(wildcard_match(p, text) for p in plain) and text not in wanted]
    return tuple(sorted(('[%s]:%d' if ':' in text else '%s:%d') % (text, PORT) for text in wanted))


def is_pattern(name):
    return any(char in name for char in '*?!')


def _exported(group, stores):
    """LUNs of a group that have a storage object."""
    return {number: (lun.device.name, int(lun.read_only or lun.device.read_only))
            for number, lun in sorted(group.luns.items()) if lun.device.name in stores}


def _auth(target):
    """LIO keeps one user for each direction; of several IncomingUsers the first counts."""
    files = []
    for direction, names in (('IncomingUser', ('userid', 'password')),
                             ('OutgoingUser', ('userid_mutual', 'password_mutual'))):
        users = target.lists.users[direction]
        if users:
            files += [(names[0], users[0].key), (names[1], users[0].value or '')]
    return tuple(files)


def portal_group(target, stores, host_addresses=tuple):
    """The portal group of a target. stores: names of the devices that have a storage object."""
    acls = {}
    open_groups = [target.default_group] if target.default_group.luns else []
    for group in target.groups.values():
        for name in group.initiators:
            plain = name.split('#')[0]           # per-portal names: LIO cannot tell portals apart
            if is_pattern(plain):
                open_groups.append(group)
            elif plain not in acls:
                acls[plain] = _exported(target.group_of(name), stores)
    # Without an ACL LIO would show every LUN of the target to anybody. That is only right when
    # the group meant for everybody owns all of them; else the others win and strangers stay out.
    numbers = {}
    owned = {lun.device.name for group in target.all_groups() for lun in group.luns.values()}
    if open_groups and {lun.device.name for lun in open_groups[0].luns.values()} == owned:
        numbers = {device: number for number, (device, _ro) in _exported(open_groups[0], stores).items()}
    shown = {name: key.show(target.values[name]) for name, key in target.driver.keys.items()}
    param = tuple((name, shown[name]) for name in (
        'HeaderDigest', 'DataDigest', 'InitialR2T', 'ImmediateData', 'MaxRecvDataSegmentLength',
        'MaxXmitDataSegmentLength', 'MaxBurstLength', 'FirstBurstLength', 'MaxOutstandingR2T'))
    auth = _auth(target)
    attrib = (('authentication', int(bool(target.lists.users['IncomingUser']))),
              ('generate_node_acls', int(bool(numbers))), ('demo_mode_write_protect', 0),
              ('cache_dynamic_acls', int(bool(numbers))))
    # An initiator without LUNs is not let in, as in SCST.
    acls = {name: luns for name, luns in acls.items() if luns}
    fallen = {session.initiator.split('#')[0]: _exported(session.group, stores) for session in target.sessions.values()}
    fallen = {name: luns for name, luns in fallen.items() if name not in acls}
    result = PortalGroup(target.name, portals(target, host_addresses), bool(numbers), attrib, param, acls, fallen, auth,
                         target.values['QueuedCommands'], {}, numbers)
    by_name = target.core.devices.by_name
    for name in result.devices:
        group = group_for(by_name[name], target)
        if group is not None:
            result.alua[name] = group.name.replace('/', '!')
    return result
