# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which disks share a question for the newest osdmap, and which ask anew: a path is made active only when it was asked after the mapping was made."""
import errno
import threading
import time

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_hands
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_hands import Hands
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import action

STATE = dict(devices=[dict(name=name, image='rbd/' + name) for name in 'abc'], images=[dict(image='rbd/' + name) for name in 'abc'], luns=[])


class Gateway:
    """Ceph, krbd and guards of one; errors: of the next questions for the newest osdmap."""

    def __init__(self):
        self.mappings, self.asked, self.errors, self.made, self.looked, self.active, self.said = {}, 0, [], 0, 0, set(), []
        self.hands = Hands(STATE, self, self, self, self, self.mapped, self.said.append, epoch=lambda entry: 7, number=lambda entry: '252:0',
                           options=self.options)

    def options(self, _entry):
        self.looked += 1
        return ['exclusive']

    def mapped(self):
        return self.mappings

    def free(self, *dummy):
        pass

    def map(self, image, options):
        self.made += 1
        self.mappings[image] = dict(client='C', number=self.made, image_id='i', fsid='F', size=1)

    def unmap(self, number, force=False):
        self.mappings = dict((image, entry) for image, entry in self.mappings.items() if entry['number'] != number)

    def remove(self, device):
        pass

    def ensure(self, device, number, size):
        pass

    def make_active(self, device):
        self.active.add(device)

    def epoch(self):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return 7

    def do(self, kind, device):
        return self.hands.perform(action(kind, device))


@pytest.fixture
def gateway():
    return Gateway()


def test_disks_that_were_mapped_before_the_question_share_its_answer(gateway):
    for device in 'abc':
        assert gateway.do('map', device) == 'ok'
    assert [gateway.do('settle', device) for device in 'abc'] == ['ok'] * 3 and gateway.asked == 1


def test_a_disk_that_was_mapped_later_asks_itself(gateway):
    gateway.do('map', 'a')
    gateway.do('settle', 'a')
    gateway.do('map', 'b')
    assert gateway.do('settle', 'b') == 'ok' and gateway.asked == 2


def test_a_disk_that_settles_again_asks_again(gateway):
    gateway.do('map', 'a')
    assert gateway.do('settle', 'a') == gateway.do('settle', 'a') == 'ok' and gateway.asked == 2


@pytest.mark.parametrize('how', ['by this agent', 'by hand'])
def test_a_mapping_of_before_counts_for_nothing(gateway, how):
    gateway.do('map', 'a')
    if how == 'by this agent':
        gateway.do('unmap', 'a')
    else:
        gateway.mappings = {}
    gateway.do('map', 'b')
    gateway.do('settle', 'b')
    gateway.map('rbd/a', [])  # not by this agent's action, which would know when
    assert gateway.do('settle', 'a') == 'ok' and gateway.asked == 2


def test_an_error_is_not_shared_with_who_asks_later(gateway):
    for device in 'ab':
        gateway.do('map', device)
    gateway.errors = [OSError(errno.ETIMEDOUT, 'no answer')]
    assert gateway.do('settle', 'a') == 'failed' and gateway.do('settle', 'b') == 'ok' and gateway.asked == 2


def test_an_error_is_shared_by_those_who_waited_for_it(gateway):
    """Else as many disks as were mapped would wait one after the other for a Ceph that does not answer."""
    for device in 'abc':
        gateway.do('map', device)
    begun, go, outcomes = threading.Event(), threading.Event(), []

    def epoch():
        gateway.asked += 1
        begun.set()
        assert go.wait(20)
        raise OSError(errno.ETIMEDOUT, 'no answer')

    gateway.epoch = epoch
    threads = [threading.Thread(target=lambda device=device: outcomes.append(gateway.do('settle', device))) for device in 'abc']
    threads[0].start()
    assert begun.wait(20)
    for thread in threads[1:]:
        thread.start()
    end = time.monotonic() + 20
    while gateway.looked < 6 and time.monotonic() < end:  # each looks once as it maps and once as it settles, before it waits
        time.sleep(0.01)
    go.set()
    for thread in threads:
        thread.join(20)
    assert outcomes == ['failed'] * 3 and gateway.asked == 1


def test_a_path_is_made_active_for_the_mapping_that_was_settled(gateway):
    gateway.do('map', 'a')
    gateway.do('settle', 'a')
    assert gateway.do('raise', 'a') == 'ok' and gateway.active == {'a'}


@pytest.mark.parametrize('between', ['nothing', 'a command of a former agent', 'unmap and map', 'raise'])
def test_a_path_is_not_made_active_for_another_mapping_or_for_none_that_was_settled(gateway, between):
    """Others may have written meanwhile, and an OSD may not know that they were fenced since."""
    gateway.do('map', 'a')
    if between != 'nothing':
        gateway.do('settle', 'a')
    if between == 'a command of a former agent':
        gateway.map('rbd/a', [])
    elif between == 'unmap and map':
        gateway.do('unmap', 'a')
        gateway.do('map', 'a')
    elif between == 'raise':
        gateway.do('raise', 'a')
        gateway.active.clear()
    assert gateway.do('raise', 'a') == 'failed' and not gateway.active
    assert 'image rbd/a has another mapping than the one that was found to be up to date' in gateway.said[-1]


def test_a_path_is_not_made_active_when_the_mapping_went_while_its_guard_was_made(gateway):
    gateway.do('map', 'a')
    gateway.do('settle', 'a')
    gateway.ensure = lambda *dummy: gateway.mappings.clear()  # by an operator, for example
    assert gateway.do('raise', 'a') == 'failed' and not gateway.active
    assert 'image rbd/a was unmapped while its path was to become active' in gateway.said[-1]


def test_a_mapping_that_is_cleared_waits_for_a_raise_and_lets_go_of_what_that_one_waits_for(gateway):
    gateway.do('map', 'a')
    gateway.do('settle', 'a')
    opening, failed, order = threading.Event(), threading.Event(), []

    def make_active(device):
        """Opening the guard reads what it holds back."""
        opening.set()
        order.append('active' if failed.wait(20) else 'stuck')

    gateway.make_active, gateway.fail = make_active, lambda device: failed.set()
    gateway.make_passive = lambda device: order.append('passive')
    thread = threading.Thread(target=lambda: gateway.do('raise', 'a'))
    thread.start()
    assert opening.wait(20)
    assert gateway.hands.perform(action('clear', 'a', 'C')) == 'ok'
    thread.join(20)
    assert order == ['active', 'passive'] and gateway.mappings == {}


@pytest.mark.parametrize('kind', ['unmap', 'clear', 'raise'])
def test_nobody_waits_for_ever_for_who_goes_by_the_same_mapping(gateway, kind, monkeypatch):
    monkeypatch.setattr(ha_hands, 'HELD', 0.1)
    gateway.do('map', 'a')
    gateway.do('settle', 'a')
    gateway.fail = lambda device: None
    with gateway.hands._holding('a'):  # pylint: disable=protected-access
        assert gateway.hands.perform(action(kind, 'a', 'C')) == 'failed'
    assert 'another action with the mapping of a is still under way' in gateway.said[-1] and 'rbd/a' in gateway.mappings
