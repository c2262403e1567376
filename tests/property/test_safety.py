# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no declaration may do to hosts that are at work, unless it says so in so many words."""
import edits
import hypothesis
import observe
import world
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer
from hypothesis import given
from scst_emulator import login


def log_everybody_in(tree):
    for target in tree.core.targets.iscsi.targets.values():
        for initiator in world.INITIATORS + ['iqn.1993-08.org.debian:01:stranger']:
            try:
                login(target, initiator, portal='10.0.0.1')
            except OSError:
                pass  # no LUN, not enabled, not this portal


def disks(tree):
    """What every session sees: {(target, session): {LUN: device}}."""
    found = {}
    for target in tree.core.targets.iscsi.targets.values():
        for session in tree.listdir('targets/iscsi/%s/sessions' % target.name):
            folder = 'targets/iscsi/%s/sessions/%s/luns' % (target.name, session)
            found[target.name, session] = {number: tree.readlink('%s/%s/device' % (folder, number)).rsplit('/', 1)[-1]
                                           for number in tree.listdir(folder) if number != 'mgmt'}
    return found


@hypothesis.settings(max_examples=80)
@given(change=edits.changes())
def test_without_a_word_for_it_no_session_ends_or_loses_a_disk_or_finds_another_in_its_place(change):
    before, after = change
    for target in before['targets']:
        target.update(enabled=True, allowed_portals=[])
    before['driver']['enabled'] = True
    tree = world.emulator()
    world.apply(tree, before)
    log_everybody_in(tree)
    had = disks(tree)
    for step in world.steps(after, force=False):
        writes = tree.writes
        try:
            operations = step(tree)
        except Refused:
            assert tree.writes == writes  # refused before anything was changed
            break
        perform(operations, performer(tree))
    now = disks(tree)
    for session, luns in had.items():
        assert session in now
        for number, device in luns.items():
            assert now[session].get(number) == device


@given(change=edits.changes())
def test_with_the_words_it_is_done_although_sessions_are_at_work(change):
    before, after = change
    for target in before['targets']:
        target.update(enabled=True, allowed_portals=[])
    before['driver']['enabled'] = True
    tree = world.emulator()
    world.apply(tree, before)
    log_everybody_in(tree)
    hypothesis.assume(not any(group is None for group in groups_of_sessions(tree)))
    world.apply(tree, after)
    assert observe.differing(tree, after, tree.core.env.files) == {}
    assert world.plan_all(tree, after) == []


def groups_of_sessions(tree):
    return [session.group.name if session.group is not target.default_group else None
            for target in tree.core.targets.iscsi.targets.values() for session in target.sessions.values()]


@given(before=world.declarations(), after=world.declarations())
def test_no_backing_device_is_closed_unless_a_state_is_declared_that_closes_it(before, after):
    """Neither at the end nor after any operation, on the way between states that keep all devices open."""
    for declared in (before, after):
        for group in declared['device_groups']:
            for tg in group['target_groups']:
                if not all(target['name'] in world.REMOTE for target in tg['targets']) and tg['state'] not in world.SHARED:
                    tg['state'] = 'active'
    tree = world.emulator()
    world.apply(tree, before)
    for step in world.steps(after):
        for operation in step(tree):
            perform([operation], performer(tree))
            for name, device in tree.core.devices.by_name.items():
                if device.handler == 'vdisk_blockio':
                    assert tree.read('devices/%s/active' % name).startswith('1'), operation


@given(declared=world.declarations())
def test_initiators_can_log_in_only_when_all_else_is_done(declared):
    for target in declared['targets']:
        target['enabled'] = True
    declared['driver']['enabled'] = True
    tree = world.emulator()
    world.apply(tree, declared)
    enabled = [index for index, (path, _data) in enumerate(tree.written) if path.endswith('/enabled')]
    assert enabled == list(range(len(tree.written) - len(enabled), len(tree.written)))
