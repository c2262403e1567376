# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateways, asked as a host sees itself: files, block devices, listening sockets."""
import netaddr
import pytest

testinfra_hosts = ["ansible://gateways"]

IMAGES = {"shared": 512 << 20, "small": 64 << 20, "grows": 256 << 20}
STORAGE = [netaddr.IPNetwork("10.99.1.0/24"), netaddr.IPNetwork("10.99.2.0/24")]


def test_the_key_is_the_restricted_one_and_only_root_reads_it(host):
    keyring = host.file("/etc/ceph/ceph.client.igw.keyring")
    assert keyring.mode == 0o600 and keyring.user == "root"
    assert not host.file("/etc/ceph/ceph.client.admin.keyring").exists


@pytest.mark.parametrize("image", sorted(IMAGES))
def test_every_image_is_a_block_device_of_its_size(host, image):
    device = host.file("/dev/rbd/rbd/" + image)
    assert device.exists
    assert int(host.check_output("blockdev --getsize64 /dev/rbd/rbd/%s", image)) >= IMAGES[image]


def test_the_target_listens_on_every_portal(host):
    listening = host.check_output("ss -Hltn sport = :3260")
    addresses = host.check_output("ip -o -4 addr show | awk '{print $4}'").split()
    own = [netaddr.IPNetwork(a).ip for a in addresses]
    portals = [ip for ip in own if any(ip in net for net in STORAGE)]
    assert len(portals) == 2
    for ip in portals:
        assert "%s:3260" % ip in listening or "0.0.0.0:3260" in listening or "*:3260" in listening


def test_it_serves_one_session_for_each_portal(host):
    # From the kernel's side of the sockets: nobody else logs in, and nobody is missing.
    peers = host.check_output("ss -Htn state established sport = :3260").split()
    clients = [netaddr.IPAddress(word.rsplit(":", 1)[0].strip("[]").replace("::ffff:", ""))
               for word in peers[3::4]]
    assert sorted(clients) == [netaddr.IPAddress("10.99.1.21"), netaddr.IPAddress("10.99.2.21")]
