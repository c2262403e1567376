# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook status on a gateway that serves: SCST emulated behind a mount, mappings and state file in a mount name space of the test.

What the role derives from the inventory is held against what the engine made from the same declaration.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(TOP / 'tests/emulator'), str(TOP / 'build/collections')]

from scst_emulator import Emulator, Fake, login  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.filter.gateway_view import gateway_view  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_state import Gateway  # noqa: E402

PREFIX = 'iqn.2026-11.com.example.cephgate'
FSID = '00000000-0000-4000-8000-000000000000'
HOST = 'iqn.1993-08.org.debian:01:db1'
LUNS = [dict(image='rbd/a', size='1G', gateway='gw1', hosts={'db': 0}), dict(image='rbd/b', size='1G', gateway='gw2', hosts={'db': 1})]
HOSTS = {'db': dict(initiators=[HOST], chap=dict(user='joe', secret='correct-horse-battery'))}
GATEWAYS = {'gw1': dict(number=1, portals=['10.99.1.11']), 'gw2': dict(number=2, portals=['10.99.1.12'])}
MAPPED = {lun['image']: dict(number=number, path='/dev/rbd%d' % number, image_id='id%d' % number, fsid=FSID, size=1 << 30, client=None)
          for number, lun in enumerate(LUNS)}

# Neither is seen by anybody else: they end with the process that has the name space.
SURROUNDINGS = """set -e
mount --make-rprivate /
mount -t tmpfs none /sys/bus
for number in 0 1; do
    folder=/sys/bus/rbd/devices/$number; mkdir -p $folder; cd $folder
    echo rbd > pool; echo - > current_snap; echo id$number > image_id; echo 1073741824 > size; echo %s > cluster_fsid
done
echo a > /sys/bus/rbd/devices/0/name; echo b > /sys/bus/rbd/devices/1/name
mount -t tmpfs none "$1"; mkdir "$1/upper" "$1/work"
mount -t overlay none -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mkdir -p /etc/cephgate; cp "$2" /etc/cephgate/state.json
cd /; shift 2; exec "$@"
""" % FSID


@pytest.fixture
def gateway(tmp_path):
    """The mount point of an emulated gateway gw1 that serves both images to a host that is logged in; and its state file."""
    view = gateway_view(LUNS, 'gw1', HOSTS, GATEWAYS, PREFIX, MAPPED, 'igw', 'osdkeepalive=2', str(tmp_path / 'scst'))
    files = {entry['path']: dict(size=1 << 30, block=True) for entry in MAPPED.values()}
    scst = Emulator('3.10', Fake(files))
    state = view['state']
    (tmp_path / 'state.json').write_text(json.dumps(state))
    for target in state['targets']:
        target['incoming_users'] = [dict(user, secret=view['secrets'][user['name']]) for user in target['incoming_users']]
    done, problems = Gateway(state, None, scst, lambda: MAPPED, lambda path: files.get(path, {}).get('size')).export()
    assert done and not problems
    login(scst.core.targets.iscsi.targets[PREFIX + ':gw1'], HOST, client='10.99.1.21', portal='10.99.1.11')
    root = tmp_path / 'scst'
    root.mkdir()
    child = os.fork()
    if child == 0:
        from scst_emulator.fuse_face import serve
        try:
            serve(scst, str(root))
        finally:
            os._exit(0)
    end = time.monotonic() + 10
    while not (root / 'version').exists():
        assert time.monotonic() < end, 'not mounted'
        time.sleep(0.05)
    yield root
    os.kill(child, 15)
    os.waitpid(child, 0)


@pytest.fixture
def status(gateway, tmp_path):
    """A function -> the document."""
    away = dict(ansible_connection='ssh', ansible_host='127.0.0.1', ansible_port=1)
    inventory = dict(
        all=dict(vars=dict(
            ansible_connection='local', ansible_python_interpreter=sys.executable, cephgate_iqn_prefix=PREFIX, cephgate_luns=LUNS,
            cephgate_hosts=HOSTS, cephgate_sysfs_root=str(gateway))),
        gateways=dict(hosts={name: dict({} if name == 'gw1' else away, cephgate_gateway_id=entry['number'], cephgate_portals=entry['portals'])
                             for name, entry in GATEWAYS.items()}))
    (tmp_path / 'hosts.json').write_text(json.dumps(inventory))
    (tmp_path / 'etc').mkdir()

    def status():
        report = tmp_path / 'status.json'
        done = subprocess.run(
            ['unshare', '-m', 'sh', '-c', SURROUNDINGS, 'sh', tmp_path / 'etc', tmp_path / 'state.json',
             pathlib.Path(sys.executable).parent / 'ansible-playbook', '-i', tmp_path / 'hosts.json', 'cephgate.iscsi.status',
             '-e', 'cephgate_status_json=%s' % report], text=True, check=False, capture_output=True, env=dict(
                 os.environ, ANSIBLE_NOCOLOR='1', ANSIBLE_HOME=str(TOP / 'build/ansible-home'), LC_ALL='C.UTF-8',
                 ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections')))
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(report.read_text())

    return status


def told(document):
    return sorted((entry['kind'], entry['what'], entry['objects'][0]) for entry in document['problems'])


def test_a_gateway_that_serves_what_is_declared_has_not_drifted(status, gateway):
    document = status()
    found = {record['name']: record for record in document['gateways']}
    assert found['gw1']['drift'] == [] and found['gw1']['serves'] == 2 and found['gw1']['sessions'] == 1, found['gw1']
    # Nobody runs the service here, and gw2 does not answer.
    assert told(document) == [('gateway', 'down', 'gw2'), ('gateway', 'no service', 'gw1')]
    assert {image['image']: (image['serving'], image['gateways']['gw1']['alua']) for image in document['images']} == {
        'rbd/a': (['gw1'], 'active'), 'rbd/b': (['gw1'], 'nonoptimized')}
    host = document['hosts'][0]
    assert host['kind'] == 'not managed' and [(link['gateway'], link['state']) for link in host['links']] == [('gw1', 'up'), ('gw2', 'unknown')]
    # What somebody changes on the gateway is drift.
    (gateway / 'targets/iscsi' / (PREFIX + ':gw1') / 'ini_groups/db/luns/mgmt').write_text('del 1')
    document = status()
    found = {record['name']: record for record in document['gateways']}
    assert len(found['gw1']['drift']) == 1 and 'LUN 1' in found['gw1']['drift'][0]
    assert ('gateway', 'missing images', 'gw1') in told(document) or ('image', 'not served', 'rbd/b') in told(document)
