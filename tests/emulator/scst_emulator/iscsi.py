# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The iSCSI driver: iscsi-scst's kernel half and its daemon iscsi-scstd.

The daemon holds targets' parameters, users and portals; the kernel holds the files. The two
can disagree (a second OutgoingUser), as they do in reality.
"""
import errno

from .keys import SESSION_KEYS, TARGET_KEYS, find_key
from .target import TARGET_ATTRS, Target as CoreTarget, core_attrs, wildcard_match
from .text import C_BLANKS, c_string, fail, lexem, same_word
from .tree import Attr
from .users import Lists

USAGE = ('Usage: echo "add_target target_name [parameters]" >mgmt\n'
         '       echo "del_target target_name" >mgmt\n'
         '       echo "add_attribute <attribute> <value>" >mgmt\n'
         '       echo "del_attribute <attribute> <value>" >mgmt\n'
         '       echo "add_target_attribute target_name <attribute> <value>" >mgmt\n'
         '       echo "del_target_attribute target_name <attribute> <value>" >mgmt\n\n'
         'where parameters are one or more param_name=value pairs separated by \';\'\n\n'
         'The following target driver attributes available: IncomingUser, OutgoingUser\n'
         'The following target attributes available: IncomingUser, OutgoingUser, allowed_portal\n\n')
NAME_MAX = 255
PORT = 3260


class Target(CoreTarget):
    """An iSCSI target."""

    def __init__(self, driver, name, tid, draft):
        self.driver = driver
        self.tid = tid
        self.values = draft.values
        self.lists = draft.lists
        self.redirect = ''
        self.alias = ''
        self.per_portal_acl = 0
        super().__init__(driver.core, driver.dir, name, driver.target_attrs)
        self.lists.changed = lambda: self.core.touch(self)
        self.lists.publish(self.dir)

    @property
    def max_sessions(self):
        return self.values['MaxSessions']

    def negotiated(self):
        """What open-iscsi with its defaults ends up with on this target."""
        shown = {name: key.show(self.values[name]) for name, key in SESSION_KEYS.items()}
        shown['MaxOutstandingR2T'] = '1'
        shown['MaxXmitDataSegmentLength'] = str(min(262144, self.values['MaxXmitDataSegmentLength']))
        return shown

    def allows_portal(self, portal):
        """Whether the address a session comes in at is allowed; none listed: all are."""
        patterns = [entry.key for entry in self.lists.portals]
        positive = [wildcard_match(p, portal) for p in patterns if not p.startswith('!')]
        negative = [wildcard_match(p, portal) for p in patterns if p.startswith('!')]
        return (not positive or any(positive)) and all(negative)


class Draft:
    """A target being made from the parameters of add_target."""

    def __init__(self, driver, text):
        self.values = {name: key.default for name, key in driver.keys.items()}
        self.lists = Lists()
        for line in text.replace(';', '\n').split('\n'):
            word, rest = lexem(line, C_BLANKS)
            if not word or word.startswith('#') or same_word(word, 'Alias'):
                continue
            self._parameter(driver, word, rest)

    def _parameter(self, driver, word, rest):
        key = find_key(driver.keys, word)
        if key:
            self.values[key.name] = key.take(rest)
            return
        direction = self.lists.direction(word) or fail(errno.EINVAL)
        name, rest = lexem(rest, C_BLANKS)
        secret, rest = lexem(rest, C_BLANKS)
        if lexem(rest, C_BLANKS)[0]:
            fail(errno.EINVAL)
        self.lists.add_user(direction, word, name, secret, None)


class Driver:
    """targets/iscsi."""

    def __init__(self, core, parent):
        self.core = core
        self.running = False
        self.next_tid = 0
        self.targets = {}
        self.keys = dict(TARGET_KEYS, **SESSION_KEYS)
        self.target_attrs = self._target_attrs()
        attrs = {
            'mgmt': Attr(0o644, lambda driver: USAGE, lambda driver, text: core.work(driver.manage, text)),
            'open_state': Attr(0o444, lambda driver: 'open\n' if driver.running else 'closed\n'),
            'version': Attr(0o444, lambda driver: core.personality.iscsi_version),
            'trace_level': core.trace('iscsi'),
        }
        self.dir = parent.mkdir('iscsi', attrs, self)
        self._reset()

    def _reset(self):
        self.enabled = 0
        self.link_local = 1
        self.internal_portal = self.isns_server = self.isns_entity_name = ''
        self.lists = Lists()
        self.lists.changed = lambda: self.core.touch(self)
        self.core.touch(self)

    def _target_attrs(self):
        attrs = core_attrs(self.core.personality)
        attrs['enabled'] = TARGET_ATTRS['enabled']
        attrs['tid'] = Attr(0o444, lambda target: '%d\n' % target.tid)
        for name, key in self.keys.items():
            if name not in self.core.personality.unlisted_keys:
                attrs[name] = key.attr()
        attrs.update(per_portal_acl=PER_PORTAL_ACL, redirect=REDIRECT)
        if self.core.personality.copy_manager:
            attrs['alias'] = ALIAS
        return attrs

    # -- the daemon's life --------------------------------------------------

    def start(self):
        """iscsi-scstd connects: it starts empty."""
        if self.running:
            return
        self._reset()
        self.running = True
        for name in self.core.personality.driver_attrs:
            self.dir.put_file(name, DRIVER_ATTRS[name], self)

    def stop(self):
        """iscsi-scstd goes away, and with it every target and session."""
        if not self.running:
            return
        for target in list(self.targets.values()):
            self.remove(target)
        self.running = False
        self.dir.entries.clear()

    # -- commands -----------------------------------------------------------

    def manage(self, text):
        command, rest = lexem(text)
        if same_word(command, 'add_target'):
            name, rest = lexem(rest)
            self.add(name or fail(errno.EINVAL), rest)
        elif same_word(command, 'del_target'):
            name, rest = lexem(rest)
            if not name or lexem(rest)[0]:
                fail(errno.EINVAL)
            self.remove(self.targets.get(name) or fail(errno.ENOENT))
        else:
            self._daemon()
            self._attribute(command, rest)

    def _daemon(self):
        if not self.running:
            fail(errno.EPERM)

    def add(self, name, text):
        self._daemon()
        # The daemon is sent "Target NAME; parameters" and cuts at ';' again.
        name, _separator, more = name.partition(';')
        draft = Draft(self, more + ';' + text)
        name = name[:NAME_MAX] or fail(errno.EINVAL)
        if self.find(name):
            fail(errno.EEXIST)
        tid = self.next_tid + 1
        while any(target.tid == tid for target in self.targets.values()):
            tid += 1
        self.targets[name] = Target(self, name, tid, draft)
        self.next_tid = tid
        self.core.touch(self.targets[name])

    def find(self, name):
        """The daemon does not look at case."""
        return next((t for t in self.targets.values() if same_word(t.name, name)), None)

    def remove(self, target):
        self.core.alua.forget_target(target)
        target.close_sessions()
        for group in target.all_groups():
            group.clear_luns()
        self.dir.remove(target.dir.path[-1])
        del self.targets[target.name]
        self.core.touch(target)

    def _attribute(self, command, text):
        command = command.lower()
        if command not in ('add_attribute', 'del_attribute', 'add_target_attribute', 'del_target_attribute'):
            fail(errno.EINVAL)
        owner = self
        if 'target' in command:
            name, text = lexem(text, C_BLANKS)
            owner = self.find(name) or fail(errno.ENOENT)
        kind, text = lexem(text, C_BLANKS)
        portals = owner is not self
        if command.startswith('add'):
            owner.lists.add(kind, text, owner.dir, portals)
        else:
            owner.lists.delete(kind, text, owner.dir, portals)


# -- files of the daemon ----------------------------------------------------

def binary(name, default=0):
    """A whole word 0 or 1."""
    def store(owner, text):
        word = lexem(text, C_BLANKS)[0]
        if word not in ('0', '1'):
            fail(errno.EINVAL)
        setattr(owner, name, int(word))
        owner.core.touch(owner)

    def show(owner):
        value = getattr(owner, name)
        return '%d\n%s\n' % (value, '' if default is None or value == default else '[key]\n')
    return Attr(0o644, show, store)


def _redirect_store(target, text):
    from .addresses import is_address, split_port
    address, rest = lexem(text, C_BLANKS)
    if not address:
        target.redirect = ''
        return
    kind, rest = lexem(rest, C_BLANKS)
    if kind.lower() not in ('temp', 'perm') or lexem(rest, C_BLANKS)[0]:
        fail(errno.EINVAL)
    host, port = split_port(address)
    if port <= 0 or not is_address(host.strip('[]') if host.startswith('[') else host):
        fail(errno.EINVAL)
    target.redirect = '%s%s %s' % (host, '' if port == PORT else ':%d' % port, kind.lower())


def _internal_portal_store(driver, text):
    from .addresses import is_address
    text = text.strip(C_BLANKS)
    if not all(is_address(word) for word in text.split(' ') if word):
        fail(errno.EINVAL)
    driver.internal_portal = text


def _isns_store(driver, text):
    address = lexem(text, C_BLANKS)[0]
    driver.isns_server = ''
    if address:
        driver.core.env.find_isns_server(address)
        driver.isns_server = address


def _text_show(name, empty):
    def show(owner):
        value = getattr(owner, name)
        return '%s\n[key]\n\n' % value if value else empty
    return show


def _alias_store(target, text):
    target.alias = c_string(text).strip(C_BLANKS)


def _entity_store(driver, text):
    driver.isns_entity_name = lexem(text, C_BLANKS)[0][:NAME_MAX]


PER_PORTAL_ACL = binary('per_portal_acl')
REDIRECT = Attr(0o644, _text_show('redirect', '\n'), _redirect_store)
ALIAS = Attr(0o644, _text_show('alias', '\n'), _alias_store)
DRIVER_ATTRS = {
    'enabled': binary('enabled', None),
    'link_local': binary('link_local', 1),
    'internal_portal': Attr(0o644, _text_show('internal_portal', '\n\n'), _internal_portal_store),
    'iSNSServer': Attr(0o644, _text_show('isns_server', '\n\n'), _isns_store),
    'isns_entity_name': Attr(0o644, lambda driver: driver.isns_entity_name + '\n', _entity_store),
}
