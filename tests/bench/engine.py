# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine costs, on the SCST emulator in this process.

    python tests/bench/engine.py [NUMBER_OF_LUNS ...]

For 10, 100, 1000 and 5000 LUNs in 8 groups: first apply, no change, one LUN more, one hundred removed. Shown are
seconds of process time, reads (files, and folders and links), writes, and the ratio to a bare loop that does the
same writes on a tree in the same state. Ends with an error when a promise is broken:
first apply within 1.5x of the bare loop; no change: no write, and under 2 s at 1000; one more: writes for that one only.
"""
import gc
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
sys.path[:0] = [str(TOP / 'build/collections'), str(TOP / 'tests/emulator')]

from ansible_collections.cephgate.iscsi.plugins.module_utils import (  # noqa: E402
    scst_alua, scst_device, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer  # noqa: E402
from scst_emulator import Emulator, Fake  # noqa: E402

SIZE = 1 << 30
PREFIX = 'iqn.2026-11.com.example.cephgate:'
GROUPS = ['host%d' % number for number in range(8)]
MOST = 5100


class Counting:
    """The emulator, with its links and folders counted too."""

    def __init__(self):
        self.tree = Emulator('3.10', Fake({'/dev/rbd/rbd/i%d' % number: dict(size=SIZE, block=True) for number in range(MOST)}))
        self.reset()

    def reset(self):
        self.files = self.names = 0
        self.tree.reset_counters()

    def read(self, path):
        self.files += 1
        return self.tree.read(path)

    def listdir(self, path):
        self.names += 1
        return self.tree.listdir(path)

    def readlink(self, path):
        self.names += 1
        return self.tree.readlink(path)

    def exists(self, path):
        self.names += 1
        return self.tree.exists(path)

    def write(self, path, data):
        return self.tree.write(path, data)


def site(numbers):
    """The declaration of a gateway that exports the images with these numbers."""
    names = ['image%d-%06x' % (number, number) for number in numbers]
    devices = [dict(name=name, filename='/dev/rbd/rbd/i%d' % number, attributes=dict(
        t10_vend_id='CEPHGATE', prod_id='RBD', usn='%020x' % number, t10_dev_id='%08x-%s' % (number, name[:16]),
        vend_specific_id='%08x' % number, rotational='0'), attributes_if_offered=dict(naa_id='0x3%015x' % number))
        for name, number in zip(names, numbers)]
    targets = [dict(name=PREFIX + 'gw1', rel_tgt_id=1, enabled=True, allowed_portals=['10.0.0.1', '10.0.1.1'],
                    groups=[dict(name=group, initiators=['iqn.1993-08.org.debian:01:' + group]) for group in GROUPS],
                    exclusive=['allowed_portals', 'groups', 'initiators'])]
    luns = [dict(target=PREFIX + 'gw1', group=GROUPS[number % 8], lun=number // 8, device=name)
            for name, number in zip(names, numbers)]
    groups = [dict(name=owner, devices=[name for name, number in zip(names, numbers) if number % 2 == side],
                   exclusive=['devices', 'target_groups', 'targets'], target_groups=[
                       dict(name='gw%d' % gateway, group_id=gateway, state='active' if gateway == side + 1 else 'nonoptimized',
                            preferred=gateway == side + 1, targets=[dict(name='%sgw%d' % (PREFIX, gateway), rel_tgt_id=gateway)])
                       for gateway in (1, 2)]) for side, owner in enumerate(['gw1', 'gw2'])]
    return devices, targets, luns, groups


def apply(tree, declared):
    """All modules' work, in the order of the gateway role. LUNs go before their devices."""
    devices, targets, luns, groups = declared
    act = performer(tree)
    size_of = {'/dev/rbd/rbd/i%d' % number: SIZE for number in range(MOST)}.get

    def device_step(exclusive):
        wanted = scst_device.normalise(devices, exclusive)
        perform(scst_device.plan(scst_device.snapshot(tree, wanted, exclusive, size_of=size_of), wanted), act)

    def target_step(listed, driver):
        wanted, wanted_driver = scst_target.normalise(listed, driver)
        perform(scst_target.plan(scst_target.snapshot(tree, wanted, wanted_driver), wanted, wanted_driver), act)
    device_step(())
    target_step([dict(target, enabled=None) for target in targets], None)
    wanted = scst_alua.normalise(groups)
    perform(scst_alua.plan(scst_alua.snapshot(tree, wanted), wanted), act)
    wanted, scopes = scst_lun.normalise(luns, [dict(target=PREFIX + 'gw1')])
    perform(scst_lun.plan(scst_lun.snapshot(tree, wanted, scopes), wanted, scopes), act)
    target_step([dict(name=target['name'], enabled=True) for target in targets], dict(enabled=True))
    gone = sorted(set(tree.listdir('handlers/vdisk_blockio')) - {'mgmt', 'type', 'trace_level'} - {d['name'] for d in devices})
    if gone:
        wanted = scst_device.normalise([dict(name=name, state='absent') for name in gone])
        perform(scst_device.plan(scst_device.snapshot(tree, wanted), wanted), act)


