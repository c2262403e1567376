# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What take-overs ask of Ceph, on answers of Ceph 16.2.15."""
import errno
import json

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_ceph import Ceph, CephError, blocklist, records, refuses

RECORD = {'n': 1, 'text': '\u00e4' + ' ' * 200}
# printed by: rados -p rbd listomapvals cephgate.ha
TEXT = '''gw1
value (227 bytes) :
00000000  7b 22 6e 22 3a 20 31 2c  20 22 74 65 78 74 22 3a  |{"n": 1, "text":|
00000010  20 22 5c 75 30 30 65 34  20 20 20 20 20 20 20 20  | "\\u00e4        |
00000020  20 20 20 20 20 20 20 20  20 20 20 20 20 20 20 20  |                |
*
000000e0  22 7d                                             |"}|
000000e2

gw2
value (8 bytes) :
00000000  7b 22 6e 22 3a 20 32 7d                           |{"n": 2}|
00000008

'''
NO_OBJECT = 'error getting omap keys rbd/cephgate.ha: (2) No such file or directory\n'
NO_POOL = 'error opening pool rbd: (2) No such file or directory\n'


class World:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []

    def __call__(self, argv, stdin):
        self.calls.append(argv)
        return self.answers.pop(0)


def test_records_are_read_from_the_dump_of_their_bytes():
    found = records(TEXT)
    assert found['gw2'] == {'n': 2}
    assert found['gw1'] == dict(RECORD, text='\u00e4' + ' ' * len(found['gw1']['text'][1:]))
    assert len(found['gw1']['text']) == 1 + 8 + 0xe0 - 0x20, 'lines that the dump leaves out are counted'


@pytest.mark.parametrize('value', ['7b 22 6e 22', '5b 5d', '31'])
def test_a_record_that_is_none_is_left_out(value):
    assert records('gw1\nvalue (4 bytes) :\n00000000  %-48s  |....|\n00000004\n\n' % value) == {}


def test_an_exchange_writes_before_it_reads():
    run = World((0, '', ''), (0, TEXT, ''))
    assert set(Ceph(run, 'rbd', 'igw').exchange('gw1', {'n': 1})) == {'gw1', 'gw2'}
    assert [call[5] for call in run.calls] == ['setomapval', 'listomapvals']
    assert run.calls[0][:5] == ['rados', '--id', 'igw', '-p', 'rbd'] and json.loads(run.calls[0][-1]) == {'n': 1}


def test_the_first_look_only_reads_and_finds_nothing():
    run = World((1, '', NO_OBJECT))
    assert Ceph(run, 'rbd').exchange('gw1', None) == {} and len(run.calls) == 1


@pytest.mark.parametrize('answer', [(1, '', NO_POOL), (errno.ETIMEDOUT, '', '')])
def test_a_pool_that_is_missing_or_silent_is_no_empty_table(answer):
    with pytest.raises(CephError):
        Ceph(World(answer), 'rbd').exchange('gw1', None)


@pytest.mark.parametrize('answer, holder', [
    ('[]', None),
    ('[{"id":"auto 140467173856352","locker":"client.4152","address":"127.0.0.1:0/2791647274"}]', '127.0.0.1:0/2791647274'),
    ('{"auto 1":{"locker":"client.4152","address":"[fd00::1]:0/27"}}', '[fd00::1]:0/27')])
def test_the_holder_of_a_lock(answer, holder):
    run = World((0, answer, ''))
    assert Ceph(run, 'rbd', 'igw').holder('rbd/a') == holder
    assert run.calls == [['rbd', '--id', 'igw', 'lock', 'ls', '--format', 'json', 'rbd/a']]


def test_a_lock_of_several_is_nobodys_to_break():
    answer = json.dumps([dict(id=str(n), locker='client.1', address='10.0.0.%d:0/1' % n) for n in (1, 2)])
    with pytest.raises(CephError, match='10.0.0.1:0/1, 10.0.0.2:0/1'):
        Ceph(World((0, answer, '')), 'rbd').holder('rbd/a')


