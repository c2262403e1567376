# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on a running site, by their playbooks, on gateways without virtual machines."""
import pytest

from plays_site import DB, LUNS, PREFIX, WEB


@pytest.fixture(autouse=True)
def logged_in(site):
    """Two initiators, on every gateway that is in service, through an IPv4 and an IPv6 portal."""
    for gateway in site.gateways.values():
        gateway.log_in(DB, WEB)
        gateway.sessions()


def test_the_site_is_served_and_a_second_run_changes_nothing(site):
    for gateway in site.gateways.values():
        assert gateway.enabled() and gateway.luns() == [0, 1, 2] and gateway.luns('web') == [0]
        assert len(gateway.sessions()) == 4
    run = site.play('site')
    assert run.code == 0 and not any(run.changed.values()), (run.error, run.changed, [task for task in run.tasks if task[2]])


def refused(run, *words):
    assert run.code != 0 and not any(run.changed.values()), (run.changed, run.error)
    for word in words:
        assert word in run.error, run.error


def test_drain_refuses_wrong_names(site):
    refused(site.job('drain', cephgate_gateway='gw9'), 'gw9', '(gw1, gw2)')
    refused(site.play('drain'), 'cephgate_gateway is not set', '(gw1, gw2)')


def test_drain_refuses_the_last_path_of_an_initiator_unless_the_answer_is_to_cut_it(site):
    site.gateways['gw2'].log_in(WEB)
    refused(site.job('drain', cephgate_gateway='gw1'), DB, 'LUN 0, 1, 2', 'not logged in to gw2', 'cephgate_disrupt_sessions')
    gw1 = site.gateways['gw1']
    assert gw1.enabled() and len(gw1.sessions()) == 4
    assert site.job('drain', cephgate_gateway='gw1', cephgate_disrupt_sessions='true').code == 0
    assert not gw1.enabled() and gw1.sessions() == []
    assert site.job('undrain', cephgate_gateway='gw1').code == 0


def test_drain_refuses_when_the_other_gateway_does_not_answer(site):
    site.dead = {'gw2'}
    try:
        run = site.job('drain', cephgate_gateway='gw1')
    finally:
        site.dead = set()
    assert run.code != 0 and 'gw2 does not answer' in run.error and site.gateways['gw1'].enabled(), run.error


def test_a_drained_gateway_is_out_of_service_and_stays_so(site):
    gw1, gw2 = site.gateways['gw1'], site.gateways['gw2']
    run = site.job('drain', cephgate_gateway='gw1')
    assert run.code == 0 and run.changed == {'gw1': 1, 'gw2': 0} or run.changed == {'gw1': 1}, (run.changed, run.error)
    assert gw1.sessions() == [] and not gw1.enabled() and gw1.status()['drained'] and len(gw2.sessions()) == 4
    again = site.job('drain', cephgate_gateway='gw1')
    assert again.code == 0 and not any(again.changed.values()), again.changed
    run = site.play('site')
    assert run.code == 0 and not any(run.changed.values()), (run.error, [task for task in run.tasks if task[2]])
    assert not gw1.enabled(), 'the site playbook does not take the drain back'


def test_the_other_one_is_the_last_path_now(site):
    refused(site.job('drain', cephgate_gateway='gw2'), DB, WEB, 'gw1 is drained')


def test_undrain_brings_it_back(site):
    gw1 = site.gateways['gw1']
    refused(site.job('undrain', cephgate_gateway='gw3'), 'gw3', 'gw1, gw2')
    run = site.job('undrain', cephgate_gateway='gw1')
    assert run.code == 0 and run.changed['gw1'] == 1, run.error
    assert gw1.enabled() and len(gw1.sessions()) == 4 and not gw1.status()['drained']
    assert not any(site.job('undrain', cephgate_gateway='gw1').changed.values())


def test_check_mode_of_drain_drains_nothing(site):
    run = site.play('drain', '--check', cephgate_gateway='gw1')
    assert run.code == 0 and site.gateways['gw1'].enabled(), run.error


def test_an_upgrade_takes_one_gateway_after_the_other(site):
    run = site.play('upgrade', cephgate_upgrade_packages='ceph-common, rbd-nbd', cephgate_upgrade_wait=20)
    assert run.code == 0, run.error
    order = [(host, task) for host, task, dummy in run.tasks if task in (
        'Take this gateway out of service', 'Upgrade packages', 'Put this gateway back into service', 'Look for their sessions')]
    assert order == [(host, task) for host in ('gw1', 'gw2') for task in (
        'Take this gateway out of service', 'Upgrade packages', 'Put this gateway back into service', 'Look for their sessions')], order
    for gateway in site.gateways.values():
        assert gateway.enabled() and len(gateway.sessions()) == 4


