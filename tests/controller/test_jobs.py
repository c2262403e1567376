# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates that change the declaration, as a controller runs them: by ansible-runner, with a private data folder, the survey's answers as extra
variables, and the inventory from a git repository; on two emulated gateways."""
import os
import pathlib
import subprocess
import tempfile

import ansible_runner
import pytest
import yaml

from gateways import Gateways

TOP = pathlib.Path(__file__).resolve().parents[2]
SITE = """---
cephgate_iqn_prefix: iqn.2026-11.com.example.cephgate
cephgate_luns:
  - image: rbd/one   # the first
    size: 64M
    gateway: gw1
    hosts: {db: 0}
cephgate_hosts:
  db: {initiators: [iqn.1993-08.org.debian:01:db]}
"""


def git(folder, *words):
    return subprocess.run(['git', '-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'init.defaultBranch=main', '-C', str(folder)]
                          + list(words), check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


class Site:
    """A repository with the inventory, the gateways, and jobs that work on them."""

    def __init__(self, folder, gateways):
        self.folder, self.gateways, self.number = folder, gateways, 0
        self.repository, work = folder / 'site.git', folder / 'work'
        (work / 'group_vars/all').mkdir(parents=True)
        hosts = {name: dict(gateways.hostvars(name), cephgate_gateway_id=number) for number, name in enumerate(gateways.portals, 1)}
        (work / 'hosts.yml').write_text(yaml.safe_dump(dict(all=dict(children=dict(gateways=dict(hosts=hosts))))))
        (work / 'group_vars/all/site.yml').write_text(SITE)
        # Of a group that is none, so that nobody needs its password.
        (work / 'group_vars/nobody').mkdir()
        (work / 'group_vars/nobody/vault.yml').write_text('$ANSIBLE_VAULT;1.1;AES256\n3133\n')
        git(work, 'init', '-q')
        git(work, 'add', '-A')
        git(work, 'commit', '-qm', 'The site')
        git(folder, 'clone', '-q', '--bare', str(work), str(self.repository))

    def commits(self):
        return git(self.repository, 'log', '--format=%s').splitlines()

    def declared(self):
        return git(self.repository, 'show', 'main:group_vars/all/site.yml')

    def job(self, playbook, **answers):
        """(status, changed tasks, what was printed) of a job."""
        self.number += 1
        private = self.folder / ('job%d' % self.number)
        (private / 'env').mkdir(parents=True)
        git(self.folder, 'clone', '-q', str(self.repository), str(private / 'inventory'))
        os.symlink(TOP, private / 'project')
        if playbook in ('add_lun', 'grow_lun', 'attach_host'):
            answers = dict(dict(cephgate_site_repository=str(self.repository), cephgate_site_file='group_vars/all/site.yml'), **answers)
        runner = ansible_runner.run(
            private_data_dir=str(private), playbook='playbooks/%s.yml' % playbook, extravars=answers, quiet=True, passwords={},
            envvars=dict(ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(self.folder / 'home'), ANSIBLE_NOCOLOR='1',
                         ANSIBLE_PIPELINING='1', ANSIBLE_LOCALHOST_WARNING='false', ANSIBLE_HOST_KEY_CHECKING='false', PYTHONWARNINGS='ignore'))
        printed = runner.stdout.read()
        return runner.status, sum((runner.stats or {}).get('changed', {}).values()), printed

    def luns(self, gateway, group='db'):
        folder = '/run/scst_tgt/targets/iscsi/iqn.2026-11.com.example.cephgate:%s/ini_groups/%s/luns' % (gateway, group)
        found = self.gateways.run(gateway, 'ls', folder, check=False)
        return sorted(name for name in found.stdout.split() if name.isdigit()) if found.returncode == 0 else None


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    if os.geteuid():
        pytest.fail('emulated gateways need root')
    folder = tmp_path_factory.mktemp('jobs')
    with Gateways(folder / 'hosts', {'gw1': ['192.0.2.11'], 'gw2': ['192.0.2.12']}) as gateways:
        yield Site(folder, gateways)


def test_preflight_changes_nothing(site):
    before = site.gateways.tree('gw1')
    status, changed, printed = site.job('preflight')
    assert (status, changed) == ('successful', 0), printed
    assert site.gateways.tree('gw1') == before


def test_a_lun_is_added_declared_and_served(site):
    status, changed, printed = site.job('add_lun', cephgate_image='rbd/two', cephgate_size='32M', cephgate_lun_host='db', cephgate_lun_number='',
                                        cephgate_lun_gateway='gw2')
    assert status == 'successful' and changed, printed
    assert site.commits()[0] == 'Add image rbd/two for host db'
    assert site.declared() == SITE.replace('hosts: {db: 0}\n', 'hosts: {db: 0}\n  - image: rbd/two\n    size: 32M\n    gateway: gw2\n    hosts: {db: 1}\n')
    assert site.luns('gw1') == site.luns('gw2') == ['0', '1']
    assert site.gateways.pool.images()['rbd/two']['size'] == 32 << 20


def test_the_same_answers_again_change_nothing(site):
    commits = site.commits()
    status, changed, printed = site.job('add_lun', cephgate_image='rbd/two', cephgate_size='32M', cephgate_lun_host='db')
    assert (status, changed) == ('successful', 0), printed
    assert site.commits() == commits


def test_a_lun_grows(site):
    status, _changed, printed = site.job('grow_lun', cephgate_image='rbd/one', cephgate_size='128M')
    assert status == 'successful', printed
    assert '    size: 128M\n' in site.declared() and '# the first' in site.declared()
    assert site.gateways.pool.images()['rbd/one']['size'] == 128 << 20
    sizes = [text.split()[0] for path, text in site.gateways.tree('gw2').items() if path.startswith('devices/one-') and path.endswith('/size')]
    assert sizes == [str(128 << 20)]


def test_a_host_is_attached(site):
    status, _changed, printed = site.job('attach_host', cephgate_new_host='web', cephgate_new_initiators='iqn.1993-08.org.debian:01:web\n')
    assert status == 'successful', printed
    assert yaml.safe_load(site.declared())['cephgate_hosts']['web'] == dict(initiators=['iqn.1993-08.org.debian:01:web'])
    assert site.luns('gw1', 'web') == []


@pytest.mark.parametrize('playbook, answers, said', [
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_lun_host='db'), 'image rbd/n does not exist in Ceph and no size is given'),
    ('add_lun', dict(cephgate_image='no image', cephgate_size='1G', cephgate_lun_host='db'), 'an image is written pool/image'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G', cephgate_lun_host='db', cephgate_lun_gateway='gw9'), 'preferred gateway "gw9"'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G'), 'Give cephgate_lun_host'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G', cephgate_lun_host='db', cephgate_site_file='', cephgate_site_repository=''),
     'Nothing was done: the inventory is the only truth'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G', cephgate_lun_host='db', cephgate_site_file='hosts.yml'), 'are not those in effect'),
    ('add_lun', dict(cephgate_image=['rbd/n'], cephgate_size='1G', cephgate_lun_host='db'), 'cephgate_image is [rbd/n]; it is one image'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size=7, cephgate_lun_host={'db': 1}, cephgate_lun_number='first'),
     'cephgate_lun_host is {db: 1}; it is the name of one entry of cephgate_hosts. Give that name. cephgate_lun_number is "first"'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G', cephgate_lun_host='db', cephgate_lun_number='99999'), '99999'),
    ('grow_lun', dict(cephgate_image='rbd/one', cephgate_size=True), 'cephgate_size is true; it is a whole number and a unit'),
    ('grow_lun', dict(cephgate_image='rbd/one', cephgate_size='1G', cephgate_site_file='away.yml'), 'is no file on the control node'),
    ('add_lun', dict(cephgate_image='rbd/n', cephgate_size='1G', cephgate_lun_host='db', cephgate_site_file='group_vars/nobody/vault.yml'),
     'is encrypted by ansible-vault as a whole, and would be written in plain'),
    ('attach_host', dict(cephgate_new_host='x y', cephgate_new_initiators='iqn.1993-08.org.debian:01:x'), 'x y'),
    ('attach_host', dict(cephgate_new_host='x', cephgate_new_initiators=7), 'cephgate_new_initiators is 7; it is the names of initiators'),
    ('attach_host', dict(cephgate_new_host='x', cephgate_new_initiators='not a name'), 'not'),
    ('attach_host', dict(cephgate_new_host='x', cephgate_new_initiators='iqn.1993-08.org.debian:01:DB'), 'upper-case letters'),
    ('attach_host', dict(cephgate_new_host='x', cephgate_new_initiators='iqn.1993-08.org.debian:01:db'), 'is listed by hosts'),
])
def test_wrong_answers_are_refused_with_the_reason(site, playbook, answers, said):
    """What the change of the declaration itself refuses: tests/unit/plugins/filter/test_site_change.py."""
    commits, luns = site.commits(), [site.luns(name) for name in site.gateways.portals]
    there = set(pathlib.Path(tempfile.gettempdir()).glob('cephgate-site-*'))
    status, changed, printed = site.job(playbook, **answers)
    assert set(pathlib.Path(tempfile.gettempdir()).glob('cephgate-site-*')) <= there, 'a copy of the inventory was left behind'
    assert status == 'failed' and said in ' '.join(printed.replace('\\"', '"').split()), printed[-3000:]
    assert changed == 0 and 'Traceback' not in printed
    assert (site.commits(), [site.luns(name) for name in site.gateways.portals]) == (commits, luns)


def test_somebody_elses_push_wins_and_nothing_is_applied(site):
    """What was cloned is not the newest any more when it is pushed: a hook stands for the other one's push."""
    hook = site.repository / 'hooks/pre-receive'
    hook.write_text('#!/bin/sh\necho somebody was faster >&2\nexit 1\n')
    hook.chmod(0o755)
    try:
        status, _changed, printed = site.job('add_lun', cephgate_image='rbd/late', cephgate_size='4M', cephgate_lun_host='db')
    finally:
        hook.unlink()
    assert status == 'failed' and 'somebody was faster' in printed, printed[-3000:]
    assert 'rbd/late' not in site.declared() and site.luns('gw1') == ['0', '1']


def test_what_scst_exports_is_gathered_and_judged(site):
    """The stand-in for rbd makes no names below /dev/rbd, so the import has to refuse, naming each device and changing nothing."""
    target = site.folder / 'imported'
    status, changed, printed = site.job('import_scst', cephgate_import_to=str(target))
    assert status == 'failed' and changed == 0 and 'is no mapped RBD image by its name' in ' '.join(printed.split()), printed[-3000:]
    assert 'gateway gw1: device one-' in ' '.join(printed.split()) and not target.exists()
