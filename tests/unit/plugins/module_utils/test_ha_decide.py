# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decisions of an agent, one gateway at a time; what becomes of several is explored in tests/model."""
import copy
import json

import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_decide import decide
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_order import ranking
from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_types import LIMITS, Site, new_memory
from ansible_collections.cephgate.iscsi.plugins.module_utils.site import preferred_gateway

GATEWAYS = ('gw1', 'gw2', 'gw3')
OLD, NEW, MINE = '10.0.0.1:0/11', '10.0.0.1:0/12', '10.0.0.2:0/22'
SECOND = '10.77.0.1:0/11'  # of gw1's host, which its record does not say


def record(n=1, **values):
    return dict(dict(n=n, away=False, drain=False, host='10.0.0.1', addrs=[], luns={}, blind=[], unfit=[], wants=[]), **values)


class Agent:
    """The agent of gw2. What it is told are the attributes; act() answers what it begins."""

    def __init__(self, luns=('a',), gateways=GATEWAYS[:2]):
        self.site = Site('gw2', '10.0.0.2', gateways, {lun: gateways for lun in luns}, LIMITS)
        self.memory = new_memory()
        self.table = {'gw1': record()}
        self.luns = {lun: dict(client=None, health=None, path='passive', sessions=True) for lun in luns}
        self.open = True
        self.orders = dict(drain=False, away=False, wants=[])

    def act(self, *done, seconds=0.5, fresh=True, beats=('gw1', 'gw3'), wrote=None):
        if fresh:
            for name in beats:
                if name in self.table:
                    self.table[name] = dict(self.table[name], n=self.table[name]['n'] + 1)
            if self.memory['record']:
                self.table['gw2'] = json.loads(json.dumps(self.memory['record']))
        view = dict(table=copy.deepcopy(self.table) if fresh is not None else None, fresh=bool(fresh), wrote=bool(fresh) if wrote is None else wrote,
                    luns=copy.deepcopy(self.luns), open=self.open, orders=self.orders, done=list(done))
        before = copy.deepcopy((self.memory, view))
        memory, actions = decide(self.site, self.memory, view, seconds)
        assert (self.memory, view) == before, 'an argument was changed'
        self.memory = memory
        return [tuple(action)[:2] for action in actions]

    def pass_by(self, seconds, **how):
        """All that is begun in so many seconds, half a second at a time."""
        begun = []
        for dummy in range(int(seconds * 2)):
            begun += self.act(**how)
        return begun

    def know_gw1(self):
        self.act()
        self.act()
        assert self.memory['peers']['gw1']['seen']
        return self

    def own(self, lun='a'):
        self.luns[lun].update(client=MINE, health='good', path='active')
        self.act()
        assert lun in self.memory['claims']
        return self


@pytest.fixture
def agent():
    return Agent()


@pytest.fixture
def widow():
    """gw1, who owned the disk, has died and is known to be dead."""
    agent = Agent()
    agent.table['gw1'] = record(luns={'a': 4}, addrs=[OLD])
    agent.know_gw1()
    assert agent.pass_by(LIMITS.dead - 0.5, beats=()) == []
    assert agent.pass_by(1, beats=())[:1] == [('look', 'a')]
    return agent


def test_a_dead_owner_is_fenced_before_the_image_is_mapped_and_the_path_made_active(widow):
    assert widow.act(('look', 'a', OLD), beats=()) == [('fence', OLD)]
    assert widow.pass_by(2, beats=()) == [], 'nothing before the fence is confirmed'
    assert widow.act(('fence', OLD, 'ok'), beats=()) == [('map', 'a')]
    widow.luns['a'].update(client=MINE, health='good')
    assert widow.act(('map', 'a', 'ok'), beats=()) == [('settle', 'a')]
    assert widow.act(('settle', 'a', 'ok'), beats=()) == [('raise', 'a')]
    widow.luns['a']['path'] = 'active'
    assert widow.act(('raise', 'a', 'ok'), beats=()) == []
    assert widow.memory['record']['luns'] == {'a': 5} and widow.memory['record']['addrs'] == [MINE]


