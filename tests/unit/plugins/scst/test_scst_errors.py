# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an error of SCST says to who reads it at three in the morning: object, value, file, errno, meaning, what to do."""
import errno
import json
import os
import pathlib

import pytest
from ansible_collections.cephgate.iscsi.plugins.module_utils import scst_errors
from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import Failed, Operation, perform
from ansible_collections.cephgate.iscsi.plugins.module_utils.sysfs import performer

TARGET = 'iqn.2026-11.com.example:gw1'
OTHER = 'iqn.2026-11.com.example:gw2'
HOST = 'iqn.1993-08.org.debian:01:host'
ONE, GROUP = 'targets/iscsi/' + TARGET, 'targets/iscsi/%s/ini_groups/db' % TARGET
RECORDINGS = pathlib.Path(__file__).resolve().parents[3] / 'recordings'

# what other hands did first; the command that then fails; words of the advice. On the tree of Engine.exported().
CASES = [
    ([], ('handlers/vdisk_blockio/mgmt', 'add_device new filename=/dev/nosuch'), '/dev/nosuch does not exist'),
    ([], ('handlers/vdisk_blockio/mgmt', 'add_device disk0 filename=/dev/x2'), 'device of that name'),
    ([], ('handlers/vdisk_nullio/mgmt', 'add_device new size=1000'), 'multiple of blocksize'),
    ([], ('handlers/vdisk_blockio/mgmt', 'del_device new'), 'no such device any more'),
    ([], ('devices/disk0/no_such', '1'), 'does not offer no_such'),
    ([], ('devices/disk0/blocksize', '4096'), 'blocksize cannot be changed'),
    ([], ('devices/disk0/usn', 'x' * 21), 'this value for usn'),
    ([], ('targets/iscsi/mgmt', 'add_target ' + TARGET.upper()), 'upper and lower case'),
    ([], ('targets/iscsi/mgmt', 'add_target_attribute %s IncomingUser u short' % TARGET), 'too short'),
    ([('targets/iscsi/mgmt', 'add_target_attribute %s OutgoingUser a 123456789012' % TARGET)],
     ('targets/iscsi/mgmt', 'add_target_attribute %s OutgoingUser b 123456789012' % TARGET), 'half-way'),
    ([], ('targets/iscsi/mgmt', 'del_target ' + OTHER), 'not there any more'),
    ([('targets/iscsi/mgmt', 'add_target ' + OTHER), ('targets/iscsi/%s/rel_tgt_id' % OTHER, '1')],
     ('targets/iscsi/%s/enabled' % OTHER, '1'), 'another enabled target'),
    ([], (ONE + '/cpu_mask', 'ff'), 'processors that this node does not have'),
    ([], ('targets/iscsi/iSNSServer', '10.0.0.9'), 'does not answer'),
    ([], (ONE + '/ini_groups/mgmt', 'create db'), 'a group of that name'),
    ([], (ONE + '/ini_groups/mgmt', 'del nosuch'), 'no such group'),
    ([], (GROUP + '/initiators/mgmt', 'add ' + HOST), 'is in the group'),
    ([], (GROUP + '/initiators/mgmt', 'del ' + OTHER), 'not there any more'),
    ([], (GROUP + '/luns/mgmt', 'add disk1 0'), 'number is taken'),
    ([], (GROUP + '/luns/mgmt', 'add nosuch 1'), 'scst_device'),
    ([], (GROUP + '/luns/mgmt', 'del 7'), 'no such LUN'),
    ([], (ONE + '/ini_groups/nosuch/luns/mgmt', 'add disk0 0'), 'scst_target'),
    ([('device_groups/mgmt', 'create g'), ('device_groups/g/devices/mgmt', 'add disk0')],
     ('device_groups/g/devices/mgmt', 'add disk0'), 'can be in one only'),
    ([('device_groups/mgmt', 'create g')], ('device_groups/mgmt', 'create g'), 'one of that name'),
    ([('device_groups/mgmt', 'create g')], ('device_groups/g/target_groups/mgmt', 'del t'), 'not there any more'),
]


def failure(scst, path, data):
    with pytest.raises(Failed) as failed:
        perform([Operation('the object', 'what is done to it', 'write', path, data)], performer(scst.tree))
    return str(failed.value)


