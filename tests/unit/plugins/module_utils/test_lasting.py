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


def test_a_file_is_whole_and_its_own_before_it_has_the_name_which_is_then_synced(tmp_path, synced):
    (tmp_path / 'a').write_text('old')
    lasting.write(str(tmp_path / 'a'), u'n\xe9w', 0o640)
    assert (tmp_path / 'a').read_text(encoding='utf-8') == u'n\xe9w' and synced == [u'n\xe9w', ['a']]
    assert stat.S_IMODE((tmp_path / 'a').stat().st_mode) == 0o640


def test_what_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'beside').mkdir()
    with pytest.raises(EnvironmentError):
        lasting.write(str(tmp_path / 'a'), 'new', 0o600, str(tmp_path / 'beside'))
    assert os.listdir(str(tmp_path / 'beside')) == [] and (tmp_path / 'a').is_dir()


def test_orders_last(tmp_path, synced):
    assert Orders(str(tmp_path / 'state.json')).give(drain=True) is True
    assert synced == ['{"drain": true, "wants": []}', ['orders.json']], 'the text before its name'


def test_a_file_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lasting.write('c', 'c', 0o644)
    assert os.listdir(str(tmp_path)) == ['c']
