# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SCST modules under a real Python 2.7 plan what they plan under Python 3, and refuse what they refuse there."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import ansible
import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TARGET = 'iqn.2026-11.com.example:gw1'
RUNS = {
    'scst_device': dict(devices=[dict(name='gr\u00f6\u00dfe', filename='/dev/rbd/rbd/gr\u00f6\u00dfe', attributes=dict(
        usn='0123', rotational=False, blocksize=4096, t10_dev_id='abcdefgh'), attributes_if_offered=dict(naa_id='3FA2C1D04BE59A77'))]),
    'scst_target': dict(targets=[dict(name=TARGET, rel_tgt_id=5, enabled=True, allowed_portals=['10.0.0.1', '2001:DB8::1'], attributes=dict(
        InitialR2T=True, HeaderDigest='crc32c,none'), incoming_users=[dict(name='u', secret='x' * 12)],
        groups=[dict(name='db', initiators=['iqn.1993-08.org.debian:01:*'])])], driver=dict(enabled=True)),
    'scst_lun': dict(luns=[dict(target=TARGET, group='db', lun=number, device='disk%d' % number) for number in range(3)]),
    'scst_alua': dict(device_groups=[dict(name='dg', devices=['a'], target_groups=[
        dict(name='tg', group_id=1, state='standby', preferred=True, targets=[dict(name=TARGET, rel_tgt_id=5)])])]),
}
NASTY = ['', 'a b', 'a\nb', 'a\x00', '\x85', '\u2028', '\udcff', 'a=b', 'x' * 10000, 'mgmt', 'a/b', 'a.b', '..', '\u00e0']


@pytest.fixture(scope='module')
def library(tmp_path_factory):
    """What a host gets; Python 2.7 needs an __init__.py in every folder."""
    top = tmp_path_factory.mktemp('library')
    shutil.copytree(pathlib.Path(ansible.__file__).parent / 'module_utils', top / 'ansible/module_utils')
    for folder in ('module_utils', 'modules'):
        shutil.copytree(TOP / 'plugins' / folder, top / 'ansible_collections/cephgate/iscsi/plugins' / folder)
    for folder in ('ansible', 'ansible_collections', 'ansible_collections/cephgate', 'ansible_collections/cephgate/iscsi',
                   'ansible_collections/cephgate/iscsi/plugins'):
        (top / folder / '__init__.py').touch()
    for folder in ('module_utils', 'modules'):
        (top / 'ansible_collections/cephgate/iscsi/plugins' / folder / '__init__.py').touch()
    return top


@pytest.fixture
def run(library, tmp_path):
    def run(python, name, check_mode=True, **options):
        options.update(_ansible_check_mode=check_mode, sysfs_root=str(tmp_path / 'scst'))
        done = subprocess.run([python, TOP / 'tests/py27/call.py', library, 'ansible_collections.cephgate.iscsi.plugins.modules.' + name],
                              input=json.dumps({'main': options}), capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == '', done.stderr
        return json.loads(done.stdout)
    return run


@pytest.mark.parametrize('name', sorted(RUNS))
def test_the_plan_does_not_depend_on_the_python(run, name):
    old, new = (run(python, name, **RUNS[name])['operations'] for python in (os.environ['PYTHON27'], sys.executable))
    assert old == new != []


def test_what_breaks_scst_is_refused(run):
    for value in NASTY:
        result = run(os.environ['PYTHON27'], 'scst_device', devices=[dict(name=value, handler='vdisk_nullio')])
        assert result.get('failed') and 'device name' in result['msg'], (value, result)


def test_operations_are_carried_out_on_files(run, tmp_path):
    """A tree of plain files keeps the last command that each file got."""
    for name in ('handlers/vdisk_nullio/mgmt', 'devices/exists'):
        (tmp_path / 'scst' / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'scst' / name).write_text('')
    result = run(os.environ['PYTHON27'], 'scst_device', check_mode=False, devices=[dict(name='gr\u00f6\u00dfe', handler='vdisk_nullio')])
    assert result['changed'], result
    assert (tmp_path / 'scst/handlers/vdisk_nullio/mgmt').read_text(encoding='utf-8') == 'add_device gr\u00f6\u00dfe'
