# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands where a name or a value should: a clean refusal, or all of it is done. Never a half-made object."""
import copy
import json

import hypothesis
import pytest
import world
from ansible_collections.cephgate.iscsi.plugins.module_utils import (
    scst_alua, scst_conf, scst_device, scst_lun, scst_target)
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Refused, perform, report
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer
from hypothesis import given
from hypothesis import strategies as st

TARGET = world.TARGETS[0]
GOOD = dict(
    devices=[dict(name='disk', state='present', handler='vdisk_blockio', filename=world.FILES[0],
                  attributes=dict(usn='1', t10_dev_id='abcdefgh', naa_id='3000000000000001', blocksize=512, threads_num=1, prod_id='RBD',
                                  rotational=False, active=True), attributes_if_offered=dict(vend_specific_id='v'))],
    targets=[dict(name=TARGET, state='present', enabled=True, rel_tgt_id=1, allowed_portals=['10.0.0.1'], exclusive=['groups'],
                  incoming_users=[dict(name='user', secret='x' * 12, state='present')], outgoing_user=dict(name='out', secret='y' * 12),
                  attributes=dict(QueuedCommands=32, InitialR2T=False, HeaderDigest='None', comment='c', redirect='10.0.0.2 temp',
                                  io_grouping_type='auto', cpu_mask='1', addr_method='FLAT'), attributes_if_offered=dict(alias='a'),
                  groups=[dict(name='db', state='present', initiators=['iqn.1993-08.org.debian:01:x'], attributes=dict(addr_method='LUN'))])],
    driver=dict(enabled=True, incoming_users=[dict(name='disc', secret='z' * 12)], attributes=dict(link_local=True), exclusive=[]),
    luns=[dict(target=TARGET, group='db', lun=0, device='disk', read_only=False, state='present')],
    device_groups=[dict(name='dg', state='present', devices=['disk'], exclusive=['targets'], target_groups=[
        dict(name='tg', group_id=1, state='active', preferred=True, targets=[dict(name=TARGET, rel_tgt_id=1)]),
        dict(name='far', group_id=2, state='standby', preferred=False, targets=[dict(name=world.REMOTE[0], rel_tgt_id=2)])])])

nasty_texts = st.one_of(
    st.text(max_size=12), st.text(st.characters(codec=None), max_size=12),  # lone surrogates: bytes that are no UTF-8
    st.text(st.characters(max_codepoint=0x9f), max_size=6),
    st.builds(lambda text, number: text * number, st.sampled_from(['x', '\u20ac', '9', 'a/', ' ', '.', ';', '0x']),
              st.sampled_from([1, 17, 65, 256, 10000])),
    st.sampled_from(['mgmt', 'MGMT', '.', '..', 'a.b', 'a/b', '1:0:0:0', 'e3;', 'a=b', 'a b', 'a\tb', 'a\nb', 'a\u2028b', '\x00', '\x7f',
                     '', '-1', '010', '0x10', '1e3', 'NaN', '*', '!*', '%s', '{{ x }}', '../../etc', 'iqn.2026-11.com.example:a/b',
                     'iqn.2026-11.com.example:' + 'x' * 230, '::', '1.2.3', '[::1]', '10.0.0.1:3260', '1.2.3.4*', 'present', 'Yes']))
nasty = st.one_of(nasty_texts, st.integers(), st.sampled_from([-1, 0, 2 ** 16, 2 ** 31, 2 ** 63, 2 ** 64, -2 ** 63, 10 ** 40]),
                  st.booleans(), st.floats(), st.none(), st.binary(max_size=6), st.lists(st.integers(), max_size=2),
                  st.dictionaries(st.text(max_size=3), st.integers(), max_size=2))


def places(value, path=()):
    """Every place in the declaration, branches too."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, path + (key,))


PLACES = sorted(places(GOOD), key=repr)


def spoilt(path, value, as_name):
    """The good declaration with one place replaced; or the attribute of that name renamed."""
    declared = copy.deepcopy(GOOD)
    where = declared
    for key in path[:-1]:
        where = where[key]
    if as_name:
        hypothesis.assume('attributes' in path[-2:-1] and isinstance(value, str))
        where[value] = where.pop(path[-1])
    else:
        where[path[-1]] = value
    return declared


def steps(declared):
    def device(tree):
        wanted = scst_device.normalise(declared['devices'])
        return scst_device.plan(scst_device.snapshot(tree, wanted, size_of=world.size_of(tree)), wanted)

    def target(tree):
        wanted, driver = scst_target.normalise(declared['targets'], declared['driver'])
        return scst_target.plan(scst_target.snapshot(tree, wanted, driver), wanted, driver)

    def lun(tree):
        wanted, scopes = scst_lun.normalise(declared['luns'])
        return scst_lun.plan(scst_lun.snapshot(tree, wanted, scopes), wanted, scopes)

    def alua(tree):
        wanted = scst_alua.normalise(declared['device_groups'])
        return scst_alua.plan(scst_alua.snapshot(tree, wanted), wanted)
    return [device, target, lun, alua]


@pytest.mark.parametrize('part', sorted(GOOD))
@hypothesis.settings(max_examples=2000)
@given(data=st.data())
def test_a_spoilt_declaration_is_refused_or_done(part, data):
    path = data.draw(st.sampled_from([path for path in PLACES if path[0] == part]))
    declared = spoilt(path, data.draw(nasty), data.draw(st.booleans()))
    tree = world.emulator()
    for step in steps(declared):
        try:
            operations = step(tree)
        except Refused as error:
            json.dumps(str(error)).encode()
            str(error).encode()  # can be shown everywhere
            assert len(str(error)) < 3000
            return
        try:
            perform(operations, performer(tree))
        except Failed as error:
            # How many processors a mask may name depends on the host.
            assert error.done == [] or error.operation.target.endswith('/cpu_mask'), (error, error.done)
            return
        json.dumps(report(operations, len(operations), False)).encode()
        assert step(tree) == []


@pytest.mark.parametrize('part', sorted(GOOD))
@hypothesis.settings(max_examples=300)
@given(data=st.data())
def test_rendering_a_spoilt_declaration_is_refused_or_done(part, data):
    path = data.draw(st.sampled_from([path for path in PLACES if path[0] == part]))
    declared = spoilt(path, data.draw(nasty), data.draw(st.booleans()))
    try:
        scst_conf.secrets(declared)
        assert isinstance(scst_conf.render(declared), str)
    except Refused:
        pass


def test_the_declaration_that_is_spoilt_is_a_good_one():
    tree = world.emulator()
    for step in steps(GOOD):
        perform(step(tree), performer(tree))
        assert step(tree) == []
    assert scst_conf.render(GOOD)
