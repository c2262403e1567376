# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The number of Ansible tasks of a run does not grow with the number of LUNs."""
import json
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent

PLAY = """
- hosts: gateways
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: images}
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: intent}
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: export}
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: service}
"""


def tasks_run(folder, count):
    """How many tasks the role gateway runs for COUNT LUNs, in check mode on this machine as a fresh gateway.

    Without its preflight, which wants the portal on an interface.
    """
    luns = [dict(image='rbd/i%d' % n, size='1G', hosts={'db': n}) for n in range(count)]
    site = dict(
        ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_gateway_id=1, cephgate_portals=['127.0.0.1'],
        cephgate_iqn_prefix='iqn.2026-11.com.example', cephgate_luns=luns,
        cephgate_hosts={'db': {'initiators': ['iqn.1993-08.org.debian:01:db']}},
        cephgate_sysfs_root=str(folder / 'nothing'), gateway_service=False)
    (folder / 'hosts.json').write_text(json.dumps(dict(gateways=dict(hosts=dict(gw1=site)))))
    (folder / 'play.yml').write_text(PLAY)
    done = subprocess.run(
        [BIN / 'ansible-playbook', '--check', '-i', folder / 'hosts.json', folder / 'play.yml'], cwd=TOP, text=True, check=False,
        capture_output=True, env=dict(os.environ, ANSIBLE_STDOUT_CALLBACK='ansible.posix.json', ANSIBLE_NOCOLOR='1',
                                      ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections')))
    report = json.JSONDecoder().raw_decode(done.stdout[done.stdout.find('{\n'):])[0]
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    made = [op for play in report['plays'] for task in play['tasks'] for result in task['hosts'].values()
            for op in result.get('operations') or [] if 'add device' in op['action'] and 'LUN' in op['object']]
    assert len(made) == count, 'the run did not plan every LUN'
    return sum(len(play['tasks']) for play in report['plays'])


def test_the_number_of_tasks_is_the_same_for_3_and_for_300_luns(tmp_path):
    counts = []
    for count in (3, 300):
        folder = tmp_path / str(count)
        folder.mkdir()
        counts.append(tasks_run(folder, count))
    assert counts[0] == counts[1] and counts[0] > 10, counts
