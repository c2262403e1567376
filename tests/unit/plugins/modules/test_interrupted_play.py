# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role gateway, killed at every single step, the gateway restarted then: nothing removed comes back, nothing served is lost."""
import json
import pathlib
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'module_utils'))

from gateway_world import HOST, LUNS, PREFIX, TARGET, World  # noqa: E402

from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_device as device_engine  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.module_utils import rbd  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.modules import gateway_state, rbd_map, scst_alua, scst_device, scst_lun  # noqa: E402
from ansible_collections.cephgate.iscsi.plugins.modules import scst_target  # noqa: E402

ROLE = pathlib.Path(__file__).resolve().parents[4] / 'roles/gateway/tasks'
SCOPES = ['allowed_portals', 'incoming_users', 'outgoing_user', 'groups', 'initiators']
# b goes, d comes, c gets another number
AFTER = [LUNS[0], dict(image='rbd/d', size='1G', gateway='gw2', hosts={'db': 3}), dict(LUNS[2], hosts={'db': 5})]


class Killed(BaseException):
    pass


def role_tasks():
    """[(module, arguments)] of the collection's modules, in the order in which the role runs them."""
    found = []
    for step in yaml.safe_load((ROLE / 'main.yml').read_text()):
        if 'ansible.builtin.import_tasks' not in step:
            continue  # only in other modes
        for task in yaml.safe_load((ROLE / step['ansible.builtin.import_tasks']).read_text()):
            for name, arguments in task.items():
                if name.startswith('cephgate.iscsi.') and name != 'cephgate.iscsi.rbd_image':  # that one changes no gateway
                    found.append((name.rsplit('.', 1)[1], arguments))
    return found


class Play:
    """Runs the role's modules on a world; `kill_at`: the step (SCST write, rbd command, file) that it does not live to take."""

    def __init__(self, world, run_module, monkeypatch, tmp_path):
        self.world, self.run_module, self.folder = world, run_module, tmp_path
        self.steps, self.kill_at = 0, None
        world.path = tmp_path / 'etc/state.json'
        world.path.parent.mkdir()
        play = self

        class Tree:
            def __init__(self, root):
                pass

            def __getattr__(self, name):
                return getattr(world.scst, name)

            def write(self, path, data):
                play.step()
                world.scst.write(path, data)

        for module in (scst_device, scst_target, scst_lun, scst_alua, gateway_state):
            monkeypatch.setattr(module, 'Sysfs', Tree)
        for module in (rbd_map, gateway_state):
            monkeypatch.setattr(module, 'mapped', world.mapped)
        monkeypatch.setattr(rbd_map, 'holders', lambda entry: [])
        monkeypatch.setattr(rbd_map, 'rbd_of', lambda module, timeout: rbd.Rbd(self.rbd, 'igw'))
        monkeypatch.setattr(device_engine.snapshot, '__defaults__', ((), False, lambda path: world.files.get(path, {}).get('size')))
        real = gateway_state.write
        monkeypatch.setattr(gateway_state, 'write', lambda operation: (self.step(), real(operation)))

    def step(self):
        if self.steps == self.kill_at:
            raise Killed
        self.steps += 1

    def rbd(self, argv, stdin):
        self.step()
        return self.world.rbd(argv, stdin)

    def run(self, luns, complete=True, kill_at=None, check=True, disrupt=False):
        """All operations of one run of the role; None when it was killed."""
        self.steps, self.kill_at = 0, kill_at
        view = self.world.view(luns)
        removed = view['removed']
        options = dict(
            rbd_map=lambda task: dict(client='igw', images=removed['images'] if 'removed' in task['images'] else [
                dict(image=entry['image']) for entry in view['images']]),
            scst_device=lambda task: dict(devices=removed['devices'] if 'removed' in task['devices'] else view['devices']),
            scst_alua=lambda task: dict(device_groups=view['device_groups']),
            scst_lun=lambda task: dict(luns=view['luns'] + removed['luns'], disrupt_sessions=disrupt,
                                       exclusive=[dict(target='%s:gw1' % PREFIX)] if complete else []),
            scst_target=lambda task: dict(targets=[dict(target, enabled=True) for target in view['targets']], driver=dict(enabled=True))
            if 'driver' in task else dict(targets=[dict(target, exclusive=SCOPES if complete else []) for target in view['targets']]),
            gateway_state=lambda task: dict(
                state=view['state'], secrets={}, removed=removed['luns'], disrupt_sessions=disrupt,
                phase=task.get('phase', 'end'), complete=complete, path=str(self.world.path),
                command=str(self.folder / 'bin/cephgate'), library=str(self.folder / 'lib')),
        )
        done = []
        try:
            for name, task in role_tasks():
                module = globals()[name]
                result = self.run_module(module, **options[name](task))
                if check:
                    assert not result['failed'], result
                if result['failed']:
                    return result
                done += result['operations']
        except Killed:
            return None
        return done

    def restart(self):
        """The gateway after a power cut, when its service has done what it can."""
        self.world.boot()
        return self.world.apply()


