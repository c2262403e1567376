# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine does and refuses while an initiator is logged in: one story, told on any SCST.

On a gateway: safety_story.py SYSFS_ROOT, with an open-iscsi of its own as the initiator and loop devices as images; prints
JSON. In a test: tell(tree, world) with the emulator. Each step is (title, what came of it); they must be the same
everywhere.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

if __name__ == '__main__':
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from ansible_collections.cephgate.iscsi.plugins.module_utils import (  # noqa: E402
    scst_alua, scst_device, scst_info, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs, performer  # noqa: E402

TARGET = 'iqn.2026-11.com.example.cephgate:story'
INITIATOR = 'iqn.1993-08.org.debian:01:story'
PORTAL = '127.0.0.1'
MIB = 1 << 20
# Free ones: a gateway's other loop devices are not ours.
IMAGES = dict(a='/dev/loop6', b='/dev/loop7')


class Story:
    def __init__(self, tree, world):
        self.tree, self.world = tree, world
        self.act = performer(tree)
        self.told = []

    def note(self, title, value):
        self.told.append([title, value])

    def step(self, title, plan):
        try:
            outcome = [operation.line() for operation in perform(plan(), self.act)]
        except Refused as refusal:
            outcome = 'refused: %s' % refusal
        except Failed as failure:
            outcome = 'failed: %s' % failure
        self.note(title, outcome)

    def devices(self, title, devices, **options):
        def plan():
            wanted = scst_device.normalise(devices)
            return scst_device.plan(scst_device.snapshot(self.tree, wanted, size_of=self.world.size_of), wanted, **options)
        self.step(title, plan)

    def targets(self, title, targets, driver=None, **options):
        def plan():
            wanted, wanted_driver = scst_target.normalise(targets, driver)
            return scst_target.plan(scst_target.snapshot(self.tree, wanted, wanted_driver), wanted, wanted_driver, **options)
        self.step(title, plan)

    def luns(self, title, luns, exclusive=(), **options):
        def plan():
            wanted, scopes = scst_lun.normalise(luns, exclusive)
            return scst_lun.plan(scst_lun.snapshot(self.tree, wanted, scopes), wanted, scopes, **options)
        self.step(title, plan)

    def groups(self, title, groups, **options):
        def plan():
            wanted = scst_alua.normalise(groups)
            return scst_alua.plan(scst_alua.snapshot(self.tree, wanted), wanted, **options)
        self.step(title, plan)

    def value(self, title, *paths):
        self.note(title, [self.tree.read(path).split('\n')[0] for path in paths])

    def sessions(self, title):
        found = scst_info.collect(self.tree, ['sessions'], False)['sessions']
        self.note(title, [(one['initiator'], one['group'], [lun['lun'] for lun in one['luns']],
                           [connection['ip'] for connection in one['connections']]) for one in found])


def device(letter, **attributes):
    return dict(name='story-' + letter, filename=IMAGES[letter], attributes=dict(dict(usn='story-' + letter, t10_dev_id='id-' + letter), **attributes))


def lun(number, letter, **more):
    return dict(dict(target=TARGET, group='host', lun=number, device='story-' + letter), **more)


def alua(local, remote='nonoptimized'):
    return [dict(name='story', devices=['story-b'], target_groups=[
        dict(name='here', group_id=1, state=local, targets=[dict(name=TARGET)]),
        dict(name='there', group_id=2, state=remote, targets=[dict(name=TARGET + '-2', rel_tgt_id=2)])])]


def tell(tree, world):
    """The story; returns its steps. The SCST is without configuration before and after."""
    story = Story(tree, world)
    try:
        _exports(story)
        _guards(story)
        _identity(story)
        _users(story)
        _ports(story)
        _resize(story)
        _last(story)
    finally:
        world.log_out()
    story.targets('the target goes', [dict(name=TARGET, state='absent'), dict(name=TARGET + '-3', state='absent')], disrupt_sessions=True)
    story.step('the device group goes', lambda: _remove_groups(tree))
    story.devices('the devices go', [dict(name='story-' + letter, state='absent') for letter in 'ab'])
    return story.told


def _remove_groups(tree):
    wanted = scst_alua.normalise([dict(name='story', state='absent')])
    return scst_alua.plan(scst_alua.snapshot(tree, wanted), wanted)


def _exports(story):
    story.world.image('a', 16 * MIB)
    story.world.image('b', 16 * MIB)
    story.devices('two devices', [device('a'), device('b')])
    story.targets('a target', [dict(name=TARGET, rel_tgt_id=1, groups=[dict(name='host', initiators=[INITIATOR])])])
    story.luns('two LUNs', [lun(0, 'a'), lun(1, 'b')])
    story.targets('enable', [dict(name=TARGET, enabled=True)], dict(enabled=True))
    story.world.log_in()
    story.sessions('logged in')


def _guards(story):
    complete = [dict(target=TARGET, group='host')]
    story.luns('a LUN in use is not removed', [lun(0, 'a')], complete)
    story.luns('nor one that is to be absent', [lun(1, 'b', state='absent')])
    story.luns('nor replaced', [lun(1, 'a')])
    story.luns('writable to read only disturbs nobody', [lun(1, 'b', read_only=True)])
    story.luns('and back', [lun(1, 'b')])
    story.targets('a group in use is not removed', [dict(name=TARGET, groups=[dict(name='host', state='absent')])])
    story.targets('nor its initiator', [dict(name=TARGET, groups=[dict(name='host', initiators=[])], exclusive=['initiators'])])
    story.targets('nor the target', [dict(name=TARGET, state='absent')])
    story.devices('nor a device that is exported', [dict(name='story-b', state='absent')])
    story.sessions('nothing has happened')
    story.luns('a LUN goes when it must', [lun(0, 'a')], complete, disrupt_sessions=True)
    story.sessions('without LUN 1')
    story.luns('and comes back', [lun(0, 'a'), lun(1, 'b')], complete)
    story.sessions('with LUN 1')
    story.luns('nothing is left to do', [lun(0, 'a'), lun(1, 'b')], complete)


def _identity(story):
    story.devices('no second serial number', [dict(name='story-c', handler='vdisk_nullio', attributes=dict(usn='story-a'))])
    story.devices('no second disk on one image', [device('a'), dict(name='story-c', filename=IMAGES['a'])])
    story.devices('no name that breaks SCST', [dict(name='mgmt', handler='vdisk_nullio')])
    story.targets('no second relative target port', [dict(name=TARGET + '-3', rel_tgt_id=1)])
    story.targets('another one is taken', [dict(name=TARGET + '-3', rel_tgt_id=3)])
    story.devices('what only a new device can have', [device('b', rotational='0')])
    story.devices('not while it is exported', [device('b', rotational='0')], recreate=True)


def _users(story):
    for name in ('first', 'second', 'second'):
        story.targets('outgoing user: ' + name, [dict(name=TARGET, outgoing_user=dict(name=name, secret='secret-of-the-%s' % name))])
        story.value('which it is', 'targets/iscsi/%s/OutgoingUser' % TARGET)
    story.targets('no outgoing user', [dict(name=TARGET, exclusive=['outgoing_user'])])
    story.note('none is left', story.tree.exists('targets/iscsi/%s/OutgoingUser' % TARGET))


def _ports(story):
    active = 'devices/story-b/active'
    states = ['device_groups/story/target_groups/%s/state' % name for name in ('here', 'there')]
    story.groups('ALUA: the other node in standby', alua('active', 'standby'))
    story.value('the device stays open', active, *states)
    story.groups('ALUA: second best', alua('nonoptimized', 'active'))
    story.value('it still does', active, *states)
    story.groups('ALUA: no second group_id', [dict(name='story', target_groups=[dict(name='third', group_id=1)])])
    story.groups('ALUA: no state without a target', [dict(name='story', target_groups=[dict(name='third', group_id=3, state='standby')])])
    story.groups('ALUA: this node in standby', alua('standby', 'active'))
    story.value('the device is closed', active, *states)
    story.groups('ALUA: this node again', alua('active', 'nonoptimized'))
    story.value('and opened', active, *states)
    story.groups('ALUA: nothing is left to do', alua('active', 'nonoptimized'))


def _resize(story):
    story.world.image('b', 32 * MIB)
    story.devices('the image has grown', [device('b')])
    story.value('so has the device', 'devices/story-b/size')
    story.world.image('b', 16 * MIB)
    story.devices('it does not shrink', [device('b')])
    story.devices('unless it must', [device('b')], allow_shrink=True)
    story.value('now it has', 'devices/story-b/size')
    story.devices('nothing is left to do', [device('b')])


def _last(story):
    story.sessions('still logged in')
    found = scst_info.collect(story.tree, ['devices', 'targets', 'luns', 'device_groups', 'status'], True)['gathered']
    story.note('gathered', found)


class Here:
    """This host: loop devices, and its own open-iscsi through the loopback interface."""

    FOLDER = '/run/safety-story'
    CONFIG = pathlib.Path('/etc/iscsi')

    def size_of(self, path):
        if not os.path.exists(path):
            return None
        return int(self.run('blockdev', '--getsize64', path))

    @staticmethod
    def run(*words, check=True):
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if check and done.returncode:
            raise SystemExit('%s: exit %d: %s' % (' '.join(words), done.returncode, done.stdout))
        return done.stdout

    def image(self, letter, size):
        os.makedirs(self.FOLDER, exist_ok=True)
        file = '%s/%s' % (self.FOLDER, letter)
        self.run('truncate', '-s', str(size), file)
        attached = file in self.run('losetup', '-l', '-n', '-O', 'BACK-FILE', IMAGES[letter], check=False)
        self.run('losetup', *(['-c', IMAGES[letter]] if attached else [IMAGES[letter], file]))

    def log_in(self):
        name = self.CONFIG / 'initiatorname.iscsi'
        self.before = name.read_text() if name.exists() else None
        name.write_text('InitiatorName=%s\n' % INITIATOR)
        self.run('modprobe', 'iscsi_tcp')
        self.run('systemctl', 'restart', 'iscsid.service')
        node = ('iscsiadm', '-m', 'node', '-T', TARGET, '-p', PORTAL)
        self.run('iscsiadm', '-m', 'discovery', '-t', 'sendtargets', '-p', PORTAL)
        self.run(*node, '--login')
        self.run('udevadm', 'settle', '-t', '30')
        time.sleep(1)

    def log_out(self):
        self.run('iscsiadm', '-m', 'node', '-T', TARGET, '--logout', check=False)
        self.run('iscsiadm', '-m', 'node', '-o', 'delete', '-T', TARGET, check=False)
        time.sleep(1)

    def tidy(self):
        for path in IMAGES.values():
            self.run('losetup', '-d', path, check=False)
        self.run('systemctl', 'stop', 'iscsid.socket', 'iscsid.service', check=False)
        if getattr(self, 'before', None):
            (self.CONFIG / 'initiatorname.iscsi').write_text(self.before)


def main(root):
    here = Here()
    try:
        print(json.dumps(tell(Sysfs(root), here)))
    finally:
        here.tidy()


if __name__ == '__main__':
    main(sys.argv[1])
