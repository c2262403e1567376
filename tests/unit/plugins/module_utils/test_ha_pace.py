# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often records are exchanged, by what is under way, and when mine is written."""
import pytest

from ansible_collections.cephgate.iscsi.plugins.module_utils.ha_pace import BEAT, LATER, SOON, Pace


def record(**values):
    return dict(dict(n=1, away=False, drain=False, host='10.0.0.1', addrs=[], luns={}, blind=[], unfit=[], wants=[], moving=[], serves=[]), **values)


SERVING = dict(luns={'a': 1, 'b': 1}, serves=['a', 'b'])


def pace(landed, cost=0.01, failed=False):
    made = Pace('gw1')
    made.ended(landed, True, cost)
    made.failed = failed
    return made


def seconds(mine, other, landed=None, cost=0.01, failed=False, moving=False, crowded=False):
    mine = record(**mine)
    return pace(landed or mine, cost, failed).seconds(mine, dict(gw1=mine, gw2=record(**other)), moving, crowded)


@pytest.mark.parametrize('mine, other, expected', [
    (SERVING, {}, BEAT),
    ({}, SERVING, BEAT),
    # gw2 is to give its disks away, or does
    ({}, dict(SERVING, hurry=True), SOON),
    ({}, dict(SERVING, drain=True), SOON),
    ({}, dict(SERVING, serves=['b'], moving=['a']), SOON),
    ({}, dict(drain=True), BEAT),
    # I asked for a disk
    (dict(wants=['a']), SERVING, SOON),
    # and I take what it gave
    (dict(luns={'a': 2}), dict(luns={'b': 1}, serves=['b'], drain=True), LATER),
    (dict(luns={'a': 2}, serves=['a']), dict(luns={'b': 1}, serves=['b'], drain=True), SOON),
    # I give mine away: whoever takes them has to hear of it, not I
    (dict(SERVING, drain=True), {}, BEAT),
    (dict(SERVING, drain=True, serves=['b']), {}, LATER),
    (SERVING, dict(wants=['a']), BEAT),
])
def test_who_waits_for_others_reads_often_and_who_is_at_work_seldom(mine, other, expected):
    assert seconds(mine, other) == expected


def test_who_gave_a_disk_away_looks_whether_it_is_served():
    other = dict(luns={'a': 2}, wants=['a'])
    assert seconds({}, other, moving=True) == LATER and seconds({}, other) == BEAT


@pytest.mark.parametrize('cost, expected', [(0.01, SOON), (0.2, 0.2), (2, BEAT)])
def test_an_exchange_that_takes_long_is_not_hurried(cost, expected):
    assert seconds({}, dict(SERVING, drain=True), cost=cost) == expected


@pytest.mark.parametrize('cost, expected', [(0.01, SOON), (0.2, 0.4), (2, BEAT)])
def test_on_a_busy_processor_half_of_the_time_passes_without_any(cost, expected):
    assert seconds({}, dict(SERVING, drain=True), cost=cost, crowded=True) == expected


@pytest.mark.parametrize('mine, other', [(dict(luns={'a': 2}), dict(drain=True, wants=['b'])), (SERVING, dict(wants=['a'])), ({}, dict(SERVING, hurry=True))])
@pytest.mark.parametrize('cost', [0.01, 0.2])
def test_a_busy_processor_never_makes_it_more_often(mine, other, cost):
    assert seconds(mine, other, cost=cost, crowded=True) >= seconds(mine, other, cost=cost)


def test_what_others_wait_for_is_written_at_once_unless_ceph_takes_nothing():
    gave = dict(mine=dict(luns={'b': 1}, serves=['b'], drain=True), other={}, landed=record(**SERVING))
    assert seconds(**gave) == 0, 'what it gave away'
    assert seconds(failed=True, **gave) == BEAT, 'Ceph is not asked without a rest'
    assert seconds(crowded=True, **gave) == SOON, 'nor with many at a time, whose ends would each be an exchange'
    serves = dict(mine=dict(luns={'a': 1}, serves=['a']), landed=record(luns={'a': 1}))
    assert seconds(other={}, **serves) == BEAT, 'nobody waits for it'
    assert seconds(other=dict(drain=True, moving=['a']), **serves) == 0


def test_between_two_beats_only_what_is_new_is_written():
    made, mine = Pace('gw1'), record(**SERVING)
    assert made.to_write(mine, 10) is mine, 'nothing of mine is there yet'
    made.ended(mine, True, 0.01)
    assert made.to_write(dict(mine, n=2), 10.1) is None
    assert made.to_write(dict(mine, n=3, hurry=True), 10.2) == dict(mine, n=3, hurry=True)
    made.ended(dict(mine, n=3, hurry=True), True, 0.01)
    made.ended(None, True, 0.01)
    assert made.landed['hurry'], 'reading changes nothing of it'
    assert made.to_write(dict(mine, n=4, hurry=True), 10.2 + BEAT - 0.01) is None
    assert made.to_write(dict(mine, n=5, hurry=True), 10.2 + BEAT)['n'] == 5, 'others see by it that I live'


def test_a_record_is_written_every_beat_however_often_others_are_read():
    made = Pace('gw1')
    assert made.until_written(None) == made.until_written(3) == BEAT
    made.to_write(record(), 10)
    made.ended(record(), True, 0.01)
    assert made.until_written(10) == BEAT
    made.to_write(record(), 10.45)
    assert abs(made.until_written(10.45) - 0.05) < 1e-9 and made.until_written(10.75) == 0


def test_what_may_not_have_landed_is_written_again():
    made, mine = Pace('gw1'), record()
    made.to_write(mine, 10)
    made.ended(mine, False, 2)
    assert made.landed is None and made.to_write(mine, 10.1) is mine


def test_without_a_record_of_mine_others_are_only_read():
    assert Pace('gw1').to_write(None, 10) is None and Pace('gw1').seconds(None, {}, False, False) == BEAT
