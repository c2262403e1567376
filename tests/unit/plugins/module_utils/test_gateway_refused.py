# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway of ha_mode shared that Ceph has refused leaves before initiators are told of errors, and comes back by itself."""
import errno
import time

import pytest
from gateway_world import HOST, PREFIX, World
from scst_emulator import login

from ansible_collections.cephgate.iscsi.plugins.module_utils import gateway_refused, gateway_release, lock
from ansible_collections.cephgate.iscsi.plugins.module_utils.gateway_refused import Sentry

FIRST, SECOND = '10.99.0.11:0/1', '10.99.0.11:0/2'


class Refusing(World):
    """listed: the blocklist; refused: clients whose reads fail; away: whether Ceph does not say whom it refuses; locking: images whose reads want the lock."""

    def __init__(self, folder, locking=()):
        super().__init__(folder=folder)
        self.locking, self.reads = locking, set()
        self.refused, self.listed, self.away, self.used, self.asked = set(), set(), False, [], 0
        self.write()
        sentry = Sentry(self.mapped, self.ask, self.journal.append, read=self.read, takes_lock=self.takes_lock)
        self.service = self.keeper(sentry=sentry, release=lambda gateway, dead: gateway_release.release(
            gateway, lambda entry: self.used, patience=0.2, dead=dead))
        self.until(lambda: self.luns() == ['0', '1', '2'] and self.enabled() and len(sentry._clients) == 3)

    def takes_lock(self, entry):
        return any(image in self.locking for image, found in self.mappings.items() if found['number'] == entry['number'])

    def read(self, path, _page):
        self.reads.update(image for image, entry in self.mappings.items() if path == '/dev/rbd%d' % entry['number'])
        client = next((entry['client'] for entry in self.mapped().values() if path == '/dev/rbd%d' % entry['number']), None)
        if client in self.refused:
            raise OSError(errno.EIO, 'Input/output error')

    def ask(self, client):
        self.asked += 1
        if self.away:
            raise OSError(errno.ETIMEDOUT, 'Connection timed out')
        return client in self.listed

    def refuse(self, client=FIRST):
        self.listed.add(client)
        self.refused.add(client)

    def look(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.service.tick()
            time.sleep(0.02)
            self.time += 0.5

    def until(self, reached):
        for dummy in range(100):
            self.look(0.1)
            if reached():
                return
        raise AssertionError('not within 10 s: %s' % self.journal)

    def said(self, text):
        return [place for place, line in enumerate(self.journal) if text in line]


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(gateway_refused, 'FOLLOW', 0.2)
    return Refusing(tmp_path)


def test_it_leaves_sessions_first_and_is_back_with_a_new_client(world):
    login(world.scst.core.targets.iscsi.targets['%s:gw1' % PREFIX], HOST, portal='10.99.1.11')
    world.refuse()
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and len(world.mappings) == 3 and world.enabled())
    assert world.luns() == ['0', '1', '2']
    forced = [words for words in world.calls if words[0] == 'unmap']
    assert len(forced) == 3 and all('force' in words for words in forced)
    assert world.said('leaves service')[0] < world.said('close session')[0] < world.said('unmap the dead mapping')[0]
    assert 'Ceph refuses client %s' % FIRST in world.journal[world.said('leaves service')[0]]
    journal = len(world.journal)
    world.look(1)
    assert world.journal[journal:] == [], 'and that is the end of it'


def test_it_comes_back_with_all_its_images_as_after_a_boot(world):
    """A host that logs in looks for LUNs once."""
    world.time += 30
    for image in ('rbd/b', 'rbd/c'):
        world.hang(image)
    world.refuse()
    world.until(lambda: world.said('leaves service') and 'rbd/a' in world.mappings and world.mappings['rbd/a']['client'] == SECOND)
    end = world.time + 2
    while world.time < end:
        world.service.tick()
        time.sleep(0.02)
        world.time += 0.1
        assert not world.enabled()
    for image in ('rbd/b', 'rbd/c'):
        world.answer(image)
    world.until(world.enabled)
    assert world.luns() == ['0', '1', '2']


