# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kernels can map: the table, and what people are told to do."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.filter.krbd_problems import krbd_problems
from ansible_collections.cephgate.iscsi.plugins.module_utils import krbd

ALL = ['layering', 'exclusive-lock', 'object-map', 'fast-diff', 'deep-flatten']


@pytest.mark.parametrize('kernel, missing', [
    ('3.13.0-170-generic', ['deep-flatten', 'exclusive-lock', 'fast-diff', 'object-map']),
    ('4.9.0', ['deep-flatten', 'fast-diff', 'object-map']),
    ('5.2.1', ['fast-diff', 'object-map']),
    ('5.3.0', []), ('6.1.0-56-amd64', []), ('not a version', []),
    ('3.10.0-1160.el7.x86_64', []),
])
def test_the_table_of_features(kernel, missing):
    assert krbd.lacking(ALL, kernel) == missing


def test_no_kernel_has_journaling_and_what_is_not_known_is_left_to_the_kernel():
    assert krbd.lacking(['journaling', 'of-the-future'], '7.9.0') == ['journaling']


def test_a_kernel_that_tells_its_features_is_believed():
    assert krbd.lacking(ALL, '3.10.0', supported=0x3d) == []
    assert krbd.lacking(ALL, '6.1.0', supported=0x5) == ['deep-flatten', 'fast-diff', 'object-map']


def test_supported_features_are_read_as_the_kernel_writes_them(tmp_path):
    (tmp_path / 'supported_features').write_text('0x1ff\n')
    assert krbd.supported(str(tmp_path / 'supported_features')) == 0x1ff
    assert krbd.supported(str(tmp_path / 'none')) is None


def test_the_remedy_takes_dependent_features_away_first():
    said = krbd.feature_problem('rbd/a', ['layering', 'exclusive-lock', 'object-map', 'fast-diff'], '3.13.0')
    assert 'rbd feature disable rbd/a fast-diff object-map exclusive-lock' in said


def test_what_cannot_be_taken_away_has_another_remedy():
    said = krbd.feature_problem('rbd/a', ['layering', 'data-pool'], '4.4.0')
    assert 'data-pool' in said and 'copy' in said and 'feature disable' not in said and 'Linux 4.11' in said


@pytest.mark.parametrize('options, kernel, names', [
    ('osdkeepalive=2', '3.10.0', []), ('exclusive', '4.11.0', ['exclusive']), ('exclusive', '4.12.0', []),
    ('osdkeepalive=2,lock_on_read,ms_mode=secure', '4.4.0', ['lock_on_read', 'ms_mode']), ('', '2.6.32', []), (None, '2.6.32', []),
    ('new_one=3', '2.6.32', []),
])
def test_the_table_of_options(options, kernel, names):
    problems = krbd.option_problems(options, kernel)
    assert len(problems) == len(names) and all(name in problem for name, problem in zip(names, problems))


def test_the_site_is_checked_for_every_gateway_before_an_image_is_made():
    problems = krbd.site_problems({'gw1': '6.1.0', 'gw2': '3.13.0'}, ['layering', 'exclusive-lock'], 'osdkeepalive=2,exclusive',
                                  [dict(image='rbd/ns/a', data_pool='ec')])
    assert len(problems) == 4 and all('gateway gw2' in problem and '3.13.0' in problem for problem in problems)
    for word in ('exclusive-lock', 'map option exclusive', 'namespaces', 'data pool'):
        assert any(word in problem for problem in problems), word
    assert krbd.site_problems({'gw1': '6.1.0'}, ['layering', 'exclusive-lock'], '', []) == []
    assert krbd.site_problems({}, ['journaling'], '', []) == []


@pytest.mark.parametrize('kernel, refused', [('4.18.0-553.el8_10.x86_64', False), ('4.18.0-25-generic', True), ('4.19.0', False)])
def test_namespaces_are_judged_as_features_and_options_are(kernel, refused):
    assert bool(krbd.site_problems({'gw1': kernel}, ['layering'], '', [dict(image='rbd/ns/a')])) == refused


def options_problems(options, mode='shared', gateways=2, newer=()):
    return krbd_problems({'gw1': '6.1.0'}, ['layering', 'exclusive-lock'], options, [], {}, mode, gateways, newer)


@pytest.mark.parametrize('name, near', [('osd_keepalive', 'osdkeepalive'), ('queuedepth', 'queue_depth'), ('Exclusive', 'exclusive'), ('zzz', 'abort_on_full')])
def test_a_misspelt_option_is_refused_with_what_it_may_mean(name, near):
    problems = options_problems('osdkeepalive=2, %s=2' % name)
    assert len(problems) == 1 and name in problems[0] and near in problems[0] and 'gateway_new_map_options' in problems[0]
    assert options_problems('osdkeepalive=2, %s=2' % name, newer=[name]) == []


def test_every_option_of_the_table_and_the_roles_default_pass():
    allowed = [name for name in krbd.OPTIONS if name != 'exclusive']
    for options in ('osdkeepalive=2', 'osdkeepalive=2,queue_depth=256', ','.join(allowed)):
        assert options_problems(options) == [], options


@pytest.mark.parametrize('options, mode, gateways, why', [
    ('osdkeepalive=2,exclusive', 'shared', 2, 'keep its lock'), ('exclusive', 'shared', 1, None), ('exclusive', 'fenced', 2, None),
    ('noshare', 'fenced', 2, 'share one Ceph client'), ('noshare', 'fenced', 1, 'share one Ceph client'), ('noshare', 'shared', 2, None),
    ('ro', 'fenced', 2, 'write'), ('ro', 'shared', 2, None),
])
def test_options_that_do_not_go_with_the_mode_are_refused(options, mode, gateways, why):
    problems = options_problems(options, mode, gateways)
    assert len(problems) == (why is not None) and all(why in problem and mode in problem for problem in problems), problems


@pytest.mark.parametrize('features, mode, refused', [
    (['layering'], 'fenced', True), ([], 'fenced', True), (['layering'], 'shared', False), (['layering', 'exclusive-lock'], 'fenced', False)])
def test_images_of_a_fenced_site_are_made_so_that_one_gateway_can_have_them_alone(features, mode, refused):
    problems = krbd_problems({'gw1': '6.1.0'}, features, 'osdkeepalive=2', [], {}, mode, 2)
    assert len(problems) == refused and all('gateway_image_features' in problem and 'Add exclusive-lock' in problem for problem in problems)
