# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules and the command cephgate never work on one gateway at the same time, and say who they wait for."""
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import lock
from ansible_collections.cephgate.iscsi.plugins.modules import gateway_state, rbd_map, scst_alua, scst_device, scst_lun, scst_target

TOP = pathlib.Path(__file__).resolve().parents[4]
HOLD = """
import sys, time
sys.path.insert(0, %r)
from ansible_collections.cephgate.iscsi.plugins.module_utils import lock
with lock.Lock(sys.argv[1], 'cephgate test', folder=sys.argv[2]):
    print('held', flush=True)
    time.sleep(60)
""" % str(TOP / 'build/collections')


@pytest.fixture
def other(locks):
    """A function (name): another process takes that lock; returns it. SIGKILL ends it, as it may a module."""
    started = []

    def take(name='scst'):
        process = subprocess.Popen([sys.executable, '-c', HOLD, name, str(locks)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == 'held\n'
        return process

    yield take
    for process in started:
        process.kill()
        process.wait()


def test_the_second_waits_and_the_error_names_the_first(other):
    process = other()
    began = time.monotonic()
    with pytest.raises(lock.Busy) as error:
        with lock.scst('module scst_lun', wait=0.5):
            raise AssertionError('two at once')
    assert 0.4 < time.monotonic() - began < 5
    for word in ('cephgate test', 'process %d' % process.pid, 'Let that end'):
        assert word in str(error.value)


def test_it_goes_on_as_soon_as_the_first_ends_even_by_a_kill(other):
    process = other()
    threading.Timer(0.3, process.send_signal, [signal.SIGKILL]).start()
    began = time.monotonic()
    with lock.scst('module scst_lun', wait=30):
        assert time.monotonic() - began < 10
        assert lock.Lock('scst', '').held().startswith('module scst_lun (process %d, ' % os.getpid())
    assert lock.Lock('scst', '').held() is None


def test_only_the_locks_of_the_same_images_collide(other):
    other('rbd-rbd/b')
    with lock.rbd(['rbd/a', 'rbd/c'], 'one', wait=0):
        with pytest.raises(lock.Busy, match='cephgate test'):
            with lock.rbd(['rbd/d', 'rbd/b'], 'two', wait=0):
                raise AssertionError('two at once')
        with lock.rbd(['rbd/d'], 'three', wait=0):
            pass  # what was taken before the refusal was given back


def test_a_folder_that_cannot_be_written_is_an_error_with_its_name(tmp_path):
    with pytest.raises(lock.Refused, match='needs root'):
        with lock.scst('x', folder=str(tmp_path / 'none')):
            raise AssertionError


SCST_MODULES = [
    (scst_device, dict(devices=[])), (scst_target, dict(targets=[])), (scst_lun, dict(luns=[])), (scst_alua, dict(device_groups=[]))]


@pytest.mark.parametrize('module, options', SCST_MODULES, ids=lambda value: getattr(value, '__name__', '').rsplit('.', 1)[-1])
def test_every_scst_module_waits_its_turn(run_module, other, monkeypatch, tmp_path, module, options):
    monkeypatch.setattr(lock.Lock.__init__, '__defaults__', (0.2,) + lock.Lock.__init__.__defaults__[1:])
    process = other()
    result = run_module(module, sysfs_root=str(tmp_path), **options)
    assert result['failed'] and 'cephgate test (process %d' % process.pid in result['msg'], result
    assert not run_module(module, check_mode=True, sysfs_root=str(tmp_path), **options)['failed'], 'check mode waits for nobody'
    process.kill()
    process.wait()
    assert 'cephgate test' not in run_module(module, sysfs_root=str(tmp_path), **options).get('msg', '')


def test_rbd_map_and_gateway_state_wait_their_turn(run_module, other, monkeypatch, tmp_path):
    monkeypatch.setattr(lock.Lock.__init__, '__defaults__', (0.2,) + lock.Lock.__init__.__defaults__[1:])
    other('rbd-rbd/a')
    result = run_module(rbd_map, images=[dict(image='rbd/a', state='absent')])
    assert result['failed'] and 'cephgate test' in result['msg']
    other('scst')
    result = run_module(gateway_state, state=dict(version=1), path=str(tmp_path / 'state'), command=str(tmp_path / 'command'))
    assert result['failed'] and 'cephgate test' in result['msg']
