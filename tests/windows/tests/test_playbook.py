# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site playbook itself, by ansible-playbook over WinRM, against the test host."""
import os
import pathlib
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
                    ansible_password=PASSWORD,
                    # Refused connections while the host reboots are asked for again here, not by pywinrm with growing pauses.
                    ansible_winrm_reconnection_retries=0, cephgate_host='app', windows_client_disks=self.disks))))))

    def __call__(self, *arguments, fails=False):
        """(output, {changed, ...} of app1)"""
        inventory = self.folder / 'hosts.yml'
        inventory.write_text(yaml.safe_dump(self.inventory()))
        environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(TOP / 'build/ansible-home'),
                           ANSIBLE_NOCOLOR='1', ANSIBLE_LOCALHOST_WARNING='0', ANSIBLE_CALLBACK_RESULT_FORMAT='yaml', LC_ALL='C.UTF-8')
        done = subprocess.run([pathlib.Path(sys.executable).parent / 'ansible-playbook', '-i', inventory, 'cephgate.iscsi.site',
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
    assert site.CHAP['secret'] not in output
