# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""import_ceph_iscsi.yml writes an inventory that Ansible reads back as the site it was made of; secrets are apart and not printed."""
import json
import os
import pathlib
import stat
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TARGET = 'iqn.2003-01.com.redhat.iscsi-gw:iscsi-igw'
NONE = dict(username='', password='', password_encryption_enabled=False, mutual_username='', mutual_password='', mutual_password_encryption_enabled=False)
CONFIG = dict(
    version=11, epoch=3, discovery_auth=NONE, gateways={'gw1': {}, 'gw2': {}},
    disks={'rbd/one': dict(backstore='user:rbd', owner='gw1', pool='rbd', image='one', wwn='3bb8a8f3-91d2-47c5-9d3a-6d1f6a5b2c11', controls={})},
    targets={TARGET: dict(
        acl_enabled=True, auth=NONE, controls=dict(cmdsn_depth=64), disks={'rbd/one': dict(lun_id=0)}, groups={},
        portals={'gw1': dict(portal_ip_addresses=['192.0.2.11']), 'gw2': dict(portal_ip_addresses=['192.0.2.12'])},
        clients={'iqn.1994-05.com.redhat:db': dict(auth=dict(NONE, username='joe', password='secret-of-joe1'), group_name='',
                                                   luns={'rbd/one': dict(lun_id=0)})})})


def play(folder, *words):
    done = subprocess.run(
        ['ansible-playbook', 'cephgate.iscsi.import_ceph_iscsi', '-vvv', '--diff', '-e', 'cephgate_import_file=gateway.conf', *words], cwd=folder, text=True,
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(
            os.environ, PWD=str(folder), ANSIBLE_NOCOLOR='1', ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(folder / 'home'),
            ANSIBLE_LOCALHOST_WARNING='false'))
    return done.returncode, done.stdout


@pytest.fixture(scope='module')
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp('import')
    (folder / 'gateway.conf').write_text(json.dumps(CONFIG))
    return (folder, *play(folder, '-e', 'cephgate_import_to=site'))


def test_an_inventory_is_written_that_says_the_same(imported):
    folder, code, printed = imported
    assert code == 0, printed[-4000:]
    listed = subprocess.run(['ansible-inventory', '-i', folder / 'site', '--list'], check=True, text=True, stdout=subprocess.PIPE).stdout
    gateways = json.loads(listed)['_meta']['hostvars']
    assert {name: (found['cephgate_gateway_id'], found['cephgate_portals']) for name, found in gateways.items()} == {
        'gw1': (1, ['192.0.2.11']), 'gw2': (2, ['192.0.2.12'])}
    assert gateways['gw1']['cephgate_iqn_prefix'] == TARGET
    assert gateways['gw1']['cephgate_luns'] == [dict(image='rbd/one', hosts={'db': 0}, gateway='gw1', identity=dict(
        naa_id='0x60014053bb8a8f391d247c59d3a6d1f6'))]
    shown = subprocess.run(['ansible', '-i', folder / 'site', 'gw1', '-c', 'local', '-m', 'debug', '-a', 'msg={{ cephgate_hosts.db.chap.secret }}'],
                           check=True, text=True, stdout=subprocess.PIPE).stdout
    assert 'secret-of-joe1' in shown


def test_secrets_are_only_in_their_own_file(imported):
    folder, _code, printed = imported
    holding = [path for path in (folder / 'site').rglob('*.yml') if 'secret-of-joe1' in path.read_text()]
    assert [path.name for path in holding] == ['chap.yml']
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert 'secret-of-joe1' not in printed and 'cmdsn_depth' in printed


def test_nothing_is_overwritten(imported):
    folder = imported[0]
    before = {path: path.read_bytes() for path in (folder / 'site').rglob('*.yml')}
    code, printed = play(folder, '-e', 'cephgate_import_to=site')
    assert code and 'exists already' in printed
    assert {path: path.read_bytes() for path in (folder / 'site').rglob('*.yml')} == before


def test_what_cannot_be_declared_stops_before_anything_is_written(imported, tmp_path):
    config = json.loads(json.dumps(CONFIG))
    config['targets'][TARGET]['acl_enabled'] = False
    (tmp_path / 'gateway.conf').write_text(json.dumps(config))
    code, printed = play(tmp_path, '-e', 'cephgate_import_to=site')
    assert code and 'has no access control' in printed and not (tmp_path / 'site').exists()


def refused(folder, *words, said):
    code, printed = play(folder, '-e', 'cephgate_import_to=site', *words)
    assert code and said in ' '.join(printed.split()) and 'Traceback' not in printed, printed[-4000:]
    assert not (folder / 'site').exists()
    return printed


def test_a_file_that_is_not_there(tmp_path):
    refused(tmp_path, said='cephgate_import_file %s/gateway.conf: there is no such file on the control node. Correct the path' % tmp_path)


@pytest.mark.parametrize('text, said', [
    ('secret-of-joe1 {', 'this is no configuration object of ceph-iscsi, which is one JSON object. Save it anew'),
    (json.dumps(dict(CONFIG, targets={TARGET: dict(CONFIG['targets'][TARGET], clients=['x'])})), 'the object is not as ceph-iscsi writes it')])
def test_a_file_that_is_something_else(tmp_path, text, said):
    (tmp_path / 'gateway.conf').write_text(text)
    assert 'secret-of-joe1' not in refused(tmp_path, said=said)


def test_a_key_that_is_not_there_and_a_host_that_is_none(imported, tmp_path):
    (tmp_path / 'gateway.conf').write_text(json.dumps(CONFIG))
    refused(tmp_path, '-e', 'cephgate_import_key=away.key', said='cephgate_import_key %s/away.key: there is no such file' % tmp_path)
    refused(tmp_path, '-e', 'cephgate_import_file= cephgate_import_host=gw9', said='cephgate_import_host "gw9" is no host of the inventory')
    printed = refused(tmp_path, '-e', 'cephgate_import_file= cephgate_import_host=localhost cephgate_import_client=nobody',
                      said='gateway.conf of pool rbd could not be read on localhost as client.nobody')
    assert 'hidden due to' not in printed.split('Check that it could be read')[1]
