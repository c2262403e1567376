# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access control groups: the LUNs and initiators of a target's default group or initiator group."""
import errno

from .text import KEY, fail, has_prefix, keyed, kstrtol, kstrtoul, lexem, same_word, sysfs_name, token
from .tree import Attr

LUN_MAX = 16383
INITIATOR_ATTR = Attr(0o444, lambda name: name + '\n')
LUN_ATTRS = {'read_only': Attr(0o444, lambda lun: keyed(int(lun.read_only), lun.read_only))}
INITIATORS_USAGE = ('Usage: echo "add INITIATOR_NAME" >mgmt\n'
                    '       echo "del INITIATOR_NAME" >mgmt\n'
                    '       echo "move INITIATOR_NAME DEST_GROUP_NAME" >mgmt\n'
                    '       echo "clear" >mgmt\n')


class Lun:
    """A device under a number in a group."""
    __slots__ = ('group', 'device', 'number', 'read_only', 'export', 'dir')

    def __init__(self, group, device, number, read_only):
        self.group = group
        self.device = device
        self.number = number
        self.read_only = read_only
        self.export = None
        self.dir = None


class Group:
    """A group of a target; name None is the default one, whose files are the target's own."""

    def __init__(self, target, name):
        self.core = target.core
        self.target = target
        self.name = name
        self.luns = {}            # number -> Lun, in the order they were added
        self.initiators = {}      # names as written, in order
        self.sessions = []
        self.luns_dir = self.initiators_dir = self.dir = None
        self.addr_method = 'PERIPHERAL'
        self.io_grouping_type = 'auto'
        self.black_hole = 0
        self.cpu_mask = (1 << self.core.env.cpu_bits) - 1
        self.dedicated_threads = 0

    # -- LUNs ---------------------------------------------------------------

    def add_lun(self, device, number, read_only):
        """Export a device; every session of the group gets it, and opens it when it is the first."""
        if device.handler and device.dif_mode and not self.target.checks_dif:
            fail(errno.EINVAL)           # iSCSI carries no protection information
        lun = Lun(self, device, number, read_only)
        lun.dir = self.luns_dir.mkdir(str(number), LUN_ATTRS, lun)
        self.luns[number] = lun
        opened = []
        try:
            for session in self.sessions:
                session.gain(lun)
                opened.append(session)
        except OSError:
            for session in opened:
                session.lose(lun)
            self.luns_dir.remove(str(number))
            del self.luns[number]
            raise
        device.luns.append(lun)
        lun.export = 'export%d' % device.exports
        device.exports += 1
        device.dir.entries['exported'].link(lun.export, lun.dir)
        lun.dir.link('device', device.dir)
        self.core.touch(self.target)
        return lun

    def del_lun(self, number):
        lun = self.luns.get(number)
        if lun is None:
            fail(errno.EINVAL)
        for session in self.sessions:
            session.lose(lun)
        lun.device.dir.entries['exported'].remove(lun.export)
        lun.device.luns.remove(lun)
        self.luns_dir.remove(str(number))
        del self.luns[number]
        self.core.touch(self.target)

    def _device(self, name):
        device = self.core.devices.by_name.get(name)
        return device or fail(errno.EINVAL, 'no device %s' % name)

    def _lun_parameters(self, text):
        word, text = lexem(text)
        number = kstrtoul(word)
        if number > LUN_MAX:
            fail(errno.EINVAL)
        read_only = False
        while True:
            parameter, text = token(text)
            if parameter is None:
                return number, read_only
            key, rest = lexem(parameter)
            value, rest = lexem(rest)
            if not key or not value or lexem(rest)[0]:
                fail(errno.EINVAL)
            flag = kstrtoul(value)
            if not same_word(key, 'read_only'):
                fail(errno.EINVAL)
            # 3.0.1 keeps the number's lowest bit, later releases whether it is zero.
            read_only = flag != 0 if self.core.personality.copy_manager else bool(flag & 1)

    def manage_luns(self, text):
        command, text = lexem(text)
        command = command.lower()
        if command not in self.core.personality.commands:
            fail(errno.EINVAL)
        if command in ('add', 'replace', 'replace_no_ua'):
            name, text = lexem(text)
            device = self._device(name)
            number, read_only = self._lun_parameters(text)
            if number in self.luns:
                if command == 'add':
                    fail(errno.EEXIST)
                self.replace_lun(device, number, read_only)
            else:
                self.add_lun(device, number, read_only)
        elif command == 'del':
            word, text = lexem(text)
            number = kstrtoul(word)
            if lexem(text)[0]:
                fail(errno.EINVAL)
            self.del_lun(number)
        else:
            if lexem(text)[0]:
                fail(errno.EINVAL)
            self.clear_luns()

    def replace_lun(self, device, number, read_only):
        self.del_lun(number)
        self.add_lun(device, number, read_only)

    def clear_luns(self):
        for number in list(self.luns):
            self.del_lun(number)

    # -- initiators ---------------------------------------------------------

    def add_initiator(self, name):
        if name in self.initiators:
            fail(errno.EEXIST)
        self.initiators_dir.put_file(name, INITIATOR_ATTR, name)
        if '/' in name and self.core.env.refuses_slashes:
            self.initiators_dir.broken += 1
        self.initiators[name] = True

    def del_initiator(self, name):
        self.initiators_dir.remove(name)
        if '/' in name and self.core.env.refuses_slashes:
            self.initiators_dir.broken -= 1
        del self.initiators[name]

    def manage_initiators(self, text):
        command, text = lexem(text)
        command = command.lower()
        if command not in ('add', 'del', 'move', 'clear'):
            fail(errno.EINVAL)
        if command == 'clear':
            for name in list(self.initiators):
                self.del_initiator(name)
        else:
            name, text = lexem(text)
            if not name:
                fail(errno.EINVAL)
            self._change_initiator(command, name, text)
        self.target.reassign_sessions()
        self.core.touch(self.target)

    def _change_initiator(self, command, name, text):
        if command == 'add':
            self.add_initiator(name)
            return
        destination = None
        if command == 'move':
            word, text = lexem(text)
            destination = self.target.groups.get(word) if word else fail(errno.EINVAL)
        if name not in self.initiators or command == 'move' and destination is None:
            fail(errno.EINVAL)
        if command == 'move' and name in destination.initiators:
            fail(errno.EEXIST)
        self.del_initiator(name)
        if destination is not None:
            destination.add_initiator(name)


