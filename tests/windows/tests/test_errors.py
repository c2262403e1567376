# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error says what to do. The codes are those of iscsierr.h."""
import pytest
from role import Role
from winhost import site

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_errors
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.win_shell import HostError, Windows

# code: what the message must tell the reader to do
ERRORS = {
    0xEFFF0002: 'System event log', 0xEFFF0003: 'Is the gateway up', 0xEFFF0009: 'Compare chap of this host in cephgate_hosts',
    0xEFFF000A: 'Compare it with the initiators', 0xEFFF000B: 'run the play for the gateways first', 0xEFFF0012: 'systemctl status iscsi-scstd',
    0xEFFF0016: 'Run again', 0xEFFF001C: 'Run again', 0xEFFF0022: 'System event log', 0xEFFF0029: 'Does the gateway export it',
    0xEFFF0032: 'Run again', 0xEFFF003E: 'sc.exe start msiscsi', 0xEFFF003F: 'Log it out', 0xEFFF0040: 'Take the disk offline',
    0xEFFF0042: 'Remove it by hand', 0xEFFF0043: 'Run again', 0xEFFF0044: 'iscsicli ListInitiators', 0xEFFF004B: '12 to 16 characters',
    87: 'report the operation and the version', 5: 'administrators',
}


@pytest.mark.parametrize('language', site.LANGUAGES)
@pytest.mark.parametrize('code', sorted(ERRORS), ids='{0:#x}'.format)
def test_every_error_says_what_to_do(code, language, gateways):
    host = site.host('2008', language)
    host.iscsi_errors['logintarget'] = code
    result = Role(host, gateways).sessions()
    assert result['failed'] and ERRORS[code] in result['msg']
    assert 'target %s, portal %s' % (gateways[0].name, site.portals(gateways[0])[0]) in result['msg'].replace('Target', 'target')
    assert ('0x%08X' % code if code > 0xffff else '%d' % code) in result['msg']
    assert site.CHAP['secret'] not in str(result)


@pytest.mark.parametrize('code', [0xAFFF002E, 0xAFFF003B, 0xAFFF0048], ids='{0:#x}'.format)
def test_a_warning_is_no_error(code):
    assert win_errors.is_warning(code) and win_errors.explain(code).startswith('done')
    assert not win_errors.is_warning(0xEFFF0003) and not win_errors.is_warning(0)


def test_an_unknown_code_is_shown_with_windows_own_words():
    assert win_errors.explain(0xEFFF0099, 'Etwas ist schiefgegangen.') == 'exit code 0xEFFF0099: Etwas ist schiefgegangen.'


def test_a_wrong_address(gateways):
    targets = site.targets(gateways)
    targets[0]['portals'][0] = '127.0.0.1:1'
    result = Role(site.host('2008'), gateways).sessions(targets=targets, require='any')
    assert not result.get('failed') and len(result['sessions']) == 3
    assert result['failed_portals'] == [dict(target=gateways[0].name, portal='127.0.0.1:1', reason=(
        'discover targets: connection failed (0xEFFF0003). Is the gateway up, is the address right, and does a firewall let TCP port 1 through?'))]


def test_a_wrong_secret(gateways):
    result = Role(site.host('2008'), gateways, chap=dict(site.CHAP, secret='not-the-right-1')).sessions()
    assert result['failed'] and '4 of 4 portals have a problem' in result['msg'] and 'authentication failure (0xEFFF0009)' in result['msg']


def test_no_secret_where_one_is_wanted(gateways):
    result = Role(site.host('2008'), gateways, chap=None).sessions()
    assert result['failed'] and 'or the gateway wants CHAP and none is declared' in result['msg']


def test_a_host_that_the_gateways_do_not_know(gateways):
    gateways[0].initiators = ['iqn.1991-05.com.microsoft:somebody']
    result = Role(site.host('2008'), gateways).sessions()
    assert 'target name not known to the initiator (0xEFFF0029)' in result['msg'] and "admit this host's initiator name" in result['msg']
    assert len(result['sessions']) == 2
    # The gateway learns it, and the next run finds the target.
    gateways[0].initiators = [site.INITIATOR]


def test_a_target_that_was_not_known_at_first_is_found_later(gateways):
    host = site.host('2008')
    gateways[0].initiators = []
    assert Role(host, gateways).sessions()['failed']
    gateways[0].initiators = [site.INITIATOR]
    assert not Role(host, gateways).sessions().get('failed')


@pytest.mark.parametrize('secret, text', [
    ('short', 'secret has 5 characters, and Windows takes 12 to 16'),
    ('much-too-long-for-windows', 'secret has 25 characters, and Windows takes 12 to 16'),
    ('with"a-quote-1', 'cannot be passed to a program on Windows'),
    ('0x1234567890ab', 'begins with 0x'),
])
def test_a_secret_that_windows_does_not_take_is_refused_before_anything_is_done(secret, text, gateways):
    host = site.host('2008')
    with pytest.raises(Refused, match=text) as refused:
        Role(host, gateways, chap=dict(site.CHAP, secret=secret)).sessions()
    assert host.commands == [] and secret not in str(refused.value)


def test_success_that_is_not_to_be_seen_is_no_success(gateways):
    """iscsicli prints its usage and exits with 0 when it does not like its arguments."""
    host = site.host('2008')
    host.iscsi_errors['persistentlogintarget'] = 0
    result = Role(host, gateways).sessions()
    assert result['failed'] and 'log in at every boot: the host reported success, and it is not to be seen afterwards' in result['msg']


def test_a_disabled_service_that_does_not_start(gateways):
    host = site.host('2008')
    host.iscsi_errors['sessionlist'] = 0xEFFF003E
    result = Role(host, gateways).sessions()
    assert result['failed'] and 'service MSiSCSI: it does not run 30 s after its start' in result['msg']


def test_powershell_1_is_named_with_what_to_install():
    def execute(script, secret):
        return 1, '', "Missing expression after unary operator '-'.\r\n+ -E <<<< xecutionPolicy Unrestricted -EncodedCommand"
    with pytest.raises(HostError, match='PowerShell 2.0 or later is needed.*KB2506146'):
        Windows(execute).ask([['sc.exe', 'query', 'msiscsi']])


def test_a_feature_that_cannot_be_installed(gateways):
    host = site.host('2008')
    role = Role(host, gateways)
    role.windows.run = lambda command, secret=False, run=role.windows.run: (
        type('Answer', (), dict(rc=1004, out='')) if command[0] == 'ServerManagerCmd.exe' else run(command, secret))
    result = role.mpio()
    assert result['failed'] and 'feature Multipath-IO: install: failed: another Server Manager wizard' in result['msg']
    assert '1 of 7 operations were done before it and stay; run again to finish' in result['msg']


def test_an_output_that_is_not_understood_stops_everything(gateways):
    host = site.host('2008')
    Role(host, gateways)()
    from winhost import iscsicli
    before = list(host.writes)
    host.say = lambda text: 'Total of %d sessions, all of them fine' if text == 'Total of %d sessions' else text
    assert iscsicli.session_list(host, [])[1].startswith('Total of 4')
    host.iscsi.sessions[0].id = 'no-such-form'
    with pytest.raises(EnvironmentError, match='counts 4 sessions, and 3 were understood'):
        Role(host, gateways).sessions()
    assert host.writes == before
