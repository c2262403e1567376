# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations in ha_mode fenced, by their playbooks, with the real agent and service on gateways without virtual machines."""
import json
import time

import pytest

from plays_site import DB, LUNS, PREFIX, TOP, WEB, Site

FENCED = dict(cephgate_ha_mode='fenced', gateway_service=True, gateway_drain_tries=30, cephgate_ceph_mon_host='10.99.1.1')
IMAGES = ['rbd/a', 'rbd/b', 'rbd/c']
HOME = {'rbd/a': ['gw1'], 'rbd/b': ['gw2'], 'rbd/c': ['gw2']}  # as declared; rbd/c by its hash
ON_GW1, ON_GW2 = ({image: [name] for image in IMAGES} for name in ('gw1', 'gw2'))
# Another SCST than the one that serves: none is noted as built here.
SCST = dict(cephgate_scst_install=True, scst_version='3.10', scst_build_source=str(TOP / 'molecule/scst_build/source'), scst_build_check_kernel=False,
            scst_build_dkms=False, scst_build_manage_packages=False, scst_build_init='systemd', scst_build_disk_mib=1,
            scst_build_dir='/run/scst-build', scst_build_state_dir='/run/scst-state')
ABSENT = [dict(lun, state='absent') if lun['image'] == 'rbd/b' else lun for lun in LUNS]


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Two gateways whose agents serve the site, each its own disks; a third one that does not belong to it yet."""
    site = Site(tmp_path_factory.mktemp('fenced'), 3, **FENCED)
    all_gateways = list(site.gateways.values())
    site.spare = site.gateways.pop('gw3')
    site.removed = set()
    try:
        run = site.play('site')
        assert run.code == 0, run.error
        wait(lambda: everything(site), site)
        # On a busy machine one may have been late for its own.
        assert [gateway.cephgate('failback')[0] for gateway in site.gateways.values()] == [0, 0]
        assert settled(site, HOME)
        yield site
    finally:
        for gateway in all_gateways:
            gateway.end()


@pytest.fixture(autouse=True)
def all_is_well(site):
    """Whatever the test before left: initiators at both gateways, each disk at home."""
    for gateway in site.gateways.values():
        gateway.log_in(DB, WEB)
        gateway.sessions()
    home = {image: names for image, names in HOME.items() if image not in site.removed}
    if owners(site) != home or any(gateway.status()['drained'] for gateway in site.gateways.values()):
        for gateway in site.gateways.values():
            gateway.cephgate('undrain')
        wait(lambda: everything(site), site)
        assert [gateway.cephgate('failback')[0] for gateway in site.gateways.values()] == [0, 0] and settled(site, home)


def wait(condition, site, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, '\n'.join('%s: %s\n%s' % (name, gateway.cephgate('status'), gateway.sh('tail -n 30 /run/units/*.log').stdout)
                                                 for name, gateway in site.gateways.items())
        time.sleep(0.3)


def owners(site):
    """{image: gateways where its path is active}"""
    found = {}
    for name, gateway in site.gateways.items():
        for image in gateway.active():
            found.setdefault(image, []).append(name)
    return found


def settled(site, wanted):
    """Whether each disk is served where it should be, and nowhere else. Who gave one away tells of it up to a second later (ha_agent.REPORT_EVERY)."""
    wait(lambda: owners(site) == wanted, site, 5)
    return True


def everything(site):
    found = owners(site)
    return sorted(found) == sorted(set(IMAGES) - site.removed) and all(len(names) == 1 for names in found.values())


def refused(run, *words):
    assert run.code != 0 and not any(run.changed.values()), (run.changed, run.error)
    for word in words:
        assert word in run.error, run.error


def idle(run):
    assert run.code == 0 and not any(run.changed.values()), (run.error, run.changed, [task for task in run.tasks if task[2]])


def good(run):
    assert run.code == 0, run.error
    return run


def orders(gateway):
    return json.loads(gateway.sh('cat /etc/cephgate/orders.json').stdout)


def groups(gateway):
    """{device group: {target group: state}}"""
    return {name: {group: gateway.value('device_groups/%s/target_groups/%s/state' % (name, group))
                   for group in gateway.names('device_groups/%s/target_groups' % name) if group != 'mgmt'}
            for name in gateway.names('device_groups') if name != 'mgmt'}


def test_each_disk_is_served_by_one_and_a_second_run_changes_nothing(site):
    for gateway in site.gateways.values():
        assert gateway.enabled() and gateway.luns() == [0, 1, 2] and len(gateway.sessions()) == 4
        assert len(gateway.mapped()) == len(gateway.active()) == len(gateway.guards())
    idle(site.play('site'))


def test_a_drained_gateway_gives_its_disks_to_the_other_and_gets_none_back_by_itself(site):
    gw1 = site.gateways['gw1']
    run = good(site.play('drain', cephgate_gateway='gw1'))
    assert settled(site, ON_GW2), 'all are served when the playbook ends'
    assert run.changed['gw1'] == 1 and gw1.mapped() == [] == gw1.guards() and gw1.status()['drained'] and orders(gw1) == dict(drain=True, wants=[])
    assert len(gw1.sessions()) == 4, 'its sessions stay, their paths are passive'
    idle(site.play('drain', cephgate_gateway='gw1'))
    refused(site.play('drain', cephgate_gateway='gw2'), DB, WEB, 'gw1 is drained')
    refused(site.play('failback', cephgate_gateway='gw1'), 'gateway gw1 takes no disk: it is drained', 'undrain')
    code, answer = gw1.cephgate('failback')
    assert code == 2 and 'drained' in answer['error'] and 'cephgate undrain' in answer['error']
    run = good(site.play('undrain', cephgate_gateway='gw1'))
    assert run.changed['gw1'] == 1 and not gw1.status()['drained']
    time.sleep(4)
    assert settled(site, ON_GW2)


def test_disks_go_back_when_the_operator_says_so(site):
    gw1 = site.gateways['gw1']
    assert site.gateways['gw2'].cephgate('failback', *IMAGES)[0] == 0 and settled(site, ON_GW2)
    gw1.log_in(WEB)
    refused(site.play('failback'), 'image rbd/a', DB, 'through gateway gw2', 'not through gw1', 'cephgate_disrupt_sessions')
    refused(site.play('failback', cephgate_gateway='gw9'), 'gw9', 'gw1, gw2')
    gw1.log_in(DB, WEB)
    gw1.sessions()
    run = good(site.play('failback'))
    assert settled(site, HOME) and run.changed['gw1'] == 1 and orders(gw1)['wants'] == []
    idle(site.play('failback'))


def test_one_disk_can_be_fetched_by_its_name(site):
    gw1 = site.gateways['gw1']
    code, answer = gw1.cephgate('failback', 'rbd/c')
    assert (code, answer) == (0, dict(changed=True, left=[], failed=False)) and settled(site, dict(HOME, **{'rbd/c': ['gw1']})) and orders(gw1)['wants'] == []
    code, answer = gw1.cephgate('failback', 'rbd/zz')
    assert code == 2 and 'rbd/zz' in answer['error'] and 'rbd/a, rbd/b, rbd/c' in answer['error']


def test_a_disk_is_not_drained_to_a_gateway_that_none_of_its_initiators_sees(site):
    """What the command does that asks no other gateway; the playbook refuses before."""
    gw1, gw2 = site.gateways['gw1'], site.gateways['gw2']
    gw2.log_in()
    gw2.sessions()
    refused(site.play('drain', cephgate_gateway='gw1'), 'gateway gw1 is the last path of initiator ' + DB)
    code, answer = gw1.cephgate('--wait 4 drain')
    assert code == 75 and any('rbd/a: still here' in text for text in answer['left']), answer
    assert owners(site)['rbd/a'] == ['gw1']
    assert gw1.cephgate('undrain')[0] == 0


def test_a_drain_that_cannot_be_says_so_in_the_time_that_its_tries_give_it(site):
    gw1, gw2 = site.gateways['gw1'], site.gateways['gw2']
    gw2.log_in()
    gw2.sessions()
    begin = time.monotonic()
    refused(site.play('drain', cephgate_gateway='gw1', cephgate_disrupt_sessions=True, gateway_drain_tries=5), 'rbd/a: still here')
    assert time.monotonic() - begin < 60 and owners(site)['rbd/a'] == ['gw1']


def test_an_upgrade_takes_one_gateway_after_the_other(site):
    run = good(site.play('upgrade', cephgate_upgrade_packages='ceph-common', cephgate_upgrade_wait=20))
    steps = ('Take this gateway out of service', 'Wait until the other gateways have its disks', 'Upgrade packages', 'Put this gateway back into service')
    assert [(host, task) for host, task, dummy in run.tasks if task in steps] == [(host, task) for host in ('gw1', 'gw2') for task in steps]
    assert settled(site, ON_GW1), 'the last one that was upgraded has none, and takes none back by itself'
    good(site.play('failback', cephgate_gateway='gw2'))
    assert settled(site, HOME)


def test_another_scst_under_live_sessions_is_no_reason_not_to_begin(site):
    run = good(site.play('upgrade', '--check', **SCST))
    assert run.did('Say what is to be built') == ['gw1', 'gw2'] and settled(site, HOME)


def test_an_agent_that_was_frozen_finds_its_gateway_fenced_and_comes_back_as_standby(site):
    gw1 = site.gateways['gw1']
    old = gw1.sh('cat /sys/bus/rbd/devices/*/client_addr').stdout.split()[0]
    agent = gw1.sh("sed 's/.*process \\([0-9]*\\).*/\\1/' /run/cephgate-agent.lock").stdout.strip()
    gw1.sh('kill -STOP ' + agent)
    try:
        wait(lambda: 'rbd/a' in site.gateways['gw2'].active(), site)
    finally:
        gw1.sh('kill -CONT ' + agent)
    wait(lambda: owners(site) == ON_GW2 and gw1.enabled() and len(gw1.sessions()) == 4, site)
    assert gw1.mapped() == [] == gw1.guards()
    assert old in json.loads((site.top / 'ceph/shared.json').read_text())['blocklist']
    good(site.play('failback'))
    assert settled(site, HOME) and gw1.sh('cat /sys/bus/rbd/devices/*/client_addr').stdout.split()[0] != old


def test_the_mode_and_the_pool_of_the_records_do_not_change_in_service(site):
    refused(site.play('site', cephgate_ha_mode='shared'), 'gateway gw1', 'gateway gw2', 'cephgate_ha_mode is shared', 'in service in the mode fenced',
            'cephgate release')
    refused(site.play('site', cephgate_luns=LUNS + [dict(image='apool/x', size='64M', hosts={'web': 5})]), 'in pool apool', 'in pool rbd',
            'Set cephgate_ha_pool to rbd')
    refused(site.play('site', cephgate_ha_mode="{{ 'shared' if inventory_hostname == 'gw2' else 'fenced' }}"), 'gw1: fenced, gw2: shared')
    assert settled(site, HOME)


def test_an_image_that_was_made_anew_is_not_exported_as_the_old_one(site):
    path = site.top / 'ceph/ids/rbd%c'
    old = path.read_text()
    path.write_text('beef')
    try:
        refused(site.play('site'), 'rbd/c', 'made anew', 'cephgate_new_disks')
    finally:
        path.write_text(old)
    assert settled(site, HOME)


def test_a_lun_is_not_removed_while_an_initiator_sees_it(site):
    refused(site.play('remove_lun', cephgate_image='rbd/b'), DB, WEB, 'LUN 0 through gw1, gw2', 'cephgate_disrupt_sessions')


def test_a_gateway_joins_and_leaves_the_site_and_no_other_disk_moves(site):
    site.gateways['gw3'] = site.spare
    try:
        good(site.play('site'))
        site.spare.log_in(DB, WEB)
        wait(lambda: len(site.spare.sessions()) == 4 and all(gateway.cephgate('status')[0] == 0 for gateway in site.gateways.values()), site)
        assert settled(site, HOME)
        wait(lambda: all(states == {name: 'active' if [name] == HOME['rbd/' + device[0]] else 'standby' for name in site.gateways}
                         for gateway in site.gateways.values() for device, states in groups(gateway).items()), site)
        assert site.spare.cephgate('failback', 'rbd/c')[0] == 0 and settled(site, dict(HOME, **{'rbd/c': ['gw3']}))
        good(site.play('remove_gateway', cephgate_gateway='gw3'))
    finally:
        del site.gateways['gw3']
    found = owners(site)
    assert len(found.pop('rbd/c')) == 1 and found == {'rbd/a': ['gw1'], 'rbd/b': ['gw2']}
    for gateway in site.gateways.values():
        assert all(sorted(states) == ['gw1', 'gw2'] for states in groups(gateway).values()), groups(gateway)
    assert site.spare.mapped() == [] == site.spare.guards() and PREFIX not in site.spare.sh('ls /run/scst_tgt/targets/iscsi').stdout
    assert site.spare.sh('ls /etc/cephgate /etc/systemd/system/cephgate-agent.service', check=False).stdout == ''


def test_a_lun_that_nobody_sees_is_removed_with_all_that_belongs_to_it(site):
    for gateway in site.gateways.values():
        gateway.log_in()
        gateway.sessions()
    good(site.play('remove_lun', cephgate_image='rbd/b'))
    site.removed.add('rbd/b')
    for gateway in site.gateways.values():
        assert gateway.luns() == [0, 2] and gateway.luns('web') == [] and 'b' not in gateway.mapped()
        assert [name[0] for name in gateway.names('devices')] == ['a', 'c'] == [name[0] for name in groups(gateway)]
        assert not [name for name in gateway.guards() if name.startswith('cephgate-b-')]
        assert [entry['image'] for entry in gateway.status()['images']] == ['rbd/a', 'rbd/c']
    assert sorted(json.loads((site.top / 'ceph/shared.json').read_text())['locks']) == ['rbd/a', 'rbd/c'], 'Ceph has its lock back'
    assert (site.top / 'ceph/images/rbd%b').exists(), 'the image stays'
    idle(site.play('site', cephgate_luns=ABSENT))


def test_the_mode_changes_out_of_service_as_documented_and_back(site):
    for mode in ('shared', 'fenced'):
        for gateway in site.gateways.values():
            gateway.sh('systemctl disable --now cephgate-agent; systemctl stop cephgate; cephgate release')
            assert gateway.mapped() == [] == gateway.guards() and gateway.sessions() == []
        good(site.play('site', cephgate_ha_mode=mode))
        site.removed.clear()  # of the test before
        if mode == 'shared':
            for gateway in site.gateways.values():
                assert gateway.enabled() and gateway.mapped() == ['a', 'b', 'c'] and gateway.status()['ha_mode'] == 'shared'
                assert gateway.sh('systemctl is-enabled cephgate-agent', check=False).stdout.strip() == 'disabled'
            refused(site.play('site'), 'in service in the mode shared')
            refused(site.play('failback', cephgate_ha_mode='shared'), 'by themselves')
            code, answer = site.gateways['gw1'].cephgate('failback')
            assert code == 2 and 'ha_mode shared' in answer['error']
    wait(lambda: everything(site), site)


def test_a_purge_leaves_nothing_of_the_site_but_the_images(site):
    refused(site.play('purge', cephgate_purge_confirm=PREFIX), DB, 'logged in')
    for gateway in site.gateways.values():
        gateway.log_in()
        gateway.sessions()
    good(site.play('purge', cephgate_purge_confirm=PREFIX))
    for gateway in site.gateways.values():
        assert gateway.mapped() == [] == gateway.guards() and PREFIX not in gateway.sh('ls /run/scst_tgt/targets/iscsi').stdout
        assert gateway.names('devices') == [] and gateway.names('device_groups') == ['mgmt']
        assert gateway.sh('ls -d /etc/cephgate /usr/local/lib/cephgate /etc/systemd/system/cephgate*', check=False).stdout == ''
        assert gateway.sh("pgrep -f '[c]ephgate (agent|serve)' --ns $$ --nslist mnt", check=False).stdout == ''
    assert sorted(one.name for one in (site.top / 'ceph/images').iterdir()) == ['rbd%a', 'rbd%b', 'rbd%c']
    assert json.loads((site.top / 'ceph/shared.json').read_text())['locks'] == {}
    idle(site.play('purge', cephgate_purge_confirm=PREFIX))
