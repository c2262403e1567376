# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity and the site's views: equal on every gateway, different for every disk, stable."""
import itertools
import re

import pytest
from hypothesis import given, strategies as st

from ansible_collections.cephgate.iscsi.plugins.module_utils.identity import device_name, identity
from ansible_collections.cephgate.iscsi.plugins.module_utils import site

FSID = 'a7f64266-0894-4f1e-a635-d0aeaca0e993'
GATEWAYS = ['gw1', 'gw2', 'gw3']
IMAGES = ['rbd/image%d' % n for n in range(600)]


def test_identity_is_what_it_was():
    """Changing the derivation would give every disk in the field another WWID: this must never differ."""
    assert identity(FSID, '1037c2a4b7f1') == dict(
        t10_vend_id='CEPHGATE', prod_id='RBD', usn='d521e15df48545c245bb', naa_id='0x3d521e15df48545c',
        t10_dev_id='2uq6cxpuqvc4ern3z2sjwelx', vend_specific_id='2uq6cxpuqvc4ern3z2sjwelx')
    assert device_name('rbd/db01') == 'db01-' + device_name('rbd/db01')[-6:]


def test_identity_fits_what_scst_takes():
    own = identity(FSID, '1037c2a4b7f1')
    assert re.match(r'^0x3[0-9a-f]{15}$', own['naa_id'])
    assert len(own['usn']) <= 20 and len(own['t10_dev_id']) <= 25
    assert len(own['t10_vend_id']) <= 8 and len(own['prod_id']) <= 16


def test_every_part_of_the_identity_differs_between_images():
    own = [identity(FSID, 'id%d' % n) for n in range(2000)]
    for part in (lambda i: i['usn'], lambda i: i['naa_id'], lambda i: i['t10_dev_id'][:8]):
        assert len({part(i) for i in own}) == 2000


def test_a_recreated_image_is_another_disk_and_another_cluster_too():
    assert identity(FSID, 'a') != identity(FSID, 'b')
    assert identity(FSID, 'a') != identity(FSID.replace('a7', 'b8'), 'a')


@given(st.text(min_size=1, max_size=300).filter(lambda text: '/' not in text))
def test_a_device_name_is_always_legal_for_scst_3_0_1(name):
    assert re.match(r'^[A-Za-z0-9_-]{1,9}-[0-9a-f]{6}$', device_name('pool/x' + name))


def test_the_preferred_gateway_depends_on_no_order():
    for image in IMAGES[:50]:
        assert len({site.preferred_gateway(image, list(p)) for p in itertools.permutations(GATEWAYS)}) == 1


def test_images_are_spread_evenly():
    count = [sum(site.preferred_gateway(i, GATEWAYS) == g for i in IMAGES) for g in GATEWAYS]
    assert min(count) > 150, count


def test_a_fourth_gateway_takes_about_a_quarter_and_moves_nothing_else():
    before = {i: site.preferred_gateway(i, GATEWAYS) for i in IMAGES}
    after = {i: site.preferred_gateway(i, GATEWAYS + ['gw4']) for i in IMAGES}
    moved = [i for i in IMAGES if before[i] != after[i]]
    assert all(after[i] == 'gw4' for i in moved)
    assert 0.18 < len(moved) / len(IMAGES) < 0.32


def test_a_removed_gateway_gives_up_only_its_own():
    before = {i: site.preferred_gateway(i, GATEWAYS) for i in IMAGES}
    after = {i: site.preferred_gateway(i, GATEWAYS[1:]) for i in IMAGES}
    assert all(before[i] == 'gw1' for i in IMAGES if before[i] != after[i])


NAMES = st.text('abcdefghijklmnopqrstuvwxyz0123456789-.', min_size=1, max_size=12)


@given(st.sets(NAMES, min_size=1, max_size=9), NAMES)
def test_whatever_the_gateways_are_called_one_that_comes_takes_its_share_and_moves_nothing_else(names, new):
    names.discard(new)
    if not names:
        return
    before = {i: site.preferred_gateway(i, sorted(names)) for i in IMAGES}
    after = {i: site.preferred_gateway(i, sorted(names | {new})) for i in IMAGES}
    moved = [i for i in IMAGES if before[i] != after[i]]
    assert all(after[i] == new for i in moved), 'and when it goes, it gives up only its own'
    share = 1 / (len(names) + 1)
    # 600 images: 5 standard deviations of a fair choice.
    assert abs(len(moved) / len(IMAGES) - share) < 5 * (share * (1 - share) / len(IMAGES)) ** 0.5, (len(moved), share)


