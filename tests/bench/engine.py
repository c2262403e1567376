# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine costs, on the SCST emulator.

    python tests/bench/engine.py [--face memory|mounted] [NUMBER_OF_LUNS ...]

For 10, 100, 1000 and 5000 LUNs in 8 groups: first apply, no change, one LUN more, one hundred removed. All modules' work is done
in the order of the gateway role, without the start of Ansible. Two faces of the emulator:

memory   the emulator is an object in this process, and a write costs it some 9 microseconds: the harshest measure of what the
         engine adds. Seconds are process time, the emulator's own included.
mounted  the emulator is a file system (FUSE) that another process serves, read and written through the engine's own Sysfs class
         with open, read, write, close as on a gateway. Seconds are what passed; process time is this process's alone.

Shown are seconds, process time, reads (of files; of folders and links), writes, and the ratio to a bare loop that makes the same
writes through the same object on another fresh tree. Both are short for few LUNs, so the best of several rounds counts.

Ends with an error when a promise is broken: first apply within 1.5x of the bare loop (in memory from 100 LUNs on); no change: no
write, and under 2 s of process time at 1000; one more: writes for that one only.
"""
import argparse
import gc
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
sys.path[:0] = [str(TOP / 'build/collections'), str(TOP / 'tests/emulator')]

from ansible_collections.cephgate.iscsi.plugins.module_utils import (  # noqa: E402
    scst_alua, scst_device, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs, performer  # noqa: E402
from scst_emulator import Emulator, Fake  # noqa: E402

SIZE = 1 << 30
PREFIX = 'iqn.2026-11.com.example.cephgate:'
GROUPS = ['host%d' % number for number in range(8)]
MOST = 5100
FILES = {'/dev/rbd/rbd/i%d' % number: dict(size=SIZE, block=True) for number in range(MOST)}
SIZES = {'/dev/rbd/rbd/i%d' % number: SIZE for number in range(MOST)}


class Counting:
    """A tree, with what is asked of it counted."""

    def __init__(self, tree):
        self.tree = tree
        self.reset()

    def reset(self):
        self.files = self.names = 0
        self.written = []

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
        self.written.append((path, data))
        return self.tree.write(path, data)


class Memory:
    """The emulator in this process."""
    counts = (10, 100, 1000, 5000)
    clock = staticmethod(time.process_time)

    def fresh(self):
        return Counting(Emulator('3.10', Fake(FILES)))

    def end(self):
        pass


class Mounted:
    """The emulator as a file system."""
    counts = (10, 100, 1000)
    clock = staticmethod(time.perf_counter)

    def __init__(self):
        self.served = []

    def fresh(self):
        root = tempfile.mkdtemp(prefix='scst-bench-')
        child = os.fork()
        if child == 0:
            from scst_emulator.fuse_face import serve
            try:
                serve(Emulator('3.10', Fake(FILES)), root)
            finally:
                os._exit(0)
        self.served.append((child, root))
        for _try in range(100):
            if os.path.exists(root + '/version'):
                return Counting(Sysfs(root))
            time.sleep(0.05)
        raise SystemExit('the emulator could not be mounted: it needs root, /dev/fuse and libfuse3')

    def end(self):
        """Unmount everything; the next case begins on fresh ones."""
        while self.served:
            child, root = self.served.pop()
            os.kill(child, 15)
            os.waitpid(child, 0)
            os.rmdir(root)


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
    size_of = SIZES.get

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


def timed(clock, work):
    """(seconds, process time), without the garbage collector, as timeit does: it would look at the whole emulator each time."""
    gc.disable()
    try:
        start, process = clock(), time.process_time()
        work()
        return clock() - start, time.process_time() - process
    finally:
        gc.enable()


def loop(tree, writes):
    for path, data in writes:
        tree.write(path, data)


def first_apply(face, declared, rounds):
    """The best times of apply and of the bare loop on fresh trees, all made beforehand: to make one warms up half of the work."""
    trees, others = [face.fresh() for _round in range(rounds)], [face.fresh() for _round in range(rounds)]
    gc.collect()
    times = [timed(face.clock, lambda tree=tree: apply(tree, declared)) for tree in trees]
    writes = list(trees[0].written)
    bare = [timed(face.clock, lambda tree=tree: loop(tree, writes)) for tree in others]
    return trees[0], others[0], min(times), min(bare)


def run(face, count):
    """The four cases for a number of LUNs, as rows; the broken promises."""
    removed = min(100, count // 2)
    cases = [('first apply', range(count)), ('no change', range(count)), ('one LUN more', range(count + 1)),
             ('%d removed' % removed, range(removed, count + 1))]
    rows, broken = [], []
    for title, numbers in cases:
        declared = site(list(numbers))
        if title == 'first apply':
            rounds = max(3, 500 // count) if isinstance(face, Memory) else 3
            tree, bare, (seconds, process), (loop_seconds, _process) = first_apply(face, declared, rounds)
        else:
            tree.reset()
            gc.collect()
            seconds, process = timed(face.clock, lambda: apply(tree, declared))
            loop_seconds, _process = timed(face.clock, lambda: loop(bare, tree.written))
        writes = tree.written
        ratio = seconds / loop_seconds if writes else None
        rows.append((count, title, seconds, process, tree.files, tree.names, len(writes), ratio))
        # In memory, 10 LUNs are a loop of one millisecond: there the ratio tells of Python's function calls only.
        if title == 'first apply' and ratio > 1.5 and (count >= 100 or not isinstance(face, Memory)):
            broken.append('%d LUNs: first apply takes %s times the bare loop, not 1.5' % (count, round(ratio, 2)))
        if title == 'no change' and writes:
            broken.append('%d LUNs: no change makes %d writes' % (count, len(writes)))
        if title == 'no change' and count == 1000 and process > 2:
            broken.append('1000 LUNs: no change takes %.1f s, not 2' % process)
        name = 'image%d-%06x' % (count, count)
        if title == 'one LUN more' and any(name not in path + data for path, data in writes):
            broken.append('%d LUNs: one more writes to others: %s' % (count, [w for w in writes if name not in w[0] + w[1]][:3]))
    return rows, broken


def show(name, face, counts):
    """Print one face's table; returns the broken promises."""
    print('%s\n%6s  %-14s %9s %9s %8s %8s %8s  %s' % (
        name, 'LUNs', 'case', 'seconds', 'process', 'files', 'names', 'writes', 'x bare loop'))
    problems = []
    for count in counts or face.counts:
        try:
            rows, broken = run(face, count)
        finally:
            face.end()
        problems += ['%s: %s' % (name, problem) for problem in broken]
        for row in rows:
            print('%6d  %-14s %9.4f %9.4f %8d %8d %8d  %s' % (row[:7] + ('-' if row[7] is None else '%.2f' % row[7],)), flush=True)
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--face', choices=['memory', 'mounted'])
    parser.add_argument('counts', type=int, nargs='*', help='numbers of LUNs')
    options = parser.parse_args()
    problems = []
    for name, face in [('memory', Memory), ('mounted', Mounted)]:
        if options.face == name or options.face is None and (name == 'memory' or os.access('/dev/fuse', os.R_OK | os.W_OK)):
            problems += show(name, face(), options.counts)
        elif options.face is None:
            print('mounted: NOT RUN: there is no /dev/fuse')
    for problem in problems:
        print('BROKEN: ' + problem)
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
