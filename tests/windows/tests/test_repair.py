# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changes behind the role's back, or in the site, is repaired; sessions that work are not touched."""
import pytest
from role import Role, changed, complete, lines, logins, wanted
from winhost import site
from winhost.iscsi import Wish


@pytest.fixture(params=site.LANGUAGES)
def host(request, gateways):
    """A complete host."""
    found = site.host('2008', request.param)
    Role(found, gateways)()
    assert complete(found, gateways) is None
    return found


def ids(host):
    return {session.id for session in host.iscsi.sessions}


def test_a_lost_session_is_made_again(host, gateways):
    lost = host.iscsi.sessions[1]
    host.iscsi.log_out(lost)
    healthy = ids(host)
    result = Role(host, gateways).sessions()
    assert [line.partition(': ')[2] for line in lines([result])] == ['log in']
    assert lines([result])[0].startswith('target %s, portal %s:%d' % (lost.wish.target, *lost.wish.portal))
    assert healthy < ids(host) and complete(host, gateways) is None


def test_a_session_that_windows_makes_again_by_itself_is_left_to_it(host, gateways):
    before = ids(host)
    gateways[0].cut()
    result = Role(host, gateways).sessions()
    assert not changed([result]) and not result.get('failed')
    assert ids(host) == before and complete(host, gateways) is None


def test_a_dead_gateway_costs_nothing_but_its_own_portals(host, gateways):
    before = ids(host)
    gateways[1].stop()
    result = Role(host, gateways).sessions(require='any')
    assert not changed([result]) and not result.get('failed')
    assert [entry['target'] for entry in result['failed_portals']] == [gateways[1].name] * 2
    assert all('connection failed (0xEFFF0003). Is the gateway up' in entry['reason'] for entry in result['failed_portals'])
    assert [session['connected'] for session in result['sessions'] if session['target'] == gateways[1].name] == [False, False]
    # Windows' own attempts go on: the sessions without connection are not given up for nothing.
    assert ids(host) == before
    assert Role(host, gateways).sessions(require='all')['failed']
    gateways[1].start()
    assert not changed([Role(host, gateways).sessions()])
    assert ids(host) == before and complete(host, gateways) is None


def test_a_portal_that_the_site_no_longer_has_is_left(host, gateways):
    targets = site.targets(gateways)
    gone = targets[1]['portals'].pop()
    healthy = {session.id for session in host.iscsi.sessions if '%s:%d' % session.wish.portal != gone}
    result = Role(host, gateways).sessions(targets=targets)
    assert [line.rsplit(': ', 1)[1] for line in lines([result])] == [
        'do not discover targets any more', 'do not log in at boot any more', 'log out', 'forget the note of its CHAP secret']
    assert ids(host) == healthy and len(healthy) == 3
    assert len(host.iscsi.persistent) == len(host.iscsi.portals) == 3
    assert not changed([Role(host, gateways).sessions(targets=targets)])


def test_a_gateway_that_is_added_is_logged_in_to(host, gateways):
    healthy = ids(host)
    third = site.gateway('gw3')
    try:
        result = Role(host, gateways + [third]).sessions()
        assert not result.get('failed')
        assert all(third.name in line for line in lines([result]))
        assert healthy < ids(host) and complete(host, gateways + [third]) is None
        assert not changed([Role(host, gateways + [third]).sessions()])
    finally:
        third.stop()


def test_a_changed_secret_is_set_and_healthy_sessions_stay(host, gateways):
    new = dict(site.CHAP, secret='a-newer-secret-1')
    for one in gateways:
        one.users = {new['user']: new['secret']}
    host.iscsi.log_out(host.iscsi.sessions[0])
    healthy = ids(host)
    assert Role(host, gateways).sessions()['failed'], 'the old secret is not right any more'
    role = Role(host, gateways, chap=new)
    predicted = lines([role.sessions(check_mode=True)])
    result = role.sessions()
    assert lines([result]) == predicted and not result.get('failed')
    assert {entry.chap for entry in host.iscsi.persistent} == {(new['user'], new['secret'])}
    assert healthy < ids(host) and complete(host, gateways) is None
    assert not changed([role.sessions()])


def test_sessions_that_cannot_come_back_with_the_old_secret_are_replaced(host, gateways):
    new = dict(site.CHAP, secret='a-newer-secret-1')
    gateways[0].users = {new['user']: new['secret']}
    gateways[1].users = {new['user']: new['secret']}
    gateways[0].cut()
    healthy = {session.id for session in host.iscsi.sessions if session.wish.target == gateways[1].name}
    role = Role(host, gateways, chap=new)
    assert not role.sessions().get('failed')
    assert healthy < ids(host) and complete(host, gateways) is None
    assert not changed([role.sessions()])


def test_mutual_chap_and_a_changed_secret_of_the_host(gateways):
    mutual = dict(site.CHAP, mutual_user='gate', mutual_secret='the-gate-says-so')
    for one in gateways:
        one.outgoing = ('gate', mutual['mutual_secret'])
    host = site.host('2008')
    role = Role(host, gateways, chap=mutual)
    role()
    assert complete(host, gateways) is None and host.iscsi.own_secret == mutual['mutual_secret']
    assert not changed([role.sessions()])
    new = dict(mutual, mutual_secret='the-gate-says-no')
    for one in gateways:
        one.outgoing = ('gate', new['mutual_secret'])
    healthy = ids(host)
    result = Role(host, gateways, chap=new).sessions()
    assert 'initiator: set the secret for mutual CHAP' in lines([result])
    assert host.iscsi.own_secret == new['mutual_secret'] and ids(host) == healthy
    assert not changed([Role(host, gateways, chap=new).sessions()])


