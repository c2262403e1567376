# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target: its own files, its groups, its sessions; and the copy manager's target."""
import errno

from .acg import GROUP_ATTRS, LUNS_MGMT, Group, make_group
from .text import c_string, fail, keyed, kstrtoul, lexem, same_word, sysfs_name
from .tree import Attr

GROUPS_USAGE = ('Usage: echo "create GROUP_NAME" >mgmt\n'
                '       echo "del GROUP_NAME" >mgmt\n')


class Target:
    """What SCST's core knows of any target. iSCSI's part is in iscsi.Target."""

    always_enabled = False
    checks_dif = False

    def __init__(self, core, parent, name, attrs):
        self.core = core
        self.name = name
        self.enabled = 0
        self.rel_tgt_id = 0
        self.comment = ''
        self.forward_src = self.forward_dst = self.aen_disabled = 0
        self.groups = {}
        self.sessions = {}           # directory name -> Session
        self.dir = parent.mkdir(sysfs_name(name), attrs, self)
        self.default_group = Group(self, None)
        self.default_group.luns_dir = self.dir.mkdir('luns', LUNS_MGMT, self.default_group)
        self.groups_dir = self.dir.mkdir('ini_groups', {'mgmt': GROUPS_MGMT}, self)
        self.sessions_dir = self.dir.mkdir('sessions', {}, self)

    def all_groups(self):
        return [self.default_group] + list(self.groups.values())

    # -- groups and sessions ------------------------------------------------

    def manage_groups(self, text):
        command, text = lexem(text)
        name, _rest = lexem(text)
        if not name or command.lower() not in ('create', 'del'):
            fail(errno.EINVAL)
        if same_word(command, 'create'):
            if name in self.groups:
                fail(getattr(errno, self.core.personality.duplicate_group))
            self.groups[name] = make_group(self, name)
        else:
            self._del_group(name)
        self.core.touch(self)

    def _del_group(self, name):
        group = self.groups.get(name) or fail(errno.EINVAL)
        if group.sessions:
            fail(errno.EBUSY)
        group.clear_luns()
        del self.groups[name]
        self.groups_dir.remove(sysfs_name(name))

    def group_of(self, initiator):
        """The first group in order of creation with a name that matches; else the default one."""
        for group in self.groups.values():
            if any(wildcard_match(name, initiator) for name in group.initiators):
                return group
        return self.default_group

    def reassign_sessions(self):
        for session in list(self.sessions.values()):
            session.reassign()

    def close_sessions(self):
        for session in list(self.sessions.values()):
            session.close()

    # -- enabling and the relative target id --------------------------------

    def is_enabled(self):
        return self.always_enabled or bool(self.enabled)

    def set_enabled(self, enable):
        if enable and self.rel_tgt_id == 0:
            self.rel_tgt_id = self.core.targets.new_rel_tgt_id()
        elif enable and not self.core.targets.is_unique(self.rel_tgt_id, self):
            fail(errno.EBADSLT)
        self.enabled = int(enable)
        self.core.touch(self)

    def set_rel_tgt_id(self, number):
        if self.is_enabled() and number != self.rel_tgt_id:
            if not self.core.targets.is_unique(number & 0xffff, self):
                fail(errno.EBADSLT)
        if not 1 <= number <= 65535 and (number or self.is_enabled()):
            fail(errno.EINVAL)
        self.rel_tgt_id = number
        self.core.touch(self)


def wildcard_match(pattern, text, nested=False):
    """SCST's name patterns: '*', '?', letters in any case, and one '!' that inverts the rest."""
    index = place = 0
    star = (0, 0)
    while place < len(text) and pattern[index:index + 1] != '*':
        if pattern[index:index + 1] == '!' and not nested:
            return not wildcard_match(pattern[index + 1:], text[place:], True)
        if pattern[index:index + 1].lower() != text[place].lower() and pattern[index:index + 1] != '?':
            return False
        index += 1
        place += 1
    while place < len(text):
        char = pattern[index:index + 1]
        if char == '!' and not nested:
            return not wildcard_match(pattern[index + 1:], text[place:], True)
        if char == '*':
            index += 1
            if index == len(pattern):
                return True
            star = (index, place + 1)
        elif char == '?' or char.lower() == text[place].lower():
            index += 1
            place += 1
        else:
            index, place = star
            star = (index, place + 1)
    return not pattern[index:].strip('*')


# -- files ------------------------------------------------------------------

def _enabled_store(target, text):
    if text[0] not in '01':
        fail(errno.EINVAL)
    target.core.work(target.set_enabled, text[0] == '1')


def _rel_tgt_id_store(target, text):
    try:
        number = kstrtoul(text)
    except OSError:
        fail(errno.EINVAL)
    target.core.work(target.set_rel_tgt_id, number)


def _comment_store(target, text):
    length = len(c_string(text))
    if text.endswith('\n'):
        length -= 1
    target.comment = text[:max(length, 0)]


def switch(name):
    """0 or 1, judged by the first character."""
    def store(target, text):
        if text[0] not in '01':
            fail(errno.EINVAL)
        setattr(target, name, int(text[0]))
    return Attr(0o644, lambda target: keyed(getattr(target, name), getattr(target, name)), store)


def of_default_group(name):
    attr = GROUP_ATTRS[name]
    return Attr(attr.mode, lambda target: attr.show(target.default_group),
                lambda target, text: attr.store(target.default_group, text))


GROUPS_MGMT = Attr(0o644, lambda target: GROUPS_USAGE,
                   lambda target, text: target.core.work(target.manage_groups, text))
TARGET_ATTRS = {
    'enabled': Attr(0o644, lambda target: '%d\n' % target.enabled, _enabled_store),
    'rel_tgt_id': Attr(0o644, lambda t: keyed(t.rel_tgt_id, t.rel_tgt_id), _rel_tgt_id_store),
    'comment': Attr(0o644, lambda t: keyed(t.comment, True) if t.comment else '', _comment_store),
    'sg_tablesize': Attr(0o444, lambda target: '65535\n'),
    'forward_src': switch('forward_src'),
    'forward_dst': switch('forward_dst'),
    'forwarding': switch('forward_dst'),
    'aen_disabled': switch('aen_disabled'),
}
TARGET_ATTRS.update((name, of_default_group(name)) for name in
                    ('addr_method', 'io_grouping_type', 'black_hole', 'cpu_mask'))
COUNTER = Attr(0o444, lambda target: '0\n')


def core_attrs(personality):
    """The files that SCST's core gives every target."""
    return {name: TARGET_ATTRS.get(name, COUNTER) for name in personality.target_attrs}


class CopyManagerTarget(Target):
    """SCST's own target for EXTENDED COPY. Its one session sees every virtual disk."""

    always_enabled = True
    checks_dif = True

    def __init__(self, core, parent):
        super().__init__(core, parent, 'copy_manager_tgt', core_attrs(core.personality))
        self.next_lun = 0

    def attach(self, device):
        """Give a new disk the next number; numbers of deleted disks are not used again."""
        while self.next_lun in self.default_group.luns:
            self.next_lun += 1
        number = self.next_lun
        self.next_lun += 1
        try:
            self.default_group.add_lun(device, number, False)
        except OSError:
            self.next_lun -= 1
            raise