@pytest.mark.parametrize('health, settles, raises', [(None, True, False), ('silent', False, False), ('good', True, True)])
def test_the_newest_osdmap_is_asked_for_while_the_first_read_is_under_way(widow, health, settles, raises):
    widow.pass_by(LIMITS.dead + 1, beats=())
    for kind, outcome in (('look', OLD), ('fence', 'ok')):
        widow.act((kind, 'a' if kind == 'look' else OLD, outcome), beats=())
    widow.luns['a'].update(client=MINE, health=health)
    begun = widow.act(('map', 'a', 'ok'), beats=())
    assert begun == ([('settle', 'a')] if settles else [])
    if settles:
        assert widow.act(('settle', 'a', 'ok'), beats=()) == ([('raise', 'a')] if raises else [])


@pytest.mark.parametrize('named', [True, False])
def test_who_is_fenced_and_wakes_is_not_waited_for_while_it_lets_go_of_its_mappings(named):
    """It held more disks than could be taken over before it woke, and claims them no more."""
    agent = Agent(luns=('a', 'b'))
    agent.table['gw1'] = record(luns={'a': 4, 'b': 4}, addrs=[OLD])
    agent.know_gw1()
    agent.memory['unfit'] = {'b': 9}
    agent.pass_by(LIMITS.dead + 1, beats=())
    agent.act(('look', 'a', OLD), beats=())
    agent.act(('fence', OLD, 'ok'), beats=())
    agent.luns['a'].update(client=MINE, health='good')
    agent.act(('map', 'a', 'ok'), beats=())
    agent.act(('settle', 'a', 'ok'), beats=())
    agent.luns['a'].update(path='active')
    agent.act(('raise', 'a', 'ok'), beats=())
    agent.table['gw1'] = dict(agent.table['gw1'], luns={}, addrs=[OLD] if named else [])
    begun = []
    while not begun:
        begun = agent.act()
    assert begun == [('look', 'b')]
    assert agent.act(('look', 'b', OLD)) == ([('map', 'b')] if named else [])


def test_a_fence_that_fails_is_tried_again_and_nothing_is_mapped(widow):
    assert widow.act(('look', 'a', OLD), beats=()) == [('fence', OLD)]
    assert widow.act(('fence', OLD, 'failed'), beats=()) == [('fence', OLD)]


def test_a_client_that_is_no_gateway_is_never_fenced(widow):
    assert widow.act(('look', 'a', '10.9.9.9:0/1'), beats=()) == []
    assert widow.memory['unfit'] == {'a': LIMITS.unfit} and not widow.memory['claims']
    assert widow.pass_by(LIMITS.unfit - 1, beats=()) == []
    assert widow.memory['strangers'] == {'a': '10.9.9.9:0/1'}, 'for people'


@pytest.mark.parametrize('outcome, kept', [('10.9.9.9:0/1', True), ('failed', True), (None, False), (OLD, False)])
def test_who_holds_a_disk_and_is_no_gateway_is_known_until_a_later_look_finds_otherwise(widow, outcome, kept):
    widow.act(('look', 'a', '10.9.9.9:0/1'), beats=())
    assert widow.pass_by(LIMITS.unfit + 1, beats=()) == [('look', 'a')] and widow.memory['strangers']
    widow.act(('look', 'a', outcome), beats=())
    assert bool(widow.memory['strangers']) is kept


@pytest.mark.parametrize('change', ['claimed', 'mapped', 'drain'])
def test_that_is_forgotten_when_the_disk_is_taken_or_not_mine_to_take(widow, change):
    widow.act(('look', 'a', '10.9.9.9:0/1'), beats=())
    if change == 'claimed':
        widow.table['gw1'] = record(n=99, luns={'a': 9})
    elif change == 'mapped':
        widow.luns['a'].update(client=MINE, health='good')
    else:
        widow.orders['drain'] = True
    widow.act(beats=())
    assert widow.memory['strangers'] == {}


def test_without_the_records_nobody_is_called_a_stranger(widow):
    widow.act(('look', 'a', OLD), fresh=None)
    assert widow.memory['unfit'] and widow.memory['strangers'] == {}