def test_an_upgrade_stops_at_the_first_gateway_whose_initiators_are_not_back(site):
    gw1, gw2 = site.gateways['gw1'], site.gateways['gw2']
    # Once it is thrown out there it stays away.
    (gw1.folder / 'gone').write_text(DB)
    try:
        run = site.job('upgrade', cephgate_upgrade_wait=4)
    finally:
        (gw1.folder / 'gone').unlink()
    assert run.code != 0 and DB in run.error and 'not back at gw1' in run.error, run.error
    assert run.did('Take this gateway out of service') == ['gw1'] and len(gw2.sessions()) == 4 and gw2.enabled()
    assert len(gw1.sessions()) == 4


def test_an_upgrade_leaves_out_what_is_drained_and_keeps_last_paths(site):
    assert site.job('drain', cephgate_gateway='gw2').code == 0
    run = site.job('upgrade', cephgate_upgrade_wait=20)
    assert run.code != 0 and 'gw2 is drained' in run.error and run.did('Take this gateway out of service') == [], run.error
    assert not site.gateways['gw2'].enabled() and site.gateways['gw1'].enabled()
    assert site.job('undrain', cephgate_gateway='gw2').code == 0


def test_a_number_of_two_gateways_is_refused_before_anything_is_touched(site):
    gw2 = site.gateways['gw2']
    gw2.number = 1
    try:
        refused(site.play('site'), 'gateways gw1 and gw2 both have cephgate_gateway_id 1', 'another number')
    finally:
        gw2.number = 2


def test_an_image_that_was_made_anew_is_not_exported_as_the_old_one(site):
    gw1 = site.gateways['gw1']
    gw1.sh('for n in /sys/bus/rbd/devices/*; do [ $(cat $n/name) != c ] || echo 77 > $n/image_id; done')
    try:
        run = site.play('site')
        assert run.code != 0 and 'rbd/c' in run.error and 'two disks under one name' in run.error, run.error
        assert not any(task[2] for task in run.tasks), 'nothing was changed'
    finally:
        gw1.sh('for n in /sys/bus/rbd/devices/*; do [ $(cat $n/name) != c ] || cat %s/ceph/ids/rbd%%c > $n/image_id; done' % site.top)
    for gateway in site.gateways.values():
        gateway.sh('for n in /sys/bus/rbd/devices/*; do [ $(cat $n/name) != c ] || echo 77 > $n/image_id; done')
    # Both agree, and both are wrong: what they have mapped lost its name in Ceph.
    refused(site.play('site'), 'rbd/c', 'gw1, gw2 have it mapped with the internal id 77', 'rbd rename')
    for gateway in site.gateways.values():
        gateway.sh('for n in /sys/bus/rbd/devices/*; do [ $(cat $n/name) != c ] || cat %s/ceph/ids/rbd%%c > $n/image_id; done' % site.top)
    path = site.top / 'ceph/ids/rbd%c'
    old = path.read_text()
    path.write_text('beef')
    try:
        run = site.play('site', cephgate_luns=[dict(lun, size='128M') for lun in LUNS])
        assert run.code != 0 and not any(task[2] for task in run.tasks), 'nothing was grown'
        assert 'made anew' in run.error and 'rbd/c' in run.error and 'cephgate_new_disks' in run.error, run.error
    finally:
        path.write_text(old)


def test_an_exported_image_that_is_gone_is_not_made_anew_as_an_empty_one(site):
    image = site.top / 'ceph/images/rbd%c'
    image.rename(site.top / 'away')
    try:
        for arguments in ([], ['--check']):
            run = site.play('site', *arguments)
            assert run.code != 0 and not any(task[2] for task in run.tasks) and not image.exists()
            assert 'rbd/c' in run.error and 'by gw1, gw2' in run.error and 'rbd trash restore' in run.error, run.error
    finally:
        (site.top / 'away').rename(image)


def test_a_lun_is_not_removed_while_an_initiator_sees_it(site):
    refused(site.job('remove_lun', cephgate_image='rbd/zz'), 'rbd/zz', 'rbd/a, rbd/b, rbd/c')
    refused(site.play('remove_lun'), 'cephgate_image is not set', 'rbd/a, rbd/b, rbd/c')
    refused(site.job('remove_lun', cephgate_image='rbd/b'), DB, WEB, 'LUN 0 through gw1, gw2', 'cephgate_disrupt_sessions')
    assert site.gateways['gw1'].luns() == [0, 1, 2]


