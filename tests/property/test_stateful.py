# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From any state that a gateway can be in to any declaration."""
import copy
import errno
import itertools

import edits
import hypothesis
import machine
import pytest
import world
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from scst_emulator import login

DEVICES = world.DEVICES[:3] + ['stray', 'Stray-2']
TARGETS = world.TARGETS[:2] + ['iqn.2026-11.com.example:stray', world.TARGETS[0].upper()]
GROUPS = world.GROUPS + ['stray']
INITIATORS = world.INITIATORS[:3] + ['iqn.1993-08.*', 'iqn.1993-08.org/slash', world.INITIATORS[0].upper()]
FILES = world.FILES
NUMBER = ['0', '1', '2', '3']
STRANGER = 'iqn.1993-08.org.debian:01:stranger'
DECLARATIONS = st.sampled_from(world.pool(300))
IN_ISCSI = 'targets/iscsi/{}/'

# what others may type: file, command, and what can stand in their places
HANDS = [
    ('handlers/vdisk_nullio/mgmt', 'add_device {}', DEVICES), ('handlers/vdisk_nullio/mgmt', 'add_device {} size_mb=1; blocksize=4096', DEVICES),
    ('handlers/vdisk_blockio/mgmt', 'add_device {} filename={}; read_only=1', DEVICES, FILES),
    ('handlers/vdisk_fileio/mgmt', 'add_device {} filename={}', DEVICES, FILES), ('handlers/vdisk_nullio/mgmt', 'del_device {}', DEVICES),
    ('devices/{}/usn', '{}', DEVICES, ['stray', 'u0-0']), ('devices/{}/t10_dev_id', 'stray', DEVICES),
    ('devices/{}/naa_id', '{}', DEVICES, ['5001405000000001', '\n']), ('devices/{}/prod_id', 'OTHER', DEVICES),
    ('devices/{}/threads_num', '7', DEVICES), ('devices/{}/active', '{}', DEVICES, ['0', '1']),
    ('devices/{}/bind_alua_state', '0', DEVICES), ('devices/{}/resync_size', '1', DEVICES),
    ('targets/iscsi/mgmt', 'add_target {}', TARGETS), ('targets/iscsi/mgmt', 'del_target {}', TARGETS),
    ('targets/iscsi/mgmt', 'add_target_attribute {} IncomingUser {} 123456789012', TARGETS, world.USERS + ['stray']),
    ('targets/iscsi/mgmt', 'del_target_attribute {} IncomingUser {}', TARGETS, world.USERS),
    ('targets/iscsi/mgmt', 'add_target_attribute {} OutgoingUser stray 123456789012', TARGETS),
    ('targets/iscsi/mgmt', 'del_target_attribute {} OutgoingUser out1', TARGETS),
    ('targets/iscsi/mgmt', 'add_target_attribute {} allowed_portal {}', TARGETS, ['notanip', '10.0.0.9', '2001:DB8:0::1']),
    ('targets/iscsi/mgmt', 'del_target_attribute {} allowed_portal {}', TARGETS, world.PORTALS),
    ('targets/iscsi/mgmt', 'add_attribute IncomingUser {} 123456789012', world.USERS + ['stray']),
    ('targets/iscsi/enabled', '{}', ['0', '1']), (IN_ISCSI + 'enabled', '{}', TARGETS, ['0', '1']),
    (IN_ISCSI + 'rel_tgt_id', '{}', TARGETS, NUMBER), (IN_ISCSI + 'QueuedCommands', '8', TARGETS), (IN_ISCSI + 'HeaderDigest', 'CRC32C', TARGETS),
    (IN_ISCSI + 'per_portal_acl', '{}', TARGETS, ['0', '1']), (IN_ISCSI + 'comment', 'by hand', TARGETS),
    (IN_ISCSI + 'luns/mgmt', 'add {} {}', TARGETS, DEVICES, NUMBER), (IN_ISCSI + 'luns/mgmt', 'clear', TARGETS),
    (IN_ISCSI + 'ini_groups/mgmt', 'create {}', TARGETS, GROUPS), (IN_ISCSI + 'ini_groups/mgmt', 'del {}', TARGETS, GROUPS),
    (IN_ISCSI + 'ini_groups/{}/initiators/mgmt', 'add {}', TARGETS, GROUPS, INITIATORS),
    (IN_ISCSI + 'ini_groups/{}/initiators/mgmt', 'del {}', TARGETS, GROUPS, INITIATORS),
    (IN_ISCSI + 'ini_groups/{}/initiators/mgmt', 'clear', TARGETS, GROUPS),
    (IN_ISCSI + 'ini_groups/{}/luns/mgmt', 'add {} {}', TARGETS, GROUPS, DEVICES, NUMBER),
    (IN_ISCSI + 'ini_groups/{}/luns/mgmt', 'replace {} {} read_only=1', TARGETS, GROUPS, DEVICES, NUMBER),
    (IN_ISCSI + 'ini_groups/{}/luns/mgmt', 'del {}', TARGETS, GROUPS, NUMBER), (IN_ISCSI + 'ini_groups/{}/luns/mgmt', 'clear', TARGETS, GROUPS),
    (IN_ISCSI + 'ini_groups/{}/io_grouping_type', 'never', TARGETS, GROUPS),
    ('device_groups/mgmt', 'create {}', ['dg0', 'stray']), ('device_groups/mgmt', 'del {}', ['dg0', 'dg1']),
    ('device_groups/{}/devices/mgmt', 'add {}', ['dg0', 'dg1', 'stray'], DEVICES),
    ('device_groups/{}/devices/mgmt', 'del {}', ['dg0', 'dg1'], DEVICES),
    ('device_groups/{}/target_groups/mgmt', '{} {}', ['dg0', 'dg1', 'stray'], ['create', 'del'],
     ['tg0', 'tg1', 'stray']),
    ('device_groups/{}/target_groups/{}/mgmt', '{} {}', ['dg0', 'stray'], ['tg0', 'stray'],
     ['add', 'del'], world.TARGETS[:2] + world.REMOTE),
    ('device_groups/{}/target_groups/{}/group_id', '{}', ['dg0', 'dg1'], ['tg0', 'tg1'], NUMBER),
    ('device_groups/{}/target_groups/{}/state', '{}', ['dg0', 'dg1'], ['tg0', 'tg1'],
     ['active', 'standby', 'offline', 'transitioning']),
    ('device_groups/{}/target_groups/{}/preferred', '{}', ['dg0', 'dg1'], ['tg0', 'tg1'], ['0', '1']),
]