@given(st.sets(NAMES, min_size=2, max_size=9), st.data())
def test_a_declared_gateway_stays_whoever_comes_or_goes(names, data):
    declared = data.draw(st.sampled_from(sorted(names)))
    others = data.draw(st.sets(st.sampled_from(sorted(names)))) | {declared}
    for image in IMAGES[:20]:
        assert site.preferred_gateway(image, sorted(others), declared) == declared


LUNS = [dict(image='rbd/a', size='1G', gateway='gw1', hosts={'db': 0, 'web': 3}),
        dict(image='rbd/b', size='1G', gateway='gw2', hosts={'db': 1})]
MAPPED = {'rbd/a': dict(path='/dev/rbd/rbd/a', fsid=FSID, image_id='1', size=1 << 30),
          'rbd/b': dict(path='/dev/rbd/rbd/b', fsid=FSID, image_id='2', size=1 << 30)}


def test_all_gateways_agree_on_identity_and_access_states():
    groups = site.device_groups('iqn.2026-11.com.example', LUNS, {'gw1': 1, 'gw2': 2})
    assert groups == site.device_groups('iqn.2026-11.com.example', LUNS[::-1], {'gw2': 2, 'gw1': 1})
    assert [g['name'] for g in groups] == ['cephgate-gw1', 'cephgate-gw2']
    first = groups[0]
    assert first['devices'] == [device_name('rbd/a')]
    assert [(t['name'], t['group_id'], t['state'], t['preferred']) for t in first['target_groups']] == [
        ('gw1', 1, 'active', True), ('gw2', 2, 'nonoptimized', False)]
    assert first['target_groups'][1]['targets'] == [dict(name='iqn.2026-11.com.example:gw2', rel_tgt_id=2)]


def test_a_target_has_all_portals_of_its_gateway_of_both_families():
    portals = ['10.0.0.1', '10.1.0.1', 'fd00::1']
    assert site.target('iqn.2026-11.com.example', 'gw1', 1, portals, {})['allowed_portals'] == portals


def test_what_a_former_gateway_left_goes():
    assert all(group['exclusive'] == ['target_groups'] for group in site.device_groups('iqn.x', LUNS, {'gw1': 1, 'gw2': 2}))


def test_a_lun_appears_once_in_every_group_of_its_hosts():
    luns = site.target_luns('iqn.2026-11.com.example', 'gw1', LUNS)
    assert sorted((x['group'], x['lun'], x['device'][:2]) for x in luns) == [
        ('db', 0, 'a-'), ('db', 1, 'b-'), ('web', 3, 'a-')]


def test_an_image_that_is_not_there_yet_has_no_identity():
    device = site.devices(LUNS[:1], {})[0]
    assert device['attributes'] == {'rotational': '0'} and device['attributes_if_offered'] == {} and device['filename'] == '/dev/rbd/rbd/a'
    assert site.exports(LUNS, {}, ['gw1', 'gw2']) == {}


@pytest.mark.parametrize('override', [dict(usn='hand-made'), dict(naa_id='0x3000000000000001')])
def test_a_declared_identity_wins(override):
    luns = [dict(LUNS[0], identity=override)]
    device = site.devices(luns, MAPPED)[0]
    attributes = dict(device['attributes'], **device['attributes_if_offered'])
    assert dict(attributes, **override) == attributes
    assert site.exports(luns, MAPPED, ['gw1'])['rbd/a']['serial'] == attributes['usn']


def test_what_is_removed_in_the_mode_fenced_has_a_device_group_of_its_own():
    gone = [dict(image='rbd/x', hosts={'db': 1}, state='absent')]
    assert site.removed('iqn.x', 'gw1', gone)['device_groups'] == []
    assert site.removed('iqn.x', 'gw1', gone, True)['device_groups'] == [dict(name=device_name('rbd/x'), state='absent')]


def test_the_records_lie_in_the_declared_pool_or_that_of_the_first_image():
    luns = [dict(image='rbd/x'), dict(image='apool/ns/x')]
    assert [site.record_pool(luns, ''), site.record_pool(luns, 'p'), site.record_pool([], '')] == ['apool', 'p', '']