def test_a_dead_gateway_is_known_by_the_client_that_its_record_names_whatever_address_that_speaks_from():
    agent = Agent()
    agent.table['gw1'] = record(luns={'a': 4}, addrs=[SECOND])
    agent.know_gw1().pass_by(LIMITS.dead + 0.5, beats=())
    assert agent.act(('look', 'a', SECOND), beats=()) == [('fence', SECOND)]


def test_whose_record_names_the_client_comes_before_whose_host_has_its_address_now():
    agent = Agent(gateways=GATEWAYS)
    agent.table.update(gw3=record(addrs=[OLD], host='10.0.0.9'))
    agent.know_gw1().pass_by(3 * LIMITS.turn, beats=('gw3',))
    assert 'a' in agent.memory['taking']
    assert agent.act(('look', 'a', OLD), beats=('gw3',)) == [] and agent.memory['stay'], 'it lives, and uses the client'


def test_a_living_gateway_is_left_a_client_at_a_second_address_as_one_at_its_first(agent):
    agent.table['gw1'] = record(addrs=[SECOND])
    agent.know_gw1().pass_by(LIMITS.turn + 1)
    assert agent.act(('look', 'a', SECOND)) == [] and not agent.memory['taking'] and agent.memory['stay'] and not agent.memory['unfit']


def test_my_own_broken_off_mapping_from_a_second_address_is_taken_without_a_fence():
    agent = Agent(('a', 'b'))
    agent.luns['b'].update(client='10.77.0.2:0/22', health='good', path='active')
    agent.act()
    assert agent.know_gw1().pass_by(LIMITS.turn + 1) == [('look', 'a')]
    assert agent.act(('look', 'a', '10.77.0.2:0/22')) == [('map', 'a')]


@pytest.mark.parametrize('holder', [OLD, MINE], ids=['another', 'my own former life'])
def test_a_client_on_a_living_host_is_fenced_only_when_later_beats_do_not_name_it(agent, holder):
    agent.know_gw1()
    begun = agent.pass_by(LIMITS.turn + 1)
    assert begun == [('look', 'a')]
    assert agent.act(('look', 'a', holder)) == []
    assert agent.act() == []
    assert agent.act() == [('fence', holder)]


def test_a_client_that_a_living_gateway_names_is_left_alone(agent):
    agent.know_gw1().pass_by(LIMITS.turn + 1)
    agent.act(('look', 'a', OLD))
    agent.table['gw1'] = record(n=50, addrs=[OLD])
    assert agent.act() == [] and not agent.memory['taking'] and not agent.memory['claims']


def test_what_a_mapping_of_mine_that_was_broken_off_has_left_is_taken_without_a_fence():
    agent = Agent(('a', 'b'))
    agent.own('b').know_gw1()
    assert agent.pass_by(LIMITS.turn + 1) == [('look', 'a')]
    assert agent.act(('look', 'a', MINE)) == [('map', 'a')]


def test_what_such_a_mapping_of_another_has_left_is_left_to_it_for_as_long_as_its_turn_may_take(agent):
    agent.know_gw1().pass_by(LIMITS.turn + 1)
    agent.table['gw1'] = record(n=50, addrs=[OLD])
    agent.act(('look', 'a', OLD))
    agent.act()
    assert not agent.memory['claims']
    assert agent.pass_by(LIMITS.turn * len(agent.site.gateways)) == [], 'each try of mine would have the other wait anew'
    assert agent.pass_by(2 * LIMITS.turn + 1)[:1] == [('look', 'a')]


def test_a_refused_map_looks_again(widow):
    assert widow.act(('look', 'a', None), beats=()) == [('map', 'a')]
    assert widow.act(('map', 'a', 'refused'), beats=()) == [('look', 'a')]


