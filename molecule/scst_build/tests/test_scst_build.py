# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the upgrade: both kernels can load the newer release, and nothing of the older is left."""
import json
import re

import pytest

MODULES = {'scst': 'scst.ko', 'scst_vdisk': 'dev_handlers/scst_vdisk.ko', 'iscsi-scst': 'iscsi-scst.ko'}


@pytest.fixture(scope='module')
def kernels(host):
    """Kernel releases for which the role noted a build."""
    names = host.check_output('ls /var/lib/cephgate/scst').split()
    return sorted(name[len('built-'):-len('.json')] for name in names if name.startswith('built-'))


def test_there_are_builds_for_both_kernels(kernels):
    assert len(kernels) == 2
    assert kernels[1] == kernels[0].replace('-amd64', '-cloud-amd64') or kernels[0] == kernels[1].replace('-amd64', '-cloud-amd64')


@pytest.mark.parametrize('name', MODULES)
def test_modules_are_of_their_kernel_and_the_newer_release(host, kernels, name):
    for kernel in kernels:
        info = host.check_output('modinfo -k %s %s', kernel, name)
        fields = dict(line.split(':', 1) for line in info.splitlines() if ':' in line)
        assert fields['vermagic'].split()[0] == kernel
        assert fields['version'].strip() == '3.10.0'
        assert fields['filename'].strip() == '/lib/modules/%s/extra/%s' % (kernel, MODULES[name])


def test_depmod_knows_the_order(host, kernels):
    for kernel in kernels:
        loads = host.check_output('modprobe -S %s --show-depends iscsi-scst', kernel)
        assert [line.split('/')[-1].split()[0] for line in loads.splitlines()] == ['scst.ko', 'iscsi-scst.ko']


def test_it_is_the_release_build(host, kernels):
    assert host.check_output('modinfo -k %s -F build_mode scst', kernels[0]) == 'RELEASE'


def test_modules_are_signed_with_the_given_key(host, kernels):
    for kernel in kernels:
        for name in MODULES:
            assert host.check_output('modinfo -k %s -F signer %s', kernel, name) == 'the operator of the scenario'


def test_the_tools_are_those_of_the_newer_release(host):
    assert host.check_output('/usr/local/sbin/iscsi-scstd --version') == 'iscsi-scstd version 3.10.0'
    assert host.check_output('/usr/local/sbin/scstadmin') == 'scstadmin 3.10.0'


def test_what_only_the_older_release_had_is_gone(host):
    assert not host.file('/usr/local/man/man8/iscsi-scstd.8').exists


def test_folders_that_scst_writes_to_are_there(host):
    assert host.file('/var/lib/scst/pr').is_directory
    assert host.file('/var/lib/scst/vdev_mode_pages').is_directory


def test_the_daemon_is_started_at_boot_and_always_restarted(host):
    assert host.check_output('systemctl is-enabled iscsi-scstd.service') == 'enabled'
    assert 'Restart=always' in host.file('/etc/systemd/system/iscsi-scstd.service').content_string


def test_systemd_finds_no_fault_with_the_unit(host):
    verified = host.run('systemd-analyze verify --man=no /etc/systemd/system/iscsi-scstd.service')
    assert 'iscsi-scstd' not in verified.stderr, verified.stderr


def test_scsts_own_start_script_is_out_of_the_way(host):
    assert not host.file('/etc/init.d/scst').exists
    assert not host.file('/etc/default/scst').exists
    assert not host.file('/lib/systemd/system/scst.service').exists
    assert host.run('systemctl is-enabled scst.service').stdout.strip() == 'masked'


def test_a_shell_understands_the_start_script_of_system_v_init(host):
    host.check_output('sh -n /etc/init.d/iscsi-scstd')
    assert 'iscsi-scstd -f -p 3261 &' in host.file('/etc/init.d/iscsi-scstd').content_string
    assert host.run('/etc/init.d/iscsi-scstd status').rc == 3


def test_system_v_init_would_start_it_at_boot_and_stop_it_at_the_end(host):
    links = host.check_output("find /etc/rc2.d /etc/rc0.d -name '*iscsi-scstd' -printf '%f '").split()
    assert sorted(link[0] for link in links) == ['K', 'S']


def test_a_shell_understands_the_scripts_of_the_upstart_job(host):
    job = host.file('/etc/init/iscsi-scstd.conf').content_string
    scripts = re.findall(r'^(?:pre|post)-start script\n(.*?)^end script$', job, re.M | re.S)
    assert len(scripts) == 2
    for script in scripts:
        assert host.run('sh -n -c %s', script).rc == 0, script
    assert re.search(r'^respawn$', job, re.M) and re.search('^respawn limit unlimited$', job, re.M)
    assert re.search('^exec /usr/local/sbin/iscsi-scstd -f -p 3261$', job, re.M)


def test_the_note_says_what_was_built(host, kernels):
    note = json.loads(host.file('/var/lib/cephgate/scst/built-%s.json' % kernels[0]).content_string)
    assert (note['version'], note['mode'], note['dkms']) == ('3.10', 'release', False)
    assert len(note['found']) == 3 and note['found'] == note['checksums']


def test_no_build_tree_is_left(host):
    left = host.check_output('ls /usr/src/cephgate-scst').split()
    assert 'tree' not in left and 'stage' not in left and 'unpacked' not in left


def test_the_hosts_own_folders_are_as_they_were(host):
    assert host.file('/lib').linked_to == '/usr/lib'
    assert host.file('/var/lib').mode == 0o755
