# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every version and language: from a bare host to its disks, once."""
import pytest
from role import Role, changed, complete, lines
from winhost import site


@pytest.mark.parametrize('language', site.LANGUAGES)
@pytest.mark.parametrize('version', site.VERSIONS)
def test_from_bare_to_complete_with_one_reboot(version, language, gateways):
    host = site.host(version, language)
    role = Role(host, gateways)
    role()
    assert complete(host, gateways) is None
    assert host.reboots == 1
    before = list(host.writes)
    again = role()
    assert not changed(again), lines(again)
    assert (host.writes, host.reboots) == (before, 1)


@pytest.mark.parametrize('version', site.VERSIONS)
def test_everything_comes_back_by_itself_at_the_next_boot(version, gateways):
    host = site.host(version)
    role = Role(host, gateways)
    role()
    host.program(['shutdown.exe', '/r', '/t', '5'])
    host.clock.sleep(6)
    assert not host.tick() and host.iscsi.sessions == []
    host.clock.sleep(60)
    assert host.tick() and complete(host, gateways) is None
    assert not changed(role())


@pytest.mark.parametrize('language', site.LANGUAGES)
@pytest.mark.parametrize('version', site.VERSIONS)
def test_check_mode_sends_no_command_that_writes(version, language, gateways):
    host = site.host(version, language)
    predicted = Role(host, gateways)(check_mode=True)
    assert changed(predicted)
    assert host.writes == [] and host.reboots == 0
    assert [one.logins for one in gateways] == [0, 0]
    # What it says is what is then done; of the disks nothing can be said before there are sessions.
    done = Role(host, gateways)()
    assert lines(predicted) == [line for line in lines(done) if not line.startswith('disk ')]
    before = list(host.writes)
    assert not changed(Role(host, gateways)(check_mode=True))
    assert host.writes == before


@pytest.mark.parametrize('version', site.VERSIONS)
def test_only_absent_programs_are_asked_for_in_vain(version, gateways):
    """A misspelt command would show here, and not only as something that is silently missing."""
    host = site.host(version)
    Role(host, gateways)()
    allowed = {'2008': [], '2008-core': ['ServerManagerCmd.exe'], '2008r2': ['mpclaim.exe'], '2019': ['mpclaim.exe'],
               '2025': ['mpclaim.exe', 'wmic.exe']}[version]
    assert {words[0] for words in host.unknown} <= set(allowed)


@pytest.mark.parametrize('version', ['2008r2', '2019', '2025'])
def test_a_policy_is_set_where_mpclaim_can(version, gateways):
    host = site.host(version)
    role = Role(host, gateways, load_balance='least_blocks')
    role()
    assert host.policies == {'CEPHGATERBD             ': 6}
    assert not changed(role())


def test_a_policy_is_refused_on_2008(gateways):
    role = Role(site.host('2008'), gateways, load_balance='least_blocks')
    with pytest.raises(Exception, match='mpclaim of Server 2008 cannot set a policy.*Leave it out'):
        role()
    assert role.host.writes == []


def test_mpclaim_that_comes_with_the_reboot_costs_no_second_one(gateways):
    host = site.host('2008', mpclaim_late=True)
    role = Role(host, gateways)
    role()
    assert complete(host, gateways) is None and host.reboots == 1
    assert not changed(role())


def test_claims_of_others_stay(gateways):
    host = site.host('2008r2')
    key = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\MPDEV'
    host.registry.set(key, 'MPIOSupportedDeviceList', 'REG_MULTI_SZ', ['OTHER   DISK            '])
    Role(host, gateways)()
    assert host.registry.get(key, 'MPIOSupportedDeviceList') == ['OTHER   DISK            ', 'CEPHGATERBD             ']


def test_with_the_feature_there_already_only_the_claim_needs_the_reboot(gateways):
    host = site.host('2019')
    host.feature = 'installed'
    Role(host, gateways)()
    assert complete(host, gateways) is None and host.reboots == 1


def test_a_disk_with_partitions_is_never_formatted(gateways):
    host = site.host('2008')
    from winhost.disks import medium
    medium(host, site.LUNS[0]['serial']).update(partitions=1, filesystem='ntfs', letter='F')
    Role(host, gateways)()
    disk = host.disks[site.LUNS[0]['serial']]
    assert disk['online'] and 'formats' not in disk


def test_disks_that_mpio_has_not_claimed_are_not_touched(gateways):
    host = site.host('2008')
    host.start_service()
    role = Role(host, gateways)
    assert not role.sessions().get('failed')
    with pytest.raises(Exception, match='is there 4 times.*MPIO has not claimed it.*rebooted'):
        role.disks()
    assert not [words for words in host.writes if words[0] == 'diskpart']
