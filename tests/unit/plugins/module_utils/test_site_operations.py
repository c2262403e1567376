# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against an operation on the running site, told from who is logged in where."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from gateway_world import HOST, LUNS, PREFIX, TARGET, World  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.client_initiators import client_initiators  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.filter.without_lun import without_lun  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_info, site_operations as operations  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs  # noqa: E402

DB, WEB = 'iqn.1993-08.org.debian:01:db1', 'iqn.1993-08.org.debian:01:web1'


def session(gateway, initiator=DB, luns=(0, 1), group='db', portals=('10.99.1.11',)):
    return dict(target='%s:%s' % (PREFIX, gateway), initiator=initiator, session=initiator, group=group,
                connections=[dict(ip='10.99.1.21', target_ip=portal) for portal in portals],
                luns=[dict(lun=number, active_commands=0) for number in luns])


def look(**gateways):
    """seen, from what each gateway's scst_info would answer: a list of sessions, or the text of an error."""
    looked, told = [], []
    for name, sessions in gateways.items():
        if isinstance(sessions, str):
            looked.append(dict(item=name, msg=sessions, unreachable=True))
            told.append(dict(item=name, msg=sessions))
            continue
        looked.append(dict(item=name, sessions=sessions, targets=[dict(name='%s:%s' % (PREFIX, name), enabled=True, rel_tgt_id=1)]))
        told.append(dict(item=name, rc=0, stdout=json.dumps(dict(enabled=True, drained=False))))
    return operations.gateways_seen(looked, told, PREFIX)


def drained(seen, *names):
    return {name: dict(entry, drained=entry['drained'] or name in names) for name, entry in seen.items()}


# ---- looking

def test_what_every_gateway_said_is_put_together():
    seen = operations.gateways_seen(
        [dict(item='gw1', sessions=[session('gw1'), session('other')], targets=[dict(name=PREFIX + ':gw1', enabled=True)]),
         dict(item='gw2', msg='Failed to connect to the host\nvia ssh', unreachable=True),
         dict(item='gw3', msg='devices does not exist below the sysfs root: the kernel module scst is not loaded.')],
        [dict(item='gw1', stdout='{"drained": true}'), dict(item='gw2'), dict(item='gw3', stdout='no JSON', rc=2)], PREFIX)
    assert seen['gw1']['answered'] and seen['gw1']['enabled'] and seen['gw1']['drained']
    assert len(seen['gw1']['sessions']) == 1, "another target's session is none of ours"
    assert not seen['gw2']['answered'] and seen['gw2']['why'] == 'Failed to connect to the host via ssh'
    assert not seen['gw3']['answered'] and 'not loaded' in seen['gw3']['why'] and not seen['gw3']['drained']


def test_a_name_that_leads_to_another_gateways_machine_is_no_answer():
    """Else nobody would seem to be logged in to the gateway that is meant."""
    gw1 = dict(sessions=[session('gw1')], targets=[dict(name=PREFIX + ':gw1', enabled=True), dict(name='iqn.2003-01.other:gw2', enabled=True)])
    seen = operations.gateways_seen([dict(gw1, item='gw1'), dict(gw1, item='gw2')], [], PREFIX)
    assert seen['gw1']['answered'] and not seen['gw2']['answered']
    assert 'has the target of gateway gw1: do both names lead to one machine?' in seen['gw2']['why']
    luns = [dict(image='rbd/a', hosts=dict(db=0))]
    assert any('gateway gw2 does not answer' in problem for problem in operations.lun_problems('rbd/a', luns, seen, [session('gw1')['initiator']]))


