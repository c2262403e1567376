# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is written, and the words that allow it."""
import pytest
import yaml
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.modules import scst_alua, scst_device, scst_lun, scst_target

MODULES = dict(device=scst_device, target=scst_target, lun=scst_lun, alua=scst_alua)
TARGET = 'iqn.2026-11.com.example:gw1'
OTHER = 'iqn.2026-11.com.example:gw2'
HOST = 'iqn.1993-08.org.debian:01:host'
DISK = dict(name='disk0', filename='/dev/x0')
SAME = dict(name='gone', state='absent')


def lun(number, device='disk0', **more):
    return dict(dict(target=TARGET, group='db', lun=number, device=device), **more)


def group(*initiators, **more):
    return dict(dict(name='db', initiators=list(initiators)), **more)


def two(**attributes):
    return [dict(name='new%d' % number, handler='vdisk_nullio', attributes=attributes) for number in (1, 2)]


# what is tried on the tree of Engine.exported() with a session at work; words of the error; the option that allows it
NEEDS_A_WORD = [
    ('a device that is exported is not removed', 'device', [dict(name='disk0', state='absent')], 'is exported as', 'remove_exported'),
    ('a device that is exported is not made again', 'device', [dict(DISK, attributes=dict(blocksize=4096))], 'recreate', None),
    ('a LUN that a session sees is not removed', 'lun', [lun(0, state='absent')], 'live sessions', 'disrupt_sessions'),
    ('a LUN that a session sees does not become another disk', 'lun', [lun(0, 'disk1')], 'another disk', 'disrupt_sessions'),
    ('a target with a session is not removed', 'target', [dict(name=TARGET, state='absent')], 'live sessions', 'disrupt_sessions'),
    ('a group with a session is not removed', 'target', [dict(name=TARGET, groups=[dict(name='db', state='absent')])],
     'live sessions', 'disrupt_sessions'),
    ('a group with a session is not removed as one that is not listed', 'target', [dict(name=TARGET, exclusive=['groups'])],
     'live sessions', 'disrupt_sessions'),
    ('an initiator with a session is not taken out of its group', 'target',
     [dict(name=TARGET, groups=[group()], exclusive=['initiators'])], 'would lose its LUNs', 'disrupt_sessions'),
    ('an initiator with a session is not moved to another group', 'target',
     [dict(name=TARGET, groups=[group(), dict(name='new', initiators=[HOST])], exclusive=['initiators'])],
     'would lose its LUNs', 'disrupt_sessions'),
    ('two devices of the list have the same usn', 'device', two(usn='same'), 'usn', 'allow_duplicate_identity'),
    ('two devices of the list look alike in 8 bytes', 'device',
     [dict(name=name, handler='vdisk_nullio', attributes=dict(t10_dev_id='rbd-pool-' + name)) for name in 'ab'],
     'first 8 bytes', 'allow_duplicate_identity'),
    ('a naa_id that may be missing does not tell devices apart', 'device',
     [dict(name=name, handler='vdisk_nullio', attributes=dict(t10_dev_id='rbd-pool-' + name),
           attributes_if_offered=dict(naa_id='300000000000000' + name)) for name in 'ab'], 'first 8 bytes', 'allow_duplicate_identity'),
    ('a usn is that of a device on this node', 'device', [dict(name='new', handler='vdisk_nullio', attributes=dict(usn='u0'))],
     'disk0', 'allow_duplicate_identity'),
    ('a usn becomes that of a device on this node', 'device', [dict(DISK, attributes=dict(usn='u1'))], 'disk1',
     'allow_duplicate_identity'),
    ('a t10_dev_id looks like that of a device on this node', 'device',
     [dict(name='new', handler='vdisk_nullio', attributes=dict(t10_dev_id='00000000-new'))], 'disk0', 'allow_duplicate_identity'),
    ('an initiator is listed in two groups', 'target', [dict(name=OTHER, groups=[group(HOST), dict(name='b', initiators=[HOST])])],
     HOST, 'allow_ambiguous_initiators'),
    ('an initiator is listed in two groups, once in capitals', 'target',
     [dict(name=OTHER, groups=[group(HOST), dict(name='b', initiators=[HOST.upper()])])], HOST, 'allow_ambiguous_initiators'),
    ('a wildcard matches an initiator of another group', 'target',
     [dict(name=OTHER, groups=[group(HOST), dict(name='b', initiators=['iqn.1993-08.*'])])], 'iqn.1993-08.*', 'allow_ambiguous_initiators'),
    ('two wildcards of two groups match the same', 'target',
     [dict(name=OTHER, groups=[group('*:host'), dict(name='b', initiators=['iqn.????-08.org.debian:*'])])], '*:host',
     'allow_ambiguous_initiators'),
    ('all but one and another', 'target',
     [dict(name=OTHER, groups=[group('!iqn.1991-05.com.microsoft:a'), dict(name='b', initiators=[HOST])])], '!iqn',
     'allow_ambiguous_initiators'),
    ('an initiator is in another group already', 'target', [dict(name=TARGET, groups=[dict(name='b', initiators=[HOST])])],
     'group db', 'allow_ambiguous_initiators'),
    ('a wildcard matches an initiator that is in another group already', 'target',
     [dict(name=TARGET, groups=[dict(name='b', initiators=['iqn.1993-08.*'])])], HOST, 'allow_ambiguous_initiators'),
    ('two target groups have one group_id', 'alua', [dict(name='g', target_groups=[dict(name=n, group_id=1) for n in 'ab'])],
     'group_id', 'allow_duplicate_ids'),
    ('two remote targets have one rel_tgt_id', 'alua', [dict(name='g', target_groups=[dict(name='a', targets=[
        dict(name=OTHER, rel_tgt_id=1), dict(name=OTHER + 'x', rel_tgt_id=1)])])], 'rel_tgt_id', 'allow_duplicate_ids'),
    ('a remote target has the rel_tgt_id of one of this node', 'alua', [dict(name='g', target_groups=[
        dict(name='a', targets=[dict(name=TARGET)]), dict(name='b', targets=[dict(name=OTHER, rel_tgt_id=1)])])],
     'rel_tgt_id', 'allow_duplicate_ids'),
    ('a default LUN is not added to a target with groups', 'lun', [dict(target=TARGET, lun=0, device='disk1')],
     'initiator groups', 'allow_default_luns'),
]