def filled(hand, words):
    path, command = hand[:2]
    return path.format(*words), command.format(*words[path.count('{}'):])


COMMANDS = st.sampled_from(HANDS).flatmap(lambda hand: st.tuples(*map(st.sampled_from, hand[2:])).map(lambda words: filled(hand, words)))


class AnyGateway(RuleBasedStateMachine):
    personality = None

    def __init__(self):
        super().__init__()
        self.gateway = machine.Gateway(self.personality)
        self.tree = self.gateway.tree

    # -- what happens to a gateway ------------------------------------------------------------------

    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=12))
    def other_hands(self, commands):
        for path, command in commands:
            try:
                self.tree.write(path, command)
            except OSError:
                pass  # not possible in this state

    @rule(event=st.sampled_from(['dies', 'starts', 'starts', 'reboots']))
    def iscsi_scstd(self, event):
        core = self.tree.core
        if event == 'starts':
            core.start_daemon()
        else:
            core.stop_daemon()
        if event == 'reboots':
            for module in ('iscsi_scst', 'scst_vdisk', 'scst'):
                core.unload(module)
            core.start()

    @rule(path=st.sampled_from(FILES), event=st.sampled_from(['grows', 'grows', 'shrinks', 'goes', 'returns']))
    def a_backing_device(self, path, event):
        files = self.gateway.files
        if event == 'goes':
            files.pop(path, None)
        elif event == 'returns' or path not in files:
            files.setdefault(path, dict(size=world.SIZE, block=True))
        else:
            files[path]['size'] = files[path]['size'] * 2 if event == 'grows' else world.SIZE

    @rule(logins=st.lists(st.tuples(st.sampled_from(TARGETS), st.sampled_from(world.INITIATORS + [STRANGER])), max_size=4), out=st.booleans())
    def sessions(self, logins, out):
        """Some end, some begin."""
        iscsi = self.tree.core.targets.iscsi
        for target in iscsi.targets.values():
            for session in list(target.sessions.values()) if out else ():
                session.close()
        for name, initiator in logins:
            if name in iscsi.targets:
                try:
                    login(iscsi.targets[name], initiator, portal='10.0.0.1')
                except OSError:
                    pass  # not let in

    # -- runs ---------------------------------------------------------------------------------------

    @initialize(declared=DECLARATIONS)
    def the_first_run(self, declared):
        self.gateway.apply(declared)

    @rule(declared=DECLARATIONS)
    def a_run(self, declared):
        self.gateway.apply(declared)

    @precondition(lambda self: self.gateway.declared)
    @rule()
    def the_same_run(self):
        self.gateway.apply(self.gateway.declared)

    @precondition(lambda self: self.gateway.earlier)
    @rule()
    def the_run_before_again(self):
        self.gateway.apply(self.gateway.earlier)

    @precondition(lambda self: self.gateway.declared)
    @rule(data=st.data())
    def a_run_after_an_edit(self, data):
        self.gateway.apply(self.edited(data))

    @precondition(lambda self: self.gateway.declared)
    @rule(data=st.data(), after=st.integers(0, 40), number=st.sampled_from([None, errno.EINVAL, errno.EIO]), again=st.booleans())
    def a_run_that_fails_part_way(self, data, after, number, again):
        declared = self.edited(data)
        self.gateway.hurt(declared, after, number)
        if again:
            self.gateway.apply(declared)

    def edited(self, data):
        declared = copy.deepcopy(self.gateway.declared)
        for edit in data.draw(st.lists(st.sampled_from(edits.EDITS), min_size=1, max_size=3)):
            edit(data.draw, declared)
        return declared

    @rule(declared=DECLARATIONS, picked=st.integers(0, 7))
    def a_run_about_some_objects(self, declared, picked):
        """Without a list that is declared complete: whatever was not mentioned stays as it is."""
        part = world.some_of(declared, picked)
        before = self.tree.tree()
        world.apply_open(self.tree, part)
        after = self.tree.tree()
        for path in set(before) | set(after):
            assert before.get(path) == after.get(path) or world.is_about(path, part), (path, before.get(path), after.get(path))

    @rule()
    def what_is_there_is_declared(self):
        """What is gathered, taken as a declaration, leads to nothing."""
        self.gateway.gather()


