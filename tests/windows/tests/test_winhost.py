# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test host itself: it has the traps of real hosts, so that a product that falls into one fails here."""
import re
import subprocess

import pytest
from winhost import language, site
from winhost.initiator import Login, LoginError, discover
from winhost.site import CHAP, INITIATOR, LUNS

LOGIN = ['T', None, None, 'ROOT\\ISCSIPRT\\0000_0', '*', '*', '0x2', '*', '*', '*', '*', '*', CHAP['user'], CHAP['secret'], '1', '*', '0']


@pytest.fixture
def host(gateways):
    found = site.host('2008')
    found.start_service()
    found.iscsi.name = INITIATOR
    address, port = gateways[0].portals[0]
    assert found.program(['iscsicli', 'AddTargetPortal', address, str(port)])[0] == 0
    return found


def login(gateway, verb='LoginTarget', portal=0, **changes):
    words = [gateway.name] + LOGIN
    words[2:4] = [gateway.portals[portal][0], str(gateway.portals[portal][1])]
    for index, value in changes.items():
        words[int(index[1:])] = value
    return ['iscsicli', verb] + words


def test_logging_in_twice_makes_two_sessions(host, gateways):
    for dummy in range(2):
        assert host.program(login(gateways[0]))[0] == 0
    assert len(host.iscsi.sessions) == 2 and gateways[0].logins == 2
    assert host.program(login(gateways[0], _7='*'))[0] == 0xEFFF003F


def test_a_wrong_number_of_arguments_is_a_success_that_does_nothing(host, gateways):
    code, text = host.program(login(gateways[0])[:-1])
    assert code == 0 and 'The operation completed successfully.' in text
    assert host.iscsi.sessions == []


@pytest.mark.parametrize('changes, code', [
    (dict(_14='wrong-secret-12'), 0xEFFF0009), (dict(_14='short'), 0xEFFF004B), (dict(_13='*', _14='*'), 0xEFFF0009),
    (dict(_0='iqn.2026-11.com.example:none'), 0xEFFF0029), (dict(_2='*'), 87), (dict(_3='1'), 0xEFFF0003),
])
def test_a_login_really_asks_the_target(changes, code, host, gateways):
    assert host.program(login(gateways[0], **changes))[0] == code
    assert host.iscsi.sessions == []


def test_a_portal_is_kept_even_when_discovery_fails(host):
    assert host.program(['iscsicli', 'AddTargetPortal', '127.0.0.1', '1'])[0] == 0xEFFF0003
    assert ('127.0.0.1', 1) in host.iscsi.portals


def test_nothing_works_without_the_service(host):
    host.service['running'] = False
    code, text = host.program(['iscsicli', 'SessionList'])
    assert code == 0xEFFF003E and 'Total' not in text


def test_a_session_survives_its_gateway_and_has_no_connection_meanwhile(host, gateways):
    host.program(login(gateways[0]))
    gateways[0].stop()
    text = host.program(['iscsicli', 'SessionList'])[1]
    assert re.search(r'^Number Connections\s+: 0$', text, re.MULTILINE) and 'Target Portal' not in text
    gateways[0].start()
    assert re.search(r'^Number Connections\s+: 1$', host.program(['iscsicli', 'SessionList'])[1], re.MULTILINE)


def test_a_claim_holds_from_the_next_boot_on(host, gateways):
    host.program(login(gateways[0]))
    host.program(login(gateways[0], portal=1))
    assert len(host.iscsi.drives()) == 2 * len(LUNS)
    host.program(['ServerManagerCmd.exe', '-install', 'Multipath-IO'])
    host.program(['mpclaim.exe', '-n', '-i', '-d', 'CEPHGATERBD             '])
    assert len(host.iscsi.drives()) == 2 * len(LUNS), 'not before'
    host.program(login(gateways[0], 'PersistentLoginTarget'))
    host.program(login(gateways[0], 'PersistentLoginTarget', portal=1))
    host.program(['sc.exe', 'config', 'msiscsi', 'start=', 'auto'])
    host.program(['shutdown.exe', '/r', '/t', '5'])
    assert host.tick()
    host.clock.sleep(6)
    assert not host.tick()
    host.clock.sleep(30)
    assert host.tick() and host.reboots == 1
    assert [(lun['serial'], len(sessions)) for lun, sessions, dummy in host.iscsi.drives().values()] == [(lun['serial'], 2) for lun in LUNS]


