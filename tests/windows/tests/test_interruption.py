# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection drops at any command; the next run finishes what this one began."""
import pytest
from role import Role, changed, complete
from winhost import site
from winhost.host import Down


@pytest.mark.parametrize('executed', [False, True], ids=['before it ran', 'after it ran'])
@pytest.mark.parametrize('version, feature', [('2008', 'absent'), ('2008-core', 'absent'), ('2008r2', 'absent'), ('2025', 'absent'),
                                              # Nothing of Windows' own says then that claims and timers wait for a reboot.
                                              ('2008r2', 'installed')])
def test_interrupted_at_any_command(version, feature, executed, gateways):
    number = failed = 0
    while True:
        host = site.host(version)
        host.feature = feature
        host.drop_at(number, executed)
        try:
            Role(host, gateways)()
        except Down:
            # It is not noticed while the host reboots: that it does not answer then is expected.
            failed += 1
        happened, host.drop = host.calls > number, None
        if not happened:
            break
        host.clock.sleep(300)
        Role(host, gateways)()
        assert complete(host, gateways) is None, 'dropped at call %d: %s' % (number, host.writes)
        assert host.reboots == 1, 'dropped at call %d' % number
        assert not changed(Role(host, gateways)())
        host.iscsi.drop_all()
        number += 1
    assert failed > 30


@pytest.mark.parametrize('executed', [False, True], ids=['before it ran', 'after it ran'])
def test_interrupted_while_a_changed_secret_is_set(executed, gateways):
    for number in range(60):
        host = site.host('2008')
        Role(host, gateways)()
        new = dict(site.CHAP, secret='a-newer-secret-1')
        for one in gateways:
            one.users[site.CHAP['user']] = new['secret']
        healthy = [session.id for session in host.iscsi.sessions]
        host.drop_at(number, executed)
        try:
            Role(host, gateways, chap=new)()
            finished = True
        except Down:
            finished = False
        host.drop = None
        Role(host, gateways, chap=new)()
        assert complete(host, gateways) is None
        assert {entry.chap for entry in host.iscsi.persistent} == {('app', 'a-newer-secret-1')}
        assert [session.id for session in host.iscsi.sessions] == healthy
        host.iscsi.drop_all()
        for one in gateways:
            one.users[site.CHAP['user']] = site.CHAP['secret']
        if finished:
            break
    assert number > 10


@pytest.mark.parametrize('executed', [False, True], ids=['before it ran', 'after it ran'])
def test_interrupted_while_a_gateway_is_taken_away(executed, gateways):
    for number in range(60):
        host = site.host('2008r2')
        Role(host, gateways)()
        host.drop_at(number, executed)
        try:
            Role(host, gateways[:1])()
            finished = True
        except Down:
            finished = False
        host.drop = None
        Role(host, gateways[:1])()
        assert complete(host, gateways[:1]) is None
        marks = host.registry.below('HKLM\\SOFTWARE\\cephgate\\iscsi')[0][1]
        assert not [name for name in marks if 'gw2' in name]
        host.iscsi.drop_all()
        if finished:
            break
    assert number > 8