class Scst310(AnyGateway):
    personality = '3.10'


class Scst301(AnyGateway):
    personality = '3.0.1'


@pytest.mark.parametrize('gateway', [Scst310, Scst301])
def test_any_declaration_is_reached_from_any_state(gateway):
    run_state_machine_as_test(gateway, settings=hypothesis.settings(
        max_examples=100, stateful_step_count=20, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]))


SETTING = [
    ('handlers/vdisk_blockio/mgmt', 'add_device {} filename={}'.format(world.DEVICES[0], FILES[0])), ('targets/iscsi/mgmt', 'add_target ' + TARGETS[0]),
    ('targets/iscsi/{}/ini_groups/mgmt'.format(TARGETS[0]), 'create red'),
    ('targets/iscsi/{}/ini_groups/red/luns/mgmt'.format(TARGETS[0]), 'add {} 0'.format(DEVICES[0])),
    ('targets/iscsi/{}/ini_groups/red/initiators/mgmt'.format(TARGETS[0]), 'add ' + INITIATORS[0]),
    ('targets/iscsi/mgmt', 'add_target_attribute {} IncomingUser anna 123456789012'.format(TARGETS[0])),
    ('targets/iscsi/mgmt', 'add_target_attribute {} OutgoingUser out1 123456789012'.format(TARGETS[0])),
    ('targets/iscsi/mgmt', 'add_target_attribute {} allowed_portal {}'.format(TARGETS[0], world.PORTALS[0])),
    ('handlers/vdisk_nullio/mgmt', 'add_device ' + DEVICES[1]),
    ('device_groups/mgmt', 'create dg1'), ('device_groups/dg1/devices/mgmt', 'add ' + DEVICES[0]), ('device_groups/mgmt', 'create stray'),
    ('device_groups/dg1/target_groups/mgmt', 'create tg0'), ('device_groups/stray/target_groups/mgmt', 'create tg0'),
]


@pytest.mark.parametrize('hand', HANDS, ids=lambda hand: ' '.join(hand[:2]))
def test_what_other_hands_type_is_something_that_scst_takes(hand):
    """For some words; or the machine would test nothing with it."""
    for words, with_outgoing in itertools.product(itertools.product(*hand[2:]), (True, False)):
        tree = world.emulator()
        for path, command in SETTING:
            if with_outgoing or 'OutgoingUser' not in command:
                tree.write(path, command)
        try:
            tree.write(*filled(hand, words))
            return
        except OSError:
            continue
    raise AssertionError(hand)
