# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays scenarios with a live session on a gateway VM: the emulator over LIO, and this host's own open-iscsi.

Reads a list of scenarios (JSON) and prints what came of each operation, in a recording's words. The shell steps are really
run, except that what they do to SCST itself is done to the emulator in this process: it is not mounted, as reading its
whole tree after each of 260 operations would take minutes. Nothing else may use LIO or open-iscsi meanwhile.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from scst_emulator.environment import Real
from scst_emulator.face import Emulator
from scst_emulator.lio import Plane
from scst_emulator.lio_configfs import Configfs
from scst_emulator.lio_dm import Mapper
from scst_emulator.recording import tree_diff
from scst_emulator.replay import Run, substituted

CONFIG = pathlib.Path('/etc/iscsi')
KEPT = pathlib.Path('/run/live-replay-iscsi')
PATIENCE = 60.0    # seconds for one shell step; the recorder had 120


class Live:
    """The emulator with its data plane, with the surface of an Emulator that a replay needs."""

    def __init__(self, scenario):
        environment = Real(hold=False)
        for name, value in scenario['host'].items():
            setattr(environment, name, value)
        self.emulator = Emulator(scenario['release'], environment)
        self.plane = Plane(self.emulator.core, Configfs(), Mapper())
        self.plane.open()

    def write(self, path, data):
        try:
            return self.emulator.write(path, data)
        finally:
            self.plane.follow()

    def read(self, path):
        self.look()
        return self.emulator.read(path)

    def node(self, path, follow=True):
        return self.emulator.node(path, follow)

    def tree(self):
        self.look()
        return self.emulator.tree()

    def look(self):
        self.plane.looked = 0.0
        self.plane.refresh_sessions()


class Replay(Run):
    """One scenario; its shell steps are for the shell."""

    def __init__(self, scenario):
        super().__init__(dict(scenario), face=Live(scenario))
        self.shell = self
        self.printed, self.patience = '', PATIENCE

    def run(self, command):
        """The exit status of a shell step; None when it took too long."""
        core, self.printed = self.emulator.emulator.core, ''
        if '/scst-reset' in command:
            return 0
        if 'kill $(pidof iscsi-scstd)' in command:
            core.stop_daemon()
            command = command.replace('kill $(pidof iscsi-scstd)', 'true').replace('pidof iscsi-scstd', 'true')
        elif re.match(r'iscsi-scstd\b', command):
            core.start_daemon()
            command = re.sub(r'^iscsi-scstd\b', 'true', command)
        self.emulator.plane.follow()
        if 'sg_' in command:
            # LIO raises unit attentions at other moments; whoever comes first gets them.
            command = 'for d in /dev/sd?; do timeout 5 sg_turs $d; done >/dev/null 2>&1; ' + command
        return self._bash(re.sub(r'\bsleep [0-9]+', 'sleep 0.5', command))

    def _bash(self, command):
        with open('/run/live-replay.out', 'w+b') as said:
            process = subprocess.Popen(['bash', '-c', command], stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True)
            try:
                status = process.wait(self.patience)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = 'timeout'
            said.seek(0)
            self.printed = said.read().decode('utf-8', 'replace')
        return status

    def all(self):
        for step in self.recording['setup']:
            self.operate(substituted(step, self.recording['vars']))
        before, outcome = self.emulator.tree(), []
        for operation in self.recording['ops']:
            began = time.monotonic()
            if operation['op'] == 'sleep':
                self._bash('sleep %s' % min(operation['s'], 1))
                found = {'ok': True}
            else:
                self.patience = operation.get('patience', PATIENCE)
                found = self.operate(operation)
            if operation['op'] == 'sh':
                found['out'] = self.printed
            found['seconds'] = round(time.monotonic() - began, 2)
            after = self.emulator.tree()
            found['looked'] = round(time.monotonic() - began - found['seconds'], 2)
            found['diff'] = tree_diff(before, after)
            before = after
            outcome.append(found)
        return outcome


def main():
    scenarios = json.load(sys.stdin)
    if not KEPT.exists():
        shutil.copytree(CONFIG, KEPT)
    result = {}
    try:
        for scenario in scenarios:
            replay = Replay(scenario)
            try:
                result[scenario['name']] = replay.all()
            finally:
                subprocess.run('iscsiadm -m node -u; iscsiadm -m node -o delete', shell=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=False)
                replay.emulator.plane.close()
    finally:
        subprocess.run('systemctl stop iscsid.socket iscsid; losetup -d /dev/loop0; rm -rf /var/tmp/g', shell=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(CONFIG)
        shutil.move(str(KEPT), str(CONFIG))
    json.dump(result, sys.stdout)


if __name__ == '__main__':
    main()