# -- attributes that a group and the target itself (for its default group) share ------------

def _addr_method_store(group, text):
    for method in ('FLAT', 'PERIPHERAL', 'LUN'):
        if has_prefix(text, method):
            group.addr_method = method
            return
    fail(errno.EINVAL)


def _io_grouping_store(group, text):
    for kind in ('auto', 'this_group_only', 'never'):
        if has_prefix(text, kind):
            break
    else:
        kind = kstrtol(text) if text else 0
        if kind <= 0:
            fail(errno.EINVAL)
    if kind != group.io_grouping_type:
        group.core.work(setattr, group, 'io_grouping_type', kind)


def _black_hole_store(group, text):
    if text[0] not in '01234':
        fail(errno.EINVAL)
    group.black_hole = int(text[0])


def _cpu_mask_show(group):
    bits = group.core.env.cpu_bits
    value, chunks = group.cpu_mask, []
    while bits > 0:
        chunks.insert(0, '%0*x' % ((min(bits, 32) + 3) // 4, value & 0xffffffff))
        value >>= 32
        bits -= 32
    text = ','.join(chunks)
    default = group.cpu_mask == (1 << group.core.env.cpu_bits) - 1
    if group.core.personality.copy_manager:
        return text + '\n' + ('' if default else KEY)
    return text + ('' if default else '\n' + KEY)


def _cpu_mask_store(group, text):
    text = text.split('\n')[0].strip()
    chunks = text.split(',')
    try:
        value = 0
        for chunk in chunks:
            if len(chunk) > 8:
                fail(errno.EOVERFLOW)
            value = value << 32 | int(chunk or '0', 16)
    except ValueError:
        fail(errno.EINVAL)
    if value >> group.core.env.cpu_bits:
        fail(errno.EOVERFLOW)
    if value != group.cpu_mask:
        group.core.work(setattr, group, 'cpu_mask', value)


def _dedicated_store(group, text):
    group.dedicated_threads = int(kstrtoul(text) != 0)


GROUP_ATTRS = {
    'addr_method': Attr(0o644, lambda g: keyed(g.addr_method, g.addr_method != 'PERIPHERAL'), _addr_method_store),
    'io_grouping_type': Attr(0o644, lambda g: keyed(g.io_grouping_type, g.io_grouping_type != 'auto'),
                             _io_grouping_store),
    'black_hole': Attr(0o644, lambda g: '%d\n' % g.black_hole, _black_hole_store),
    'cpu_mask': Attr(0o644, _cpu_mask_show, _cpu_mask_store),
    'per_sess_dedicated_tgt_threads': Attr(0o644, lambda g: keyed(g.dedicated_threads, g.dedicated_threads),
                                           _dedicated_store),
}
LUNS_MGMT = {'mgmt': Attr(0o644, lambda g: g.core.personality.luns_usage(),
                          lambda g, text: g.core.work(g.manage_luns, text))}
INITIATORS_MGMT = {'mgmt': Attr(0o644, lambda g: INITIATORS_USAGE,
                                lambda g, text: g.core.work(g.manage_initiators, text))}


def make_group(target, name):
    """An initiator group with its directories."""
    group = Group(target, name)
    attrs = {attr: GROUP_ATTRS[attr] for attr in target.core.personality.group_attrs}
    group.dir = target.groups_dir.mkdir(sysfs_name(name), attrs, group)
    group.luns_dir = group.dir.mkdir('luns', LUNS_MGMT, group)
    group.initiators_dir = group.dir.mkdir('initiators', INITIATORS_MGMT, group)
    return group
