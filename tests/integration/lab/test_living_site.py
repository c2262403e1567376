# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Day two, while applications work: what is declared anew is done, and nothing else is touched."""
import copy
import json

import pytest

from labsite import Pulse, disk, fingerprint, on, serial


def sessions():
    return on("client1", "ls -d /sys/class/iscsi_session/session*/device/target*").split()


@pytest.fixture(scope="module")
def luns(declared):
    return copy.deepcopy(declared["cephgate_luns"])


def test_a_missing_image_without_a_size_stops_before_anything_is_changed(site, luns):
    before = fingerprint()
    run = site(variables={"cephgate_luns": luns + [{"image": "rbd/nosuch", "hosts": {"app": 9}}]})
    assert run.code != 0
    for word in ("rbd/nosuch", "does not exist", "give it a size"):
        assert word in run.error, run.error
    assert not any(run.changed.values()), run.changed
    assert fingerprint() == before


def test_a_fourth_image_and_a_mounted_one_that_grows_touch_only_themselves(site, luns):
    mib = 1 << 20
    device = disk(2)
    on("client1", "mkfs.ext4 -q -F %s && mkdir -p /mnt/grows && mount %s /mnt/grows && dd if=/dev/urandom of=/mnt/grows/data bs=1M"
                  " count=64 status=none && sync && sha256sum /mnt/grows/data > /run/grows.sum" % (device, device))
    luns.append({"image": "rbd/fourth", "size": "64M", "gateway": "gw2", "hosts": {"app": 3}})
    next(lun for lun in luns if lun["image"] == "rbd/grows")["size"] = "384M"
    before = sessions()
    try:
        with Pulse(disk(0)) as first, Pulse(disk(1)) as second:
            run = site(variables={"cephgate_luns": luns})
        assert run.code == 0, run.error
        assert int(on("client1", "blockdev --getsize64 %s" % disk(3))) == 64 * mib
        assert int(on("client1", "blockdev --getsize64 %s" % device)) == 384 * mib
        on("client1", "mountpoint -q /mnt/grows && resize2fs %s 2>&1 && sha256sum -c /run/grows.sum" % device)
        size = int(on("client1", "stat -f -c '%b %S' /mnt/grows | awk '{print $1 * $2}'"))
        assert size > 300 * mib, size
    finally:
        on("client1", "umount /mnt/grows")
    assert sessions() == before
    own = ("fourth", "LUN 3", "state.json", serial(3), "grows", serial(2))
    strange = [operation for operation in run.operations if not any(word in json.dumps(operation) for word in own)]
    assert not strange, strange
    for pulse in (first, second):
        assert pulse.writes > 100 and pulse.longest < 1.0, (pulse.writes, pulse.longest)


def test_nothing_is_left_to_do(site, luns):
    run = site(variables={"cephgate_luns": luns})
    assert run.code == 0, run.error
    assert run.changed == {"gw1": 0, "gw2": 0, "client1": 0}
    assert run.operations == []
