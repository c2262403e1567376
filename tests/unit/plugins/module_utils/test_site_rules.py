# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every wrong declaration is found, and the sentence names the object and the remedy."""
import copy

import hypothesis
import pytest
from ansible.module_utils.common.text.formatters import human_to_bytes
from hypothesis import strategies

from ansible_collections.cephgate.iscsi.plugins.module_utils.lun_rules import size_of
from ansible_collections.cephgate.iscsi.plugins.module_utils.site_rules import iscsi_name_problem, problems

PREFIX = 'iqn.2026-11.com.example.cephgate'
CHAP = dict(user='u', secret='x' * 12)
OTHER = dict(user='v', secret='w' * 12)
SITE = dict(
    luns=[dict(image='rbd/a', size='1G', gateway='gw1', hosts={'db': 0}),
          dict(image='rbd/ns/b', hosts={'db': 1, 'web': 0})],
    hosts={'db': dict(initiators=['iqn.1993-08.org.debian:01:db1']),
           'web': dict(initiators=['iqn.1991-05.com.microsoft:web'])},
    gateways={'gw1': dict(number=1, portals=['10.0.0.1']), 'gw2': dict(number=2, portals=['fd00::2'])},
    iqn_prefix=PREFIX,
)


def changed(**changes):
    """The good site with values replaced at paths such as luns__0__hosts."""
    site = copy.deepcopy(SITE)
    for path, value in changes.items():
        *way, last = [int(p) if p.isdigit() else p for p in path.split('__')]
        place = site
        for step in way:
            place = place[step]
        place[last] = value
    return site


def test_the_good_site_has_no_problem():
    assert problems(**SITE) == []


def test_portals_may_be_on_several_networks_of_both_families():
    assert problems(**changed(gateways__gw1__portals=['10.0.0.1', '10.1.0.1', 'fd00::1', 'fd00:1::1'],
                              gateways__gw2__portals=['fd00::2', '10.0.0.2'])) == []