@pytest.mark.parametrize('rule, module, items, words, option', NEEDS_A_WORD, ids=[row[0] for row in NEEDS_A_WORD])
def test_needs_a_word(scst, rule, module, items, words, option):
    scst.exported().login()
    with pytest.raises(Refused) as refused:
        getattr(scst, module)(*items)
    assert words in str(refused.value)
    assert scst.tree.writes == 0
    if option:
        assert option in str(refused.value)
        assert getattr(scst, module)(*items, **{option: True})
        assert getattr(scst, module)(*items, **{option: True}) == []
        assert option in yaml.safe_load(MODULES[module].DOCUMENTATION)['options']


# what no option allows
NEVER = [
    ('two devices of the list have the same naa_id', 'device', two(naa_id='3000000000000001'), 'naa_id'),
    ('two devices have one backing device', 'device', [dict(name='a', filename='/dev/x2'), dict(name='b', filename='/dev/x2')], 'filename'),
    ('a device is listed twice', 'device', [SAME, SAME], 'gone'),
    ('a rel_tgt_id is that of another target', 'target', [dict(name=OTHER, rel_tgt_id=1)], TARGET),
    ('two targets of the list have one rel_tgt_id', 'target', [dict(name=OTHER, rel_tgt_id=9), dict(name=TARGET, rel_tgt_id=9)], 'rel_tgt_id'),
    ('a target differs from another in case only', 'target', [dict(name=TARGET.upper())], TARGET),
    ('two users have one name', 'target', [dict(name=TARGET, incoming_users=[dict(name='u', secret='x' * 12)] * 2)], "'u'"),
    ('a secret is too short', 'target', [dict(name=TARGET, incoming_users=[dict(name='u', secret='x' * 11)])], '12 characters'),
    ('the outgoing secret is an incoming one', 'target', [dict(name=TARGET, incoming_users=[dict(name='u', secret='x' * 12)],
                                                               outgoing_user=dict(name='o', secret='x' * 12))], 'outgoing'),
    ('a portal has a port', 'target', [dict(name=TARGET, allowed_portals=['10.0.0.1:3260'])], '10.0.0.1:3260'),
    ('an attribute is not offered', 'target', [dict(name=TARGET, attributes=dict(NoSuch=1))], 'NoSuch'),
    ('a LUN number is listed twice', 'lun', [lun(1), lun(1, 'disk1')], '1'),
    ('a LUN has a device that is not there', 'lun', [lun(1, 'nosuch')], 'scst_device'),
    ('a LUN is in a group that is not there', 'lun', [lun(1, group='nosuch')], 'scst_target'),
    ('a LUN is in a target that is not there', 'lun', [lun(1, target=OTHER)], 'scst_target'),
    ('a LUN number is too high', 'lun', [lun(16384)], '16383'),
    ('a device is in two device groups', 'alua', [dict(name=n, devices=['disk0']) for n in 'gh'], 'disk0'),
    ('a device that is not there is in a device group', 'alua', [dict(name='g', devices=['nosuch'])], 'nosuch'),
    ('a target is in two target groups', 'alua', [dict(name='g', target_groups=[
        dict(name=n, targets=[dict(name=OTHER)]) for n in 'ab'])], OTHER),
    ('a group without targets closes devices', 'alua', [dict(name='g', target_groups=[dict(name='a', state='standby')])], 'no target'),
    ('a handler would lose its mgmt file', 'device', [dict(name='mgmt', handler='vdisk_nullio')], "'mgmt'"),
    ('a device name ends in a semicolon', 'device', [dict(name='e3;', handler='vdisk_nullio')], "';'"),
    ('a device name has a dot', 'device', [dict(name='pool.image', handler='vdisk_nullio')], "'.'"),
    ('a device name has a slash', 'device', [dict(name='pool/image', handler='vdisk_nullio')], "'/'"),
    ('a device name is over-long', 'device', [dict(name='x' * 65, handler='vdisk_nullio')], '64'),
    ('a device name is that of a local SCSI device', 'device', [dict(name='1:0:0:0', handler='vdisk_nullio')], 'H:C:I:L'),
    ('a block size is no power of two', 'device', [dict(name='new', handler='vdisk_nullio', attributes=dict(blocksize=1000))], '512 or 4096'),
    ('a block size is none at all', 'device', [dict(name='new', handler='vdisk_nullio', attributes=dict(blocksize=2 ** 30))], '65536'),
    ('an initiator name would make its folder unreadable', 'target', [dict(name=OTHER, groups=[group('iqn.1993-08.org/x')])], "'/'"),
    ('a group would be called mgmt', 'target', [dict(name=OTHER, groups=[dict(name='mgmt')])], "'mgmt'"),
    ('a target would not be an iSCSI name', 'target', [dict(name='notaniqn')], 'iSCSI name'),
    ('a target name is over-long', 'target', [dict(name=OTHER + 'x' * 223)], '223'),
    ('SCST does not know the state', 'alua', [dict(name='g', target_groups=[dict(name='a', state='Active')])], 'Active'),
]


