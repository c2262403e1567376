# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings with a live session, replayed on a gateway VM: emulator over LIO, a real open-iscsi, real disks.

Compared with the recording for each operation: result, errno, content, last_sysfs_mgmt_res, exit status, what changed in the
tree, and what the initiator saw (live_facts.py). Where LIO differs from SCST stands in live_deviations.json, with a reason;
everything else fails, and so does a listed deviation that no longer occurs.
"""
import collections
import copy
import json
import re
import subprocess

import pytest
from labsite import STATE, TOP
from live_facts import facts
from scst_emulator.recording import differences, host_facts, load, release

RECORDINGS = TOP / 'tests/recordings/scst-3.10'
NAMES = ['20_live_session', '21_live_chap', '22_live_alua', '23_live_identity']
DEVIATIONS = json.loads((TOP / 'tests/recordings/live_deviations.json').read_text())
SEEN = load(RECORDINGS / 'initiator.json')


def scenario(name):
    recording = load(RECORDINGS / (name + '.json'))
    return dict(name=name, release=release(recording), host=host_facts(recording), vars=recording['vars'],
                setup=[step.get('op') if isinstance(step.get('op'), dict) else step for step in recording['setup']],
                # what took longer than the recorder waited need not take as long again
                ops=[dict(operation['op'], **(dict(patience=8) if operation.get('rc') == 'timeout' else {})) for operation in recording['ops']])


@pytest.fixture(scope='module')
def replayed():
    """What the gateway says to all scenarios. The emulator's service is stopped meanwhile: its data plane is LIO too."""
    if not (STATE / 'ssh_config').exists():
        pytest.fail('the lab is not up: make lab-up ONLY=gw1 is enough')
    ssh = ['ssh', '-F', str(STATE / 'ssh_config'), 'gw1']
    packed = subprocess.run(['tar', '-C', TOP, '--exclude=__pycache__', '--transform=s,.*/,,;s,^,scst_emulator/,;s,.*/live_replay,live_replay,',
                             '-czf', '-', 'tests/integration/lab/live_replay.py', *sorted(
                                 str(path.relative_to(TOP)) for path in TOP.glob('tests/emulator/scst_emulator/*.py'))],
                            stdout=subprocess.PIPE, check=True).stdout
    prepare = 'rm -rf /run/live-replay && mkdir /run/live-replay && tar -C /run/live-replay -xzf - && systemctl stop scst-emulator.service'
    subprocess.run(ssh + [prepare], input=packed, check=True, timeout=60)
    try:
        done = subprocess.run(ssh + ['PYTHONPATH=/run/live-replay python3 /run/live-replay/live_replay.py'],
                              input=json.dumps([scenario(name) for name in NAMES]).encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=1500, check=False)
        (TOP / 'build/log').mkdir(parents=True, exist_ok=True)
        (TOP / 'build/log/live-replay.err').write_bytes(done.stderr)
        assert done.returncode == 0, done.stderr.decode('utf-8', 'replace')[-4000:]
        (TOP / 'build/log/live-replay.json').write_bytes(done.stdout)
    finally:
        subprocess.run(ssh + ['systemctl start scst-emulator.service'], check=True, timeout=120)
    return json.loads(done.stdout)


def compared(name, found):
    """[(operation number, text)] for everything that is not as recorded."""
    result = []
    for recorded, here in zip(load(RECORDINGS / (name + '.json'))['ops'], found):
        here = dict(here)
        if recorded.get('rc') is None:
            here.pop('rc', None)
        result += [(recorded['i'], text) for text in differences(recorded, here)]
        if recorded['op']['op'] == 'sh':
            then, now = (collections.Counter(some) for some in (SEEN[name][str(recorded['i'])], facts(here['out'])))
            result += [(recorded['i'], 'only recorded: ' + fact) for fact in sorted((then - now).elements())]
            result += [(recorded['i'], 'only here: ' + fact) for fact in sorted((now - then).elements())]
    return result


def listed(name, number, text):
    return [entry for entry in DEVIATIONS if name in entry['recordings'] and ('ops' not in entry or number in entry['ops'])
            and any(re.search(pattern, text) for pattern in entry['differences'])]


@pytest.mark.parametrize('name', NAMES)
def test_replay(replayed, name):
    found = compared(name, replayed[name])
    surprises = ['op %d: %s' % (number, text) for number, text in found if not listed(name, number, text)]
    assert not surprises, '\n'.join(surprises)
    assert len(replayed[name]) == len(load(RECORDINGS / (name + '.json'))['ops'])


def test_what_is_listed_occurs(replayed):
    used = [id(entry) for name in NAMES for number, text in compared(name, replayed[name]) for entry in listed(name, number, text)]
    assert not [entry for entry in DEVIATIONS if id(entry) not in used]


@pytest.mark.parametrize('change, expected', [
    (lambda ops: ops[15].update(ok=False, errno='EIO'), (16, "errno: None recorded, 'EIO' here")),
    (lambda ops: ops[18].update(out=ops[18]['out'].replace('lun-1 ', 'lun-3 ')), (19, 'only here: disk at gw1 LUN 3')),
    (lambda ops: ops[27].update(rc=0), (28, 'rc: 5 recorded, 0 here')),
    (lambda ops: ops[17]['diff'].update(added={}), (18, 'added targets/iscsi/')),
])
def test_an_emulator_that_answers_differently_is_noticed(replayed, change, expected):
    ops = copy.deepcopy(replayed['20_live_session'])
    change(ops)
    noticed = [(number, text) for number, text in compared('20_live_session', ops) if not listed('20_live_session', number, text)]
    assert any(number == expected[0] and text.startswith(expected[1]) for number, text in noticed), noticed


def test_facts_are_read_from_output():
    assert facts('4+0 records in\n4+0 records out\nFixed format, current; Sense key: Not Ready\n') == ['dd: 4 blocks', 'sense key Not Ready']
    assert facts('  target port group id : 0x65 , Pref=1, Rtpg_fmt=0\n    target port group asymmetric access state : 0x02 (standby)\n'
                 '    Relative target port ids:\n      0x01\n') == ['RTPG: group 0x65 Pref=1 standby', 'RTPG: group 0x65 port 0x01']