@pytest.mark.parametrize('changes, words', [
    (dict(luns__1__hosts={'db': 0}), ['LUN 0', 'host db', 'rbd/a', 'rbd/ns/b', 'another number']),
    (dict(luns__0__gateway='gw9'), ['rbd/a', 'gw9', 'gw1, gw2', 'Correct']),
    (dict(luns__0__hosts={'nobody': 0}), ['rbd/a', 'nobody', 'cephgate_hosts']),
    (dict(luns__0__hosts={'db': -1}), ['rbd/a', '-1', '16383']),
    (dict(luns__0__hosts={'db': 16384}), ['16384']),
    (dict(luns__0__hosts={'db': True}), ['True']),
    (dict(luns__0__hosts={'db': '0'}), ["'0'"]),
    (dict(luns__0__image='a'), ['"a"', 'pool/image']),
    (dict(luns__0__image='rbd/a@snap'), ['rbd/a@snap', 'snapshot']),
    (dict(luns__1__image='rbd/a'), ['rbd/a', 'twice', 'Merge']),
    (dict(gateways__gw2__number=1), ['gw1', 'gw2', 'both', '1']),
    (dict(gateways__gw2__number=None), ['gw2', 'cephgate_gateway_id', 'None']),
    (dict(gateways__gw2__number=0), ['gw2', '1 to 65535']),
    (dict(gateways__gw2__portals=[]), ['gw2', 'cephgate_portals']),
    (dict(gateways__gw2__portals=['10.0.0.1']), ['10.0.0.1', 'gw1', 'gw2']),
    (dict(gateways__gw1__portals=['10.0.0.1', 'FD00:0::2']), ['fd00::2', 'gw1', 'gw2']),
    (dict(gateways__gw1__portals=['10.0.0.1', 'fd00::1', 'fd00:0::1']), ['fd00:0::1', 'gw1', 'twice']),
    (dict(gateways__gw1__mode='fenced'), ['cephgate_ha_mode', 'gw1: fenced', 'gw2: shared']),
    (dict(gateways__gw1__portals=['10.0.0.1:3260']), ['10.0.0.1:3260', 'gw1', 'without port']),
    (dict(gateways__gw1__portals=['[fd00::1]']), ['[fd00::1]', 'gw1', 'brackets']),
    (dict(gateways__gw1__portals=['10.0.0.1/24']), ['10.0.0.1/24', 'gw1', 'prefix length']),
    (dict(gateways__gw1__portals=['gw1.example.com']), ['gw1.example.com', 'no IPv4 or IPv6 address']),
    (dict(gateways__gw1__portals=['fe80::1']), ['fe80::1', 'gw1', 'link-local']),
    (dict(iqn_prefix='cephgate'), ['"cephgate"', 'RFC 7143']),
    (dict(iqn_prefix='iqn.2026-13.com.example'), ['iqn.2026-13', 'YYYY-MM']),
    (dict(hosts__db__initiators=[]), ['host db', 'no initiators']),
    (dict(hosts__db__initiators=['iqn.bad']), ['host db', 'iqn.bad', 'RFC 7143']),
    (dict(hosts__web__initiators=['iqn.1993-08.org.debian:01:db1']), ['db', 'web', 'either group']),
    (dict(hosts__db__chap=dict(user='v', secret='short'), hosts__web__chap=CHAP), ['host db', '12']),
    (dict(hosts__db__chap=dict(user='v', secret='long enough but blank'), hosts__web__chap=CHAP), ['host db', 'blank']),
    (dict(hosts__db__chap=dict(OTHER, mutual_user='m', mutual_secret='y'), hosts__web__chap=CHAP),
     ['host db', 'mutual_secret']),
    (dict(hosts__db__chap=CHAP), ['hosts db have chap', 'web have none']),
    (dict(hosts__db__chap=dict(CHAP, user=None), hosts__web__chap=CHAP), ['host db', 'no user']),
    (dict(hosts__db__chap=CHAP, hosts__web__chap=dict(CHAP, secret='y' * 12)), ['db', 'web', 'same CHAP user "u"']),
    (dict(hosts__db__chap=dict(CHAP, mutual_user='u', mutual_secret='z' * 12), hosts__web__chap=OTHER), ['host db', 'mutual_user']),
    (dict(hosts__db__chap=dict(CHAP, mutual_user='m', mutual_secret=CHAP['secret']), hosts__web__chap=OTHER), ['host db', 'the same']),
    (dict(hosts__db__chap=dict(CHAP, mutual_user='m', mutual_secret='z' * 12),
          hosts__web__chap=dict(OTHER, mutual_user='n', mutual_secret='z' * 12)), ['db and web', 'mutual_user']),
    (dict(hosts__db__chap=dict(user='u', secret=123456789012), hosts__web__chap=OTHER), ['host db', 'quotes']),
    (dict(hosts__db__chap=dict(user='u', password='hunter2hunter2'), hosts__web__chap=OTHER), ['host db', 'password is none of its keys']),
    (dict(hosts__db__chap=dict(CHAP, mutual_usr='m', mutual_secret='z' * 12), hosts__web__chap=OTHER), ['host db', 'mutual_usr is none of its keys']),
    (dict(hosts__db__chap=dict(CHAP, mutual_secret='z' * 12), hosts__web__chap=OTHER), ['host db', 'mutual_user and mutual_secret belong together']),
    (dict(hosts__db=dict(SITE['hosts']['db'], Chap=CHAP)), ['host db: Chap is none of its keys, which are initiators, chap']),
    (dict(hosts__db=None), ['host db', 'dictionary']),
    (dict(hosts__db__initiators='iqn.1993-08.org.debian:01:db1'), ['host db', 'list']),
    (dict(hosts__db__initiators=['iqn.1991-05.com.microsoft:*']), ['microsoft:*', 'microsoft:web', 'either set']),
    (dict(hosts__db__initiators=['iqn.1993*'], hosts__web__initiators=['*debian*']), ['iqn.1993*', '*debian*']),
    (dict(gateways__gw2__portals='10.0.0.2'), ['gw2', 'no list']),
    (dict(luns__0__size='100 elephants'), ['image rbd/a', '"100 elephants"', '1 MiB', '100G']),
    (dict(luns__0__size='-5G'), ['image rbd/a', '"-5G"', 'positive']),
    (dict(luns__0__size='1000K'), ['image rbd/a', '"1000K"', '1 MiB']),
    (dict(luns__0__size=0), ['image rbd/a', '"0"', 'positive']),
    (dict(luns__0__size=''), ['image rbd/a', 'size ""']),
    (dict(luns__0__size=True), ['image rbd/a', '"True"']),
    (dict(luns__0__size=['1G']), ['image rbd/a', '1 MiB']),
    (dict(luns__0__object_size='3M'), ['image rbd/a', 'object_size "3M"', 'power of two']),
    (dict(luns__0__object_size='64M'), ['image rbd/a', 'object_size "64M"', '32 MiB']),
    (dict(luns__0__identity=['usn']), ['image rbd/a', 'identity', 'no dictionary']),
    (dict(luns__0__identity={'usn': 'a', 'serial': 'x'}), ['image rbd/a', 'identity: serial is none of its keys', 'usn, naa_id']),
    (dict(luns__0__identity={'usn': 12345678}), ['image rbd/a', 'usn is 12345678', 'quotes']),
    (dict(luns__0__identity={'naa_id': 0x3001405abcdef012}), ['image rbd/a', 'naa_id is', 'quotes']),
    (dict(luns__0__identity={'t10_dev_id': None}), ['image rbd/a', 't10_dev_id is None', 'quotes']),
    (dict(luns__0__identity={'usn': 'x' * 21}), ['image rbd/a: identity: usn', '21', '20']),
    (dict(luns__0__identity={'naa_id': '0x3001'}), ['image rbd/a: identity: naa_id', '0x3001', '16 or 32']),
    (dict(luns__0__identity={'usn': 'same'}, luns__1__identity={'usn': 'Same'}), ['image rbd/a and image rbd/ns/b', 'usn (same)']),
    (dict(luns__0__identity={'naa_id': '3001405ABCDEF012'}, luns__1__identity={'naa_id': '0x3001405abcdef012'}), ['rbd/a', 'rbd/ns/b', 'naa_id']),
    (dict(luns__0__identity={'eui64_id': '0x0123456789abcdef'}, luns__1__identity={'eui64_id': '0x0123456789abcdef'}), ['rbd/a', 'eui64_id']),
    (dict(luns__0__identity={'t10_dev_id': 'eight888-1'}, luns__1__identity={'t10_dev_id': 'eight888-2'}), ['rbd/a', 'rbd/ns/b', 't10_dev_id']),
])
def test_each_wrong_declaration_is_named(changes, words):
    found = problems(**changed(**changes))
    assert found, 'not found'
    assert all(word in found[0] for word in words), found
    assert len(found) == 1, found


