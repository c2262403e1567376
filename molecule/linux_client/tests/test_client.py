# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, asked as a host sees itself, after the role and again after a reboot."""
import json

testinfra_hosts = ["ansible://linux_clients"]

SERIALS = ("00c11e47000000000001", "00c11e47000000000002")
PORTALS = ["10.99.%d.%d:3261" % (net, host) for net in (1, 2) for host in (11, 13)]


def sessions(host):
    """{(address:port, state)} of this scenario's sessions, from sysfs."""
    listing = host.check_output(
        "for s in /sys/class/iscsi_session/*; do c=$(ls -d $s/device/connection*/iscsi_connection/*);"
        " echo $(cat $s/targetname) $(cat $c/persistent_address):$(cat $c/persistent_port) $(cat $s/state); done")
    return sorted(tuple(line.split()[1:]) for line in listing.splitlines() if "clienttest" in line)


def maps(host):
    """{serial: {map}} of the paths with our serial numbers."""
    listing = host.check_output(
        "for d in /sys/block/sd*; do echo $(tail -c +5 $d/device/vpd_pg80 | tr -d '\\0') $(ls $d/holders); done")
    found = {}
    for line in listing.splitlines():
        serial, *holders = line.split()
        if serial in SERIALS:
            found.setdefault(serial, []).append(holders)
    return found


def test_there_is_a_session_for_every_portal(host):
    assert sessions(host) == sorted((portal, "LOGGED_IN") for portal in PORTALS)


def test_every_lun_is_one_map_of_four_paths(host):
    found = maps(host)
    assert set(found) == set(SERIALS)
    for holders in found.values():
        assert len(holders) == 4 and len({tuple(holder) for holder in holders}) == 1 and len(holders[0]) == 1, found


def test_the_rule_for_our_disks_is_in_force(host):
    table = host.check_output("dmsetup table --target multipath")
    for line in table.splitlines():
        assert "queue_if_no_path" in line and "1 alua" in line, line


def test_the_disk_is_mounted_through_multipath(host):
    mount = host.mount_point("/mnt/clienttest")
    assert mount.exists and mount.device.startswith("/dev/mapper/") and mount.filesystem == "ext4"
    assert "_netdev" in host.file("/etc/fstab").content_string


def test_secrets_are_readable_by_root_only(host):
    for name in host.check_output("grep -rl secret-of /etc/iscsi").split():
        assert host.file(name).mode == 0o600, name
    assert not host.run("journalctl -q --no-pager | grep secret-of").stdout


def test_no_other_disk_was_given_to_multipath(host):
    listing = json.loads(host.check_output("lsblk -J -o NAME,TYPE,SERIAL"))["blockdevices"]
    for disk in listing:
        if disk["name"].startswith(("vd", "sr")):
            assert "mpath" not in json.dumps(disk), disk
