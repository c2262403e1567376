# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which refusals a gateway counts, what it asks of the others, and what they make of it. Several gateways: tests/model/test_patience.py."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils import ha_lease, ha_patience
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_decide import decide
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS, Site, is_record, new_memory

SITE = Site('gw1', '10.0.0.1', ('gw1', 'gw2'), {'a': ('gw1', 'gw2')}, LIMITS)


class Gateway:
    """gw1, whose exchange with Ceph succeeds or not, and whose client Ceph refuses or not."""

    def __init__(self):
        self.memory = new_memory()
        self.clients = 0
        for dummy in range(40):  # an agent that has just started does not know for how long there was none
            self.step()

    def step(self, seconds=0.5, fresh=True, health='good', own=None):
        client = '10.0.0.1:0/%d' % self.clients
        view = dict(table=dict(gw1=own) if own else {} if fresh else None, fresh=fresh, wrote=fresh, open=False, done=[],
                    orders=dict(drain=False, away=False, wants=[]),
                    luns={'a': dict(client=client, health=health, path='passive', sessions=False)})
        self.memory, dummy = decide(SITE, self.memory, view, seconds)
        return self.memory['record']

    def refused_after(self, silence):
        """Its record when it has been silent for so long, was refused, and has a new client."""
        for dummy in range(4):
            self.step()
        self.step(silence)
        self.step(health='fenced')
        self.clients += 1
        return self.step()


def test_the_second_refusal_doubles_what_it_asks_for_the_third_and_all_later_ones_do_once_more():
    gateway = Gateway()
    assert [gateway.refused_after(5)['patience'] for dummy in range(5)] == [0, 6, 12, 12, 12]


def test_one_refusal_counts_once_however_often_it_is_seen():
    gateway = Gateway()
    gateway.refused_after(5)
    gateway.step(5)
    for dummy in range(9):
        record = gateway.step(health='fenced')
    assert record['patience'] == 6


def test_who_was_silent_for_longer_than_any_patience_was_rightly_taken_for_dead():
    gateway = Gateway()
    assert [gateway.refused_after(LIMITS.dead * 4 + 1)['patience'] for dummy in range(4)] == [0] * 4


def test_a_long_silence_of_before_does_not_excuse_the_others():
    gateway = Gateway()
    gateway.step(30)
    for dummy in range(60):
        gateway.step()
    assert [gateway.refused_after(4)['patience'] for dummy in range(2)] == [0, 6]


def test_it_is_forgotten_after_some_minutes():
    gateway = Gateway()
    for dummy in range(3):
        record = gateway.refused_after(5)
    assert record['patience'] == 12
    while record['patience'] == 12:
        record = gateway.step(10)
    assert record['patience'] == 6
    for dummy in range(10):
        record = gateway.step(10)
    assert record['patience'] == 0 and gateway.memory['wronged'] == ()


@pytest.mark.parametrize('patience, seconds', [(None, 3), (0, 3), (1, 3), (-5, 3), (6, 6), (12.5, 12.5), (10 ** 9, LIMITS.away)])
def test_others_wait_as_long_as_they_are_asked_to_within_reason(patience, seconds):
    record = dict(away=False)
    if patience is not None:
        record['patience'] = patience
    assert ha_lease.silence(record, dict(seen=True), LIMITS) == seconds


@pytest.mark.parametrize('loaded, seconds', [(None, 3), (False, 3), (True, LIMITS.away)])
def test_who_has_its_hands_full_is_waited_for_as_one_that_restarts(loaded, seconds):
    record = dict(away=False)
    if loaded is not None:
        record['loaded'] = loaded
    assert ha_lease.silence(record, dict(seen=True), LIMITS) == seconds


@pytest.mark.parametrize('known, values, text', [
    (None, {}, 'never seen'), (dict(n=None, still=0, seen=False), {}, 'never seen'), (dict(n=1, still=9, seen=False), {}, 'not seen yet'),
    (dict(n=1, still=2.9, seen=True), {}, 'alive'), (dict(n=1, still=3, seen=True), {}, 'silent for 3 s and longer: dead'),
    (dict(n=1, still=5, seen=True), dict(loaded=True), 'silent for 5 s, and dead after 30 s: it has its hands full'),
    (dict(n=1, still=5, seen=True), dict(away=True), 'silent for 5 s, and dead after 30 s: its agent restarts'),
    (dict(n=1, still=5, seen=True), dict(patience=6), 'silent for 5 s, and dead after 6 s'),
    (dict(n=1, still=30, seen=True), dict(loaded=True), 'silent for 30 s and longer: dead')])
def test_people_are_told_how_long_a_silent_gateway_is_waited_for(known, values, text):
    assert ha_lease.described(dict(dict(away=False), **values), known, LIMITS) == text


