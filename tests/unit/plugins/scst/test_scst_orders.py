# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of operations where the order is the point, and how each difference is resolved."""
import errno

import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

TARGET = 'iqn.2026-11.com.example:gw1'
OTHER = 'iqn.2026-11.com.example:gw2'
FAR = 'iqn.2026-11.com.example:far'
HOST = 'iqn.1993-08.org.debian:01:host'


def commands(operations):
    """Last part of the path and the text of each operation."""
    return ['%s %s' % (operation.target.rsplit('/', 1)[-1], operation.data) for operation in operations]


# -- devices ---------------------------------------------------------------------------------------

def test_a_device_has_its_identity_before_anything_shows_it(scst):
    operations = scst.device(dict(name='new', filename='/dev/x3', attributes=dict(t10_dev_id='abcdefgh', usn='1', rotational=False)))
    if scst.tree.core.personality.name == '3.10':
        assert commands(operations) == ['mgmt add_device new filename=/dev/x3; rotational=0; t10_dev_id=abcdefgh', 'usn 1']
    else:  # SCST 3.0 takes it only afterwards
        assert commands(operations) == ['mgmt add_device new filename=/dev/x3; rotational=0', 't10_dev_id abcdefgh', 'usn 1']


def test_an_id_that_the_creation_command_would_cut_is_written_afterwards(scst):
    operations = scst.device(dict(name='new', filename='/dev/x3', attributes=dict(t10_dev_id='ab;tst=0 c')))
    assert commands(operations) == ['mgmt add_device new filename=/dev/x3', 't10_dev_id ab;tst=0 c']


def test_another_name_of_the_same_backing_device_is_no_difference(scst, tmp_path):
    for name in ('rbd2', 'rbd3'):
        (tmp_path / name).touch()
    for name in ('rbd2', 'rbd3', 'vol1'):
        scst.files[str(tmp_path / name)] = dict(size=1 << 20, block=False)
    (tmp_path / 'vol1').symlink_to(tmp_path / 'rbd2')
    scst.device(dict(name='vol1', handler='vdisk_fileio', filename=str(tmp_path / 'rbd2')))
    assert scst.device(dict(name='vol1', handler='vdisk_fileio', filename=str(tmp_path / 'vol1'))) == []
    (tmp_path / 'vol1').unlink()
    (tmp_path / 'vol1').symlink_to(tmp_path / 'rbd3')
    with pytest.raises(Refused, match='filename is .*rbd2, not .*vol1'):
        scst.device(dict(name='vol1', handler='vdisk_fileio', filename=str(tmp_path / 'vol1')))


def test_an_attribute_that_scst_may_lack_is_set_where_it_is_offered(scst):
    device = dict(name='new', handler='vdisk_nullio', attributes_if_offered=dict(naa_id='3000000000000001'))
    scst.device(device)
    assert scst.tree.exists('devices/new/naa_id') == (scst.tree.core.personality.name == '3.10')
    if scst.tree.exists('devices/new/naa_id'):
        assert scst.tree.read('devices/new/naa_id').startswith('0x3000000000000001\n')
    assert scst.device(device) == []


def test_an_attribute_that_must_be_there_is_an_error_where_it_is_not(scst):
    device = dict(name='new', handler='vdisk_nullio', attributes=dict(usn='1'))
    scst.device(device)
    for name in ('new', 'newer'):  # one that exists, and one to be made like it
        with pytest.raises(Refused, match='does not offer no_such_thing'):
            scst.device(dict(device, name=name, attributes=dict(no_such_thing='1')))
    scst.target(dict(name=TARGET))
    for name in (TARGET, OTHER):
        with pytest.raises(Refused, match='does not offer NoSuchThing'):
            scst.target(dict(name=name, attributes=dict(NoSuchThing='1')))
        scst.target(dict(name=name, attributes_if_offered=dict(NoSuchThing='1')))


def test_a_device_is_made_closed_when_it_is_to_be_closed(scst310):
    """Its backing device may be missing then, as on a standby gateway."""
    scst310.device(dict(name='new', filename='/dev/missing', attributes=dict(active=False, usn='1')))
    assert scst310.tree.read('devices/new/active').startswith('0')


