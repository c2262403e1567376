# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a gateway, put together with what actions have changed since."""
import copy

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_seen
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import MOVING, action


def disk(**values):
    return dict(dict(client='C', path='active', moving=False, sessions=True), **values)


SEEN = dict(began=10, open=True, luns=dict(a=disk(), b=disk(path='passive')), mappings=dict(a='entry of a', b='entry of b'))


@pytest.mark.parametrize('done, change', [
    (action('lower', 'a'), dict(path='passive', moving=False)), (action('lower', 'a', MOVING), dict(path='passive', moving=True)),
    (action('raise', 'a'), dict(path='active', moving=False)), (action('unmap', 'a'), dict(client=None)),
])
def test_what_went_well_needs_no_look(done, change):
    assert ha_seen.left_by(done, 'ok') == change and ha_seen.left_by(done, 'failed') is None


@pytest.mark.parametrize('kind', ['map', 'clear', 'open', 'close'])
def test_what_else_changes_something_has_to_be_looked_at(kind):
    assert kind in ha_seen.CHANGING and ha_seen.left_by(action(kind, 'a'), 'ok') is None


def test_a_look_that_began_before_the_end_of_an_action_does_not_undo_it():
    before = copy.deepcopy(SEEN)
    left = dict(a=[(11, dict(client=None))], b=[(9, dict(path='active', moving=False))], gone=[(11, dict(client=None))])
    left = ha_seen.later(left, SEEN)
    assert set(left) == {'a'}, 'the look has seen b, and knows no other disk'
    seen = ha_seen.with_left(SEEN, left)
    assert seen['luns'] == dict(a=disk(client=None), b=disk(path='passive')) and seen['mappings'] == dict(b='entry of b')
    assert SEEN == before and ha_seen.later(left, dict(SEEN, began=12)) == {}


def test_of_two_actions_within_one_look_neither_is_undone():
    left = ha_seen.later(dict(a=[(11, dict(path='passive', moving=True)), (12, dict(client=None))]), SEEN)
    seen = ha_seen.with_left(SEEN, left)
    assert seen['luns']['a'] == disk(client=None, path='passive', moving=True) and 'a' not in seen['mappings']
    assert ha_seen.later(left, dict(SEEN, began=11.5)) == dict(a=[(12, dict(client=None))])


def test_a_lowered_disk_keeps_its_mapping():
    seen = ha_seen.with_left(SEEN, dict(a=[(11, dict(path='passive', moving=True))]))
    assert seen['luns']['a'] == disk(path='passive', moving=True) and seen['mappings'] == SEEN['mappings']


def test_a_look_at_one_disk_leaves_the_others_as_they_were():
    seen = ha_seen.with_others(dict(began=12, open=False, luns=dict(a=dict(client=None, path='passive', moving=False)), mappings={}), SEEN)
    assert seen == dict(began=12, open=False, mappings=dict(b='entry of b'),
                        luns=dict(a=dict(client=None, path='passive', moving=False, sessions=True), b=disk(path='passive')))