@pytest.fixture
def play(run_module, monkeypatch, tmp_path):
    return Play(World('3.10'), run_module, monkeypatch, tmp_path)


def device_of(world, lun):
    return world.scst.readlink('%s/ini_groups/db/luns/%s/device' % (TARGET, lun)).rsplit('/', 1)[1].split('-')[0]


def served(world):
    return {device_of(world, lun): int(lun) for lun in world.luns()}


def test_the_role_writes_the_intent_before_the_first_change_and_the_end_after_the_last():
    names = [name for name, dummy in role_tasks()]
    phases = [task.get('phase', 'end') for name, task in role_tasks() if name == 'gateway_state']
    changing = [number for number, name in enumerate(names) if name.startswith('scst_')]
    first, last = (number for number, name in enumerate(names) if name == 'gateway_state')
    assert phases == ['begin', 'end'] and first < changing[0] and changing[-1] < last and len(changing) == 7


@pytest.mark.parametrize('daemon_only', [False, True], ids=['reboot', 'daemon'])
def test_killed_anywhere_then_restarted_then_run_again(run_module, monkeypatch, tmp_path, daemon_only):
    points, kill_at = 0, 0
    while True:
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        play = Play(World('3.10'), run_module, monkeypatch, folder)
        assert play.run(LUNS)
        assert play.run(LUNS) == [], 'a second run changes nothing'
        assert served(play.world) == {'a': 0, 'b': 1, 'c': 2}
        killed = play.run(AFTER, kill_at=kill_at) is None
        before = served(play.world)
        state = json.loads(play.world.path.read_text())
        meant = {'b': 1} if any(lun['device'].startswith('b-') for lun in state['luns']) else {'d': 3}
        if daemon_only:
            play.world.scst.core.stop_daemon()
            play.world.scst.core.start_daemon()
            play.world.apply()
        else:
            play.restart()
        now = served(play.world)
        assert now == dict({'a': 0, 'c': 2 if 'b' in meant else 5}, **meant), (kill_at, now)
        assert play.world.enabled()
        assert 'b' in before or 'b' not in now, 'killed before step %d: the restart brought back what had been removed' % kill_at
        assert 'd' not in before or 'd' in now, 'killed before step %d: the restart lost what had been added' % kill_at
        if not killed:
            break
        # Before the intent is written nothing was removed; from then on nothing removed comes back.
        assert ('b' in now) == (state.get('unfinished') is None), (kill_at, state.get('unfinished'))
        points += 1
        play.run(AFTER)
        assert served(play.world) == {'a': 0, 'c': 5, 'd': 3}, kill_at
        assert 'unfinished' not in json.loads(play.world.path.read_text())
        assert play.run(AFTER) == []
        kill_at += 1
    assert points > 10, 'there is more than that to interrupt'


