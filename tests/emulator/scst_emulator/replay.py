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
import os
import pathlib
import stat
import sys

from .environment import Fake
from .face import Emulator
from .recording import differences, host_facts, load, release, tree_diff
from .shell import Shell

HOST_FILES = {'/dev/vdb': dict(block=True, size=1 << 30)}       # every recording host has a second disk


class Mounted:
    """A tree at a mount point, with the surface of an Emulator that a replay needs."""

    def __init__(self, root):
        self.root = str(root)

    def _at(self, path):
        return os.path.join(self.root, path)

    def write(self, path, data):
        handle = os.open(self._at(path), os.O_WRONLY)
        try:
            return os.write(handle, data.encode())
        finally:
            os.close(handle)

    def read(self, path):
        handle = os.open(self._at(path), os.O_RDONLY)
        try:
            content = b''
            while True:
                piece = os.read(handle, 65536)
                if not piece:
                    return content.decode('utf-8', 'backslashreplace')
                content += piece
        finally:
            os.close(handle)

    def node(self, path, follow=True):
        return os.stat(self._at(path), follow_symlinks=follow)

    def tree(self):
        """As Emulator.tree."""
        found, stack = {}, ['']
        while stack:
            where = stack.pop()
            try:
                names = os.listdir(self._at(where))
            except OSError as error:
                found[where or '.'] = {'t': 'd', 'e': errno.errorcode[error.errno]}
                continue
            for name in names:
                path = os.path.join(where, name)
                mode = os.lstat(self._at(path)).st_mode
                if stat.S_ISLNK(mode):
                    found[path] = {'t': 'l', 'to': os.readlink(self._at(path))}
                elif stat.S_ISDIR(mode):
                    found[path] = {'t': 'd', 'm': '%04o' % stat.S_IMODE(mode)}
                    stack.append(path)
                else:
                    found[path] = self._file(path, stat.S_IMODE(mode))
        return found

    def _file(self, path, mode):
        entry = {'t': 'f', 'm': '%04o' % mode}
        if mode & 0o444:
            try:
                entry['c'] = self.read(path)
            except OSError as error:
                entry['e'] = errno.errorcode[error.errno]
        return entry


class Run:
    """One recording on one emulator, by default a new one that is made for it.

    Given a Mounted tree, the world around it is not under control: shell steps are left out.
    """

    def __init__(self, recording, face=None):
        self.recording = recording
        self.shell = None
        self.emulator = face
        if face is None:
            files = {path: dict(entry) for path, entry in HOST_FILES.items()}
            self.emulator = Emulator(release(recording), Fake(files, **host_facts(recording)), start=False)
            self.shell = Shell(self.emulator)

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
                result['rc'] = self.shell.run(operation['cmd']) if self.shell else None
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
    parser.add_argument('--root', help='replay one recording on the tree that is mounted here')
    parser.add_argument('--deviations', type=pathlib.Path, help='list of deviations that are known')
    options = parser.parse_args(arguments)
    deviations = load(options.deviations) if options.deviations else []
    failed = 0
    for path in options.recordings:
        label = '%s/%s' % (path.parent.name, path.stem)
        run = Run(load(path), Mounted(options.root) if options.root else None)
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
        for command in run.shell.unknown if run.shell else ():
            print('%s: not interpreted: %s' % (label, command))
        print('%s: %d of %d operations differ' % (label, len(bad), len(outcome)))
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main())
