# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The in-process face: errnos of the system calls, counters, and constant cost."""
import errno
import time

import pytest

from scst_emulator import Emulator, Fake, login

IQN = 'iqn.2026-11.com.example:gw1'
T = 'targets/iscsi/' + IQN


@pytest.fixture
def emulator():
    made = Emulator('3.10', Fake({'/dev/rbd0': dict(block=True, size=1 << 30)}))
    made.write('handlers/vdisk_blockio/mgmt', 'add_device db filename=/dev/rbd0')
    made.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    made.reset_counters()
    return made


def code(call, *arguments):
    with pytest.raises(OSError) as raised:
        call(*arguments)
    return errno.errorcode[raised.value.errno]


def test_errnos(emulator):
    assert code(emulator.read, 'devices/nosuch/size') == 'ENOENT'
    assert code(emulator.read, 'devices') == 'EISDIR'
    assert code(emulator.read, 'version/x') == 'ENOTDIR'
    assert code(emulator.read, 'devices/db/resync_size') == 'EACCES'
    assert code(emulator.write, 'devices/db/blocksize', '512') == 'EACCES'
    assert code(emulator.listdir, 'version') == 'ENOTDIR'
    assert code(emulator.readlink, 'devices/db') == 'EINVAL'
    assert code(emulator.write, 'handlers/vdisk_blockio/mgmt', 'add_device two filename=/dev/rbd0') == 'EBUSY'
    assert emulator.read('last_sysfs_mgmt_res') == '-16\n'


def test_reads_and_writes_are_counted(emulator):
    emulator.listdir('devices')
    emulator.readlink('handlers/vdisk_blockio/db')
    assert emulator.exists('devices/db/active') and not emulator.exists('devices/x')
    emulator.read('devices/db/size')
    emulator.write('devices/db/usn', 'abc')
    assert (emulator.reads, emulator.writes) == (1, 1)
    assert emulator.written == [('devices/db/usn', 'abc')]


def test_links_lead_on(emulator):
    assert emulator.read('handlers/vdisk_blockio/db/size') == '1073741824\n[key]\n'
    emulator.write('handlers/vdisk_blockio/db/usn', b'0001\n')
    assert emulator.read('devices/db/usn') == '0001\n[key]\n'


def test_one_page_is_taken_from_a_long_write(emulator):
    assert emulator.write(T + '/comment', 'x' * 10000) == 4096


def test_nothing_written_nothing_done(emulator):
    assert emulator.write('handlers/vdisk_nullio/mgmt', '') == 0


def test_a_failed_device_leaves_nothing_behind(emulator):
    before = emulator.tree()
    assert code(emulator.write, 'handlers/vdisk_blockio/mgmt', 'add_device x filename=/dev/nosuch') == 'ENOENT'
    after = emulator.tree()
    after['last_sysfs_mgmt_res'] = before['last_sysfs_mgmt_res']
    assert after == before


def test_a_target_name_ends_at_a_semicolon(emulator):
    """SCST's core takes it as part of the name, its daemon as a separator."""
    emulator.write('targets/iscsi/mgmt', 'add_target iqn.x;')
    assert emulator.exists('targets/iscsi/iqn.x')


@pytest.mark.parametrize('text, ok', [('1', True), ('11', True), ('1 1 data', True), ('0\n', True), ('01', False),
                                      ('12', False), ('2', False)])
def test_block(emulator, text, ok):
    if ok:
        emulator.write('devices/db/block', text)
    else:
        assert code(emulator.write, 'devices/db/block', text) == 'EINVAL'


def test_two_emulators_share_nothing():
    one, two = Emulator(), Emulator()
    one.write('handlers/vdisk_nullio/mgmt', 'add_device n')
    one.write('trace_level', 'all')
    assert not two.exists('devices/n')
    assert two.read('trace_level') != one.read('trace_level')