def luns(**number):
    """So many disks of each kind; of the kind taken, nothing is mapped yet."""
    kinds = dict(
        taken=dict(client=None, health=None, path='passive', sessions=False),
        good=dict(client='10.0.0.1:0/1', health='good', path='active', sessions=False),
        new=dict(client='10.0.0.1:0/1', health=None, path='active', sessions=False),
        silent=dict(client='10.0.0.1:0/1', health='silent', path='active', sessions=False))
    return dict(('%s%d' % (kind, each), dict(kinds[kind])) for kind, count in number.items() for each in range(count))


@pytest.mark.parametrize('number, busy, loaded', [
    (dict(good=100), 0, False), (dict(good=100), 7, False), (dict(good=100), 8, True), (dict(taken=100), 0, False), (dict(taken=100), 8, True),
    (dict(new=7, good=100), 0, False), (dict(new=8, good=100), 0, True), (dict(new=7, silent=40, good=100), 0, False), (dict(new=7), 7, False)])
def test_its_hands_are_full_when_many_disks_are_at_work_or_have_not_been_read_yet(number, busy, loaded):
    view = dict(luns=luns(**number))
    memory = dict(new_memory(), busy=tuple(('map', lun) for lun in sorted(view['luns'], reverse=True)[:busy]) + (('fence', '10.0.0.2:0/1'), ('open', None)))
    assert ha_patience.loaded(SITE, memory, view) is loaded


def test_it_is_in_the_record_of_the_very_step_in_which_they_are_begun():
    site = SITE._replace(order=dict(('taken%d' % each, ('gw1', 'gw2')) for each in range(20)))
    memory, begun = new_memory(), []
    own = dict(n=1, away=False, drain=False, host='10.0.0.1', addrs=[], luns={}, blind=[], unfit=[], wants=[])
    view = dict(table=dict(gw1=own), fresh=True, wrote=True, open=True, done=[], luns=luns(taken=20), orders=dict(drain=False, away=False, wants=[]))
    while not begun:
        assert not (memory['record'] or {}).get('loaded')
        memory, begun = decide(site, memory, view, 0.5)
    assert len(begun) == LIMITS.takes and memory['record']['loaded']


def test_an_agent_that_has_just_started_was_perhaps_rightly_taken_for_dead():
    gateway = Gateway()
    for dummy in range(3):
        gateway.memory = new_memory()
        gateway.step(health='fenced')
        assert gateway.memory['wronged'] == ()
        gateway.step()
        gateway.clients += 1
        gateway.step(health='fenced')
        assert gateway.memory['wronged'] == ()


@pytest.mark.parametrize('before', [0, 6, 12])
def test_the_next_agent_asks_for_what_its_predecessor_did(before):
    gateway = Gateway()
    own = dict(gateway.step(), patience=before)
    gateway.memory = new_memory()
    assert gateway.step(own=own)['patience'] == before


def test_agents_that_restart_again_and_again_do_not_ask_for_it_for_ever():
    gateway = Gateway()
    own = dict(gateway.step(), patience=12)
    for dummy in range(2):
        gateway.memory = new_memory()
        own = gateway.step(own=own)
        for dummy2 in range(40):
            own = gateway.step(10)
    assert own['patience'] == 0


def test_a_dead_gateway_is_noticed_by_one_whose_own_exchanges_have_gaps():
    """Its last record asks for patience as long as it lies there."""
    site = SITE._replace(me='gw2')
    memory = new_memory()
    memory['peers'] = dict(gw1=dict(n=5, still=0, seen=True))
    record = dict(Gateway().refused_after(5), n=5, patience=12)
    view = dict(table=dict(gw1=record), fresh=True, luns={})
    seconds = 0
    while ha_lease.alive(site, memory, view, 'gw1'):
        for step in [0.5] * 20 + [1.7]:
            ha_lease.observe(site, memory, view, step)
            seconds += step
            if not ha_lease.alive(site, memory, view, 'gw1'):
                break
        assert seconds < 30
    assert seconds >= 12


def test_what_is_no_number_of_seconds_makes_it_no_record():
    record = Gateway().refused_after(1)
    assert is_record(record) and is_record(dict(record, patience=2.5)) and not is_record(dict(record, patience='6')) and not is_record(dict(record, loaded=1))


def test_people_are_told_what_the_others_wait_for_and_why():
    gateway = Gateway()
    gateway.refused_after(5)
    assert ha_patience.complaints(SITE, gateway.memory) == []
    gateway.refused_after(5)
    [text] = ha_patience.complaints(SITE, gateway.memory)
    assert '2 times in 10 minutes' in text and 'wait 6 s' in text and 'processor' in text