LISTED = '[{"addr":"10.0.0.1:0/4242","until":"2027-11-22T12:54:11.311391+0000"}][]'


def test_a_fence_lives_for_a_year_and_is_seen_in_the_list():
    run = World((0, '', 'blocklisting ...'), (0, LISTED, 'listed 1 entries'))
    assert Ceph(run, 'rbd', 'igw').fence('10.0.0.1:0/4242') == '2027-11-22T12:54:11.311391+0000'
    assert run.calls[0] == ['ceph', '--id', 'igw', 'osd', 'blocklist', 'add', '10.0.0.1:0/4242', '31536000']


def test_a_fence_that_is_not_in_the_list_is_none():
    with pytest.raises(CephError, match='not in the list'):
        Ceph(World((0, '', ''), (0, LISTED, '')), 'rbd').fence('10.0.0.1:0/424')


def test_an_old_ceph_has_another_word_for_it():
    run = World((errno.EINVAL, '', 'no valid command found'), (0, '', ''), (0, LISTED, ''))
    assert Ceph(run, 'rbd').fence('10.0.0.1:0/4242')
    assert [call[4] for call in run.calls] == ['blocklist', 'blacklist', 'blacklist']


def test_a_fence_that_ceph_does_not_confirm_has_failed():
    with pytest.raises(CephError, match='did not answer in time'):
        Ceph(World((errno.ETIMEDOUT, '', '')), 'rbd').fence('10.0.0.1:0/4242')


@pytest.mark.parametrize('client, refused', [
    ('10.99.0.11:0/2202855461', True), ('10.99.0.12:0/2202855461', False), ('10.99.0.12:0/7', True), ('10.99.0.12:0/70', False),
    ('10.98.7.255:0/1', True), ('10.98.8.0:0/1', False), ('10.98.0.0:0/21', True), ('[fd00::11]:0/22', True), ('[fd00:0::11]:0/22', True),
    ('[fd00::12]:0/22', False), ('[fd01:2:3::9]:0/22', True), ('[fd01:2:4::9]:0/22', False), ('no address', False), ('', False)])
def test_who_is_refused_for_itself_for_its_host_or_for_a_range_of_addresses(client, refused):
    text = json.dumps([dict(addr=addr, until='2027') for addr in ('10.99.0.11:0/0', '10.99.0.12:0/7', '[fd00::11]:0/0')]) + \
        json.dumps([dict(range=network, until='2027') for network in ('10.98.0.0:0/21', '[fd01:2:3::]:0/48')])
    assert refuses(blocklist(text), client) is refused
    run = World((0, text, 'listed 5 entries'))
    assert Ceph(run, 'rbd').listed(client) is refused
    assert run.calls == [['ceph', '--id', 'admin', 'osd', 'blocklist', 'ls', '--format', 'json']]


@pytest.mark.parametrize('text', ['[]', '[]\n[]\n', ''])
def test_an_empty_blocklist_refuses_nobody(text):
    assert refuses(blocklist(text), '10.0.0.1:0/1') is False


@pytest.mark.parametrize('text', ['[{"addr":"10.0.0.1:0/0","until":"soon"}][]', '[][{"range":"10.0.0.0:0/24","until":"soon"}]'])
def test_a_fence_is_an_entry_of_the_very_client_whatever_else_covers_it(text):
    """Those may live for an hour only."""
    with pytest.raises(CephError, match='not in the list'):
        Ceph(World((0, '', ''), (0, text, '')), 'rbd').fence('10.0.0.1:0/4242')
    run = World((0, '', ''), (0, text.replace('[', '[{"addr":"10.0.0.1:0/4242","until":"2027"},', 1).replace(',]', ']'), ''))
    assert Ceph(run, 'rbd').fence('10.0.0.1:0/4242') == '2027' and 'add' in run.calls[0]