def test_generated_identity_follows_name_and_setup_id():
    emulator = Emulator()
    emulator.write('setup_id', '0x55')
    emulator.write('handlers/vdisk_nullio/mgmt', 'add_device later')
    assert emulator.read('devices/later/t10_dev_id') == '55268cb039-later\n'


def test_a_generated_serial_that_is_taken_is_refused(emulator):
    emulator.write('devices/db/usn', '8f8fa19c')
    assert code(emulator.write, 'handlers/vdisk_nullio/mgmt', 'add_device n0') == 'EEXIST'


def test_automatic_relative_ids_go_on_counting(emulator):
    emulator.write(T + '/enabled', '1')
    assert emulator.read(T + '/rel_tgt_id') == '1\n[key]\n'
    emulator.write('targets/iscsi/mgmt', 'del_target ' + IQN)
    emulator.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    emulator.write(T + '/enabled', '1')
    assert emulator.read(T + '/rel_tgt_id') == '2\n[key]\n'


@pytest.mark.parametrize('personality', ['3.10', '3.0.1'])
def test_a_lun_costs_the_same_among_thousands(personality):
    emulator = Emulator(personality)
    emulator.write('targets/iscsi/mgmt', 'add_target ' + IQN)
    emulator.write(T + '/ini_groups/mgmt', 'create g')

    def thousand(start):
        began = time.process_time()
        for number in range(start, start + 1000):
            emulator.write('handlers/vdisk_nullio/mgmt', 'add_device d%d' % number)
            emulator.write('devices/d%d/usn' % number, 's%d' % number)
            emulator.write(T + '/ini_groups/g/luns/mgmt', 'add d%d %d' % (number, number))
        return time.process_time() - began
    times = [thousand(start) for start in range(0, 5000, 1000)]
    # Quadratic cost would make the last thousand nine times as dear as the first two on average.
    assert min(times[-2:]) < 3 * max(times[:2]), times
    assert len(emulator.listdir(T + '/ini_groups/g/luns')) == 5001


def test_sessions_follow_the_groups(emulator):
    ini = 'iqn.1993-08.org.debian:01:a'
    target = emulator.core.targets.find(IQN)
    with pytest.raises(OSError):
        login(target, ini)
    for path, data in (('/ini_groups/mgmt', 'create g'), ('/ini_groups/g/initiators/mgmt', 'add iqn.1993*'),
                       ('/ini_groups/g/luns/mgmt', 'add db 3'), ('/enabled', '1')):
        emulator.write(T + path, data)
    emulator.write('targets/iscsi/enabled', '1')
    first = login(target, ini, '10.0.0.9', '10.0.0.1')
    login(target, ini, '10.0.1.9', '10.0.1.1')
    assert sorted(emulator.listdir(T + '/sessions')) == [ini, ini + '_1']
    assert emulator.readlink('%s/sessions/%s/luns' % (T, ini)) == '../../ini_groups/g/luns'
    assert emulator.exists('%s/sessions/%s/lun3' % (T, ini))
    assert code(emulator.write, T + '/ini_groups/mgmt', 'del g') == 'EBUSY'
    emulator.write(T + '/ini_groups/g/initiators/mgmt', 'clear')
    assert emulator.readlink('%s/sessions/%s/luns' % (T, ini)) == '../../luns'
    assert not emulator.exists('%s/sessions/%s/lun3' % (T, ini))
    emulator.write('%s/sessions/%s/force_close' % (T, ini), '1')
    assert emulator.listdir(T + '/sessions') == [ini + '_1'] and first.name == ini


def test_the_daemons_end_takes_every_target(emulator):
    emulator.core.stop_daemon()
    assert not emulator.exists(T)
    assert code(emulator.write, 'targets/iscsi/mgmt', 'add_target ' + IQN) == 'EPERM'
    assert emulator.exists('devices/db')
    emulator.core.start_daemon()
    assert emulator.read('targets/iscsi/open_state') == 'open\n'
