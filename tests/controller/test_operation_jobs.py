# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Job templates that work on a site that is in use, as a controller runs them: by ansible-runner, with the answers of their surveys, on two
gateways with initiators that are logged in. That every operation does what it should with its survey's answers is tested in
tests/integration/plays/test_operations.py: what is left is what ansible-runner adds, and answers that no survey would have let through."""
import json
import os
import pathlib

import ansible_runner
import pytest
from plays_site import DB, PREFIX, WEB, Site
from surveys import TEMPLATES, Unfit, answers

TOP = pathlib.Path(__file__).resolve().parents[2]
RUN = set()


class Job:

    def __init__(self, runner):
        self.status, self.code = runner.status, runner.rc
        stats = runner.stats or {}
        self.changed = {host: count for host, count in stats.get('changed', {}).items() if count}
        self.printed = runner.stdout.read()
        self.words = ' '.join(self.printed.split())


class Runs:

    def __init__(self, site):
        self.site, self.number = site, 0

    def __call__(self, playbook, **given):
        """A job with a survey's answers."""
        return self.launch(playbook, answers(playbook, given))

    def launch(self, playbook, variables):
        """A job with any extra variables: what the controller's API takes where a survey is switched off."""
        self.number += 1
        RUN.add(playbook)
        private = self.site.top / ('job%d' % self.number)
        (private / 'inventory').mkdir(parents=True)
        (private / 'inventory/hosts.json').write_text(json.dumps(self.site.inventory()))
        os.symlink(TOP, private / 'project')
        return Job(ansible_runner.run(
            private_data_dir=str(private), playbook='playbooks/%s.yml' % playbook, extravars=variables, quiet=True, passwords={}, envvars=dict(
                ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_HOME=str(self.site.top / 'home'), ANSIBLE_NOCOLOR='1',
                ANSIBLE_LIBRARY=str(self.site.top / 'library'), ANSIBLE_REMOTE_TMP=str(self.site.top / 'tmp'), ANSIBLE_PIPELINING='1',
                ANSIBLE_LOCALHOST_WARNING='false', PYTHONWARNINGS='ignore')))


@pytest.fixture(scope='module')
def job(tmp_path_factory):
    if os.geteuid():
        pytest.fail('gateways that are namespaces need root')
    site = Site(tmp_path_factory.mktemp('operations'))
    try:
        yield Runs(site)
    finally:
        for gateway in site.gateways.values():
            gateway.end()


@pytest.fixture(autouse=True)
def logged_in(request):
    """Two initiators, on every gateway that is in service, through two portals."""
    if 'job' in request.fixturenames:
        log_in(request.getfixturevalue('job').site, DB, WEB)


def log_in(site, *names):
    for gateway in site.gateways.values():
        gateway.log_in(*names)
        gateway.sessions()


def done(found):
    assert (found.status, found.code) == ('successful', 0), found.printed[-4000:]
    return found


def test_site_serves_what_is_declared(job):
    assert sorted(done(job('site')).changed) == ['gw1', 'gw2']
    for gateway in job.site.gateways.values():
        assert gateway.enabled() and gateway.luns() == [0, 1, 2] and gateway.luns('web') == [0]
        assert len(gateway.sessions()) == 4


def test_status_says_that_it_is_served(job, tmp_path):
    found = done(job('status', cephgate_status_json=str(tmp_path / 'status.json'), cephgate_status_html=str(tmp_path / 'status.html')))
    assert found.changed == {} and 'GATEWAY HEALTH' in found.words
    document = json.loads((tmp_path / 'status.json').read_text())
    assert [record['serves'] for record in document['gateways']] == [3, 3] and [record['drift'] for record in document['gateways']] == [[], []]
    assert (document['summary']['links'], document['health']) == (dict(all=8, up=8, down=0), 'degraded')
    # The gateways here are no hosts with systemd: nothing else is wrong.
    assert [entry['what'] for entry in document['problems']] == ['no service'], document['problems']
    assert '<!doctype html>' in (tmp_path / 'status.html').read_text()


def test_a_gateway_is_drained_and_undrained(job):
    gw1, gw2 = job.site.gateways['gw1'], job.site.gateways['gw2']
    assert done(job('drain', cephgate_gateway='gw1')).changed == {'gw1': 1}
    assert not gw1.enabled() and gw1.sessions() == [] and gw1.status()['drained'] and len(gw2.sessions()) == 4
    assert done(job('undrain', cephgate_gateway='gw1')).changed == {'gw1': 1}
    assert gw1.enabled() and len(gw1.sessions()) == 4 and not gw1.status()['drained']


