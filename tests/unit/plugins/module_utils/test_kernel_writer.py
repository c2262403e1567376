# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that writes to the kernel: real processes, and FIFOs for what hangs."""
import errno
import os
import signal
import subprocess
import threading
import time

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.kernel_writer import Writer


@pytest.fixture
def writer():
    made = Writer(30)
    yield made
    made.start().process.kill()


@pytest.fixture
def fifo(tmp_path):
    """Opening it for writing hangs until somebody reads."""
    path = tmp_path / 'hangs'
    os.mkfifo(path)
    return path


def ended(process, seconds=10):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def test_each_write_has_its_own_errno(writer, tmp_path):
    (tmp_path / 'file').write_text('')
    assert writer.write(str(tmp_path / 'file'), 'rbd \u00fcmlaut -') == 0
    assert (tmp_path / 'file').read_text() == 'rbd \u00fcmlaut -'
    assert writer.write(str(tmp_path / 'none'), 'x') == errno.ENOENT
    assert writer.write(str(tmp_path), 'x') == errno.EISDIR


def test_what_hangs_keeps_no_other_write_waiting(writer, fifo, tmp_path):
    (tmp_path / 'file').write_text('')
    found = []
    waits = threading.Thread(target=lambda: found.append(writer.write(str(fifo), 'late')))
    waits.start()
    assert [writer.write(str(tmp_path / 'file'), 'x') for dummy in range(20)] == [0] * 20
    assert found == []
    assert fifo.read_text() == 'late'
    waits.join(10)
    assert found == [0]


def test_a_write_that_takes_too_long_is_killed_and_the_others_in_that_process_are_not(fifo, tmp_path):
    writer = Writer(3)
    first = writer.start()
    other = tmp_path / 'other'
    os.mkfifo(other)
    found = {}

    def write(path):
        found[path.name] = writer.write(str(path), 'x')

    threads = [threading.Thread(target=write, args=(fifo,)), threading.Thread(target=write, args=(other,))]
    threads[0].start()
    time.sleep(2)
    threads[1].start()
    threads[0].join(20)
    assert found == dict(hangs=errno.ETIMEDOUT) and first.process.poll() is None
    assert other.read_text() == 'x'
    threads[1].join(20)
    assert found['other'] == 0 and ended(first.process) == -signal.SIGKILL
    (tmp_path / 'file').write_text('')
    writer.seconds = 30  # for a process that has to start
    assert writer.write(str(tmp_path / 'file'), 'x') == 0 and writer.start() is not first
    writer.start().process.kill()


def test_a_process_that_dies_takes_nobody_with_it(writer, fifo, tmp_path):
    found = []

    def write():
        with pytest.raises(OSError, match='ended before') as error:
            writer.write(str(fifo), 'x')
        found.append(error.value.errno)

    waits = threading.Thread(target=write)
    waits.start()
    time.sleep(0.2)
    writer.start().process.kill()
    waits.join(10)
    assert found == [errno.EPIPE]
    (tmp_path / 'file').write_text('')
    assert writer.write(str(tmp_path / 'file'), 'x') == 0


def test_it_outlives_the_end_that_systemd_tells_all_processes_of_a_service_and_not_its_master(writer, tmp_path):
    (tmp_path / 'file').write_text('')
    assert writer.write(str(tmp_path / 'file'), 'x') == 0
    process = writer.start().process
    process.send_signal(signal.SIGTERM)
    assert writer.write(str(tmp_path / 'file'), 'y') == 0 and writer.start().process is process
    process.stdin.close()
    assert ended(process) == 0
