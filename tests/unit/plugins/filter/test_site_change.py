# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change of the declaration: in the values, and in a file whose comments and layout stay."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.filter.site_change import site_change
from ansible_collections.cephgate.iscsi.plugins.plugin_utils.site_change import load

FILE = """---
# The prefix
cephgate_iqn_prefix: iqn.2026-11.com.example   # ours

cephgate_luns:
  - image: rbd/db01 # the first
    size: 100G      # grown in May
    hosts: {db: 0}
  # between
  - image: rbd/db02
    size: 20G
    hosts:
      db: 1   # second
# after

cephgate_hosts:
  db:
    initiators: [iqn.1993-08.org.debian:01:db1]
cephgate_ceph_key: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  00
"""
NAME = 'iqn.1993-08.org.debian:01:web'


def made(asked, text=FILE):
    found = load(text)
    return site_change(found['cephgate_luns'] or [], found['cephgate_hosts'] or {}, asked, text)


def difference(asked, text=FILE):
    """Lines that are new, and lines that are gone; everything else is as it was."""
    result = made(asked, text)
    assert result['problems'] == [] and result['changed']
    before, after = text.splitlines(), result['text'].splitlines()
    assert load(result['text'])['cephgate_luns'] == result['luns'] and load(result['text'])['cephgate_hosts'] == result['hosts']
    return [line for line in after if line not in before], [line for line in before if line not in after]


def test_a_lun_is_added_behind_the_last():
    assert difference(dict(lun=dict(image='rbd/db03', size='50G', host='db', gateway='gw1'))) == (
        ['  - image: rbd/db03', '    size: 50G', '    gateway: gw1', '    hosts: {db: 2}'], [])
    text = made(dict(lun=dict(image='rbd/db03', size='50G', host='db')))['text']
    assert text.index('db: 1   # second') < text.index('rbd/db03') < text.index('# after')


def test_the_lowest_free_number_is_taken_unless_one_is_given():
    gap = FILE.replace('db: 1   # second', 'db: 5')
    assert made(dict(lun=dict(image='rbd/n', size='1G', host='db')), gap)['luns'][-1]['hosts'] == {'db': 1}
    assert made(dict(lun=dict(image='rbd/n', size='1G', host='db', number='')), gap)['luns'][-1]['hosts'] == {'db': 1}
    assert made(dict(lun=dict(image='rbd/n', size='1G', host='db', number='7')), gap)['luns'][-1]['hosts'] == {'db': 7}


def test_an_image_is_shown_to_one_host_more():
    two = FILE.replace('  db:\n    init', '  web:\n    initiators: [%s]\n  db:\n    init' % NAME)
    assert difference(dict(lun=dict(image='rbd/db01', host='web')), two) == (['    hosts: {db: 0, web: 0}'], ['    hosts: {db: 0}'])
    assert difference(dict(lun=dict(image='rbd/db02', host='web', number=4)), two) == (['      web: 4'], [])


def test_a_lun_grows_and_the_comment_stays():
    assert difference(dict(grow=dict(image='rbd/db01', size='200G'))) == (
        ['    size: 200G      # grown in May'], ['    size: 100G      # grown in May'])


def test_a_host_is_added():
    assert difference(dict(host=dict(name='web', initiators=NAME + ', ' + NAME + '2'))) == (
        ["  web: {initiators: ['%s', '%s2']}" % (NAME, NAME)], [])


@pytest.mark.parametrize('luns', ['[]', '', '[{image: rbd/a, size: 1G, hosts: {db: 0}}]', '\n- {image: rbd/a, size: 1G, hosts: {db: 0}}',
                                  '\n- image: rbd/a\n  hosts: {db: 0}\n'])
def test_other_layouts(luns):
    text = 'cephgate_luns: %s\ncephgate_hosts: {db: {initiators: []}}\n' % luns
    result = made(dict(lun=dict(image='rbd/b', size='1G', host='db')), text)
    assert result['problems'] == [] and load(result['text'])['cephgate_luns'] == result['luns'] and result['luns'][-1]['image'] == 'rbd/b'
    if 'rbd/a' in luns:
        result = made(dict(grow=dict(image='rbd/a', size='2G')), text)
        assert result['problems'] == [] and load(result['text'])['cephgate_luns'][0]['size'] == '2G'


