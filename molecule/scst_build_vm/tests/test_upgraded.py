# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After an upgrade that a power cut interrupted: the newer release is loaded, on the second kernel and for the first."""
import json
import time

import pytest

testinfra_hosts = ['ansible://builders']

MODULES = ('scst', 'scst_vdisk', 'iscsi_scst')
TARGETS = '/sys/kernel/scst_tgt/targets/iscsi/'


@pytest.fixture(scope='module')
def kernels(host):
    """Both installed kernels, the running one first."""
    running = host.check_output('uname -r')
    others = [kernel for kernel in host.check_output('ls /lib/modules').split() if kernel != running]
    assert running.endswith('-cloud-amd64') and len(others) == 1
    return [running] + others


@pytest.mark.parametrize('module', MODULES)
def test_the_newer_release_is_loaded(host, module):
    assert host.file('/sys/module/%s/version' % module).content_string == '3.10.0\n'


@pytest.mark.parametrize('module', MODULES)
def test_modules_of_the_newer_release_are_there_for_both_kernels(host, kernels, module):
    for kernel in kernels:
        assert host.check_output('modinfo -k %s -F version %s', kernel, module) == '3.10.0'
        assert host.check_output('modinfo -k %s -F vermagic %s', kernel, module).split()[0] == kernel


def test_dkms_holds_only_the_newer_release(host, kernels):
    packages = host.check_output('dkms status -m cephgate-scst').splitlines()
    assert len(packages) == 2 and all('installed' in line and 'WARNING' not in line for line in packages)
    assert len({line.split(',')[0] for line in packages}) == 1
    assert '/3.10.' in packages[0]
    assert len(host.check_output('ls -d /usr/src/cephgate-scst-*').split()) == 1


def test_it_is_the_release_build(host, kernels):
    assert host.check_output('modinfo -F build_mode scst') == 'RELEASE'


def test_the_tools_are_those_of_the_newer_release(host):
    assert host.check_output('/usr/local/sbin/iscsi-scstd --version') == 'iscsi-scstd version 3.10.0'


def test_what_only_the_older_release_had_is_gone(host):
    assert not host.file('/usr/local/man/man8/iscsi-scstd.8').exists


def test_the_note_is_for_all_kernels(host):
    assert host.check_output('ls /var/lib/cephgate/scst/') == 'built-dkms.json\nfiles-programs\nprograms'
    note = json.loads(host.file('/var/lib/cephgate/scst/built-dkms.json').content_string)
    assert note['version'] == '3.10'


def daemon(host):
    """Process id of a daemon that serves, or None."""
    found = host.run('test -e %s/enabled && systemctl show -P MainPID iscsi-scstd', TARGETS)
    return found.stdout.strip() if found.rc == 0 and found.stdout.strip() != '0' else None


def wait_for_another(host, before):
    for _unused in range(60):
        now = daemon(host)
        if now and now != before:
            return now
        time.sleep(0.5)
    raise AssertionError('no new daemon within 30 s; before: %s' % before)


def test_a_killed_daemon_is_started_again_every_time(host):
    before = daemon(host)
    # More often than systemd's own limit of five starts allows.
    for _unused in range(6):
        host.check_output('kill -9 %s', before)
        before = wait_for_another(host, before)


def test_scsts_own_start_script_is_out_of_the_way(host):
    assert host.run('systemctl is-enabled scst.service').stdout.strip() == 'masked'
