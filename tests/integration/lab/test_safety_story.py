# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's safety with a live initiator: the same story on the emulator in this process and on a gateway of the lab.

The gateway has real SCST (make lab-up ONLY=gw1 SCST_SOURCE=... and make lab-safety SCST_SOURCE=...), or the emulator over LIO.
"""
import json
import os
import subprocess

import pytest
from labsite import STATE, TOP
from safety_story import IMAGES, INITIATOR, PORTAL, TARGET, tell
from scst_emulator import Emulator, Fake, login

ROOT = os.environ.get('CEPHGATE_LAB_SYSFS_ROOT', '/run/scst_tgt')
HOME = '/run/cephgate-story'


class Imagined:
    """The world around the emulator."""

    def __init__(self):
        self.files = {}
        self.scst = Emulator('3.10', Fake(self.files))

    def size_of(self, path):
        return self.files[path]['size'] if path in self.files else None

    def image(self, letter, size):
        self.files.setdefault(IMAGES[letter], dict(block=True))['size'] = size

    def log_in(self):
        self.session = login(self.scst.core.targets.find(TARGET), INITIATOR, client=PORTAL, portal=PORTAL)

    def log_out(self):
        self.session.close()


@pytest.fixture(scope='module')
def emulated():
    world = Imagined()
    return json.loads(json.dumps(tell(world.scst, world)))


@pytest.fixture(scope='module')
def real():
    if not (STATE / 'ssh_config').exists():
        pytest.fail('no gateway VM is up: make lab-up ONLY=gw1')
    packed = subprocess.run(['tar', '-C', TOP, '--exclude=__pycache__', '--transform=s,^plugins,ansible_collections/cephgate/iscsi/plugins,',
                             '--transform=s,^tests/integration/lab/,,', '-czf', '-', 'plugins/module_utils', 'tests/integration/lab/safety_story.py'],
                            stdout=subprocess.PIPE, check=True).stdout
    command = 'rm -rf %s && mkdir -p %s && tar -C %s -xzf - && python3 %s/safety_story.py %s' % (HOME, HOME, HOME, HOME, ROOT)
    done = subprocess.run(['ssh', '-F', str(STATE / 'ssh_config'), 'gw1', command], input=packed, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=300, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode('utf-8', 'replace')[-4000:]
    return json.loads(done.stdout)


def test_the_emulated_story_is_the_one_that_was_meant(emulated):
    """Every guard has spoken, and nothing failed on the way."""
    assert not [step for step in emulated if str(step[1]).startswith('failed')]
    for title, outcome in emulated:
        if any(title.startswith(word) for word in ('a LUN in use', 'nor ', 'a group in use', 'no ', 'not ', 'what only', 'it does not')):
            if title not in ('no outgoing user',):
                assert str(outcome).startswith('refused: '), (title, outcome)
        if title == 'nothing is left to do':
            assert outcome == [], (title, outcome)
    told = [outcome for title, outcome in emulated if title in ('logged in', 'nothing has happened', 'without LUN 1', 'with LUN 1', 'still logged in')]
    assert [entry[0][2] for entry in told] == [[0, 1], [0, 1], [0], [0, 1], [0, 1]]


def test_a_gateway_tells_the_same_story(emulated, real):
    different = ['%s:\n  emulator: %s\n  gateway:  %s' % (here[0], here[1], there[1]) for here, there in zip(emulated, real) if here != there]
    assert not different, '\n'.join(different)
    assert len(real) == len(emulated)
