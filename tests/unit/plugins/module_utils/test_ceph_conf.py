# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.ceph_conf import monitors, written


@pytest.mark.parametrize('text, found', [
    ('mon_host = [v2:10.99.0.1:3300,v1:10.99.0.1:6789]', [('v2', '10.99.0.1', 3300), ('v1', '10.99.0.1', 6789)]),
    ('mon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6790/0] v1:10.0.0.2', [('v2', '10.0.0.1', 3300), ('v1', '10.0.0.1', 6790), ('v1', '10.0.0.2', 6789)]),
    ('  mon host = a.example, 10.0.0.2:6790', [(None, 'a.example', 6789), (None, '10.0.0.2', 6790)]),
    ('mon_host = [v2:[fd00::1]:3300/0,v1:[fd00::1]:6790/0]', [('v2', 'fd00::1', 3300), ('v1', 'fd00::1', 6790)]),
    ('mon_host = fd00::1 [fd00::2]:6790,[fd00::3]', [(None, 'fd00::1', 6789), (None, 'fd00::2', 6790), (None, 'fd00::3', 6789)]),
    ('mon_host = cafe:6790', [(None, 'cafe', 6790)]),
    ('fsid = 1', []), ('mon_host =\nfsid = 1', [])])
def test_monitors_in_every_form(text, found):
    assert monitors('[global]\n%s\n' % text) == found


@pytest.mark.parametrize('host, text', [('10.0.0.1', '10.0.0.1:6790'), ('fd00::1', '[fd00::1]:6790'), ('cafe', None), ('a.example', None)])
def test_a_kernel_reads_addresses_and_no_names(host, text):
    assert written(host, 6790) == text
