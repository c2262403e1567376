# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands for Windows: quoting, scripts, answers, and CHAP secrets. What win_restart and all others send."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.plugin_utils import win_chap, win_iscsi_plan, win_shell


@pytest.mark.parametrize('word, quoted', [
    ('start=', "'start='"), ("it's", "'it''s'"), ('ROOT\\ISCSIPRT\\0000_0', "'ROOT\\ISCSIPRT\\0000_0'"), ('$env:TEMP', "'$env:TEMP'"),
    ('a\u2019b', "'a\u2019\u2019b'")])
def test_a_word_arrives_as_it_is(word, quoted):
    assert win_shell.quote(word) == quoted


@pytest.mark.parametrize('word', ['', 'a"b', 'two\nlines', 'ends with blank and \\'])
def test_what_cannot_arrive_is_refused(word):
    with pytest.raises(ValueError):
        win_shell.quote(word)


def test_answers_have_their_own_exit_codes():
    output = 'noise\r\ncephgate>\r\none\r\ntwo\r\ncephgate<-268500989\r\ncephgate>\r\ncephgate<\r\n'
    assert win_shell.answers(output, 2) == [(0xEFFF0003, 'one\ntwo'), (None, '')]
    assert win_shell.answers(output, 3) is None


def test_many_commands_are_sent_in_pieces_that_fit_a_command_line():
    seen = []

    def execute(script, secret):
        seen.append(script)
        count = script.count('$global:LASTEXITCODE')
        return 0, 'cephgate>\r\ncephgate<0\r\n' * count, ''
    assert len(win_shell.Windows(execute).ask([['reg.exe', 'query', 'HKLM\\' + 'x' * 200]] * 40)) == 40
    assert len(seen) > 1 and max(win_shell.encoded_length(script) for script in seen) <= win_shell.LONGEST


def test_secrets_are_announced():
    seen = []
    windows = win_shell.Windows(lambda script, secret: seen.append(secret) or (0, 'cephgate>\r\ncephgate<0\r\n', ''))
    windows.run(['iscsicli.exe', 'CHAPSecret', 'x'], secret=True)
    windows.ask([['iscsicli.exe', 'SessionList']])
    assert seen == [True, False]


def test_a_host_that_runs_no_script_is_not_taken_for_an_empty_one():
    with pytest.raises(win_shell.HostError, match='did not run the script.*exit code 1.*Access is denied'):
        win_shell.Windows(lambda script, secret: (1, '', 'Access is denied.')).ask([['sc.exe', 'query']])


def test_a_login_has_18_words_whatever_is_given():
    key = ('iqn.x:gw1', '192.0.2.11', 3260)
    assert win_iscsi_plan.login_argv('LoginTarget', key, None)[2:] == (
        r'iqn.x:gw1 T 192.0.2.11 3260 ROOT\ISCSIPRT\0000_0 * * 0x2 * * * * * * * * * 0'.split())
    assert win_iscsi_plan.login_argv('LoginTarget', key, dict(user='u', secret='s' * 12))[2:] == (
        r'iqn.x:gw1 T 192.0.2.11 3260 ROOT\ISCSIPRT\0000_0 * * 0x2 * * * * * u ssssssssssss 1 * 0'.split())
    assert win_iscsi_plan.login_argv('LoginTarget', key, dict(user='u', secret='s' * 12, mutual_secret='m' * 12))[-3:] == ['2', '*', '0']


def test_no_operation_shows_a_secret():
    snapshot = win_iscsi_plan.Snapshot(True, 2, None, [], [], [], [], {})
    desired = win_iscsi_plan.Desired([dict(name='iqn.x:gw1', portals=['192.0.2.11'])],
                                     dict(user='u', secret='opensesame-1234', mutual_user='g', mutual_secret='other-secret-12'))
    steps = win_iscsi_plan.steps(snapshot, desired)
    shown = str([step.operation.as_dict(True) for step in steps])
    assert '********' in shown and 'opensesame' not in shown and 'other-secret' not in shown
    with_secret = [step.kind for step in steps if 'opensesame-1234' in step.operation.target or 'other-secret-12' in step.operation.target]
    assert with_secret == ['secret', 'login', 'persistent']
    assert all(step.operation.secrets for step in steps if step.kind in with_secret)


def test_a_mark_knows_its_secret_and_no_other():
    mark = win_chap.mark(['user', 'opensesame-1234'])
    assert win_chap.is_mark_of(mark, ['user', 'opensesame-1234'])
    assert not win_chap.is_mark_of(mark, ['user', 'opensesame-1235'])
    assert not win_chap.is_mark_of(None, ['user', 'opensesame-1234'])
    assert not win_chap.is_mark_of('rubbish', ['x']) and not win_chap.is_mark_of('xx:yy', ['x'])
    assert 'opensesame' not in mark


@pytest.mark.parametrize('chap, text', [
    (dict(user='u'), 'belong together'), (dict(secret='s' * 12), 'belong together'), (dict(mutual_secret='s' * 12), 'needs one-way CHAP'),
    (dict(user='u', secret='s' * 12, mutual_user='g'), 'mutual_user is given without'),
    (dict(user='u', secret='s' * 12, mutual_user='g', mutual_secret='s' * 12), 'are the same'),
    (dict(user='u', secret='s' * 11), 'has 11 characters, and Windows takes 12 to 16'), (dict(user='u', secret='s' * 17), 'has 17 characters'),
    (dict(user='u', secret='0x0123456789ab'), 'begins with 0x'), (dict(user='*', secret='s' * 12), 'is \\*')])
def test_chap_that_cannot_be_is_refused(chap, text):
    with pytest.raises(Refused, match=text):
        win_chap.check(chap)


def test_chap_that_is_not_given_is_not_managed():
    assert win_chap.check(None) is None and win_chap.check(dict(user=None, secret=None)) == {}


@pytest.mark.parametrize('targets, text', [
    ([dict(name='iqn.x:gw1', portals=[])], 'has no portals'),
    ([dict(name='iqn.x:gw1', portals=['192.0.2.11', '192.0.2.11:3260'])], 'is listed twice'),
    ([dict(name='iqn.x:gw1', portals=['gw1.example.com'])], 'with an IP address')])
def test_targets_that_cannot_be_are_refused(targets, text):
    with pytest.raises(Refused, match=text):
        win_iscsi_plan.Desired(targets)
