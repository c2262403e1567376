# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was ordered is in force after a power cut, too."""
import os
import stat

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import lasting
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_orders import Orders


@pytest.fixture
def synced(monkeypatch):
    """What is synced, in order: 'folder' with the names that it has then, or the text of a file."""
    found = []

    def fsync(handle):
        path = os.readlink('/proc/self/fd/%d' % handle)
        found.append(sorted(os.listdir(path)) if stat.S_ISDIR(os.fstat(handle).st_mode) else open(path).read())

    monkeypatch.setattr(os, 'fsync', fsync)
    return found


def test_a_folder_is_synced_once_it_has_the_new_name(tmp_path, synced):
    (tmp_path / 'a').write_text('old')
    (tmp_path / 'a.new').write_text('new')
    lasting.replace(str(tmp_path / 'a.new'), str(tmp_path / 'a'))
    assert (tmp_path / 'a').read_text() == 'new' and synced == [['a']]


def test_orders_last(tmp_path, synced):
    assert Orders(str(tmp_path / 'state.json')).give(drain=True) is True
    assert synced == ['{"drain": true, "wants": []}', ['orders.json']], 'the text before its name'


def test_a_file_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'b').write_text('b')
    lasting.replace('b', 'c')
    assert os.listdir(str(tmp_path)) == ['c']
