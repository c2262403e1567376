# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small world: declarations to draw, an emulator to apply them to, and a look at what came out.

apply() calls the engine the way the modules do, in the order in which the gateway role calls them.
"""
from ansible_collections.cephgate.iscsi.plugins.module_utils import (
    scst_alua, scst_device, scst_info, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer
from hypothesis import Phase, given, settings
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


def emulator(personality='3.10', files=None):
    return Emulator(personality, Fake(files or {path: dict(size=SIZE, block=True) for path in FILES}))


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


def pool(size):
    """So many declarations, the same each time: a choice among them costs hypothesis less than making one on the way."""
    found = []

    @settings(max_examples=size, phases=[Phase.generate])
    @given(declarations())
    def collect(declared):
        found.append(declared)
    collect()
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


def some_of(declared, picked):
    """A part of a declaration in which no list is said to be complete; picked: which part."""
    targets = [dict(target, exclusive=[]) for target in declared['targets'][:1 + picked % 2]]
    names = {target['name'] for target in targets}
    return dict(devices=declared['devices'][picked % 2::2], targets=targets, driver=None,
                luns=[lun for lun in declared['luns'] if lun['target'] in names][::1 + picked // 4],
                device_groups=[dict(group, exclusive=[]) for group in declared['device_groups'][:picked // 2 % 2]])


def open_steps(declared):
    """The modules' calls without a word for anything."""
    def device_step(sysfs):
        wanted = scst_device.normalise(declared['devices'])
        return scst_device.plan(scst_device.snapshot(sysfs, wanted, size_of=size_of(sysfs)), wanted)

    def target_step(sysfs):
        wanted, driver = scst_target.normalise(declared['targets'], declared['driver'])
        return scst_target.plan(scst_target.snapshot(sysfs, wanted, driver), wanted, driver)

    def alua_step(sysfs):
        wanted = scst_alua.normalise(declared['device_groups'])
        return scst_alua.plan(scst_alua.snapshot(sysfs, wanted), wanted)

    def lun_step(sysfs):
        wanted, scopes = scst_lun.normalise(declared['luns'])
        return scst_lun.plan(scst_lun.snapshot(sysfs, wanted, scopes), wanted, scopes)
    return [device_step, target_step, alua_step, lun_step]


def apply_open(sysfs, declared):
    """As far as it goes without force: a step may be refused, or meet an error that names its reason."""
    for step in open_steps(declared):
        try:
            perform(step(sysfs), performer(sysfs))
        except (Refused, Failed):
            pass


def is_about(path, declared):
    """Whether a path of the tree may change when these objects are what is asked for."""
    parts = path.split('/')
    devices = {device['name'] for device in declared['devices']}
    groups = {group['name']: set(group['devices']) for group in declared['device_groups']}
    if path == 'last_sysfs_mgmt_res' or parts[-1] == 'mgmt' or 'copy_manager' in parts or 'sessions' in parts or 'exported' in parts:
        return True  # these follow
    if parts[0] in ('devices', 'handlers'):
        # A target group's state opens and closes the devices of its device group.
        return bool(devices & set(parts)) or parts[-1] in ('active', 'size', 'size_mb')
    if parts[0] == 'device_groups':
        return len(parts) > 1 and parts[1] in groups
    if parts[:2] == ['targets', 'iscsi'] and len(parts) > 2:
        target = next((target for target in declared['targets'] if target['name'] == parts[2]), None)
        if target is None:
            return False
        group = parts[4] if parts[3:4] == ['ini_groups'] and len(parts) > 4 else None
        if 'luns' in parts:
            number = parts[parts.index('luns') + 1:]
            return not number or any(lun['target'] == parts[2] and lun['group'] == group and [str(lun['lun'])] == number[:1]
                                     for lun in declared['luns'])
        return group is None or group in [each['name'] for each in target['groups']]
    return False


def gathered_plans(tree):
    """What the modules make of what scst_info gathered: with every word, once as it is and once with every list complete."""
    gathered = scst_info.collect(tree, ['devices', 'targets', 'luns', 'device_groups'], secrets=True)['gathered']
    for complete in (False, True):
        handlers = scst_device.HANDLERS if complete else ()
        wanted = scst_device.normalise(gathered['devices'], handlers, True)
        yield from scst_device.plan(scst_device.snapshot(tree, wanted, handlers, size_of=lambda path: None), wanted, allow_duplicate_identity=True)
        targets = [dict(target, exclusive=scst_target.SCOPES if complete else ()) for target in gathered['targets']]
        driver = gathered.get('driver') and dict(gathered['driver'], exclusive=['incoming_users', 'outgoing_user'] if complete else ())
        wanted, driver = scst_target.normalise(targets, driver, True)
        current = scst_target.snapshot(tree, wanted, driver, complete, assume=not targets)
        yield from scst_target.plan(current, wanted, driver, allow_default_luns=True, allow_ambiguous_initiators=True)
        wanted, scopes = scst_lun.normalise(gathered['luns'], [dict(target=target['name']) for target in targets] if complete else ())
        yield from scst_lun.plan(scst_lun.snapshot(tree, wanted, scopes), wanted, scopes, allow_default_luns=True)
        wanted = scst_alua.normalise([dict(group, exclusive=scst_alua.SCOPES if complete else ()) for group in gathered['device_groups']], True)
        yield from scst_alua.plan(scst_alua.snapshot(tree, wanted), wanted, complete, True, True)
