# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names and values pass, and which are refused because SCST would take them for something else."""
import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_names as names
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_values as values
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused

IQN = 'iqn.2026-11.com.example:gw1'
GOOD = [
    (names.device, 'db01-3fa2c1'), (names.device, 'x' * 64), (names.device, 'gr\u00f6\u00dfe'),
    (names.target, IQN), (names.target, 'iqn.2026-11.com.example'), (names.target, 'eui.02004567a425678d'),
    (names.target, 'naa.52004567ba64678d'), (names.group, 'db'), (names.group, 'web.servers'),
    (names.initiator, 'iqn.1993-08.*'), (names.initiator, '!iqn.1993-08.org.debian:01:x'), (names.initiator, IQN + '#10.0.0.1'),
    (names.portal, '10.0.0.1'), (names.portal, '2001:db8::1'), (names.portal, '10.0.*'), (names.portal, '!10.0.0.?'),
    (names.user, 'joe'), (names.secret, 'twelve-bytes'),
]


@pytest.mark.parametrize('check, value', GOOD, ids=lambda item: getattr(item, '__name__', ascii(item)))
def test_good(check, value):
    assert check(value) == value


def test_an_ipv6_portal_takes_the_form_that_the_daemon_compares_with():
    assert names.portal('2001:DB8:0::0:1') == '2001:db8::1'


EVERYWHERE = ['', ' ', 'a b', 'a\tb', 'a\nb', 'a\x00', '\x7f', 'a\x85', 'a\u2028b', '\udcff', 'a=b', 'x' * 10000, None, True, 1.5, ['a'], {},
              '\u00e0']
BAD = [(check, value) for check in (names.device, names.target, names.group, names.initiator, names.portal, names.user, names.secret)
       for value in EVERYWHERE] + [
    (names.device, value) for value in ('mgmt', 'MGMT', '.', '..', 'a.b', 'a/b', 'a;', 'a,b', '!a', '1:0:0:0', 'x' * 65)] + [
    (names.group, value) for value in ('mgmt', 'a/b', '..', 'a!b', 'a;b')] + [
    (names.initiator, value) for value in ('mgmt', 'a/b', '..')] + [
    (names.target, value) for value in ('notaniqn', 'iqn.2026.com.example:x', 'iqn.2026-11.com.example:', 'iqn.2026-11.com.example:a/b',
                                        'eui.123', 'naa.123', IQN + 'x' * 223, 'iqn.2026-11.com_example:x')] + [
    (names.portal, value) for value in ('notanip', '10.0.0.1:3260', '[::1]', '10.0.0', '10.0.0.256', 'gw1.example.com')] + [
    (names.secret, 'elevenbytes')]


@pytest.mark.parametrize('check, value', BAD, ids=lambda item: getattr(item, '__name__', ascii(item)[:30]))
def test_bad(check, value):
    with pytest.raises(Refused) as refused:
        check(value)
    text = str(refused.value)
    assert len(text) < 600
    text.encode()  # can be shown everywhere


def test_a_refused_secret_is_not_shown():
    for value in ('opensesame', 'open sesame open sesame', 'opensesame=opensesame'):
        with pytest.raises(Refused) as refused:
            names.secret(value)
        assert 'sesame' not in str(refused.value)


CANONICAL = [
    ('rotational', False, '0'), ('rotational', 'yes', '1'), ('active', 1, '1'), ('blocksize', '4096', '4096'), ('blocksize', '0x200', '512'),
    ('naa_id', '3FA2C1D04BE59A77', '0x3fa2c1d04be59a77'), ('naa_id', '0x6' + 'A' * 31, '0x6' + 'a' * 31), ('naa_id', '', ''),
    ('eui64_id', '0123456789abcdef', '0x0123456789abcdef'), ('HeaderDigest', 'crc32c, none', 'None,CRC32C'), ('InitialR2T', True, 'Yes'),
    ('InitialR2T', 'no', 'No'), ('usn', 12345, '12345'), ('comment', '', ''), ('redirect', '10.0.0.1:3260 temp', '10.0.0.1 temp'),
    ('redirect', '[::1]:3261 perm', '[::1]:3261 perm'), ('t10_vend_id', 'CEPHGATE', 'CEPHGATE'), ('QueuedCommands', 2048, '2048'),
]


@pytest.mark.parametrize('name, value, expected', CANONICAL, ids=['%s=%s' % row[:2] for row in CANONICAL])
def test_a_value_has_one_form(name, value, expected):
    assert values.canonical(name, value, 'x') == expected
    assert values.canonical(name, expected, 'x') == expected


NO_VALUE = [
    ('blocksize', 1000), ('blocksize', 100), ('blocksize', 2 ** 30), ('blocksize', '010'), ('naa_id', '0x3fa2'), ('naa_id', '6' * 16),
    ('naa_id', 'g' * 16), ('naa_id', '3' + 'g' * 15), ('naa_id', '6' * 31), ('eui64_id', '12'), ('eui64_id', 'g' * 16),
    ('usn', 'x' * 21), ('t10_dev_id', 'x' * 26), ('t10_vend_id', 'x' * 9), ('prod_id', 'x' * 17), ('usn', ''),
    ('usn', True), ('usn', 'a\nb'), ('HeaderDigest', 'MD5'), ('InitialR2T', 1), ('QueuedCommands', 0), ('QueuedCommands', 10 ** 40),
    ('QueuedCommands', -1), ('QueuedCommands', 1.0), ('rotational', 2), ('rotational', None), ('addr_method', 'flat'), ('redirect', '10.0.0.1'),
    ('io_grouping_type', '0'), ('cpu_mask', '0x1'), ('RspTimeout', 1), ('MaxBurstLength', 511),
]


@pytest.mark.parametrize('name, value', NO_VALUE, ids=['%s=%s' % (name, ascii(value)[:20]) for name, value in NO_VALUE])
def test_a_value_that_scst_would_refuse_or_mistake_is_refused_first(name, value):
    with pytest.raises(Refused, match=name):
        values.canonical(name, value, 'x')


@pytest.mark.parametrize('content, expected', [
    ('1\n[key]\n', '1'), ('1\n\n', '1'), ('/dev/x\n[key]\n\n', '/dev/x'), ('\n', ''), ('', ''), ('None,CRC32C\n[key]\n\n', 'None,CRC32C')])
def test_the_first_line_is_the_value(content, expected):
    assert values.shown('HeaderDigest', content) == expected