def test_a_path_that_does_not_open_is_given_to_others(widow):
    widow.act(('look', 'a', None), beats=())
    widow.luns['a'].update(client=MINE, health='good')
    widow.act(('map', 'a', 'ok'), beats=())
    widow.act(('settle', 'a', 'ok'), beats=())
    assert widow.act(('raise', 'a', 'failed'), beats=()) == [('unmap', 'a')]
    assert widow.memory['record']['unfit'] == ['a'] and widow.memory['record']['luns'] == {}


def test_a_map_that_hangs_gives_the_claim_back(widow):
    widow.act(('look', 'a', None), beats=())
    assert widow.pass_by(LIMITS.claim, beats=()) == []
    assert widow.memory['record']['luns'] == {} and widow.memory['record']['unfit'] == ['a']


@pytest.mark.parametrize('another', [False, True])
def test_a_map_that_ends_well_after_it_was_given_up_is_kept_when_nobody_else_is_at_the_disk(widow, another):
    widow.act(('look', 'a', None), beats=())
    assert widow.pass_by(LIMITS.claim + 3, beats=()) == []
    if another:
        widow.table['gw1'] = record(luns={'a': 6})
        widow.act()
    widow.luns['a'].update(client=MINE, health='good')
    assert widow.act(('map', 'a', 'ok'), beats=('gw1',) if another else ()) == [('unmap' if another else 'settle', 'a')]
    assert widow.memory['record']['luns'] == ({} if another else {'a': 5}) and widow.memory['record']['unfit'] == []


def test_one_that_ends_badly_is_not(widow):
    widow.act(('look', 'a', None), beats=())
    widow.pass_by(LIMITS.claim + 3, beats=())
    assert widow.act(('map', 'a', 'failed'), beats=()) == [] and widow.memory['record']['unfit'] == ['a']


def test_silence_over_my_own_outage_is_no_silence():
    agent = Agent()
    agent.table['gw1'] = record(luns={'a': 1}, addrs=[OLD])
    agent.know_gw1()
    for dummy in range(20):
        assert agent.pass_by(LIMITS.dead - 1, beats=()) == []
        assert agent.pass_by(2 * LIMITS.gap, fresh=None) == []


def test_a_record_that_was_written_late_is_a_beat_and_a_look_at_those_of_the_others_is_none(agent):
    agent.act()
    agent.act()
    number = agent.memory['record']['n']
    agent.act(fresh=None, wrote=True)
    assert agent.memory['record']['n'] == number + 1, 'others see by it that this gateway lives'
    agent.act(fresh=True, wrote=False)
    assert agent.memory['record']['n'] == number + 1


def test_who_was_dead_before_my_own_outage_is_dead_after_it_until_it_beats():
    """A take-over of many disks keeps the processor so busy that an exchange may come late: that must not give the dead their disks back."""
    agent = Agent(('a', 'b'))
    agent.table['gw1'] = record(luns={'a': 1, 'b': 1}, addrs=[OLD])
    agent.know_gw1()
    assert agent.pass_by(LIMITS.dead + 0.5, beats=())[:2] == [('look', 'a'), ('look', 'b')]
    agent.act(('look', 'a', OLD), ('look', 'b', OLD), beats=())
    agent.act(('fence', OLD, 'ok'), beats=())
    agent.luns['a'] = dict(agent.luns['a'], client=MINE, health='good')
    agent.act(('map', 'a', 'ok'), beats=())
    agent.act(('settle', 'a', 'ok'), beats=(), fresh=None, seconds=2 * LIMITS.gap)
    assert agent.act(beats=()) == [('raise', 'a')]
    agent.act(fresh=None, seconds=2 * LIMITS.gap)
    agent.act()
    assert agent.memory['peers']['gw1']['still'] == 0


def test_who_said_that_its_agent_restarts_has_more_time():
    agent = Agent()
    agent.table['gw1'] = record(luns={'a': 1}, away=True)
    agent.know_gw1()
    assert agent.pass_by(LIMITS.away - 1, beats=()) == []
    assert agent.pass_by(2, beats=()) == [('look', 'a')]


def test_the_claims_of_who_was_not_seen_yet_are_respected_while_it_may_boot(agent):
    agent.table['gw1'] = record(luns={'a': 1})
    assert agent.pass_by(LIMITS.boot - 1, beats=()) == []
    assert agent.pass_by(2, beats=()) == [('look', 'a')]