def test_the_end_of_the_file_may_lack_a_newline():
    text = 'cephgate_hosts: {db: {initiators: []}}\ncephgate_luns:\n  - {image: rbd/a, hosts: {db: 0}}'
    assert load(made(dict(lun=dict(image='rbd/b', host='db')), text)['text'])['cephgate_luns'][1] == dict(image='rbd/b', hosts={'db': 1})


@pytest.mark.parametrize('asked', [
    dict(lun=dict(image='rbd/db01', host='db')), dict(lun=dict(image='rbd/db01', host='db', number='0', size='100G')),
    dict(grow=dict(image='rbd/db01', size='100G')), dict(grow=dict(image='rbd/db01', size='102400M')),
    dict(host=dict(name='db', initiators='iqn.1993-08.org.debian:01:db1'))])
def test_what_is_done_is_not_done_again(asked):
    result = made(asked)
    assert result['problems'] == [] and not result['changed'] and result['text'] == FILE


@pytest.mark.parametrize('asked, said', [
    (dict(lun=dict(image='rbd/n', size='50', host='db')), 'size "50" is none'),
    (dict(lun=dict(image='rbd/n', size='1G', host='web')), 'host "web" is not declared (db)'),
    (dict(lun=dict(image='rbd/n', size='1G', host='db', number='1')), 'LUN 1 of host db is image rbd/db02'),
    (dict(lun=dict(image='rbd/n', size='1G', host='db', number='one')), 'is no number'),
    (dict(lun=dict(image='rbd/db01', host='db', number='9')), 'is LUN 0 of host db already'),
    (dict(grow=dict(image='rbd/none', size='1G')), 'rbd/none is not declared. The images are: rbd/db01, rbd/db02'),
    (dict(grow=dict(image='rbd/db01', size='99G')), 'never shrunk'),
    (dict(host=dict(name='db', initiators=NAME)), 'declared already, with the initiators'),
])
def test_wrong_answers_are_refused_with_the_reason(asked, said):
    result = made(asked)
    assert said in result['problems'][0] and 'text' not in result


def test_a_declared_image_keeps_its_size_and_gateway():
    two = FILE.replace('  db:\n    init', '  web:\n    initiators: [%s]\n  db:\n    init' % NAME)
    assert 'declared already, with size 100G' in made(dict(lun=dict(image='rbd/db01', host='web', size='200G')), two)['problems'][0]
    assert 'Leave the gateway out' in made(dict(lun=dict(image='rbd/db01', host='web', gateway='gw1')), two)['problems'][0]


def test_a_removed_image_is_not_added_again_by_the_way():
    text = FILE.replace('    size: 20G', '    size: 20G\n    state: absent')
    assert 'state: absent' in made(dict(lun=dict(image='rbd/db02', host='db')), text)['problems'][0]


def test_secrets_are_not_asked_for():
    text = FILE.replace('    initiators: [iqn.1993', '    chap: {user: joe, secret: x}\n    initiators: [iqn.1993')
    assert 'Secrets are not taken here' in made(dict(host=dict(name='web', initiators=NAME)), text)['problems'][0]


def test_the_file_must_be_the_one_in_effect():
    asked = dict(grow=dict(image='rbd/db01', size='200G'))
    luns = load(FILE)['cephgate_luns']
    assert 'are not those in effect' in site_change(luns[:1], {}, asked, FILE)['problems'][0]
    assert 'are not those in effect' in site_change([], {'other': {}}, dict(host=dict(name='web', initiators=NAME)), FILE)['problems'][0]
    assert 'no YAML' in site_change(luns, {}, asked, 'a: [')['problems'][0]


def test_a_file_of_luns_alone():
    text = FILE[:FILE.index('cephgate_hosts')]
    luns = load(text)['cephgate_luns']
    result = site_change(luns, {'db': dict(initiators=[])}, dict(lun=dict(image='rbd/n', size='1G', host='db')), text)
    assert result['problems'] == [] and '  - image: rbd/n\n' in result['text']


def test_a_layout_that_cannot_be_changed_is_left_alone():
    """An anchor shared by two LUNs: the change of one would change the other."""
    text = 'cephgate_hosts: {db: {initiators: []}}\ncephgate_luns:\n  - &a {image: rbd/a, size: 1G, hosts: {}}\n  - {<<: *a, image: rbd/b}\n'
    result = made(dict(grow=dict(image='rbd/a', size='2G')), text)
    assert 'cannot be changed safely' in result['problems'][0]
