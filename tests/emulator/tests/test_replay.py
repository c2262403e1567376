# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every recording of real SCST, replayed operation by operation: results, errnos, contents, tree changes."""
import copy
import pathlib

import pytest

from scst_emulator.recording import load
from scst_emulator.replay import Run, known

RECORDINGS = pathlib.Path(__file__).resolve().parents[2] / 'recordings'
FILES = sorted(RECORDINGS.glob('*/[0-9]*.json'))
DEVIATIONS = load(RECORDINGS / 'deviations.json')


def label(path):
    return '%s/%s' % (path.parent.name, path.stem)


def test_there_are_recordings_of_both_releases():
    assert {path.parent.name for path in FILES} >= {'scst-3.10', 'scst-3.0.1'}
    assert len(FILES) >= 32


@pytest.mark.parametrize('path', FILES, ids=label)
def test_replay(path):
    run = Run(load(path))
    outcome = run.run()
    surprises = ['op %d %s %r: %s' % (recorded['i'], recorded['op'].get('path', ''),
                                      recorded['op'].get('data', recorded['op'].get('cmd', ''))[:80], '; '.join(texts))
                 for recorded, texts in outcome if texts and not known(DEVIATIONS, label(path), recorded['i'])]
    assert not surprises, '\n'.join(surprises)
    assert not run.shell.unknown, 'shell commands that the replay does not understand: %s' % run.shell.unknown
    gone = [d for d in DEVIATIONS if d['recording'] == label(path)
            and not any(texts for recorded, texts in outcome if recorded['i'] == d['op'])]
    assert not gone, 'listed deviations that no longer occur: %s' % gone


def test_deviations_name_recordings_and_reasons():
    names = {label(path) for path in FILES}
    assert all(d['recording'] in names and d['op'] > 0 and d['reason'] for d in DEVIATIONS)


@pytest.mark.parametrize('change, expected', [
    (lambda op: op.update(errno='EIO', ok=False), 'errno'),
    (lambda op: op['res'].update(final='-5'), 'last_sysfs_mgmt_res'),
    (lambda op: op['diff'].setdefault('added', {}).update({'x': {'t': 'd', 'm': '0755'}}), 'added x'),
    (lambda op: op['diff'].update(removed=['devices']), 'removed'),
    (lambda op: op['diff'].update(changed={'version': {'was': {}, 'now': {}}}), 'changed version'),
])
def test_a_recording_that_says_something_else_is_noticed(change, expected):
    """The comparison itself can fail."""
    recording = copy.deepcopy(load(RECORDINGS / 'scst-3.10' / '12_device_groups.json'))
    change(recording['ops'][11])
    wrong = [(recorded['i'], texts) for recorded, texts in Run(recording).run() if texts]
    assert [number for number, _texts in wrong] == [12]
    assert any(expected in text for text in wrong[0][1])
