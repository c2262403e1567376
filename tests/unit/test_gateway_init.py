# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start script for System V init keeps the service running, and ends all of it when asked to."""
import os
import pathlib
import signal
import subprocess
import time

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / 'roles/gateway/files/cephgate.init'


@pytest.fixture
def script(tmp_path):
    """A function (verb) -> exit code; the command that the script runs notes its process id and sleeps."""
    command = tmp_path / 'cephgate'
    command.write_text('#!/bin/sh\necho "$$ $1" >>%s/started\nexec sleep 60\n' % tmp_path)
    command.chmod(0o755)
    (tmp_path / 'init.d').mkdir()
    copy = tmp_path / 'init.d/cephgate'
    copy.write_text(SCRIPT.read_text())
    copy.chmod(0o755)
    # no "runlevel" here: what it says of this machine is nothing to the test
    environment = dict(os.environ, CEPHGATE_PIDFILE=str(tmp_path / 'pid'), CEPHGATE_COMMAND=str(command))

    def call(verb):
        return subprocess.run([str(copy), verb], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, timeout=30, check=False).returncode

    yield call
    call('stop')


def started(tmp_path, count):
    end = time.monotonic() + 15
    while time.monotonic() < end:
        lines = (tmp_path / 'started').read_text().splitlines() if (tmp_path / 'started').exists() else []
        if len(lines) >= count:
            return [(int(line.split()[0]), line.split()[1]) for line in lines]
        time.sleep(0.05)
    raise AssertionError('started %d times, wanted %d' % (len(lines), count))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return 'State:\tZ' not in pathlib.Path('/proc/%d/status' % pid).read_text()


def test_it_starts_again_what_dies_and_stops_all(script, tmp_path):
    assert script('status') == 3
    assert script('start') == 0 and script('status') == 0
    (first, verb), = started(tmp_path, 1)
    assert verb == 'serve'
    assert script('start') == 0, 'a second start is no second service'
    os.kill(first, signal.SIGKILL)
    second = started(tmp_path, 2)[1][0]
    assert script('stop') == 0 and script('status') == 3
    end = time.monotonic() + 5
    while alive(second) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(second)
    time.sleep(2.5)
    assert len(started(tmp_path, 2)) == 2