def test_missing_images_are_all_named_before_anything_is_made(scst):
    devices = [dict(name='a', filename='/dev/x3')] + [dict(name=name, filename='/dev/no' + name) for name in 'bc']
    with pytest.raises(Refused) as refused:
        scst.device(*devices)
    assert '/dev/nob' in str(refused.value) and '/dev/noc' in str(refused.value) and '/dev/x3' not in str(refused.value)
    assert scst.tree.writes == 0
    scst.device(*devices[:1])


def test_a_device_is_opened_after_its_file_is_set(scst310):
    scst310.device(dict(name='new', filename='/dev/missing', attributes=dict(active=False)))
    operations = scst310.device(dict(name='new', filename='/dev/x3', attributes=dict(active=True, threads_num=2)))
    assert commands(operations) == ['filename /dev/x3', 'threads_num 2', 'active 1']


def test_a_device_that_grew_is_announced_once(scst):
    scst.exported()
    scst.files['/dev/x0']['size'] *= 2
    disk = dict(name='disk0', filename='/dev/x0')
    assert commands(scst.device(disk)) == ['resync_size 1']
    assert scst.device(disk) == []


def test_a_closed_device_is_not_resized(scst310):
    disk = dict(name='new', filename='/dev/x3', attributes=dict(active=False))
    scst310.device(disk)
    assert scst310.device(disk) == []


def test_devices_that_exchange_their_files_are_both_removed_first(scst):
    disks = [dict(name='a', filename='/dev/x2'), dict(name='b', filename='/dev/x3')]
    scst.device(*disks)
    disks[0]['filename'], disks[1]['filename'] = disks[1]['filename'], disks[0]['filename']
    assert [command.split()[1] for command in commands(scst.device(*disks, recreate=True))] == [
        'del_device', 'del_device', 'add_device', 'add_device']


def test_a_file_is_served_with_what_files_take(scst):
    """vdisk_fileio: caching parameters are fixed at creation; growth is announced as for block devices."""
    scst.files['/srv/disk.img'] = dict(size=1 << 24, block=False)
    disk = dict(name='file', handler='vdisk_fileio', filename='/srv/disk.img', attributes=dict(nv_cache=True, o_direct=False, usn='f1'))
    assert commands(scst.device(disk)) == ['mgmt add_device file filename=/srv/disk.img; nv_cache=1; o_direct=0', 'usn f1']
    scst.files['/srv/disk.img']['size'] *= 2
    assert commands(scst.device(disk)) == ['resync_size 1']
    with pytest.raises(Refused, match='Set recreate'):
        scst.device(dict(disk, attributes=dict(nv_cache=False)))


def test_a_device_is_not_removed_when_it_could_not_be_made_again(scst):
    scst.exported()
    del scst.files['/dev/x1']
    with pytest.raises(Refused, match='/dev/x1 does not exist'):
        scst.device(dict(name='disk1', filename='/dev/x1', attributes=dict(blocksize=4096)), recreate=True)
    assert scst.tree.exists('devices/disk1') and scst.tree.writes == 0


def test_devices_of_another_handler_are_not_removed_as_not_listed(scst):
    scst.exported().device(dict(name='null', handler='vdisk_nullio'))
    assert commands(scst.device(exclusive_handlers=['vdisk_nullio'])) == ['mgmt del_device null']


# -- targets ---------------------------------------------------------------------------------------

def test_targets_are_enabled_after_everything_and_the_driver_last(scst):
    operations = scst.target(dict(name=TARGET, enabled=True, rel_tgt_id=3, allowed_portals=['10.0.0.1'],
                                  groups=[dict(name='db', initiators=[HOST])]), driver=dict(enabled=True))
    assert [operation.target for operation in operations[-2:]] == ['targets/iscsi/%s/enabled' % TARGET, 'targets/iscsi/enabled']
    assert commands(operations)[:2] == ['mgmt add_target ' + TARGET, 'rel_tgt_id 3']


def test_the_driver_is_disabled_first(scst):
    scst.exported()
    operations = scst.target(dict(name=TARGET, enabled=False), driver=dict(enabled=False))
    assert [operation.target for operation in operations] == ['targets/iscsi/enabled', 'targets/iscsi/%s/enabled' % TARGET]