def test_killed_anywhere_on_a_fresh_gateway(run_module, monkeypatch, tmp_path):
    kill_at, killed = 0, True
    while killed:
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        play = Play(World('3.10'), run_module, monkeypatch, folder)
        killed = play.run(LUNS, kill_at=kill_at) is None
        if play.world.path.exists():
            assert play.restart()[1] == {} and served(play.world) == {'a': 0, 'b': 1, 'c': 2}
        play.run(LUNS)
        assert served(play.world) == {'a': 0, 'b': 1, 'c': 2} and play.world.enabled()
        assert play.run(LUNS) == []
        kill_at += 7
    assert kill_at > 50


def test_a_removal_under_a_live_session_is_refused_and_survives_a_restart(play):
    from scst_emulator import login
    play.run(LUNS)
    session = login(play.world.scst.core.targets.iscsi.targets['%s:gw1' % PREFIX], HOST, portal='10.99.1.11')
    before = play.world.path.read_text(), play.world.scst.writes
    result = play.run(AFTER, check=False)
    assert result['failed'] and 'live sessions' in result['msg'] and 'LUN 1' in result['msg'], result
    assert (play.world.path.read_text(), play.world.scst.writes) == before
    session.close()
    play.restart()
    assert served(play.world) == {'a': 0, 'b': 1, 'c': 2}


def test_what_an_incomplete_declaration_leaves_out_is_served_after_a_restart_as_before_it(play):
    play.run(LUNS)
    without = [LUNS[0], LUNS[2]]
    play.run(without, complete=False)
    assert served(play.world) == {'a': 0, 'b': 1, 'c': 2}
    assert play.run(without, complete=False) == []
    groups = {name: sorted(play.world.scst.listdir('device_groups/%s/devices' % name)) for name in ('cephgate-gw1', 'cephgate-gw2')}
    assert play.restart()[1] == {} and served(play.world) == {'a': 0, 'b': 1, 'c': 2}
    assert groups == {name: sorted(play.world.scst.listdir('device_groups/%s/devices' % name)) for name in groups}
    play.run(without)
    assert served(play.world) == {'a': 0, 'c': 2}
    play.restart()
    assert served(play.world) == {'a': 0, 'c': 2}


GONE = [LUNS[0], dict(LUNS[1], state='absent'), LUNS[2]]


def test_a_removed_lun_is_unmapped_and_stays_away_wherever_the_play_is_killed(run_module, monkeypatch, tmp_path):
    kill_at, killed = 0, True
    while killed:
        folder = tmp_path / str(kill_at)
        folder.mkdir()
        play = Play(World('3.10'), run_module, monkeypatch, folder)
        play.run(LUNS, complete=False)
        killed = play.run(GONE, complete=False, kill_at=kill_at) is None
        before = served(play.world)
        begun = json.loads(play.world.path.read_text()) != play.world.declare(LUNS)
        play.restart()
        assert 'b' in before or 'b' not in served(play.world), 'killed before step %d: the restart brought it back' % kill_at
        assert served(play.world) == dict({'a': 0, 'c': 2}, **({} if begun else {'b': 1})), kill_at
        play.run(GONE, complete=False)
        assert served(play.world) == {'a': 0, 'c': 2} and sorted(play.world.mappings) == ['rbd/a', 'rbd/c']
        assert not any(name.startswith('b-') for name in play.world.scst.listdir('devices'))
        assert 'rbd/b' in play.world.ids and not any('rm' in words for words in play.world.calls), 'the image stays in Ceph'
        assert play.run(GONE, complete=False) == []
        kill_at += 1
    assert kill_at > 4


def test_a_lun_is_removed_under_a_live_session_only_when_told_so(play):
    from scst_emulator import login
    play.run(LUNS)
    login(play.world.scst.core.targets.iscsi.targets['%s:gw1' % PREFIX], HOST, portal='10.99.1.11')
    before = play.world.path.read_text()
    result = play.run(GONE, complete=False, check=False)
    assert result['failed'] and 'LUN 1' in result['msg'] and 'live sessions' in result['msg']
    assert play.world.path.read_text() == before and served(play.world) == {'a': 0, 'b': 1, 'c': 2}
    play.run(GONE, complete=False, disrupt=True)
    assert served(play.world) == {'a': 0, 'c': 2}
