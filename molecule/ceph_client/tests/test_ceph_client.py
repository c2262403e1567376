# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that ran the role can talk to the cluster, and keeps the key to itself."""


def test_the_ceph_commands_are_there(host):
    assert host.run('rbd --version').rc == 0
    assert host.run('ceph --version').rc == 0


def test_ceph_itself_reads_the_configuration(host):
    read = host.run('ceph-conf -c /etc/ceph/ceph.conf --lookup fsid')
    assert (read.rc, read.stdout.strip()) == (0, '5f1e7c3a-8f0e-4c59-9d0a-0c1a2b3c4d5e')
    assert host.run('ceph-conf -c /etc/ceph/ceph.conf --lookup mon_host').stdout.strip() == '192.0.2.10'


def test_only_root_reads_the_key(host):
    keyring = host.file('/etc/ceph/ceph.client.igw.keyring')
    assert (keyring.user, keyring.group, keyring.mode) == ('root', 'root', 0o600)


def test_ceph_itself_reads_the_key(host):
    read = host.run('ceph-conf --name client.igw -c /etc/ceph/ceph.client.igw.keyring --lookup key')
    assert read.stdout.strip() == 'AQDnotakeyAAAAAAAAAAAAAAAAAAAAAAAAAAAA=='
