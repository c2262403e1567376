# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One gateway without a virtual machine: a process in mount and network namespaces of its own, which the test made.

usage: gateway_host.py FOLDER ADDRESS...

In it /etc, /usr/local, /run, /dev and /sys/bus are the gateway's own, SCST's tree at /run/scst_tgt is the emulator's (over FUSE, without
data plane), and /usr/local/bin/rbd stands for Ceph and the kernel's client. Beside it are dmsetup, whose devices are files, systemctl,
which runs the units that the roles install, and a modprobe that has nothing to do. Initiators are those of FOLDER/initiators.json: each logs
in as soon as the target lets it, and again when its session is gone, as real ones do; but not one that FOLDER/gone names.
"""
import json
import os
import pathlib
import stat
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / 'tests/emulator'))

from scst_emulator import Emulator, Fake, login  # noqa: E402
from scst_emulator.fuse_face import serve  # noqa: E402

ROOT = '/run/scst_tgt'
OPENED = pathlib.Path('/run/opened')  # what SCST has open, for those who would take it away
NODES = dict(null=(1, 3), zero=(1, 5), full=(1, 7), random=(1, 8), urandom=(1, 9), tty=(5, 0), fuse=(10, 229))


def mount(*words):
    subprocess.run(['mount', *map(str, words)], check=True)


def isolate(folder, addresses):
    """Namespaces: everything that a gateway changes is its own from here on."""
    mount('--make-rprivate', '/')
    private = folder / 'private'
    private.mkdir()
    mount('-t', 'tmpfs', 'private', private)
    for place in ('/etc', '/usr/local'):
        upper, work = private / place[1:].replace('/', '-'), private / (place[1:].replace('/', '-') + '.work')
        upper.mkdir()
        work.mkdir()
        mount('-t', 'overlay', 'private', '-o', 'lowerdir=%s,upperdir=%s,workdir=%s' % (place, upper, work), place)
    dev = private / 'dev'
    (dev / 'pts').mkdir(parents=True)
    (dev / 'shm').mkdir()
    for name, (major, minor) in NODES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(dev / name, 0o666)
    for name in ('fd', 'stdin', 'stdout', 'stderr'):
        os.symlink(os.readlink('/dev/' + name), dev / name)
    mount('--bind', '/dev/pts', dev / 'pts')
    mount('--rbind', dev, '/dev')
    for place in ('/sys/bus', '/sys/block', '/sys/dev/block', '/sys/kernel/debug'):
        folder_of = private / place[1:].replace('/', '-')
        folder_of.mkdir()
        mount('--bind', folder_of, place)
    os.makedirs('/sys/bus/rbd/devices')
    os.makedirs('/sys/kernel/debug/ceph')
    # Guards are files here, so their numbers are 0:0, and nothing is ever under way in them.
    os.makedirs('/sys/dev/block/0:0')
    pathlib.Path('/sys/dev/block/0:0/inflight').write_text('       0        0\n')
    mount('-t', 'tmpfs', 'run', '/run')
    os.makedirs('/dev/mapper')
    for name in ('guards', 'opened', 'units', 'systemd/system'):
        os.makedirs('/run/' + name)
    # Where the stand-ins find Ceph, from which address they speak to it, and with whom they end.
    os.symlink(folder.parent / 'ceph', '/run/ceph')
    pathlib.Path('/run/address').write_text(addresses[0].split('/')[0])
    pathlib.Path('/run/host.pid').write_text(str(os.getpid()))
    pathlib.Path('/etc/ceph').mkdir(exist_ok=True)
    pathlib.Path('/etc/ceph/ceph.conf').write_text('[global]\nfsid = a7f64266-0894-4f1e-a635-d0aeaca0e993\n')
    pathlib.Path('/usr/local/bin').mkdir(exist_ok=True)
    for name in ('rbd', 'dmsetup', 'systemctl'):
        command = pathlib.Path('/usr/local/bin') / name
        command.write_text('#!/bin/sh\nexec %s -S %s "$@"\n' % (sys.executable, pathlib.Path(__file__).parent / 'stand_ins' / (name + '.py')))
        command.chmod(0o755)
    os.symlink('/bin/true', '/usr/local/bin/modprobe')  # its kernel has all modules
    # Ansible's module service looks for it in these folders alone.
    for place in {os.path.realpath(folder_of + '/systemctl') for folder_of in ('/bin', '/usr/bin')}:
        if os.path.exists(place):
            mount('--bind', command, place)
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
    for address in addresses:
        subprocess.run(['ip', 'addr', 'add', address, 'dev', 'lo'], check=True)


class Files(Fake):
    """Mapped images are plain files here; SCST is to take them for block devices."""

    def entry(self, path):
        return dict(size=os.stat(path).st_size, block=True)

    def open(self, path, write, exclusive):
        handle = super().open(path, write, exclusive)
        (OPENED / path.replace('/', '%')).touch()
        return handle

    def close(self, handle):
        (OPENED / handle.replace('/', '%')).unlink(missing_ok=True)
        super().close(handle)


class Initiators:
    """What the emulator calls a data plane: keeps the sessions up to date whenever somebody looks or writes."""

    def __init__(self, core, path):
        self.core, self.path, self.live = core, path, {}

    def refresh_sessions(self):
        wanted = {(one['name'], one['address'], one['portal']) for one in json.loads(self.path.read_text())}
        for key in list(self.live):
            session = self.live[key]
            there = session.target.sessions.get(session.name) is session
            if there and key not in wanted:
                session.close()
            if not there or key not in wanted:
                del self.live[key]
        gone = self.path.parent / 'gone'
        if gone.exists():
            wanted -= {key for key in wanted - set(self.live) if key[0] == gone.read_text()}
        driver = self.core.targets.iscsi if self.core.targets else None
        for key in sorted(wanted - set(self.live)) if driver and driver.running and driver.enabled else ():
            for target in driver.targets.values():
                if target.enabled and target.allows_portal(key[2]):
                    try:
                        self.live[key] = login(target, key[0], client=key[1], portal=key[2])
                    except OSError:
                        pass  # it has no LUN there, say; the next look tries again

    def follow(self):
        pass

    def close(self):
        pass


def main():
    folder = pathlib.Path(sys.argv[1])
    isolate(folder, sys.argv[2:])
    os.makedirs(ROOT)
    emulator = Emulator('3.10', Files())
    serve(emulator, ROOT, Initiators(emulator.core, folder / 'initiators.json'))


if __name__ == '__main__':
    main()
