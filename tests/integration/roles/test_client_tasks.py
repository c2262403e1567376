# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of linux_client costs the same number of Ansible tasks, and of task results, for 3 and for 200 LUNs."""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent

PLAY = """
- hosts: linux_clients
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: cephgate.iscsi.linux_client}
    - ansible.builtin.import_role: {name: cephgate.iscsi.linux_client, tasks_from: release}
"""


def site(count, **client):
    """A site with COUNT LUNs for one client, which is this machine as a fresh host; the gateways have said what they export."""
    luns = [dict(image='rbd/i%d' % n, size='1G', hosts={'db': n}) for n in range(count)]
    exports = {lun['image']: dict(serial='%020x' % n, size=1 << 30) for n, lun in enumerate(luns)}
    return dict(
        all=dict(vars=dict(
            ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_iqn_prefix='iqn.2026-11.com.example',
            cephgate_luns=luns, cephgate_hosts={'db': {'initiators': ['iqn.1993-08.org.debian:01:db'], 'chap': dict(
                user='joe', secret='secret-of-joe1')}})),
        gateways=dict(hosts={'gw%d' % n: dict(cephgate_gateway_id=n, cephgate_portals=['192.0.2.%d' % n, 'fd00::%d' % n],
                                              gateway_exports=exports) for n in (1, 2)}),
        linux_clients=dict(hosts=dict(client1=dict(client, cephgate_host='db'))))


def run(folder, inventory, *arguments, before=()):
    """(report of the json callback, seconds, what was printed). before: words that start the command in another world"""
    folder.mkdir(exist_ok=True)
    (folder / 'hosts.json').write_text(json.dumps(inventory))
    (folder / 'play.yml').write_text(PLAY)
    start = time.monotonic()
    done = subprocess.run(
        [*before, BIN / 'ansible-playbook', '--check', '--diff', '-vvv', '-i', folder / 'hosts.json', folder / 'play.yml', *arguments], cwd=TOP,
        text=True, check=False, capture_output=True, env=dict(
            os.environ, ANSIBLE_STDOUT_CALLBACK='ansible.posix.json', ANSIBLE_NOCOLOR='1',
            ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections')))
    seconds = time.monotonic() - start
    text = done.stdout[done.stdout.index('{\n    "custom_stats"' if '"custom_stats"' in done.stdout else '{\n'):]
    return json.JSONDecoder().raw_decode(text)[0], seconds, done.stdout + done.stderr


def results(report, name):
    return [result for play in report['plays'] for task in play['tasks'] if task['task']['name'].endswith(name)
            for result in task['hosts'].values()]


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    top = tmp_path_factory.mktemp('client')
    mounts = dict(linux_client_mounts=[dict(image='rbd/i0', path='/srv/cephgate-test')])
    return {count: run(top / str(count), site(count, **mounts)) for count in (3, 200)}


def test_the_run_succeeds_and_looks_for_every_lun(runs):
    for count, (report, seconds, printed) in runs.items():
        assert report['stats']['client1']['failures'] == 0, printed[-6000:]
        print('linux_client in check mode, %d LUNs: %.1f s' % (count, seconds))
        assert len(results(report, 'Wait until every disk has all its paths')[0]['incomplete']) == count


def test_the_number_of_tasks_is_the_same_for_3_and_for_200_luns(runs):
    tasks = [sum(len(play['tasks']) for play in runs[count][0]['plays']) for count in (3, 200)]
    assert tasks[0] == tasks[1] and tasks[0] > 10, tasks


def test_no_task_loops_over_luns(runs):
    """A loop is one task, and still a call of the host for each item."""
    def items(count):
        return [len(result.get('results', [0])) for play in runs[count][0]['plays'] for task in play['tasks']
                for result in task['hosts'].values()]
    assert items(3) == items(200)


def test_every_portal_is_logged_in_to(runs):
    operations = results(runs[3][0], 'Log in to every gateway')[0]['operations']
    assert [op['object'].split()[-1] for op in operations if op['action'] == 'log in'] == [
        '192.0.2.1:3260', '[fd00::1]:3260', '192.0.2.2:3260', '[fd00::2]:3260']


def test_check_mode_works_on_a_host_without_the_packages(runs):
    """The apt module fails there in check mode when python3-apt is missing; it is not asked."""
    said = results(runs[3][0], 'Say which packages are missing')[0]
    if said.get('skipped'):
        pytest.fail('this machine has open-iscsi and multipath-tools, so the test shows nothing here')
    assert said['changed'] and 'open-iscsi' in said['msg']
    assert results(runs[3][0], 'Install what is missing')[0]['skipped']


def test_secrets_are_not_printed(runs):
    printed = runs[3][2]
    assert 'joe' in printed and 'secret-of-joe1' not in printed


def test_a_name_that_another_client_has_is_found_before_anything_else(tmp_path):
    twins = site(3)
    twins['linux_clients']['hosts']['client2'] = dict(cephgate_host='db')
    report, _seconds, printed = run(tmp_path, twins)
    assert report['stats']['client1']['failures'] == 1 and 'have the same initiator name' in printed
    assert len(report['plays'][0]['tasks']) == 2, 'the argument specs and the preflight'


@pytest.mark.skipif(os.geteuid() != 0, reason='needs root, for an /etc of its own')
def test_machines_that_had_one_name_are_told_to_be_copies(tmp_path):
    """Both clients are this machine, as two copies of one are; in an /etc where open-iscsi has made a name."""
    copies = site(1)
    names = ['iqn.1993-08.org.debian:01:db', 'iqn.1993-08.org.debian:01:web']
    copies['all']['vars']['cephgate_hosts']['db']['initiators'] = names
    for number, name in enumerate(names, 1):
        copies['linux_clients']['hosts']['client%d' % number] = dict(cephgate_host='db', cephgate_initiator_name=name)
    world = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs none /mnt && cp -a /etc/. /mnt/ && mkdir -p /mnt/iscsi && '
             'echo InitiatorName=iqn.1993-08.org.debian:01:6ffe1b8aaa7b > /mnt/iscsi/initiatorname.iscsi && mount --bind /mnt /etc && exec "$@"', 'sh']
    report, _seconds, printed = run(tmp_path, copies, before=world)
    assert not any(host['failures'] for host in report['stats'].values()), printed[-4000:]
    told = [task['hosts'] for play in report['plays'] for task in play['tasks'] if task['task']['name'].endswith('had the name of another one')]
    for host, other in (('client1', 'client2'), ('client2', 'client1')):
        text = ' '.join(told[0][host]['msg'].split())
        assert text.startswith('%s had the initiator name iqn.1993-08.org.debian:01:6ffe1b8aaa7b, as has %s: it is probably a copy' % (host, other))


def test_networks_are_bound_to_devices(tmp_path):
    inventory = site(3, linux_client_interfaces=[dict(name='san1', device='eth1', networks=['192.0.2.0/24']),
                                                 dict(name='san2', device='eth2', networks=['fd00::/64'])])
    report, _seconds, printed = run(tmp_path, inventory)
    assert report['stats']['client1']['failures'] == 0, printed[-4000:]
    operations = results(report, 'Log in to every gateway')[0]['operations']
    assert sorted(op['object'].split('portal ')[1] for op in operations if op['action'] == 'log in') == [
        '192.0.2.1:3260 (interface san1)', '192.0.2.2:3260 (interface san1)', '[fd00::1]:3260 (interface san2)',
        '[fd00::2]:3260 (interface san2)']