def test_relative_target_ids_are_exchanged_by_way_of_a_free_one(scst):
    scst.target(*[dict(name=name, rel_tgt_id=number, enabled=True) for number, name in enumerate([TARGET, OTHER], 1)])
    operations = scst.target(dict(name=TARGET, rel_tgt_id=2), dict(name=OTHER, rel_tgt_id=1))
    assert len(operations) == 3
    assert [scst.tree.read('targets/iscsi/%s/rel_tgt_id' % name)[0] for name in (TARGET, OTHER)] == ['2', '1']


def user(name, secret='x' * 12, **more):
    return dict(dict(name=name, secret=secret), **more)


def test_an_outgoing_user_is_replaced_in_the_one_order_that_works(scst):
    scst.target(dict(name=TARGET, outgoing_user=user('one')))
    operations = scst.target(dict(name=TARGET, outgoing_user=user('two')))
    assert [command.split()[1] for command in commands(operations)] == ['del_target_attribute', 'add_target_attribute']
    assert scst.tree.read('targets/iscsi/%s/OutgoingUser' % TARGET).startswith('two ')


def test_a_half_destroyed_outgoing_user_is_explained(scst):
    scst.target(dict(name=TARGET, outgoing_user=user('one')))
    with pytest.raises(OSError):
        scst.tree.write('targets/iscsi/mgmt', 'add_target_attribute %s OutgoingUser two %s' % (TARGET, 'y' * 12))
    with pytest.raises(Refused, match='half destroyed'):
        scst.target(dict(name=TARGET, outgoing_user=user('two')))


def test_a_target_is_never_without_an_incoming_user_on_the_way(scst):
    """With none it asks nobody for a password."""
    scst.target(dict(name=TARGET, incoming_users=[user('one'), user('two')]))
    scst.tree.reset_counters()
    scst.target(dict(name=TARGET, incoming_users=[user('two', 'y' * 12), user('three')], exclusive=['incoming_users']))
    verbs = [(path.rsplit('/', 1)[-1], data.split()[0]) for path, data in scst.tree.written]
    assert verbs == [('IncomingUser1', 'two'), ('mgmt', 'add_target_attribute'), ('mgmt', 'del_target_attribute')]


def test_a_target_always_has_an_allowed_portal_on_the_way(scst):
    """With none it answers on every address."""
    scst.target(dict(name=TARGET, allowed_portals=['10.0.0.1']))
    operations = scst.target(dict(name=TARGET, allowed_portals=['10.0.0.2'], exclusive=['allowed_portals']))
    assert [command.split()[1] for command in commands(operations)] == ['add_target_attribute', 'del_target_attribute']


def test_without_a_complete_list_users_portals_and_initiators_stay(scst):
    scst.exported().target(dict(name=TARGET, allowed_portals=['10.0.0.1'], incoming_users=[user('one')]))
    assert scst.target(dict(name=TARGET, groups=[dict(name='db', initiators=[])])) == []


def test_a_user_can_be_removed_by_name(scst):
    scst.target(dict(name=TARGET, incoming_users=[user('one'), user('two')]))
    operations = scst.target(dict(name=TARGET, incoming_users=[dict(name='one', state='absent')]))
    assert commands(operations) == ['mgmt del_target_attribute %s IncomingUser one' % TARGET]


def test_discovery_users_are_the_drivers(scst):
    assert commands(scst.target(driver=dict(incoming_users=[user('disc')]))) == ['mgmt add_attribute IncomingUser disc ' + 'x' * 12]
    assert scst.target(driver=dict(incoming_users=[user('disc')])) == []


def test_a_portal_that_other_hands_wrote_in_another_form_is_replaced(scst):
    """iscsi-scstd compares texts; it would never match."""
    scst.target(dict(name=TARGET, allowed_portals=['2001:db8::1']))
    scst.tree.write('targets/iscsi/mgmt', 'del_target_attribute %s allowed_portal 2001:db8::1' % TARGET)
    scst.tree.write('targets/iscsi/mgmt', 'add_target_attribute %s allowed_portal 2001:DB8:0::1' % TARGET)
    declared = dict(name=TARGET, allowed_portals=['2001:DB8::1'], exclusive=['allowed_portals'])
    assert [command.split()[-1] for command in commands(scst.target(declared))] == ['2001:db8::1', '2001:DB8:0::1']
    assert scst.target(declared) == []