def test_a_lun_that_nobody_sees_any_more_is_removed_from_every_gateway(site):
    for gateway in site.gateways.values():
        gateway.log_in()
        gateway.sessions()
    run = site.job('remove_lun', cephgate_image='rbd/b')
    assert run.code == 0, run.error
    assert any('still declared as present' in text for text in run.said), run.said
    absent = [dict(lun, state='absent') if lun['image'] == 'rbd/b' else lun for lun in LUNS]
    for gateway in site.gateways.values():
        assert gateway.luns() == [0, 2] and gateway.luns('web') == []
        assert [entry['image'] for entry in gateway.status()['images']] == ['rbd/a', 'rbd/c']
        assert gateway.sh('cat /sys/bus/rbd/devices/*/name').stdout.split() == ['a', 'c']
    assert (site.top / 'ceph/images/rbd%b').exists(), 'the image stays'
    again = site.play('remove_lun', cephgate_image='rbd/b', cephgate_luns=absent)
    assert again.code == 0 and not any(again.changed.values()) and not any('still declared' in text for text in again.said), again.error
    run = site.play('site', cephgate_luns=absent)
    assert run.code == 0 and not any(run.changed.values()), (run.error, [task for task in run.tasks if task[2]])


def test_a_lun_is_removed_from_under_a_session_when_that_is_the_answer(site):
    assert site.job('remove_lun', cephgate_image='rbd/c', cephgate_disrupt_sessions='true').code == 0
    for gateway in site.gateways.values():
        assert gateway.luns() == [0, 1], 'and rbd/b is back, which is declared'
        assert len(gateway.sessions()) == 4


def test_a_gateway_leaves_the_site(site):
    refused(site.job('remove_gateway', cephgate_gateway='gw2'), 'rbd/b', 'prefers gateway gw2')
    free = [{key: value for key, value in lun.items() if key != 'gateway'} for lun in LUNS]
    for gateway in site.gateways.values():
        gateway.log_in(DB, WEB)
    run = site.play('remove_gateway', cephgate_gateway='gw2', cephgate_luns=free)
    assert run.code == 0, run.error
    gw1, gw2 = site.gateways['gw1'], site.gateways['gw2']
    assert gw2.sh('ls /run/scst_tgt/devices /run/scst_tgt/targets/iscsi; cat /sys/bus/rbd/devices/*/name', check=False).stdout.find(PREFIX) < 0
    assert gw2.sh('ls /etc/cephgate /usr/local/sbin/cephgate', check=False).returncode != 0
    assert len(gw1.sessions()) == 4 and gw1.luns() == [0, 1, 2]
    tree = gw1.sh('ls /run/scst_tgt/device_groups /run/scst_tgt/device_groups/*/target_groups').stdout
    assert 'gw2' not in tree and 'cephgate-gw1' in tree, tree
    gone = site.gateways.pop('gw2')
    try:
        run = site.play('site', cephgate_luns=free)
        assert run.code == 0 and not any(run.changed.values()), (run.error, [task for task in run.tasks if task[2]])
        refused(site.play('remove_gateway', cephgate_gateway='gw1', cephgate_luns=free), 'the only one', 'purge')
    finally:
        site.gateways['gw2'] = gone
    assert site.play('site').code == 0, 'it can come back'


def test_a_purge_is_confirmed_by_name_and_refused_under_sessions(site):
    refused(site.play('purge'), 'cephgate_purge_confirm is not set')
    refused(site.job('purge', cephgate_purge_confirm='yes'), 'another name')
    refused(site.job('purge', cephgate_purge_confirm=PREFIX), DB, 'logged in')
    assert site.gateways['gw1'].luns() == [0, 1, 2]


def test_a_purge_leaves_nothing_of_the_site_but_the_images_and_what_is_not_its_own(site):
    gw1 = site.gateways['gw1']
    gw1.sh('echo add_target iqn.2026-11.com.example.other:x > /run/scst_tgt/targets/iscsi/mgmt')
    for gateway in site.gateways.values():
        gateway.log_in()
        gateway.sessions()
    run = site.job('purge', cephgate_purge_confirm=PREFIX)
    assert run.code == 0, run.error
    for gateway in site.gateways.values():
        assert PREFIX not in gateway.sh('ls /run/scst_tgt/targets/iscsi').stdout
        assert gateway.sh('ls /run/scst_tgt/devices /run/scst_tgt/device_groups').stdout.split() == [
            '/run/scst_tgt/device_groups:', 'mgmt', '/run/scst_tgt/devices:'], gateway.sh('ls /run/scst_tgt/devices').stdout
        assert gateway.sh('ls /sys/bus/rbd/devices').stdout == ''
        assert gateway.sh('ls /etc/cephgate', check=False).returncode and gateway.sh('ls /usr/local/lib/cephgate', check=False).returncode
    assert 'com.example.other:x' in gw1.sh('ls /run/scst_tgt/targets/iscsi').stdout
    assert sorted(one.name for one in (site.top / 'ceph/images').iterdir()) == ['rbd%a', 'rbd%b', 'rbd%c']
    again = site.job('purge', cephgate_purge_confirm=PREFIX)
    assert again.code == 0 and not any(again.changed.values()), (again.error, [task for task in again.tasks if task[2]])
