# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not differ is left alone."""
import edits
import world
from hypothesis import given

FIXED = ('rotational', 'blocksize')


def by_name(items):
    return {item['name']: item for item in items}


def made_again(before, after):
    """Devices that cannot become what is declared without being removed."""
    old, new = by_name(before['devices']), by_name(after['devices'])
    return {name for name in old if name not in new or any(
        old[name].get(key) != new[name].get(key) for key in ('handler', 'filename')) or any(
        new[name]['attributes'].get(key, old[name]['attributes'].get(key)) != old[name]['attributes'].get(key) for key in FIXED)}


def written(change):
    before, after = change
    tree = world.emulator()
    world.apply(tree, before)
    tree.reset_counters()
    world.apply(tree, after)
    return tree.written


@given(change=edits.changes())
def test_a_device_that_does_not_differ_is_not_written_to(change):
    before, after = change
    old, new = by_name(before['devices']), by_name(after['devices'])
    same = {name for name in old if old[name] == new.get(name)}
    for path, data in written(change):
        assert not (path.startswith('devices/') and path.split('/')[1] in same), (path, data)
        assert not (path.startswith('handlers/') and data.split()[1] in same), (path, data)


@given(change=edits.changes())
def test_a_lun_that_stays_is_never_removed_added_or_replaced(change):
    before, after = change
    broken = made_again(before, after)
    stays = [lun for lun in before['luns'] if lun in after['luns'] and lun['device'] not in broken]
    places = {}
    for lun in stays:
        folder = 'targets/iscsi/' + lun['target'] + ('/ini_groups/' + lun['group'] if lun['group'] else '') + '/luns/mgmt'
        places.setdefault(folder, set()).add(str(lun['lun']))
    for path, data in written(change):
        if path in places:
            words = data.split()
            number = words[1] if words[0] == 'del' else words[2]
            assert number not in places[path], (path, data)
            assert words[0] != 'clear'


@given(change=edits.changes())
def test_a_target_that_does_not_differ_is_not_written_to(change):
    before, after = change
    old, new = by_name(before['targets']), by_name(after['targets'])
    same = {name for name in old if old[name] == new.get(name)}
    for path, data in written(change):
        if path.startswith('targets/iscsi/') and '/luns/' not in path:
            name = path.split('/')[2]
            assert name not in same, (path, data)
            if name == 'mgmt':
                assert data.split()[1] not in same, (path, data)


@given(change=edits.changes())
def test_a_device_group_that_does_not_differ_is_not_written_to(change):
    before, after = change
    broken = made_again(before, after)
    if {target['name'] for target in before['targets']} != {target['name'] for target in after['targets']}:
        return
    old, new = by_name(before['device_groups']), by_name(after['device_groups'])
    same = {name for name in old if old[name] == new.get(name) and not broken & set(old[name]['devices'])}
    for path, data in written(change):
        if path.startswith('device_groups/'):
            assert path.split('/')[1] not in same, (path, data)


@given(declared=world.declarations())
def test_no_change_costs_no_write_and_reads_in_proportion_to_what_is_declared(declared):
    tree = world.emulator()
    world.apply(tree, declared)
    tree.reset_counters()
    world.plan_all(tree, declared)
    assert tree.writes == 0
    devices = sum(5 + len(device['attributes']) for device in declared['devices'])
    targets = sum(12 + len(target['attributes']) + len(target['allowed_portals']) + len(target['incoming_users'])
                  for target in declared['targets'])
    groups = sum(6 + 3 * len(group['target_groups']) + 2 * len(world.TARGETS + world.REMOTE) for group in declared['device_groups'])
    assert tree.reads <= devices + 3 * targets + groups + len(declared['luns']) + 10


def test_objects_that_nobody_mentioned_are_never_touched():
    tree = world.emulator()
    stranger = 'iqn.2026-11.com.example:stranger'
    for path, data in [('handlers/vdisk_nullio/mgmt', 'add_device stranger'), ('targets/iscsi/mgmt', 'add_target ' + stranger),
                       ('targets/iscsi/%s/luns/mgmt' % stranger, 'add stranger 0'), ('device_groups/mgmt', 'create strangers')]:
        tree.write(path, data)
    mine = dict(devices=[dict(name='mine', handler='vdisk_nullio', attributes=dict(usn='mine'))], luns=[], driver=None,
                device_groups=[dict(name='mine', devices=['mine'])],
                targets=[dict(name=world.TARGETS[0], groups=[dict(name='red', initiators=[])])])
    before = {path: entry for path, entry in tree.tree().items() if 'stranger' in path}
    world.apply_open(tree, mine)
    assert tree.exists('device_groups/mine/devices/mine')
    assert {path: entry for path, entry in tree.tree().items() if 'stranger' in path} == before
