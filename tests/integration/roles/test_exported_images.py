# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any gateway exports is asked for before an image is made or grown: the role's tasks, with an rbd command that writes down its calls."""
import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sys.executable).parent

RBD = """#!/bin/sh
echo "$*" >> %s
case "$*" in *info*) echo '{"size": 1073741824, "id": "now", "features": ["layering", "exclusive-lock"]}';; esac
"""

PLAY = """
- hosts: gateways
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: cephgate.iscsi.gateway, tasks_from: images}
"""


def run(folder, image_id, **more):
    """(exit code, output, what rbd was called for) of two gateways on this machine, of which the second exports rbd/a with IMAGE_ID."""
    told = json.dumps(dict(images=[dict(image='rbd/a', image_id=image_id)]))
    site = dict(dict(
        ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_portals=['127.0.0.1'], gateway_ha_mode='fenced',
        cephgate_iqn_prefix='iqn.2026-11.com.example', cephgate_luns=[dict(image='rbd/a', size='2G', hosts={'db': 0})],
        cephgate_hosts={'db': {'initiators': ['iqn.1993-08.org.debian:01:db']}}, cephgate_ceph_fsid='a7f64266-0894-4f1e-a635-d0aeaca0e993'), **more)
    hosts = dict(gw1=dict(site, cephgate_gateway_id=1, gateway_serves=dict(stdout='')),
                 gw2=dict(site, cephgate_gateway_id=2, gateway_serves=dict(stdout=told)),
                 gw3=dict(site, cephgate_gateway_id=3))
    (folder / 'hosts.json').write_text(json.dumps(dict(gateways=dict(hosts=hosts))))
    (folder / 'play.yml').write_text(PLAY)
    (folder / 'rbd').write_text(RBD % (folder / 'calls'))
    (folder / 'rbd').chmod(0o755)
    done = subprocess.run(
        [BIN / 'ansible-playbook', '-i', folder / 'hosts.json', folder / 'play.yml'], cwd=TOP, text=True, check=False, capture_output=True,
        env=dict(os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), PATH='%s:%s' % (folder, os.environ['PATH'])))
    return done.returncode, done.stdout + done.stderr, (folder / 'calls').read_text()


def test_an_image_that_is_not_the_one_that_any_gateway_exports_is_not_grown(tmp_path):
    code, said, calls = run(tmp_path, 'before')
    assert code and 'image rbd/a: it is exported with the internal id before by gw2' in said and 'resize' not in calls, (said, calls)


@pytest.mark.parametrize('image_id, more', [('now', {}), ('before', dict(cephgate_new_disks=['rbd/a']))], ids=['the same', 'accepted'])
def test_the_one_that_is_exported_and_one_that_may_be_another_disk_are_grown(tmp_path, image_id, more):
    code, said, calls = run(tmp_path, image_id, **more)
    assert code == 0 and 'resize' in calls, (said, calls)


def test_a_changed_declaration_is_checked_as_it_will_be_applied():
    """images_check runs in check mode, which asks nothing of Ceph on a machine without /etc/ceph/ceph.conf."""
    asked, made = [yaml.safe_load((TOP / 'roles/gateway/tasks' / name).read_text())[0] for name in ('images_check.yml', 'images.yml')]
    assert asked['cephgate.iscsi.rbd_image'] == made['cephgate.iscsi.rbd_image'] and asked['vars'] == made['vars']
