# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One write(2) per command, its result, and its error texts."""
import errno
import os

import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils import sysfs as module
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Operation, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import Sysfs, performer


@pytest.fixture
def tree(tmp_path):
    for name in ('mgmt', 'last_sysfs_mgmt_res'):
        (tmp_path / name).write_text('')
    clock = [0]

    def sleep(seconds):
        clock[0] += seconds
    found = Sysfs(str(tmp_path), patience=60, sleep=sleep, clock=lambda: clock[0])
    found.clock = clock
    return found


@pytest.fixture
def writes(monkeypatch):
    """Every write(2); an errno in `fail` is raised by the next one."""
    calls = []
    calls_fail = []
    real = os.write

    def write(handle, data):
        calls.append(data)
        if calls_fail:
            raise OSError(calls_fail.pop(), 'as told')
        return real(handle, data)
    monkeypatch.setattr(module.os, 'write', write)
    return calls, calls_fail


def results(tree, monkeypatch, *values):
    """What last_sysfs_mgmt_res says, one after the other; an errno fails the read."""
    left = list(values)
    real = Sysfs.read

    def read(self, path):
        if path != 'last_sysfs_mgmt_res':
            return real(self, path)
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, int):
            raise OSError(value, 'as told')
        return value
    monkeypatch.setattr(Sysfs, 'read', read)


def test_a_command_is_one_write(tree, writes):
    tree.write('mgmt', 'add_device a ' + 'x' * 3000)
    assert len(writes[0]) == 1 and len(writes[0][0]) == 3013


def test_what_sysfs_would_cut_is_not_written(tree, writes):
    with pytest.raises(OSError) as failed:
        tree.write('mgmt', 'x' * 4096)
    assert failed.value.errno == errno.E2BIG and writes[0] == []


def test_a_file_is_not_made_by_writing(tree):
    with pytest.raises(OSError) as failed:
        tree.write('nosuch', '1')
    assert failed.value.errno == errno.ENOENT and not tree.exists('nosuch')


@pytest.mark.parametrize('answers', [['0\n'], [errno.EAGAIN, errno.EAGAIN, '0\n'], ['-11\n', '0\n']])
def test_a_command_that_goes_on_in_the_background_is_waited_for(tree, writes, monkeypatch, answers):
    writes[1].append(errno.EAGAIN)
    results(tree, monkeypatch, *answers)
    tree.write('mgmt', 'del_device a')
    assert len(writes[0]) == 1  # it is never repeated: SCST is still at it


def test_its_late_error_is_the_errors_of_the_write(tree, writes, monkeypatch):
    writes[1].append(errno.EAGAIN)
    results(tree, monkeypatch, errno.EAGAIN, '-17\n')
    with pytest.raises(OSError) as failed:
        tree.write('mgmt', 'add_device a')
    assert failed.value.errno == errno.EEXIST


def test_the_wait_has_an_end(tree, writes, monkeypatch):
    writes[1].append(errno.EAGAIN)
    results(tree, monkeypatch, errno.EAGAIN)
    with pytest.raises(OSError, match='still under way') as failed:
        tree.write('mgmt', 'add_device a')
    assert failed.value.errno == errno.EAGAIN and 60 <= tree.clock[0] < 63


def test_a_stale_result_says_nothing_about_another_write(tree, monkeypatch):
    results(tree, monkeypatch, '-22\n')
    tree.write('mgmt', 'add_device a')


def test_an_error_names_the_command_and_hides_secrets(tree):
    operation = Operation('target t', 'add incoming user u', 'write', 'nosuch/mgmt', 'add u opensesame99', secrets=['opensesame99'])
    with pytest.raises(Failed) as failed:
        perform([operation], performer(tree))
    assert 'add u ********' in str(failed.value) and 'ENOENT' in str(failed.value)
    assert 'opensesame99' not in str(failed.value)


def test_a_write_where_offered_is_left_out_where_not(tree):
    perform([Operation('d', 'a', 'write_if_offered', name, '1') for name in ('nosuch', 'mgmt')], performer(tree))
    assert tree.read('mgmt') == '1' and not tree.exists('nosuch')


def test_links_and_names(tree, tmp_path):
    (tmp_path / 'link').symlink_to('../devices/a')
    assert tree.readlink('link') == '../devices/a'
    assert tree.exists('link')  # although it leads nowhere
    assert sorted(tree.listdir('')) == ['last_sysfs_mgmt_res', 'link', 'mgmt']