@pytest.mark.parametrize('rule, module, items, words', NEVER, ids=[row[0] for row in NEVER])
def test_never(scst, rule, module, items, words):
    scst.exported()
    with pytest.raises(Refused) as refused:
        getattr(scst, module)(*items)
    assert words in str(refused.value)
    assert scst.tree.writes == 0


def test_a_session_never_falls_back_to_default_luns_even_with_the_word(scst):
    scst.exported().login()
    scst.lun(dict(target=TARGET, lun=0, device='disk1'), allow_default_luns=True)
    with pytest.raises(Refused, match='other disks under the same names'):
        scst.target(dict(name=TARGET, groups=[group()], exclusive=['initiators']), disrupt_sessions=True, allow_default_luns=True)


def test_a_session_on_default_luns_does_not_find_other_disks_under_them(scst):
    """Its initiator becomes a member of a group, to which SCST moves it at once."""
    scst.exported().lun(dict(target=TARGET, lun=0, device='disk1'), allow_default_luns=True)
    scst.login('iqn.1993-08.org.debian:01:other')
    declared = dict(name=TARGET, groups=[group('iqn.1993-08.org.debian:01:other')])
    with pytest.raises(Refused, match='disrupt_sessions'):
        scst.target(declared, allow_default_luns=True)
    assert scst.target(declared, allow_default_luns=True, disrupt_sessions=True)


def test_an_unreadable_folder_of_initiators_is_explained(scst310):
    scst310.exported().tree.write('targets/iscsi/%s/ini_groups/db/initiators/mgmt' % TARGET, 'add iqn.1993-08.org/x')
    with pytest.raises(Refused, match="Write 'clear'"):
        scst310.target(dict(name=TARGET, groups=[group(HOST)]))


def test_groups_are_not_made_in_a_target_with_default_luns(scst):
    scst.exported()
    scst.lun(dict(target=TARGET, lun=0, device='disk1'), allow_default_luns=True)
    with pytest.raises(Refused, match='allow_default_luns'):
        scst.target(dict(name=TARGET, groups=[dict(name='new', initiators=[])]))


def test_a_local_and_a_closed_group_are_not_mixed_on_one_node(scst310):
    """The kernel closes a device for all targets of the node (bind_alua_state)."""
    scst310.exported().target(dict(name=OTHER, rel_tgt_id=2))
    mixed = dict(name='g', devices=['disk0'], target_groups=[
        dict(name='a', state='active', targets=[dict(name=TARGET)]), dict(name='b', state='standby', targets=[dict(name=OTHER)])])
    with pytest.raises(Refused, match='allow_mixed_states'):
        scst310.alua(mixed)
    assert scst310.alua(mixed, allow_mixed_states=True)


def test_a_smaller_backing_device_is_announced_only_with_the_word(scst):
    scst.exported()
    scst.files['/dev/x0']['size'] //= 2
    with pytest.raises(Refused, match='allow_shrink'):
        scst.device(DISK)
    scst.device(DISK, allow_shrink=True)
    assert scst.device(DISK) == []


@pytest.mark.parametrize('step', ['device', 'target'])
def test_a_node_without_scst_is_told_to_start_it(scst, step):
    scst.tree = type(scst.tree)(start=False)
    with pytest.raises(Refused, match='Start'):
        getattr(scst, step)(dict(name=TARGET if step == 'target' else 'a', handler='vdisk_nullio'))


def test_a_node_without_the_daemon_is_told_to_start_it(scst):
    scst.tree.core.stop_daemon()
    with pytest.raises(Refused, match='iscsi-scstd does not run'):
        scst.target(dict(name=TARGET))