def test_disks_are_brought_back_in_the_mode_fenced_only(job):
    """There: tests/integration/plays/test_fenced.py."""
    refused(job('failback'), 'cephgate_ha_mode is shared', 'hosts go back to the preferred paths by themselves')


@pytest.mark.parametrize('playbook, variables, words', [
    ('drain', dict(cephgate_gateway=['gw1']), ['cephgate_gateway is [gw1]', 'the name of one gateway']),
    ('drain', dict(cephgate_gateway='gw1', cephgate_disrupt_sessions='perhaps'), ['cephgate_disrupt_sessions is "perhaps"', 'true or false']),
    ('drain', dict(cephgate_gateway='gateways'), ['gateways', '(gw1, gw2)']),
    ('failback', dict(cephgate_gateway=['gw1', 'gw2']), ['cephgate_gateway is [gw1, gw2]']),
    ('undrain', dict(cephgate_gateway=dict(name='gw1')), ['cephgate_gateway is {name: gw1}']),
    ('undrain', dict(), ['cephgate_gateway ""', 'gw1, gw2']),
    ('remove_lun', dict(cephgate_image=['rbd/a', 'rbd/b']), ['cephgate_image is [rbd/a, rbd/b]', 'one image']),
    ('remove_lun', dict(), ['cephgate_image is not set', 'rbd/a, rbd/b, rbd/c']),
    ('remove_gateway', dict(cephgate_gateway=2), ['cephgate_gateway is 2;', 'Give that name']),
    ('purge', dict(cephgate_purge_confirm=True), ['cephgate_purge_confirm is true', 'the name of the site']),
    ('upgrade', dict(cephgate_upgrade_wait='soon'), ['cephgate_upgrade_wait is "soon"', 'Give a number above 0']),
    ('upgrade', dict(cephgate_upgrade_packages=dict(ceph=1), cephgate_upgrade_reboot=2), [
        'cephgate_upgrade_packages is {ceph: 1}', 'cephgate_upgrade_reboot is 2']),
    ('status', dict(cephgate_status_fail_on='sometimes'), ['cephgate_status_fail_on is "sometimes"', 'broken, degraded or never']),
])
def test_answers_of_a_wrong_kind_are_refused_with_their_name(job, playbook, variables, words):
    """As somebody may launch a job by the controller's API, with variables in place of the survey."""
    refused(job.launch(playbook, variables), *words)
    for gateway in job.site.gateways.values():
        assert gateway.enabled() and gateway.luns() == [0, 1, 2]


def test_the_survey_itself_refuses_what_the_controller_can_check():
    for playbook, given in (('upgrade', dict(cephgate_upgrade_wait='soon')), ('upgrade', dict(cephgate_upgrade_wait=0)), ('drain', {}),
                            ('drain', dict(cephgate_gateway='gw1', cephgate_disrupt_sessions='perhaps')), ('purge', dict(cephgate_purge_confirm=''))):
        with pytest.raises(Unfit):
            answers(playbook, given)


def test_the_site_is_purged_when_that_is_confirmed(job):
    refused(job('purge', cephgate_purge_confirm='yes'), 'another name', 'cephgate_iqn_prefix')
    refused(job('purge', cephgate_purge_confirm=PREFIX), DB, 'logged in')
    log_in(job.site)
    done(job('purge', cephgate_purge_confirm=PREFIX))
    for gateway in job.site.gateways.values():
        assert PREFIX not in gateway.sh('ls /run/scst_tgt/targets/iscsi').stdout and gateway.sh('ls /sys/bus/rbd/devices').stdout == ''
        assert gateway.sh('ls /etc/cephgate', check=False).returncode
    assert len(list((job.site.top / 'ceph/images').iterdir())) == 3, 'images stay'
    assert done(job('purge', cephgate_purge_confirm=PREFIX)).changed == {}


def refused(found, *words):
    assert found.status == 'failed' and found.code and found.changed == {}, found.printed[-3000:]
    for word in words:
        assert word in found.words, found.printed[-3000:]
    assert 'Traceback' not in found.printed and 'Unexpected failure' not in found.printed, found.printed[-3000:]


def test_every_template_was_run():
    """Here, or in test_jobs.py."""
    assert set(TEMPLATES) - RUN == {'preflight', 'add_lun', 'grow_lun', 'attach_host'}
