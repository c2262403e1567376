# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real tools were there, and are left with what was asked for."""


def test_the_tools_are_real(host):
    assert 'version 2.1' in host.run('iscsiadm --version').stdout
    assert 'multipath-tools v0.9' in host.run('multipath -h').stderr


def test_the_last_file_has_our_rule_once(host):
    text = host.file('/etc/multipath.conf').content_string
    assert text.count('vendor "CEPHGATE"') == 1 and text.count('alias db01') == 1


def test_the_file_before_it_was_kept(host):
    assert host.run('ls /etc/multipath.conf.*~').rc == 0