def test_the_small_mpclaim_of_2008_knows_no_queries_and_its_exit_code_says_nothing(host):
    host.feature = 'installed'
    assert host.program(['mpclaim', '-s', '-t'])[0] != 0
    assert host.program(['mpclaim', '-n', '-i', '-d', 'CEPHGATERBD             '])[0] != 0
    assert host.registry.get('HKLM\\SYSTEM\\CurrentControlSet\\Control\\MPDEV', 'MPIOSupportedDeviceList') == ['CEPHGATERBD             ']


def test_a_persistent_login_that_names_no_instance_is_forgotten_at_boot_on_2008(host, gateways):
    for portal in (0, 1):
        host.program(login(gateways[0], 'PersistentLoginTarget', portal=portal, _4='*'))
    host.boot()
    host.start_service()
    assert host.iscsi.sessions == []


def test_runs_of_diskpart_that_are_too_close_fail(host):
    for expected in (0, 0x80042811):
        host.script = ['list disk']
        assert host.program(['diskpart', '/s', '%TEMP%\\cephgate.txt'])[0] == expected


def test_empty_arguments_never_arrive_and_codes_are_shown_signed(host):
    rc, out, err = host.execute("& 'sc.exe' '' 'query' 'nothing'\r\n'code ' + $LASTEXITCODE\r\n& 'iscsicli.exe' 'LogoutTarget' '1-2'\r\n"
                                "'code ' + $LASTEXITCODE\r\n& 'no-such-program'\r\nexit 3")
    assert rc == 3 and 'code 1060\r\n' in out and 'code -268500964\r\n' in out and 'no-such-program' in err


def test_the_second_language_has_no_english_word_that_a_parser_could_hold_on_to(gateways):
    german, english = set(), set()
    for lines, name in ((german, 'de'), (english, 'en')):
        found = site.host('2008', name)
        found.start_service()
        found.iscsi.name = INITIATOR
        address, port = gateways[0].portals[0]
        for argv in (['iscsicli', 'AddTargetPortal', address, str(port)], login(gateways[0]), login(gateways[0], 'PersistentLoginTarget')):
            assert found.program(argv)[0] == 0
        for verb in ('SessionList', 'ListPersistentTargets', 'ListTargetPortals', 'ListTargets'):
            lines |= {line.partition(':')[0].strip() for line in found.program(['iscsicli', verb])[1].splitlines() if re.search('[a-z]{3}', line)}
    shared = {line for line in german & english if not line.startswith(('iqn', 'ISID', 'TSID', 'CID'))}
    assert shared <= {'Version'}
    assert all(text != translation or text == 'Features' for text, translation in language.GERMAN.items()
               if text not in ('Version', 'ISID', 'TSID', 'CID'))


# The other side: a small target. An initiator that is not ours agrees with it.

def test_the_targets_chap(gateways):
    portal, name = gateways[0].portals[0], gateways[0].name
    assert discover(portal, INITIATOR) == [name] and discover(portal, 'iqn.other') == []
    assert Login(portal, INITIATOR, name, (CHAP['user'], CHAP['secret'])).luns == LUNS
    for arguments, status in (((INITIATOR, name), 0x0201), ((INITIATOR, name, (CHAP['user'], 'no')), 0x0201), (('iqn.other', name), 0x0203),
                              ((INITIATOR, name + 'x'), 0x0203), ((INITIATOR, name, (CHAP['user'], CHAP['secret']), 'prove-it'), 0x0201)):
        with pytest.raises(LoginError) as error:
            Login(portal, *arguments)
        assert error.value.status == status


def iscsi_ls(portal, user=None):
    """libiscsi's tool: (exit code, output). -s also logs in to every target that discovery brings."""
    url = 'iscsi://%s%s:%d' % (user + '@' if user else '', *portal)
    done = subprocess.run(['iscsi-ls', '-i', INITIATOR, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False)
    return done.returncode, done.stdout


def test_libiscsi_discovers_the_target_too(gateways):
    code, output = iscsi_ls(gateways[0].portals[0])
    assert code == 0 and 'Target:%s' % gateways[0].name in output, output
    assert all('%s:%d' % portal in output for portal in gateways[0].portals)


def test_a_program_that_is_not_there_has_no_exit_code_not_even_that_of_the_one_before(host):
    from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_shell import Windows
    answers = Windows(lambda script, secret: host.execute(script)).ask([['sc.exe', 'query', 'nothing'], ['no-such-program'], ['sc.exe', 'query', 'msiscsi']])
    assert [answer.rc for answer in answers] == [1060, None, 0]