def test_sessions_are_understood_as_scst_info_reports_them():
    from scst_emulator import login
    world = World('3.10')
    world.map_all()
    world.gateway().export()
    login(world.scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    found = scst_info.collect(world.scst, ['status', 'sessions'])
    seen = operations.gateways_seen([dict(found, item='gw1')], [], PREFIX)
    said = operations.drain_problems('gw1', seen)
    assert len(said) == 1 and HOST in said[0] and 'LUN 0, 1, 2' in said[0] and '(host db)' in said[0] and 'no other gateway' in said[0]
    world.scst.write(TARGET + '/enabled', '0')
    after = operations.gateways_seen([dict(scst_info.collect(world.scst, ['status', 'sessions']), item='gw1')], [], PREFIX)
    assert 'not enabled' in operations.missing_sessions(seen, after, 'gw1')[0]


# ---- drain

def test_a_gateway_beside_another_with_the_same_sessions_can_be_drained():
    assert operations.drain_problems('gw1', look(gw1=[session('gw1'), session('gw1', WEB, (5,), 'web')],
                                                 gw2=[session('gw2', WEB, (5,), 'web'), session('gw2')])) == []


def test_a_gateway_that_nobody_uses_can_be_drained():
    assert operations.drain_problems('gw1', look(gw1=[], gw2='dead')) == []
    assert operations.drain_problems('gw1', look(gw1=[session('gw1', luns=())], gw2='dead')) == []


@pytest.mark.parametrize('others, said', [
    (dict(gw2=[]), 'not logged in to gw2'),
    (dict(gw2='no route to host'), 'gw2 does not answer: no route to host'),
    (dict(gw2=[session('gw2', luns=(0,))]), 'gw2 does not show it all'),
    (dict(gw2=[session('gw2', WEB)], gw3=[]), 'not logged in to gw2; it is not logged in to gw3'),
    (dict(), 'no other gateway'),
])
def test_the_last_path_of_an_initiator_stays(others, said):
    problems = operations.drain_problems('gw1', look(gw1=[session('gw1')], **others))
    assert len(problems) == 1 and DB in problems[0] and said in problems[0] and 'cephgate_disrupt_sessions' in problems[0]


def test_a_gateway_that_is_drained_or_disabled_is_no_other_path():
    seen = look(gw1=[session('gw1')], gw2=[session('gw2')])
    assert 'gw2 is drained' in operations.drain_problems('gw1', drained(seen, 'gw2'))[0]
    seen['gw2']['enabled'] = False
    assert 'gw2 is not enabled' in operations.drain_problems('gw1', seen)[0]


def test_paths_may_be_spread_over_several_others():
    assert operations.drain_problems('gw1', look(gw1=[session('gw1')], gw2=[session('gw2', luns=(0,))],
                                                 gw3=[session('gw3', luns=(1,))])) == []


@pytest.mark.parametrize('name, said', [('', 'cephgate_gateway is not set'), ('gw9', '"gw9" is no gateway'), ('all', '"all" is no gateway'),
                                        ('gw1,gw2', 'no gateway'), (None, 'not set')])
def test_a_wrong_name_is_named_with_those_that_there_are(name, said):
    problems = operations.drain_problems(name, look(gw1=[], gw2=[]))
    assert len(problems) == 1 and said in problems[0] and '(gw1, gw2)' in problems[0]


def test_a_gateway_that_does_not_answer_is_not_drained():
    assert 'who uses it is not known' in operations.drain_problems('gw1', look(gw1='timeout', gw2=[]))[0]


# ---- sessions that come back

def test_sessions_are_back_when_every_portal_has_its_initiator():
    before = look(gw1=[session('gw1', portals=('10.99.1.11',)), session('gw1', portals=('10.99.2.11',))], gw2=[])
    half = look(gw1=[session('gw1', portals=('10.99.2.11',))], gw2=[])
    assert operations.missing_sessions(before, before, 'gw1') == []
    missing = operations.missing_sessions(before, half, 'gw1')
    assert missing == ['initiator %s is not back at gw1 (portal 10.99.1.11)' % DB]
    assert 'does not answer' in operations.missing_sessions(before, look(gw1='down'), 'gw1')[0]
    assert operations.missing_sessions(look(gw1=[], gw2=[]), half, 'gw1') == [], 'more is no problem'


# ---- a LUN

def test_a_lun_that_nobody_sees_can_go_and_one_that_is_seen_cannot():
    assert operations.lun_problems('rbd/b', LUNS, look(gw1=[session('gw1', luns=(0, 2))], gw2=[])) == []
    problems = operations.lun_problems('rbd/b', LUNS, look(gw1=[session('gw1')] * 2, gw2=[session('gw2')]))
    assert len(problems) == 1 and DB in problems[0] and 'LUN 1 through gw1, gw2.' in problems[0]
    assert operations.lun_problems('rbd/b', LUNS, look(gw1=[session('gw1', group='other')], gw2=[])) == []


def test_initiators_that_have_let_go_do_not_count():
    seen = look(gw1=[session('gw1'), session('gw1', WEB)], gw2=[])
    problems = operations.lun_problems('rbd/b', LUNS, seen, [DB])
    assert len(problems) == 1 and WEB in problems[0]
    assert operations.lun_problems('rbd/b', LUNS, seen, [DB, WEB]) == []


def test_a_gateway_that_does_not_answer_keeps_the_lun():
    problems = operations.lun_problems('rbd/b', LUNS, look(gw1=[], gw2='no route'))
    assert len(problems) == 1 and 'gw2' in problems[0] and 'no route' in problems[0]


@pytest.mark.parametrize('image', ['', 'rbd/zz', None])
def test_a_wrong_image_is_named(image):
    assert 'rbd/a, rbd/b, rbd/c' in operations.lun_problems(image, LUNS, look(gw1=[]))[0]


def test_initiators_of_clients_are_their_own_or_the_only_one_of_their_host():
    hosts = {'db': dict(initiators=[DB]), 'web': dict(initiators=[WEB, WEB + '2'])}
    assert client_initiators({'c1': dict(host='db'), 'c2': dict(host='web'), 'c3': dict(host='web', initiator_name=WEB)}, hosts) == [DB, WEB]


def test_a_lun_is_taken_out_of_the_declaration_and_the_others_stay_as_they_are():
    assert without_lun(LUNS, 'rbd/b') == [LUNS[0], dict(LUNS[1], state='absent'), LUNS[2]]


# ---- leaving for good

GATEWAYS = {'gw1': {}, 'gw2': {}}


def test_a_gateway_may_leave_when_no_lun_asks_for_it():
    spread = [dict(image='rbd/a', hosts={}), dict(image='rbd/b', gateway='gw1', state='absent')]
    assert operations.withdrawal_problems('gw1', spread, GATEWAYS) == []
    problems = operations.withdrawal_problems('gw1', LUNS, GATEWAYS)
    assert len(problems) == 2 and 'rbd/a' in problems[0] and 'rbd/c' in problems[1]
    assert 'purge.yml' in operations.withdrawal_problems('gw1', spread, {'gw1': {}})[0]
    assert 'no gateway' in operations.withdrawal_problems('gw7', spread, GATEWAYS)[0]


@pytest.mark.parametrize('confirm', ['', 'yes', 'true', PREFIX + ' ', None])
def test_a_purge_is_confirmed_by_the_name_of_the_site_only(confirm):
    problems = operations.purge_problems(confirm, PREFIX, look(gw1=[]))
    assert len(problems) == 1 and 'cephgate_purge_confirm' in problems[0] and 'cephgate_iqn_prefix' in problems[0]


def test_a_purge_names_who_is_logged_in():
    assert operations.purge_problems(PREFIX, PREFIX, look(gw1=[], gw2=[])) == []
    problems = operations.purge_problems(PREFIX, PREFIX, look(gw1=[session('gw1')], gw2=[session('gw2', WEB)]))
    assert len(problems) == 2 and DB in problems[0] and WEB in problems[1]


def test_a_purge_takes_no_answer_for_nobody_only_where_there_is_no_scst(tmp_path):
    problems = operations.purge_problems(PREFIX, PREFIX, look(gw1=[session('gw1')], gw2='no python on the host.'))
    assert len(problems) == 2 and problems[0].startswith('gateway gw2 does not answer (no python on the host), so it is not known who is logged in')
    assert operations.ANYWAY in problems[0] and DB in problems[1]
    with pytest.raises(Refused) as no_scst:
        scst_info.collect(Sysfs(str(tmp_path)), ['status', 'sessions'])
    assert operations.purge_problems(PREFIX, PREFIX, look(gw1=[], gw2=str(no_scst.value))) == []


def test_own_objects_are_those_of_the_site_and_nothing_else():
    world = World('3.10')
    world.map_all()
    world.gateway().export()
    tree = world.scst
    tree.write('targets/iscsi/mgmt', 'add_target iqn.2026-11.com.example.other:gw1')
    world.files['/dev/rbd/rbd/foreign'] = dict(size=1 << 30, block=True)
    tree.write('handlers/vdisk_blockio/mgmt', 'add_device foreign filename=/dev/rbd/rbd/foreign')
    shared = next(name for name in tree.listdir('devices') if name.startswith('c-'))
    for device in ('foreign', shared):
        tree.write('targets/iscsi/iqn.2026-11.com.example.other:gw1/luns/mgmt', 'add %s %d' % (device, device == shared))
    tree.write('device_groups/mgmt', 'create theirs')
    own = operations.own_objects(scst_info.collect(tree, ['devices', 'luns', 'device_groups'])['gathered'], PREFIX, 'gw1')
    assert [one['name'] for one in own['targets']] == [PREFIX + ':gw1']
    assert sorted(one['name'] for one in own['device_groups']) == ['cephgate-gw1', 'cephgate-gw2']
    assert sorted(one['name'][:2] for one in own['devices']) == ['a-', 'b-'], 'what another target exports stays'
    assert own['images'] == [dict(image='rbd/a', state='absent'), dict(image='rbd/b', state='absent')]
    assert all(one['state'] == 'absent' for kind in own.values() for one in kind)


# ---- ha_mode fenced

def with_disks(seen, **active):
    """seen, where each gateway has these images active."""
    return {name: dict(entry, images={lun['image']: dict(served=True, here='active' if lun['image'] in active.get(name, ()) else 'passive')
                                      for lun in LUNS}) for name, entry in seen.items()}


def fenced_luns():
    return [dict(lun, gateway='gw1') for lun in LUNS]


def test_disks_go_back_where_every_initiator_can_follow():
    luns = fenced_luns()
    image, number = luns[0]['image'], luns[0]['hosts']['db']
    both = look(gw1=[session('gw1', luns=(number,))], gw2=[session('gw2', luns=(number,))])
    assert operations.failback_problems(['gw1'], luns, with_disks(both, gw2=[image])) == []
    alone = look(gw1=[], gw2=[session('gw2', luns=(number,))])
    said = operations.failback_problems(['gw1'], luns, with_disks(alone, gw2=[image]))
    assert len(said) == 1 and image in said[0] and DB in said[0] and 'through gateway gw2' in said[0] and operations.ANYWAY in said[0]
    assert operations.failback_problems(['gw1'], luns, with_disks(alone, gw1=[image])) == [], 'it is there'
    assert operations.failback_problems(['gw2'], luns, with_disks(alone, gw1=[image])) == [], 'it is not to go there'


@pytest.mark.parametrize('gateway, said', [('gw1', 'it is drained'), ('gw3', 'it does not answer (no route)'), ('gw9', 'gw9'), ('', 'not set')])
def test_disks_do_not_go_back_to_a_gateway_that_takes_none(gateway, said):
    seen = drained(with_disks(look(gw1=[], gw2=[], gw3='no route')), 'gw1')
    assert said in operations.failback_problems([gateway], fenced_luns(), seen)[0]


def told(**answer):
    return json.dumps(dict(dict(ha_mode='fenced', pool='rbd', held=['cephgate serve (process 7, since today)', 'target t']), **answer))


@pytest.mark.parametrize('stdout, mode, pool, words', [
    (told(), 'shared', '', ['gateway gw1', 'cephgate_ha_mode is shared', 'in the mode fenced (cephgate serve; target t)', 'cephgate release']),
    (told(ha_mode='shared', pool=None), 'fenced', '', ['cephgate_ha_mode is fenced', 'in the mode shared']),
    (told(), 'fenced', 'other', ['in pool other', 'in pool rbd', 'Set cephgate_ha_pool to rbd']),
])
def test_neither_mode_nor_pool_changes_in_service(stdout, mode, pool, words):
    said = operations.mode_problems(stdout, 'gw1', mode, pool, LUNS)
    assert len(said) == 1
    for word in words:
        assert word in said[0], said


@pytest.mark.parametrize('stdout, mode, pool', [
    (told(held=[]), 'shared', ''), (told(held=[]), 'fenced', 'other'), (told(), 'fenced', ''), ('', 'fenced', ''), ('no JSON', 'fenced', ''),
    ('{"enabled": true}', 'fenced', ''), ('[]', 'fenced', '')])
def test_out_of_service_and_as_it_is_both_may_be(stdout, mode, pool):
    assert operations.mode_problems(stdout, 'gw1', mode, pool, LUNS) == []


def test_a_disk_was_taken_over_when_the_others_call_it_served():
    def status(**entry):
        return json.dumps(dict(images=[dict(dict(image='rbd/a', served=True, doing=None, owner='gw2'), **entry)]))

    def unserved(stdout, images=('rbd/a',)):
        return operations.unserved(list(images), stdout, 'gw1')
    assert unserved(status(), ['rbd/a', 'rbd/z']) == [], 'an image that a gateway does not know is not its business'
    assert unserved(status(served=False)) == ['rbd/a'] == unserved(status(doing='map'))
    assert unserved(status(owner='gw1')) == ['rbd/a'], 'said before it heard that gw1 let go'
    assert unserved('cephgate: no') == ['rbd/a'] and unserved('', []) == []
