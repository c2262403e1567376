# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the comparison with scstadmin that runs on the gateway; real_scst.py brings it there.

    real_gateway.py reset                 an SCST without configuration
    real_gateway.py apply SITE WRITES     what the modules do for the declaration SITE (JSON); WRITES gets what was written
    real_gateway.py loop WRITES           those writes, bare
    real_gateway.py left SITE             how many operations the engine still wants
    real_gateway.py gathered              the running state, as scst_info gathers it
    real_gateway.py timed SECONDS WORD..  run a command; how long it took

Each prints one line of JSON. Times are seconds of the wall clock: most of the work is the kernel's, and waiting counts.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

BEGAN = time.monotonic()
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from ansible_collections.cephgate.iscsi.plugins.module_utils import (  # noqa: E402
    scst_alua, scst_device, scst_info, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import ROOT, Sysfs, performer  # noqa: E402

UNIT = 'iscsi-scstd.service'
MODULES = ('iscsi_scst', 'scst_vdisk', 'scst')  # in the order in which they can be unloaded


class Counting(Sysfs):
    """The real tree; counts what is read, keeps what is written."""

    def __init__(self):
        super().__init__()
        self.files = self.names = 0
        self.written = []

    def read(self, path):
        self.files += 1
        return super().read(path)

    def listdir(self, path):
        self.names += 1
        return super().listdir(path)

    def readlink(self, path):
        self.names += 1
        return super().readlink(path)

    def exists(self, path):
        self.names += 1
        return super().exists(path)

    def write(self, path, data):
        self.written.append((path, data))
        super().write(path, data)


def steps(tree, site):
    """The plans of the gateway role's module calls, in its order, each made when the one before is done."""
    def devices():
        wanted = scst_device.normalise(site['devices'])
        return scst_device.plan(scst_device.snapshot(tree, wanted), wanted)

    def targets(listed, driver=None):
        wanted, wanted_driver = scst_target.normalise(listed, driver)
        return scst_target.plan(scst_target.snapshot(tree, wanted, wanted_driver), wanted, wanted_driver)

    def groups():
        wanted = scst_alua.normalise(site['device_groups'])
        return scst_alua.plan(scst_alua.snapshot(tree, wanted), wanted)

    def luns():
        wanted, scopes = scst_lun.normalise(site['luns'], site['exclusive'])
        return scst_lun.plan(scst_lun.snapshot(tree, wanted, scopes), wanted, scopes)

    yield devices
    yield lambda: targets([dict(target, enabled=None) for target in site['targets']])
    yield groups
    yield luns
    yield lambda: targets([dict(name=target['name'], enabled=True) for target in site['targets']], site['driver'])


def do_apply(site, writes):
    with open(site) as source:
        wanted = json.load(source)
    tree = Counting()
    act = performer(tree)
    for step in steps(tree, wanted):
        perform(step(), act)
    with open(writes, 'w') as target:
        json.dump(tree.written, target)
    return dict(files=tree.files, names=tree.names, writes=len(tree.written))


def do_loop(writes):
    with open(writes) as source:
        listed = json.load(source)
    kinds = {}
    began = last = time.monotonic()
    for path, data in listed:
        handle = os.open(os.path.join(ROOT, path), os.O_WRONLY)
        try:
            os.write(handle, data.encode())
        finally:
            os.close(handle)
        now = time.monotonic()
        kind = 'LUN' if path.endswith('luns/mgmt') else path.split('/')[0]
        number, seconds = kinds.get(kind, (0, 0.0))
        kinds[kind] = number + 1, seconds + now - last
        last = now
    return dict(loop=last - began, kinds=kinds)


def do_left(site):
    with open(site) as source:
        wanted = json.load(source)
    return dict(left=[operation.line() for step in steps(Counting(), wanted) for operation in step()])


def do_gathered():
    return scst_info.collect(Sysfs(), ['devices', 'targets', 'luns', 'device_groups', 'status'], True)['gathered']


def do_timed(seconds, *words):
    began = time.monotonic()
    with open('/run/cephgate-bench/said', 'w+b') as said:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
        try:
            process.wait(float(seconds))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        took = time.monotonic() - began
        said.seek(0)
        text = said.read().decode('utf-8', 'replace')
    return dict(code=process.returncode, over=took >= float(seconds), seconds=took, text=text[-2000:])


def do_reset():
    """Without its modules SCST forgets everything."""
    subprocess.run(['systemctl', 'stop', UNIT], check=True)
    for module in MODULES:
        for _attempt in range(60):
            if not os.path.exists('/sys/module/' + module) or not subprocess.run(['rmmod', module], stderr=subprocess.DEVNULL, check=False).returncode:
                break
            time.sleep(0.5)
        else:
            raise SystemExit('the kernel module %s cannot be unloaded' % module)
    subprocess.run(['systemctl', 'start', UNIT], check=True)
    return {}


def main(name, *arguments):
    result = globals()['do_' + name](*arguments)
    # As an administrator would wait for it: with the start of the interpreter's imports.
    result.setdefault('seconds', time.monotonic() - BEGAN)
    print(json.dumps(result))


if __name__ == '__main__':
    main(*sys.argv[1:])
