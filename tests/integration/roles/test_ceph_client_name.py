# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The administrator's key reaches no gateway, however its name is written: both roles refuse it, before they change anything."""
import json
import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent

# The packages are none, so that a role that refuses nothing changes nothing of this machine either: it stops at the unknown portal or module.
SITE = dict(
    ansible_connection='local', ansible_python_interpreter=sys.executable, ansible_package_use='nothing', cephgate_gateway_id=1,
    cephgate_portals=['203.0.113.1'], cephgate_iqn_prefix='iqn.2026-11.com.example', cephgate_luns=[], cephgate_hosts={},
    cephgate_ceph_fsid='a7f64266-0894-4f1e-a635-d0aeaca0e993', cephgate_ceph_mon_host='192.0.2.1', cephgate_ceph_key='AQ==',
    ansible_facts=dict(kernel='6.1.0'))


def said(folder, role, client):
    (folder / 'hosts.json').write_text(json.dumps(dict(gateways=dict(hosts=dict(gw1=dict(SITE, cephgate_ceph_client=client))))))
    (folder / 'play.yml').write_text(json.dumps([dict(hosts='gateways', gather_facts=False, tasks=[{'ansible.builtin.import_role': role}])]))
    done = subprocess.run(
        [BIN / 'ansible-playbook', '--check', '-i', folder / 'hosts.json', folder / 'play.yml'], cwd=TOP, text=True, check=False, capture_output=True,
        env=dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_STDOUT_CALLBACK='ansible.posix.json', ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections')))
    assert done.returncode, done.stdout
    report = json.JSONDecoder().raw_decode(done.stdout[done.stdout.find('{\n'):])[0]
    return ' '.join(str(result['msg']) for play in report['plays'] for task in play['tasks'] for result in task['hosts'].values() if result.get('failed'))


@pytest.mark.parametrize('role', [dict(name='cephgate.iscsi.ceph_client'), dict(name='cephgate.iscsi.gateway', tasks_from='preflight')],
                         ids=['ceph_client', 'gateway'])
@pytest.mark.parametrize('client, words', [
    ('admin', ['"admin"', 'to igw']), ('client.admin', ['"client.admin"', 'to igw']), ('client.igw2', ['"client.igw2"', 'without "client."', 'to igw2']),
    ('igw', [])])
def test_a_client_that_is_the_administrator_or_has_its_type_in_front_is_refused(tmp_path, role, client, words):
    text = said(tmp_path, role, client)
    assert all(word in text for word in words), text
    assert bool(words) == ('ceph_client' in text), text