def test_my_own_disks_are_taken_back_at_once(agent):
    agent.table['gw2'] = record(luns={'a': 3}, host='10.0.0.2')
    assert agent.act() == [('look', 'a')]


@pytest.mark.parametrize('change, seconds', [
    (dict(), LIMITS.turn), (dict(drain=True), 0), (dict(unfit=['a']), 0), (dict(blind=['a']), 0), (dict(away=True), 0)])
def test_each_better_placed_gateway_goes_first_if_it_can(agent, change, seconds):
    agent.know_gw1()
    agent.table['gw1'] = record(n=10, **change)
    waited = 0
    while not agent.act() and waited < 10:
        waited += 0.5
    assert abs(waited + 0.5 - max(seconds, 0.5)) <= 0.5


def test_the_disks_of_a_dead_gateway_are_taken_some_at_a_time_with_one_fence():
    luns = ['d%03d' % number for number in range(100)]
    agent = Agent(luns)
    agent.table['gw1'] = record(luns=dict.fromkeys(luns, 1), addrs=[OLD])
    agent.know_gw1()
    first, second, third = (luns[LIMITS.takes * number:LIMITS.takes * (number + 1)] for number in range(3))
    assert sorted(agent.pass_by(LIMITS.dead + 0.5, beats=())) == [('look', lun) for lun in first]
    assert agent.act(*[('look', lun, OLD) for lun in first], beats=()) == [('fence', OLD)]
    assert agent.act(('fence', OLD, 'ok'), beats=()) == [('map', lun) for lun in first]
    agent.luns[first[0]].update(client=MINE, health='good')
    assert agent.act(('map', first[0], 'ok'), beats=()) == [('settle', first[0]), ('look', second[0])], 'who is served is not waited for'
    assert agent.act(('look', second[0], OLD), beats=()) == [('map', second[0])]
    for lun in first[1:] + second[:1]:
        agent.luns[lun].update(client=MINE, health='good')
    begun = agent.act(*[('map', lun, 'ok') for lun in first[1:] + second[:1]], beats=())
    assert [key for kind, key in begun if kind == 'look'] == second[1:] + third[:1]


def test_who_is_refused_by_ceph_leaves_service_sessions_first(agent):
    agent = Agent(('a', 'b'))
    agent.own('a').own('b')
    agent.luns['a']['health'] = 'fenced'
    assert agent.act() == [('close', None)]
    assert agent.act() == [], 'nothing is let go while sessions may be open'
    agent.open = False
    assert agent.act(('close', None, 'ok')) == [('clear', 'a'), ('clear', 'b')], 'the client is the same'
    agent.luns['a'].update(client=None, health=None, path='passive')
    assert agent.act(('clear', 'a', 'ok')) == [], 'b is of the refused client, whatever its own read says'
    agent.luns['b'].update(client=None, health=None, path='passive')
    assert ('open', None) in agent.act(('clear', 'b', 'ok'))
    assert agent.memory['record']['luns'] == {}


def test_without_a_sign_of_ceph_paths_become_passive_then_the_target_closes_and_both_come_back(agent):
    agent.own()
    agent.luns['a']['health'] = 'silent'
    assert agent.pass_by(LIMITS.suspend, fresh=None) == [('lower', 'a')]
    agent.luns['a']['path'] = 'passive'
    assert agent.act(('lower', 'a', 'ok'), fresh=None) == []
    assert agent.pass_by(LIMITS.close, fresh=None) == [('close', None)]
    agent.open = False
    agent.act(('close', None, 'ok'), fresh=None)
    agent.luns['a']['health'] = 'good'
    assert agent.act() == [('open', None), ('settle', 'a')], 'no new mapping'


