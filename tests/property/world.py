# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small world: declarations to draw, an emulator to apply them to, and a look at what came out.

apply() calls the engine the way the modules do, in the order in which the gateway role calls them.
"""
from ansible_collections.cephgate.iscsi.plugins.module_utils import (
    scst_alua, scst_device, scst_info, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer
from hypothesis import strategies as st
from scst_emulator import Emulator, Fake

SIZE = 1 << 24
FILES = ['/dev/rbd/rbd/x%d' % number for number in range(6)]
DEVICES = ['disk%d-abcdef' % number for number in range(5)]
TARGETS = ['iqn.2026-11.com.example:gw%d' % number for number in range(3)]
REMOTE = ['iqn.2026-11.com.example:far%d' % number for number in range(2)]
GROUPS = ['red', 'green', 'blue']
INITIATORS = ['iqn.1993-08.org.debian:01:h%d' % number for number in range(5)]
USERS = ['anna', 'bert', 'carl']
PORTALS = ['10.0.0.1', '10.0.0.2', '2001:db8::1', '10.1.*']
HANDLERS = ['vdisk_blockio', 'vdisk_nullio']
SHARED = ['active', 'nonoptimized']
CLOSED = ['standby', 'unavailable', 'offline']


def emulator(personality='3.10'):
    return Emulator(personality, Fake({path: dict(size=SIZE, block=True) for path in FILES}))


def secret(text):
    return 'the-secret-of-' + text


@st.composite
def devices(draw):
    chosen = draw(st.lists(st.sampled_from(DEVICES), unique=True, min_size=2))
    files = draw(st.permutations(FILES))
    result = []
    for name in chosen:
        variant = draw(st.integers(0, 2))
        number = DEVICES.index(name)
        attributes = dict(t10_dev_id='i%02dv%04d-%s' % (number, variant, name), usn='u%d-%d' % (number, variant), prod_id='RBD')
        device = dict(name=name, attributes=attributes)
        device['attributes_if_offered'] = dict(naa_id='3%015x' % (number * 16 + variant))
        if draw(st.booleans()):
            attributes['rotational'] = draw(st.booleans())
        if draw(st.booleans()):
            attributes['blocksize'] = draw(st.sampled_from(['512', '4096']))
        if draw(st.booleans()):
            attributes['threads_num'] = draw(st.integers(1, 3))
        if draw(st.integers(0, 3)):
            device.update(handler='vdisk_blockio', filename=files[number])
        else:
            device['handler'] = 'vdisk_nullio'
            attributes['size'] = draw(st.sampled_from([SIZE, 2 * SIZE]))
        result.append(device)
    return result


@st.composite
def targets(draw):
    chosen = draw(st.lists(st.sampled_from(TARGETS), unique=True, min_size=1))
    ids = draw(st.permutations(range(1, 5)))
    result = []
    for name in chosen:
        owners = draw(st.dictionaries(st.sampled_from(INITIATORS), st.sampled_from(GROUPS)))
        groups = draw(st.lists(st.sampled_from(GROUPS), unique=True, min_size=draw(st.integers(0, 2))))
        target = dict(name=name, rel_tgt_id=ids[TARGETS.index(name)], enabled=draw(st.booleans()),
                      exclusive=list(scst_target.SCOPES),
                      allowed_portals=draw(st.lists(st.sampled_from(PORTALS), unique=True)),
                      incoming_users=[dict(name=user, secret=secret(user + draw(st.sampled_from('ab'))))
                                      for user in draw(st.lists(st.sampled_from(USERS), unique=True))],
                      groups=[dict(name=group, initiators=[i for i in INITIATORS if owners.get(i) == group])
                              for group in groups])
        if draw(st.booleans()):
            target['outgoing_user'] = dict(name=draw(st.sampled_from(['out1', 'out2'])), secret=secret(draw(st.sampled_from('yz'))))
        target['attributes'] = draw(st.fixed_dictionaries({}, optional=dict(
            QueuedCommands=st.sampled_from([16, 32, 64]), InitialR2T=st.booleans(),
            HeaderDigest=st.sampled_from(['None', 'CRC32C,None', 'crc32c']), comment=st.sampled_from(['', 'a b']))))
        result.append(target)
    return result


@st.composite
def luns(draw, devices, targets):
    places = [(target['name'], group['name']) for target in targets for group in target['groups']]
    places += [(target['name'], None) for target in targets if not target['groups']]
    if not devices or not places:
        return []
    chosen = draw(st.dictionaries(st.tuples(st.sampled_from(places), st.integers(0, 3)),
                                  st.tuples(st.sampled_from([device['name'] for device in devices]), st.booleans()), min_size=1))
    return [dict(target=place[0], group=place[1], lun=number, device=device, read_only=read_only)
            for (place, number), (device, read_only) in chosen.items()]


@st.composite
def device_groups(draw, devices, targets):
    owner = {device['name']: draw(st.sampled_from(['dg0', 'dg1', None])) for device in devices}
    result = []
    for name in draw(st.lists(st.sampled_from(['dg0', 'dg1']), unique=True)):
        ids = draw(st.permutations(range(1, 5)))
        open_here = draw(st.booleans())
        groups = {}
        for number, target in enumerate([target['name'] for target in targets] + REMOTE):
            home = draw(st.sampled_from(['tg0', 'tg1', 'tg2', None]))
            if home:
                groups.setdefault(home, []).append((target, None if target not in REMOTE else 100 + number))
        tgs = []
        for tg, members in sorted(groups.items()):
            local = any(number is None for _target, number in members)
            states = (SHARED if open_here else CLOSED) if local else SHARED + CLOSED
            tgs.append(dict(name=tg, group_id=ids[int(tg[2])], state=draw(st.sampled_from(states)), preferred=draw(st.booleans()),
                            targets=[dict(name=target, rel_tgt_id=number) for target, number in members]))
        result.append(dict(name=name, devices=[device for device, home in owner.items() if home == name], target_groups=tgs,
                           exclusive=list(scst_alua.SCOPES)))
    return result


@st.composite
def declarations(draw):
    """A valid declaration in which every list is complete."""
    found = dict(devices=draw(devices()), targets=draw(targets()), driver=dict(
        enabled=draw(st.booleans()), exclusive=['incoming_users', 'outgoing_user'],
        incoming_users=[dict(name=user, secret=secret('disc' + user)) for user in draw(st.lists(st.sampled_from(USERS), unique=True))]))
    found['luns'] = draw(luns(found['devices'], found['targets']))
    found['device_groups'] = draw(device_groups(found['devices'], found['targets']))
    return found


def size_of(sysfs):
    return lambda path: sysfs.core.env.files.get(path, {}).get('size')


def steps(declared, force=True, without_enabling=True):
    """The calls of the gateway role, each a function from the tree to operations."""
    bare = [dict((key, value) for key, value in target.items() if key != 'enabled') for target in declared['targets']]

    def device_step(sysfs, assume=False):
        wanted = scst_device.normalise(declared['devices'], HANDLERS)
        current = scst_device.snapshot(sysfs, wanted, HANDLERS, assume, size_of(sysfs))
        return scst_device.plan(current, wanted, recreate=force, remove_exported=force)

    def target_step(listed, driver):
        def step(sysfs, assume=False):
            wanted, wanted_driver = scst_target.normalise(listed, driver)
            current = scst_target.snapshot(sysfs, wanted, wanted_driver, True, assume)
            return scst_target.plan(current, wanted, wanted_driver, force, force)
        return step

    def lun_step(sysfs, assume=False):
        wanted, scopes = scst_lun.normalise(declared['luns'], [dict(target=target['name']) for target in declared['targets']])
        return scst_lun.plan(scst_lun.snapshot(sysfs, wanted, scopes, assume), wanted, scopes, force, force)

    def alua_step(sysfs, assume=False):
        wanted = scst_alua.normalise(declared['device_groups'])
        return scst_alua.plan(scst_alua.snapshot(sysfs, wanted, assume), wanted, True, force)

    return [device_step, target_step(bare, None), alua_step, lun_step, target_step(declared['targets'], declared['driver'])]


def apply(sysfs, declared, force=True, stop_after=None):
    """Bring the tree to what is declared; returns the operations. stop_after: so many operations are done, then the run dies."""
    done = []
    for step in steps(declared, force):
        operations = step(sysfs)
        if stop_after is not None:
            operations = operations[:stop_after - len(done)]
        done += perform(operations, performer(sysfs))
        if stop_after is not None and len(done) >= stop_after:
            break
    return done


def plan_all(sysfs, declared, force=True):
    return [operation for step in steps(declared, force) for operation in step(sysfs)]


def differences(sysfs, declared):
    """What of a declaration the tree does not show, by the independent reading of scst_info."""
    seen = scst_info.collect(sysfs, ['devices', 'targets', 'luns', 'device_groups'], secrets=True)['gathered']
    found = []

    def compare(what, expected, actual):
        if expected != actual:
            found.append('%s: expected %r, found %r' % (what, expected, actual))
    devices = {device['name']: device for device in seen['devices']}
    compare('devices', sorted(device['name'] for device in declared['devices']), sorted(devices))
    for device in scst_device.normalise(declared['devices']):
        actual = devices.get(device['name'], {})
        compare(device['name'], (device['handler'], device['filename']), (actual.get('handler'), actual.get('filename')))
        for name, value in device['attributes'].items():
            content = sysfs.read('devices/%s/%s' % (device['name'], name))
            compare('%s %s' % (device['name'], name), value, content.split('\n')[0])
        for name, value in device['if_offered'].items():
            if sysfs.exists('devices/%s/%s' % (device['name'], name)):
                compare('%s %s' % (device['name'], name), value, sysfs.read('devices/%s/%s' % (device['name'], name)).split('\n')[0])
    targets = {target['name']: target for target in seen['targets']}
    compare('targets', sorted(target['name'] for target in declared['targets']), sorted(targets))
    for target in declared['targets']:
        actual = targets[target['name']]
        for key in ('rel_tgt_id', 'enabled'):
            compare('%s %s' % (target['name'], key), target[key], actual.get(key))
        compare(target['name'] + ' portals', sorted(target['allowed_portals']), actual['allowed_portals'])
        compare(target['name'] + ' users', sorted(target['incoming_users'], key=lambda user: user['name']), actual['incoming_users'])
        compare(target['name'] + ' outgoing', target.get('outgoing_user'), actual.get('outgoing_user'))
        compare(target['name'] + ' groups', {group['name']: sorted(group['initiators']) for group in target['groups']},
                {group['name']: sorted(group['initiators']) for group in actual['groups']})
    compare('driver', sorted(user['name'] for user in declared['driver']['incoming_users']),
            [user['name'] for user in seen['driver']['incoming_users']])
    compare('driver enabled', declared['driver']['enabled'], seen['driver']['enabled'])
    compare('luns', {(lun['target'], lun['group'], lun['lun']): (lun['device'], lun['read_only']) for lun in declared['luns']},
            {(lun['target'], lun.get('group'), lun['lun']): (lun['device'], lun['read_only']) for lun in seen['luns']})
    compare('device groups', _alua(declared['device_groups']), _alua(seen['device_groups']))
    return found


def _alua(groups):
    return {group['name']: dict(devices=sorted(group['devices']), target_groups={tg['name']: dict(
        state=tg['state'], preferred=tg['preferred'], group_id=tg['group_id'],
        targets=sorted((target['name'], target.get('rel_tgt_id') if target['name'] in REMOTE else None) for target in tg['targets']))
        for tg in group['target_groups']}) for group in groups}
