# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is rendered means to scstadmin what the declaration means to the modules."""
import pathlib

import hypothesis
import observe
import pytest
import scstadmin
import world
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_info
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Refused
from ansible_collections.cephgate.iscsi.plugins.module_utils.scst_conf import render
from hypothesis import given
from hypothesis import strategies as st

WRITTEN = (pathlib.Path(__file__).parents[1] / 'recordings/scstadmin/written.conf').read_text()
PARTS = ('devices', 'targets', 'driver', 'luns', 'device_groups')


@given(declared=world.declarations())
def test_loading_what_is_rendered_gives_what_was_declared(declared):
    text = render({part: declared[part] for part in PARTS})
    tree = world.emulator()
    scstadmin.load(tree, scstadmin.parse(text))
    # An ALUA state that closes a device is written before the last targets are there; that is scstadmin's order.
    assert observe.differing(tree, declared, tree.core.env.files) == {}


@given(first=world.declarations(), declared=world.declarations())
def test_what_is_gathered_can_be_rendered_and_loaded(first, declared):
    tree = world.emulator()
    for each in (first, declared):
        world.apply(tree, each)
    gathered = scst_info.collect(tree, ['devices', 'targets', 'luns', 'device_groups'], secrets=True)['gathered']
    other = world.emulator()
    scstadmin.load(other, scstadmin.parse(render(gathered)))
    assert observe.differing(other, declared, other.core.env.files) == {}


def test_a_configuration_that_scstadmin_wrote_is_read_and_rendered_alike():
    """Of real SCST 3.10, with one of everything. Only what SCST has by itself is left out."""
    config = scstadmin.parse(WRITTEN)
    files = {'/dev/loop0': dict(size=16777216, block=True), '/var/tmp/g/f1.img': dict(size=16777216, block=False)}
    tree = world.emulator(files=files)
    scstadmin.load(tree, config)
    gathered = scst_info.collect(tree, ['devices', 'targets', 'luns', 'device_groups'], secrets=True)['gathered']
    rendered = scstadmin.parse(render(gathered))
    del config['setup_id'], config['TARGET_DRIVER']['copy_manager']
    for handler, inside in config['HANDLER'].items():
        for name, attributes in inside['DEVICE'].items():
            mine = rendered['HANDLER'][handler]['DEVICE'][name]
            if handler != 'vdisk_nullio':
                attributes.pop('size', None)  # that of the backing device
            for attribute in scst_info.IDENTITY:  # an identity is always rendered, SCST's own too
                if attribute not in attributes:
                    mine.pop(attribute, None)
    tgs = rendered['DEVICE_GROUP']['dg']['TARGET_GROUP']
    del tgs['remote']['preferred']  # 0, the default
    del tgs['local']['TARGET']['iqn.2026-01.com.example:gw1']['rel_tgt_id']  # told again, because for other nodes it is a remote one
    assert rendered == config


words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e, exclude_characters='='), min_size=12, max_size=20)


@hypothesis.settings(max_examples=200)
@given(secret=words, comment=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7e), min_size=1).map(str.strip).filter(bool),
       initiator=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e, exclude_characters='=/'), min_size=3, max_size=20))
def test_texts_arrive_as_they_are_or_are_refused(secret, comment, initiator):
    target = dict(name=world.TARGETS[0], attributes=dict(comment=comment), incoming_users=[dict(name='u', secret=secret)],
                  groups=[dict(name='g', initiators=[initiator])])
    try:
        text = render(dict(targets=[target]))
    except Refused:
        assert any(mark in secret + comment + initiator for mark in '{}"')
        return
    inside = scstadmin.parse(text)['TARGET_DRIVER']['iscsi']['TARGET'][world.TARGETS[0]]
    assert (list(inside['IncomingUser']), list(inside['comment']), list(inside['GROUP']['g']['INITIATOR'])) == (
        ['u ' + secret], [comment], [initiator])


@pytest.mark.parametrize('text', ['a{b', 'a}b', '"quoted at first"', 'two "words"'])
def test_what_an_scst_conf_cannot_hold_is_refused(text):
    with pytest.raises(Refused, match='scst.conf'):
        render(dict(targets=[dict(name=world.TARGETS[0], attributes=dict(comment=text))]))
