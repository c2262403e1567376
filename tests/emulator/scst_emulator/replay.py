# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay recordings of real SCST on the emulator, in process or on a mounted tree.

python3 -m scst_emulator.replay RECORDING... prints every operation that differs and exits 1
when one does that is not in the list of deviations.
"""
import argparse
import errno
import json
import pathlib
import sys

from .environment import Fake
from .face import Emulator
from .recording import differences, host_facts, load, release, tree_diff
from .shell import Shell

HOST_FILES = {'/dev/vdb': dict(block=True, size=1 << 30)}       # every recording host has a second disk


class Run:
    """One recording on one emulator. found: what each operation did; unknown: shell not understood."""

    def __init__(self, recording):
        self.recording = recording
        files = {path: dict(entry) for path, entry in HOST_FILES.items()}
        self.emulator = Emulator(release(recording), Fake(files, **host_facts(recording)), start=False)
        self.shell = Shell(self.emulator)
        self.found = []

    def operate(self, operation):
        """Do one operation and say what came of it, in a recording's words."""
        result = {'ok': True}
        kind = operation['op']
        try:
            if kind == 'write':
                result['n'] = self.emulator.write(operation['path'], operation['data'])
            elif kind == 'read':
                result['content'] = self.emulator.read(operation['path'])
            elif kind in ('mkdir', 'rmdir'):
                raise OSError(errno.EPERM, 'sysfs')
            elif kind == 'stat':
                self.emulator.node(operation['path'], follow=False)
            elif kind == 'sh':
                result['rc'] = self.shell.run(operation['cmd'])
        except OSError as error:
            result.update(ok=False, errno=errno.errorcode[error.errno])
        if kind == 'write':
            try:
                result['res'] = {'final': self.emulator.read('last_sysfs_mgmt_res').strip()}
            except OSError as error:
                result['res'] = {'final': errno.errorcode[error.errno]}
        return result

    def run(self):
        """[(recorded operation, list of difference texts)]"""
        variables = self.recording.get('vars', {})
        for step in self.recording.get('setup', []):
            self.operate(substituted(step['op'], variables))
        before = self.emulator.tree()
        outcome = []
        for recorded in self.recording['ops']:
            found = self.operate(recorded['op'])
            if 'diff' in recorded:
                after = self.emulator.tree()
                found['diff'] = tree_diff(before, after)
                before = after
            self.found.append(found)
            outcome.append((recorded, differences(recorded, found)))
        return outcome


def substituted(operation, variables):
    text = json.dumps(operation)
    for name in sorted(variables, key=len, reverse=True):
        text = text.replace('$' + name, variables[name])
    return json.loads(text)


def known(deviations, label, number):
    """The listed deviation of an operation, or None."""
    return next((d for d in deviations if d['recording'] == label and d['op'] == number), None)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog='scst_emulator.replay', description=__doc__.split('\n', 1)[0])
    parser.add_argument('recordings', nargs='+', type=pathlib.Path)
    parser.add_argument('--deviations', type=pathlib.Path, help='list of deviations that are known')
    options = parser.parse_args(arguments)
    deviations = load(options.deviations) if options.deviations else []
    failed = 0
    for path in options.recordings:
        label = '%s/%s' % (path.parent.name, path.stem)
        run = Run(load(path))
        outcome = run.run()
        bad = [(recorded, texts) for recorded, texts in outcome if texts]
        for recorded, texts in bad:
            listed = known(deviations, label, recorded['i'])
            operation = recorded['op']
            print('%s op %d %s %s %r%s' % (label, recorded['i'], operation['op'], operation.get('path', ''),
                                           operation.get('data', operation.get('cmd', ''))[:200],
                                           ' [listed: %s]' % listed['reason'] if listed else ''))
            for text in texts:
                print('    ' + text[:1000])
            failed += not listed
        for command in run.shell.unknown:
            print('%s: not interpreted: %s' % (label, command))
        print('%s: %d of %d operations differ' % (label, len(bad), len(outcome)))
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())