def test_an_initiator_may_see_other_luns_through_another_portal(scst):
    """per_portal_acl: names in groups and of sessions then end in #portal."""
    groups = [dict(name='one', initiators=[HOST + '#10.0.0.1']), dict(name='two', initiators=[HOST + '#10.0.0.2'])]
    target = dict(name=TARGET, rel_tgt_id=1, enabled=True, attributes=dict(per_portal_acl=True, MaxSessions=2, QueuedCommands=8), groups=groups)
    scst.target(target, driver=dict(enabled=True))
    scst.device(dict(name='disk0', filename='/dev/x0'))
    scst.lun(*[dict(target=TARGET, group=group, lun=0, device='disk0') for group in ('one', 'two')])
    assert scst.login(portal='10.0.0.2').group.name == 'two'
    with pytest.raises(Refused, match='live session'):
        scst.target(dict(target, exclusive=['initiators'], groups=[groups[0], dict(name='two', initiators=[])]))
    assert scst.target(dict(target, exclusive=['initiators'], groups=[dict(name='one', initiators=[]), groups[1]]))
    assert scst.target(dict(target, groups=groups[1:])) == []


def test_an_initiator_is_moved_by_one_command(scst):
    scst.exported()
    operations = scst.target(dict(name=TARGET, exclusive=['initiators'], groups=[
        dict(name='db', initiators=[]), dict(name='web', initiators=[HOST])]))
    assert commands(operations) == ['mgmt create web', 'mgmt move %s web' % HOST]


def test_a_target_with_sessions_is_emptied_before_it_goes(scst):
    scst.exported().login()
    operations = scst.target(dict(name=TARGET, state='absent'), disrupt_sessions=True)
    assert commands(operations) == ['enabled 0', 'force_close 1', 'mgmt del_target ' + TARGET]


SAME_VALUE = [
    ('HeaderDigest', 'CRC32C,None'), ('HeaderDigest', 'none'), ('InitialR2T', True), ('InitialR2T', 'yes'), ('QueuedCommands', '0x20'),
    ('QueuedCommands', 64), ('per_portal_acl', True), ('comment', ''), ('comment', 'two words'), ('addr_method', 'FLAT'),
    ('NopInInterval', 30), ('MaxSessions', 4),
]


@pytest.mark.parametrize('name, value', SAME_VALUE, ids=['%s=%s' % row for row in SAME_VALUE])
def test_a_value_read_back_in_another_form_is_no_difference(scst, name, value):
    target = dict(name=TARGET, attributes={name: value})
    scst.target(target)
    assert scst.target(target) == []


# -- LUNs ------------------------------------------------------------------------------------------

def test_a_lun_is_renumbered_without_a_moment_without_it(scst):
    scst.exported()
    operations = scst.lun(dict(target=TARGET, group='db', lun=5, device='disk0'), exclusive=[dict(target=TARGET)])
    assert commands(operations) == ['mgmt add disk0 5', 'mgmt del 0']


def test_luns_exchange_devices_in_place(scst):
    scst.exported().lun(dict(target=TARGET, group='db', lun=1, device='disk1'))
    operations = scst.lun(*[dict(target=TARGET, group='db', lun=number, device='disk%d' % (1 - number)) for number in (0, 1)])
    assert commands(operations) == ['mgmt replace disk1 0', 'mgmt replace disk0 1']


def test_read_only_is_changed_in_place_under_a_session(scst):
    scst.exported().login()
    lun = dict(target=TARGET, group='db', lun=0, device='disk0', read_only=True)
    assert commands(scst.lun(lun)) == ['mgmt replace disk0 0 read_only=1']
    assert commands(scst.lun(dict(lun, read_only=False))) == ['mgmt replace disk0 0']
    assert scst.lun(dict(lun, read_only=False)) == []