@pytest.mark.parametrize('before, command, words', CASES, ids=[' '.join(command)[-60:] for _before, command, _words in CASES])
def test_an_error_says_what_to_do(scst, before, command, words):
    scst.exported()
    for path, data in before:
        scst.tree.write(path, data)
    text = failure(scst, *command)
    assert text.startswith('the object: what is done to it: failed: SCST answered E')
    for part in (command[0], command[1], words):
        assert part in text
    assert any('(%s)' % os.strerror(number) in text for number in errno.errorcode)


def test_a_group_with_a_session_is_named_with_the_option(scst):
    scst.exported().login()
    assert 'disrupt_sessions' in failure(scst, ONE + '/ini_groups/mgmt', 'del db')


def test_a_dead_daemon_is_named(scst):
    scst.tree.core.stop_daemon()
    assert 'iscsi-scstd does not run' in failure(scst, 'targets/iscsi/mgmt', 'add_target ' + TARGET)


def test_a_backing_device_that_is_open_elsewhere(scst310):
    """SCST 3.0 does not mind."""
    scst310.exported()
    assert 'lsblk' in failure(scst310, 'handlers/vdisk_blockio/mgmt', 'add_device new filename=/dev/x0')


def test_a_regular_file_behind_a_block_handler(scst, tmp_path):
    """ENOTBLK from SCST 3.10, EINVAL from 3.0.1: the advice is the same."""
    regular = tmp_path / 'regular'
    regular.write_bytes(b'x' * 4096)
    scst.files[str(regular)] = dict(size=4096, block=False)
    assert '%s is no block device' % regular in failure(scst, 'handlers/vdisk_blockio/mgmt', 'add_device new filename=%s' % regular)


@pytest.mark.parametrize('others', [[], ['add_device old']], ids=['nothing to look at', 'a device to look at'])
def test_a_long_name_is_explained_where_names_are_short(scst, others):
    """Told by what SCST offers: one without naa_id takes 16 characters."""
    for command in others:
        scst.tree.write('handlers/vdisk_nullio/mgmt', command)
    name = 'a-name-of-21-letters-'
    device = dict(name=name, handler='vdisk_nullio')
    if scst.tree.core.personality.name == '3.0.1':
        with pytest.raises(Failed, match='The name has 21 characters. This SCST offers no naa_id, so .* at most 16'):
            scst.device(device)
    else:
        scst.device(device)
        assert 'characters' not in failure(scst, 'handlers/vdisk_nullio/mgmt', 'add_device another-name-of-27-letters tst=7')


def test_the_same_names_on_both_are_no_longer_than_what_both_take(scst):
    scst.device(dict(name='x' * 16, handler='vdisk_nullio', attributes=dict(prod_id='p' * 16)))


def recorded_errors():
    found = {}
    for path in sorted(RECORDINGS.glob('scst-*/[0-9]*.json')):
        for record in json.loads(path.read_text())['ops']:
            operation = record['op']
            if operation.get('op') == 'write' and not record['ok'] and operation['data'].strip():
                found.setdefault((operation['path'], operation['data'], record['errno']), path.stem)
    return sorted(found)


class Nothing:
    """A tree in which there is nothing to look at."""
    read = listdir = exists = staticmethod(lambda path: exec('raise OSError(2, path)'))


def test_every_error_that_was_recorded_has_advice():
    """Real SCST 3.10 and 3.0.1, whole scenarios; no advice is the kernel log alone."""
    errors = recorded_errors()
    assert len(errors) > 150
    for path, data, name in errors:
        advice = scst_errors.advice(Operation('x', 'y', 'write', path, data), name, Nothing)
        assert len(advice) > len(scst_errors.LOG) + 10, (path, data, name)
        assert '{' not in advice


def test_devices_that_can_be_made_are_made_and_all_others_named(scst):
    from ansible_collections.cephgate.iscsi.plugins.module_utils.operations import perform as carry_out
    scst.tree.write('handlers/vdisk_nullio/mgmt', 'add_device foreign')
    operations = [Operation('device %s' % name, 'create', 'write', 'handlers/vdisk_nullio/mgmt', 'add_device %s' % text)
                  for name, text in [('a', 'a'), ('b', 'b tst=7'), ('b', 'b2'), ('c', 'foreign'), ('d', 'd')]]
    with pytest.raises(Failed) as failed:
        carry_out(operations, performer(scst.tree), apart=lambda operation: operation.thing)
    assert [operation.thing for operation in failed.value.done] == ['device a', 'device d']
    assert not scst.tree.exists('devices/b2')  # what comes after it depends on it
    assert 'device b: create: failed: SCST answered EINVAL' in str(failed.value)
    assert 'device c: create: failed: SCST answered EEXIST' in str(failed.value)