def test_who_has_its_hands_full_waits_longer_for_a_sign_of_ceph(agent):
    """It may be late itself, and the others wait for it as well."""
    agent = Agent(luns='abcdefghi').own()
    for lun in 'bcdefghi':
        agent.luns[lun].update(client=MINE, health=None)
    assert agent.act() == [('settle', lun) for lun in 'bcdefghi'] and agent.memory['record']['loaded']
    agent.luns['a']['health'] = 'silent'
    assert agent.pass_by(LIMITS.close - 0.5, fresh=None) == []
    assert agent.act(fresh=None) == [('lower', 'a')]
    agent.luns['a']['path'] = 'passive'
    assert agent.act(('lower', 'a', 'ok'), fresh=None) == []
    assert agent.pass_by(LIMITS.close - 1, fresh=None) == []
    assert agent.act(fresh=None) == [('close', None)]


def test_who_cannot_beat_but_is_answered_serves_on(agent):
    agent.own()
    assert agent.pass_by(60, fresh=None) == []


def test_a_drained_gateway_gives_its_disk_to_one_that_is_there(agent):
    agent.know_gw1().own()
    agent.orders['drain'] = True
    assert agent.act() == [('lower', 'a')]
    agent.luns['a']['path'] = 'passive'
    assert agent.act(('lower', 'a', 'ok')) == [('unmap', 'a')]
    assert agent.memory['record']['luns'], 'claimed until it is gone'
    agent.luns['a'].update(client=None, health=None)
    assert agent.act(('unmap', 'a', 'ok')) == []
    assert agent.memory['record']['luns'] == {}
    assert agent.pass_by(20) == [], 'a draining gateway takes nothing'


@pytest.mark.parametrize('change', [dict(drain=True), dict(unfit=['a']), dict(blind=['a']), dict(away=True)])
def test_a_disk_stays_when_nobody_is_there_to_take_it(agent, change):
    agent.know_gw1().own()
    agent.table['gw1'] = record(n=10, **change)
    agent.orders['drain'] = True
    assert agent.pass_by(5) == []


def test_a_disk_in_use_is_made_active_again(agent):
    agent.know_gw1().own()
    agent.orders['drain'] = True
    agent.act()
    agent.luns['a']['path'] = 'passive'
    agent.act(('lower', 'a', 'ok'))
    assert agent.act(('unmap', 'a', 'failed')) == [('settle', 'a')]
    assert agent.act(('settle', 'a', 'ok')) == [('raise', 'a')]


def test_drained_disks_go_a_few_at_a_time():
    luns = ['d%d' % number for number in range(10)]
    agent = Agent(luns).know_gw1()
    for lun in luns:
        agent.luns[lun].update(client=MINE, health='good', path='active')
    agent.act()
    agent.orders['drain'] = True
    assert len(agent.act()) == LIMITS.moves


def test_a_disk_that_no_initiator_reaches_here_goes_where_one_does_and_only_there(agent):
    agent.know_gw1().own()
    agent.luns['a']['sessions'] = False
    agent.table['gw1'] = record(n=10, blind=['a'])
    assert agent.pass_by(3 * LIMITS.blind) == [], 'nobody sees it'
    agent.table['gw1'] = record(n=200)
    assert agent.act() == [('lower', 'a')]


def test_a_new_agent_adopts_what_its_predecessor_mapped(agent):
    agent.table['gw2'] = record(n=7, host='10.0.0.2', addrs=[MINE], luns={'a': 3})
    agent.luns['a'].update(client=MINE, health='good', path='active')
    assert agent.act() == []
    assert agent.memory['record']['luns'] == {'a': 3} and agent.memory['record']['n'] == 8


def test_a_new_agent_lets_go_of_what_another_claims(agent):
    agent.table['gw1'] = record(luns={'a': 9})
    agent.luns['a'].update(client=MINE, health='good', path='active')
    assert agent.act() == [('lower', 'a')]


def test_the_order_begins_with_the_preferred_gateway_and_is_stable():
    for number in range(50):
        image = 'rbd/%d' % number
        order = ranking(image, GATEWAYS)
        assert order[0] == preferred_gateway(image, GATEWAYS)
        assert [name for name in order if name != 'gw2'] == list(ranking(image, ('gw3', 'gw1')))
    assert ranking('rbd/x', GATEWAYS, 'gw3')[0] == 'gw3'