def test_a_secret_is_never_part_of_a_problem():
    found = problems(**changed(hosts__db__chap=dict(user='u', secret='hunter2'), hosts__web__chap=dict(user='u', secret='hunter2')))
    assert len(found) > 2 and 'hunter2' not in ''.join(found)
    found = problems(**changed(hosts__db=dict(SITE['hosts']['db'], Chap=dict(user='u', secret='hunter2hunter2'), secret='hunter2')))
    assert 'Chap, secret' in found[0] and 'hunter2' not in ''.join(found)


def test_a_gateway_whose_name_makes_no_iscsi_name():
    site = changed()
    site['gateways']['gw_3'] = dict(number=3, portals=['10.0.0.3'])
    found = problems(**site)
    assert len(found) == 1 and 'gw_3' in found[0] and 'Rename' in found[0]


@pytest.mark.parametrize('name', [
    'iqn.1993-08.org.debian:01:9a8b7c', 'iqn.2026-11.com.example', 'eui.0123456789abcdef', 'naa.60014050000000010000000000000001',
    'iqn.1991-05.com.microsoft:host.example.com'])
def test_legal_names(name):
    assert iscsi_name_problem(name) is None


@pytest.mark.parametrize('name', [
    '', 'iqn', 'iqn.2026-1.com.example', 'iqn.2026-11.', 'iqn.2026-11.com.example:', 'iqn.2026-11.com.exam ple',
    'IQN.2026-11.com.example', 'iqn.2026-11.com.Example', 'eui.0123', 'naa.0123', 'iqn.2026-11.com.example:' + 'x' * 220,
    'iqn.2026-11.com.example:a_b'])
def test_illegal_names(name):
    assert iscsi_name_problem(name)


def test_identities_that_may_be():
    """The kinds that the imports write, and one that a disk has which goes."""
    kept = dict(naa_id='0x6001405abcdef0120000000000000001', usn='12345678', t10_dev_id='a', vend_specific_id='b', t10_vend_id='C', prod_id='D')
    assert problems(**changed(luns__0__identity=kept, luns__1__identity=dict(usn='12345679'))) == []
    assert problems(**changed(luns__0__identity=kept, luns__1__identity=dict(kept), luns__1__state='absent')) == []
    assert problems(**changed(luns__0__identity=None, luns__1__identity={})) == []


@pytest.mark.parametrize('size', ['100G', '1.5T', '1048576', 1 << 30, '1 GB', '2 gigabyte', '10240K', None])
def test_sizes_that_may_be(size):
    assert problems(**changed(luns__0__size=size, luns__0__object_size='8M')) == []


def test_the_size_of_an_image_that_goes_does_not_count():
    assert problems(**changed(luns__0__size='nonsense', luns__0__state='absent')) == []


@hypothesis.given(strategies.one_of(
    strategies.integers(-5, 1 << 70), strategies.floats(-1, 1e9), strategies.booleans(),
    strategies.from_regex(r'\A ?-?[0-9]{0,3}\.?[0-9]{0,3} ?([bkmgtpezyKMGx]?[bB]?|([A-Za-z]+)?([bB]yte)?s?)[ \n]?\Z'),
    strategies.sampled_from(['1kilobyte', '2 YottaByte', '3 zettabyte', '3 zetabyte', '1Gb', '1gB', '1Kib', '1GiB', '5b', '5bb', '5BB'])))
def test_a_size_is_read_as_the_module_reads_it(value):
    try:
        wanted = human_to_bytes(value)
    except ValueError:
        wanted = None
    assert size_of(value) == wanted, value