def test_a_secret_that_could_not_be_set_is_not_noted_as_set(gateways):
    mutual = dict(site.CHAP, mutual_user='gate', mutual_secret='the-gate-says-so')
    for one in gateways:
        one.outgoing = ('gate', mutual['mutual_secret'])
    host = site.host('2008')
    host.iscsi_errors['chapsecret'] = 0xEFFF0012
    assert Role(host, gateways, chap=mutual).sessions()['failed'] and host.iscsi.own_secret is None
    host.iscsi_errors.clear()
    assert not Role(host, gateways, chap=mutual).sessions().get('failed')
    assert host.iscsi.own_secret == mutual['mutual_secret']


def test_a_gateway_that_does_not_prove_itself_is_not_logged_in_to(gateways):
    for one in gateways:
        one.outgoing = ('gate', 'somebody-elses-1')
    result = Role(site.host('2008'), gateways, chap=dict(site.CHAP, mutual_user='gate', mutual_secret='the-gate-says-so')).sessions()
    assert result['failed'] and 'authentication failure (0xEFFF0009)' in result['msg']
    assert result['sessions'] == []


@pytest.mark.parametrize('all_equal', [False, True])
def test_what_is_there_twice_is_there_once_afterwards(all_equal, host, gateways):
    host.removes_all_equal = all_equal
    host.iscsi.log_in(host.iscsi.sessions[0].wish)
    host.iscsi.persistent.append(host.iscsi.persistent[0])
    result = Role(host, gateways).sessions()
    assert changed([result]) and not result.get('failed')
    assert complete(host, gateways) is None


def test_a_login_through_any_portal_is_replaced_by_those_through_each(host, gateways):
    host.iscsi.persistent.append(Wish(gateways[0].name, ('*', 0), 'ROOT\\ISCSIPRT\\0000_0', 2))
    result = Role(host, gateways).sessions()
    assert lines([result]) == ['target %s, any portal: do not log in at boot any more' % gateways[0].name]
    assert complete(host, gateways) is None


def test_a_persistent_login_that_cannot_be_removed_is_named(host, gateways):
    host.iscsi_errors['removepersistenttarget'] = 0xEFFF0042
    targets = site.targets(gateways)
    targets[1]['portals'].pop()
    result = Role(host, gateways).sessions(targets=targets)
    assert result['failed'] and 'the persistent login could not be removed (0xEFFF0042). Remove it by hand' in result['msg']


def test_a_login_without_multipath_is_replaced(host, gateways):
    host.iscsi.persistent[2].flags = 0
    assert not Role(host, gateways).sessions().get('failed')
    assert complete(host, gateways) is None


def test_a_stopped_service_is_started_and_nothing_doubled(host, gateways):
    host.service.update(running=False, start=3)
    host.store_service()
    before = ids(host)
    result = Role(host, gateways).sessions()
    assert lines([result]) == ['service MSiSCSI: start at boot', 'service MSiSCSI: start']
    assert ids(host) == before and complete(host, gateways) is None


def test_another_initiator_name_is_set(host, gateways):
    host.iscsi.name = 'iqn.1991-05.com.microsoft:renamed'
    result = Role(host, gateways).sessions()
    assert lines([result]) == ['initiator: name %s' % site.INITIATOR]
    assert complete(host, gateways) is None


def test_other_peoples_targets_stay(host, gateways):
    from winhost.target import Gateway
    other = Gateway('iqn.2026-11.com.example.cephgate2:gw1', [('127.0.0.1', 0)]).start()
    try:
        wish = Wish(other.name, other.portals[0], 'ROOT\\ISCSIPRT\\0000_0', 2)
        host.iscsi.portals.append(other.portals[0])
        host.iscsi.persistent.append(wish)
        host.iscsi.log_in(wish)
        host.iscsi.portals.append(('192.0.2.99', 3260))
        result = Role(host, gateways).sessions()
        assert not changed([result]), lines([result])
        # The same portal may serve both; it stays then.
        Role(host, gateways[1:]).sessions()
        assert (other.name, other.portals[0]) in logins(host) and other.portals[0] in host.iscsi.portals
        assert ('192.0.2.99', 3260) in host.iscsi.portals
        assert [login for login in logins(host) if login[0] != other.name] == wanted(gateways[1:])
    finally:
        other.stop()


def test_leaving_a_target(host, gateways):
    role = Role(host, gateways)
    result = role.sessions(targets=[dict(name=gateways[1].name)], absent=True)
    assert not result.get('failed')
    assert logins(host) == wanted(gateways[:1])
    assert [entry.target for entry in host.iscsi.persistent] == [gateways[0].name] * 2
    assert sorted(host.iscsi.portals) == sorted(gateways[0].portals)
    assert not changed([role.sessions(targets=[dict(name=gateways[1].name)], absent=True)])


def test_the_last_path_of_a_mounted_disk_is_not_taken_away(host, gateways):
    result = Role(host, gateways).sessions(targets=[dict(name=one.name) for one in gateways], absent=True)
    assert result['failed'] and 'a disk of the session is in use (0xEFFF0040). It is the last path' in result['msg']
    assert len(host.iscsi.sessions) == 1
