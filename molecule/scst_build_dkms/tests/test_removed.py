# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the removal nothing of SCST is left, but what belongs to the operator."""


def test_no_module_is_left_for_any_kernel(host):
    assert host.check_output("find /lib/modules/ -name '*scst*'") == ''


def test_dkms_knows_nothing_of_it(host):
    assert host.check_output('dkms status') == ''


def test_no_program_source_or_note_is_left(host):
    found = host.check_output("find /usr/local/sbin /usr/src /var/lib/cephgate /etc/systemd -name '*scst*'")
    assert found == ''


def test_persistent_reservations_stay(host):
    assert host.file('/var/lib/scst/pr').is_directory
