# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's timer for Prometheus: only when asked for, and refused where there is no timer."""
import json
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
PLAY = """
- hosts: gateways
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: service}
"""


def run(folder, **variables):
    """Output of the tasks of the service in check mode, on this machine."""
    site = dict(
        dict(ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_iqn_prefix='iqn.2026-11.com.example',
             cephgate_luns=[], cephgate_hosts={}, gateway_service=False, gateway_init='systemd', gateway_view=dict(
                 removed=dict(luns=[]), secrets={}, state=dict(
                     version=1, sysfs_root=str(folder), client='igw', cluster='ceph', images=[], devices=[], targets=[], luns=[], device_groups=[]))),
        **variables)
    (folder / 'hosts.json').write_text(json.dumps(dict(gateways=dict(hosts=dict(gw1=site)))))
    (folder / 'play.yml').write_text(PLAY)
    done = subprocess.run([pathlib.Path(sys.executable).parent / 'ansible-playbook', '--check', '--diff', '-i', folder / 'hosts.json', folder / 'play.yml'],
                          cwd=folder, text=True, check=False, capture_output=True, env=dict(
                              os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections')))
    return done.returncode, done.stdout + done.stderr


def test_nothing_unless_asked_for(tmp_path):
    code, output = run(tmp_path)
    assert code == 0 and 'cephgate-metrics' not in output, output


def test_the_units(tmp_path):
    code, output = run(tmp_path, cephgate_metrics=True, gateway_metrics_file=str(tmp_path / 'site.prom'), gateway_metrics_interval=30)
    assert code == 0, output
    assert '+ExecStart=/usr/local/sbin/cephgate --output %s/site.prom metrics' % tmp_path in output
    assert '+OnUnitActiveSec=30' in output


def test_refused_without_timers(tmp_path):
    code, output = run(tmp_path, cephgate_metrics=True, gateway_init='upstart')
    assert code != 0 and 'which has no timers' in output and 'cron' in output