def test_an_image_with_a_broken_object_takes_nothing_out_of_service(world):
    world.refused.add(FIRST)
    world.look(1.5)
    assert world.enabled() and len(world.mappings) == 3 and not world.said('leaves service')
    assert len(world.said('is an object broken?')) == 3, 'said once of each'
    assert world.asked <= 2, 'nor is Ceph asked at each read'


def test_while_ceph_does_not_say_whom_it_refuses_nothing_is_done(world):
    world.away = True
    world.refuse()
    world.look(1.5)
    assert world.enabled() and not world.said('leaves service')
    assert len(world.said('Ceph does not say whether it refuses client %s. Does "ceph osd blocklist ls" work' % FIRST)) == 3, 'said once of each'
    world.away = False
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and world.enabled())


def test_somebody_else_at_work_is_waited_for(world):
    with lock.scst('a module', wait=0):
        world.refuse()
        world.look(1)
        assert world.enabled() and world.said('a module')
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and world.enabled())


def test_a_dead_mapping_that_somebody_holds_is_not_served_again(world):
    world.used = ['a mount']
    world.refuse()
    world.until(lambda: world.said('still held'))
    assert not world.enabled() and 'in use by a mount' in world.journal[world.said('still held')[0]]
    assert all('cephgate drain' not in line for line in world.journal), 'it is out of service already'
    world.look(0.5)
    assert not world.enabled() and world.luns() == []
    world.used = []
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and world.enabled())


def test_with_ha_mode_fenced_the_agent_looks(world):
    world.write(dict(world.state, ha=dict(me='gw1')))
    world.refuse()
    world.look(1)
    assert not world.said('leaves service')


def test_what_a_kernel_does_not_name_a_client_of_is_left_alone(world):
    for entry in world.mappings.values():
        entry['client'] = None
    world.look(0.5)
    world.refuse(None)
    world.look(1)
    assert world.enabled() and not world.said('leaves service')


def test_an_image_whose_reads_want_its_lock_is_not_read_and_another_one_speaks_for_its_client(tmp_path, monkeypatch):
    monkeypatch.setattr(gateway_refused, 'FOLLOW', 0.2)
    world = Refusing(tmp_path, locking=('rbd/a', 'rbd/b'))
    world.look(1)
    assert world.reads == {'rbd/c'} and world.asked == 0
    world.refuse()
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and len(world.mappings) == 3 and world.enabled())
    assert world.reads == {'rbd/c'}


def test_of_a_client_of_which_nothing_is_read_ceph_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(gateway_refused, 'FOLLOW', 0.5)
    world = Refusing(tmp_path, locking=('rbd/a', 'rbd/b', 'rbd/c'))
    asked = world.asked
    world.look(1.2)
    assert 1 <= world.asked - asked <= 3, 'and not at each look'
    world.away = True
    world.look(1)
    assert world.enabled() and len(world.said('Ceph does not say whether it refuses client %s' % FIRST)) == 1, 'said once'
    world.away = False
    world.refuse()
    world.until(lambda: {entry['client'] for entry in world.mappings.values()} == {SECOND} and len(world.mappings) == 3 and world.enabled())
    assert world.reads == set()


@pytest.mark.parametrize('features, options, wanted', [
    ('0x0000000000000005', 'name=igw,key=client.igw,osdkeepalive=2', False),
    ('0x000000000000000d', 'name=igw,key=client.igw', True),
    ('0x0000000000000005', 'name=igw,key=client.igw,lock_on_read', True),
    ('0x0000000000000005', None, False),
    (None, None, True),
])
def test_which_reads_want_the_lock(tmp_path, features, options, wanted):
    folder = tmp_path / '7'
    folder.mkdir()
    if features:
        (folder / 'features').write_text(features + '\n')
    if options:
        (folder / 'config_info').write_text('10.0.0.1:6789 %s rbd a -\n' % options)
    assert gateway_refused.takes_lock(dict(number=7), str(tmp_path)) is wanted
