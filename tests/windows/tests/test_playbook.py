# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site playbook itself, by ansible-playbook over WinRM, against the test host."""
import base64
import os
import pathlib
import re
import subprocess
import sys
import time

import pytest
import yaml
from winhost import site
from winhost.server import WinRM

TOP = pathlib.Path(__file__).resolve().parents[3]
PASSWORD = 'not-a-real-password'


class Playbook:
    """Runs the site's plays for Windows on one test host."""

    book = 'cephgate.iscsi.site'

    def __init__(self, folder, host, gateways, transport='ntlm'):
        self.folder, self.host, self.gateways, self.transport = folder, host, gateways, transport
        self.winrm = WinRM(host, password=PASSWORD, basic=transport == 'basic')
        self.variables = dict(windows_client_reboot=True, windows_client_diskpart_pause=0, windows_client_reboot_timeout=60)
        self.disks = [dict(image='rbd/app', format=True, letter='E', label='app')]
        self.chap = site.CHAP

    def inventory(self):
        exports = {'rbd/app': dict(serial=site.LUNS[0]['serial'], size=site.LUNS[0]['size']),
                   'rbd/log': dict(serial=site.LUNS[1]['serial'], size=site.LUNS[1]['size'])}
        return dict(all=dict(
            vars=dict(
                cephgate_iqn_prefix=site.PREFIX,
                cephgate_luns=[dict(image='rbd/app', size='10G', hosts=dict(app=0)), dict(image='rbd/log', size='20G', hosts=dict(app=1))],
                cephgate_hosts=dict(app=dict(initiators=[site.INITIATOR], chap=self.chap))),
            children=dict(
                gateways=dict(hosts={
                    one.name.rsplit(':', 1)[1]: dict(cephgate_gateway_id=number, cephgate_portals=site.portals(one), gateway_exports=exports)
                    for number, one in enumerate(self.gateways, 1)}),
                windows_clients=dict(hosts=dict(app1=dict(
                    self.variables, ansible_host='127.0.0.1', ansible_port=self.winrm.address[1], ansible_connection='winrm',
                    ansible_winrm_scheme='http', ansible_winrm_transport=self.transport, ansible_user='Administrator',
                    ansible_password=PASSWORD, cephgate_host='app', windows_client_disks=self.disks))))))

    def __call__(self, *arguments, fails=False):
        """(output, {changed, ...} of app1)"""
        inventory = self.folder / 'hosts.yml'
        inventory.write_text(yaml.safe_dump(self.inventory()))
        environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(TOP / 'build/ansible-home'),
                           ANSIBLE_NOCOLOR='1', ANSIBLE_LOCALHOST_WARNING='0', ANSIBLE_CALLBACK_RESULT_FORMAT='yaml', LC_ALL='C.UTF-8')
        done = subprocess.run([pathlib.Path(sys.executable).parent / 'ansible-playbook', '-i', inventory, self.book,
                               '--limit', 'windows_clients', *arguments], env=environment, cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        recap = [line for line in done.stdout.splitlines() if line.startswith('app1 ') and 'ok=' in line]
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout, {word.split('=')[0]: int(word.split('=')[1]) for word in recap[-1].split() if '=' in word}


@pytest.fixture
def playbook(tmp_path, gateways):
    made = []

    def make(personality='2008', language='en', transport='ntlm', **options):
        options.setdefault('reboot_time', 1.5)
        host = site.host(personality, language, time.monotonic, diskpart_gap=0, name='iqn.1991-05.com.microsoft:unnamed', **options)
        made.append(Playbook(tmp_path, host, gateways, transport))
        return made[-1]

    yield make
    for one in made:
        one.winrm.stop()


def test_a_bare_host_gets_its_disks_with_one_reboot(playbook):
    run = playbook('2008')
    output, recap = run('--check', '--diff')
    assert recap['changed'] and run.host.writes == [], output
    output, recap = run('--diff')
    assert run.host.reboots == 1, output
    iscsi = run.host.iscsi
    wanted = sorted((one.name, portal) for one in run.gateways for portal in one.portals)
    assert sorted((session.wish.target, session.wish.portal) for session in iscsi.sessions) == wanted
    assert sorted((entry.target, entry.portal) for entry in iscsi.persistent) == wanted
    assert {number: (lun['serial'], len(sessions), multipath) for number, (lun, sessions, multipath) in iscsi.drives().items()} == {
        1: (site.LUNS[0]['serial'], 4, True), 2: (site.LUNS[1]['serial'], 4, True)}
    disk = run.host.disks[site.LUNS[0]['serial']]
    assert (disk['online'], disk['letter'], disk['label'], disk['formats']) == (True, 'E', 'app', 1)
    assert not run.host.disks[site.LUNS[1]['serial']]['online'], 'nobody asked for it'
    before = list(run.host.writes)
    output, recap = run('--diff')
    assert (recap['changed'], run.host.writes, run.host.reboots) == (0, before, 1), output


def shown(output):
    """The output with every script in it that was printed as base64, as WinRM gets it."""
    scripts = re.findall(r'[A-Za-z0-9+/]{60,}={0,2}', output)
    return output + '\n'.join(base64.b64decode(text + '=' * (-len(text) % 4)).decode('utf-16-le', 'replace') for text in scripts)


def test_interrupted_runs_are_finished_by_the_next_and_show_no_secret(playbook):
    """All commands and both moments are in test_interruption; here it is Ansible that meets a dropped connection."""
    run = playbook('2008r2', 'de')
    output, recap = run('--diff', '-vvvvv', '--check')
    everything = [output]
    # In the first task that writes, while it claims; and among the logins.
    for number, executed in ((9, True), (30, False)):
        run.host.drop_at(number, executed)
        output, recap = run('-vvvvv', fails=True)
        everything.append(output)
        assert recap['unreachable'] == 1 and 'the connection broke' in output, output
        run.host.drop = None
    output, recap = run('--diff', '-vvvvv')
    everything.append(output)
    assert run.host.reboots == 1 and len(run.host.iscsi.sessions) == len(run.host.iscsi.persistent) == 4
    assert 'unreachable=0' in output and 'failed=0' in output
    # The connection plugin shows what it sends, so that this can be seen to look in the right place.
    assert "'iscsicli.exe' 'SessionList'" in shown(output)
    assert site.CHAP['secret'] not in shown(''.join(everything)) and PASSWORD not in shown(''.join(everything))
    assert '********' in output


def test_without_permission_it_stops_before_the_reboot_and_says_so(playbook):
    run = playbook('2008')
    run.variables['windows_client_reboot'] = False
    output, recap = run(fails=True)
    assert run.host.reboots == 0 and run.host.iscsi.sessions == []
    assert 'MPIO takes effect with the next reboot, and windows_client_reboot is false' in ' '.join(output.split())


def test_what_to_set_up_is_said_before_anything_else(playbook):
    run = playbook('2008-powershell1')
    output, recap = run(fails=True)
    assert 'PowerShell 2.0 or later is needed; Server 2008 comes with 1.0' in ' '.join(output.split())
    run.winrm.stop()
    output, recap = run(fails=True)
    assert recap['unreachable'] == 1 and 'winrm quickconfig -q' in ' '.join(output.split()), output


def test_basic_authentication_does_too(playbook):
    run = playbook('2025', transport='basic')
    output, recap = run('--check')
    assert recap['changed'] and run.host.writes == []