def test_only_the_declared_scope_is_cleared(scst):
    scst.exported().target(dict(name=TARGET, groups=[dict(name='web', initiators=[])]))
    scst.lun(dict(target=TARGET, group='web', lun=0, device='disk1'))
    assert commands(scst.lun(exclusive=[dict(target=TARGET, group='web')])) == ['mgmt del 0']
    assert scst.tree.exists('targets/iscsi/%s/ini_groups/db/luns/0' % TARGET)


# -- ALUA ------------------------------------------------------------------------------------------

def groups(here='active', there='nonoptimized', devices=('disk0',), **more):
    return dict(dict(name='dg', devices=list(devices), exclusive=['devices', 'target_groups', 'targets'], target_groups=[
        dict(name='here', group_id=1, state=here, preferred=True, targets=[dict(name=TARGET, rel_tgt_id=1)]),
        dict(name='there', group_id=2, state=there, preferred=False, targets=[dict(name=FAR, rel_tgt_id=2)])]), **more)


def test_targets_come_before_states_and_devices_last(scst):
    names = commands(scst.exported().alua(groups(there='standby')))
    assert names.index('mgmt add ' + FAR) < names.index('state standby') < names.index('mgmt add disk0')
    assert names[-1] == 'mgmt add disk0'


def test_a_remote_group_in_standby_leaves_the_device_open(scst310):
    scst310.exported().alua(groups(there='standby'))
    assert scst310.tree.read('devices/disk0/active').startswith('1')


def test_a_group_is_not_emptied_before_its_state_changes(scst310):
    """Without a target in it, standby would close the devices of the device group."""
    scst310.exported().alua(groups())
    declared = groups(there='standby')
    declared['target_groups'][1]['targets'] = []
    assert commands(scst310.alua(declared)) == ['state standby', 'mgmt del ' + FAR]
    assert scst310.tree.read('devices/disk0/active').startswith('1')


def test_states_that_open_come_before_states_that_close(scst):
    scst.exported().alua(groups(here='nonoptimized', there='active'))
    assert commands(scst.alua(groups(here='active', there='standby'))) == ['state active', 'state standby']


def test_a_target_that_became_local_is_added_anew(scst):
    scst.exported().alua(groups())
    scst.target(dict(name=FAR, rel_tgt_id=2))
    assert commands(scst.alua(groups())) == ['mgmt del ' + FAR, 'mgmt add ' + FAR]
    assert scst.alua(groups()) == []


def test_a_target_that_was_made_again_returns_to_its_group(scst):
    scst.exported().alua(groups())
    scst.target(dict(name=TARGET, state='absent'))
    scst.target(dict(name=TARGET, rel_tgt_id=1))
    assert 'mgmt add ' + TARGET in commands(scst.alua(groups()))


def test_a_device_moves_from_group_to_group(scst):
    scst.exported().alua(groups(), dict(name='other', devices=['disk1'], exclusive=['devices']))
    operations = scst.alua(groups(devices=['disk0', 'disk1']), dict(name='other', devices=[], exclusive=['devices']))
    assert [operation.target for operation in operations] == ['device_groups/other/devices/mgmt', 'device_groups/dg/devices/mgmt']


def test_a_device_is_not_taken_from_a_group_that_is_not_listed(scst):
    scst.exported().alua(dict(name='other', devices=['disk0']))
    with pytest.raises(Refused, match='device group other'):
        scst.alua(groups())


def test_the_relative_id_of_a_local_target_is_left_to_its_own_module(scst):
    declared = groups()
    declared['target_groups'][0]['targets'][0]['rel_tgt_id'] = 7
    scst.exported().alua(declared)
    assert scst.tree.read('targets/iscsi/%s/rel_tgt_id' % TARGET).startswith('1\n')


def test_a_failure_names_the_file_the_command_and_the_reason(scst):
    from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed
    scst.files['/dev/file'] = dict(size=1 << 24, block=False)
    with pytest.raises(Failed) as failed:
        scst.device(dict(name='new', filename='/dev/file'))
    name = errno.errorcode[failed.value.reason.errno]
    assert name == ('EINVAL' if scst.tree.core.personality.name == '3.0.1' else 'ENOTBLK')
    for words in ('device new', 'handlers/vdisk_blockio/mgmt', 'add_device new filename=/dev/file', name):
        assert words in str(failed.value)