def timed(work):
    gc.collect()  # what others left behind is not part of the work
    start = time.process_time()
    work()
    return time.process_time() - start


def timed_loop(writes, tree=None):
    """The same writes in a bare loop; on a fresh tree unless one is given."""
    tree = tree or Counting()

    def loop():
        for path, data in writes:
            tree.write(path, data)
    return timed(loop)


def run(count):
    """The four cases for a number of LUNs, as rows; the broken promises."""
    tree, bare = Counting(), Counting()
    removed = min(100, count // 2)
    cases = [('first apply', range(count)), ('no change', range(count)), ('one LUN more', range(count + 1)),
             ('%d removed' % removed, range(removed, count + 1))]
    rows, broken = [], []
    for title, numbers in cases:
        declared = site(list(numbers))
        tree.reset()
        seconds = timed(lambda: apply(tree, declared))
        writes = list(tree.tree.written)
        loop_seconds = timed_loop(writes, bare)
        if title == 'first apply':  # the ratio is of two short times: take the best of three of each
            for _again in range(2):
                loop_seconds = min(loop_seconds, timed_loop(writes))
                fresh = Counting()
                seconds = min(seconds, timed(lambda: apply(fresh, declared)))
        ratio = seconds / loop_seconds if writes else None
        rows.append((count, title, seconds, tree.files, tree.names, len(writes), ratio))
        # A loop of a few milliseconds says nothing about a ratio.
        if title == 'first apply' and count >= 1000 and ratio > 1.5:
            broken.append('%d LUNs: first apply takes %s times the bare loop, not 1.5' % (count, round(ratio, 2)))
        if title == 'no change' and writes:
            broken.append('%d LUNs: no change makes %d writes' % (count, len(writes)))
        if title == 'no change' and count == 1000 and seconds > 2:
            broken.append('1000 LUNs: no change takes %.1f s, not 2' % seconds)
        name = 'image%d-%06x' % (count, count)
        if title == 'one LUN more' and any(name not in path + data for path, data in writes):
            broken.append('%d LUNs: one more writes to others: %s' % (count, [w for w in writes if name not in w[0] + w[1]][:3]))
    return rows, broken


def main(counts):
    print('%6s  %-14s %9s %8s %8s %8s  %s' % ('LUNs', 'case', 'seconds', 'files', 'names', 'writes', 'x bare loop'))
    problems = []
    for count in counts:
        rows, broken = run(count)
        problems += broken
        for row in rows:
            print('%6d  %-14s %9.3f %8d %8d %8d  %s' % (row[:6] + ('-' if row[6] is None else '%.2f' % row[6],)), flush=True)
    for problem in problems:
        print('BROKEN: ' + problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main([int(argument) for argument in sys.argv[1:]] or [10, 100, 1000, 5000]))
