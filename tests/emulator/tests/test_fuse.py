# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The FUSE face: the same recordings through a mount point, and the manners of sysfs files."""
import os
import pathlib
import subprocess
import sys
import time

import pytest

from scst_emulator import Emulator, Fake
from scst_emulator.recording import host_facts, load, release
from scst_emulator.replay import HOST_FILES, Mounted, Run

RECORDINGS = pathlib.Path(__file__).resolve().parents[2] / 'recordings'
pytestmark = pytest.mark.skipif(not os.access('/dev/fuse', os.R_OK | os.W_OK), reason='needs /dev/fuse')


def serve(emulator, root):
    """Mount in a child process; returns its pid."""
    child = os.fork()
    if child == 0:
        from scst_emulator.fuse_face import serve as mount
        try:
            mount(emulator, str(root))
        finally:
            os._exit(0)
    for _try in range(100):
        if (root / 'version').exists():
            return child
        time.sleep(0.05)
    raise AssertionError('not mounted')


def end(child, root):
    os.kill(child, 15)
    os.waitpid(child, 0)
    assert not os.path.ismount(root)


@pytest.fixture
def root(tmp_path):
    mount_point = tmp_path / 'scst'
    mount_point.mkdir()
    child = serve(Emulator('3.10', Fake({'/dev/rbd0': dict(block=True, size=1 << 20)})), mount_point)
    yield mount_point
    end(child, mount_point)


def shell(command, cwd):
    return subprocess.run(['sh', '-c', command], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=30)


def test_shell_redirections(root):
    assert shell('echo add_device n0 > handlers/vdisk_nullio/mgmt && echo 0123 > devices/n0/usn', root).returncode == 0
    assert shell('cat devices/n0/usn', root).stdout == b'0123\n[key]\n'
    assert shell('printf x >> devices/n0/usn; cat devices/n0/usn', root).stdout == b'x\n[key]\n'
    assert shell('echo nonsense > handlers/vdisk_nullio/mgmt', root).returncode != 0
    assert shell('cat last_sysfs_mgmt_res', root).stdout == b'-22\n'
    assert b'denied' in shell('echo x > version', root).stdout
    assert b'denied' in shell('cat devices/n0/dump_prs', root).stdout
    assert b'denied' in shell('echo x > newfile', root).stdout
    assert b'not permitted' in shell('mkdir d', root).stdout


def test_stat_and_links(root):
    (root / 'handlers/vdisk_blockio/mgmt').write_text('add_device b filename=/dev/rbd0')
    link = root / 'handlers/vdisk_blockio/b'
    assert link.is_symlink() and os.readlink(link) == '../../devices/b'
    assert (link / 'size').read_text() == '1048576\n[key]\n'
    found = os.stat(root / 'devices/b/size')
    assert (found.st_size, oct(found.st_mode & 0o777)) == (4096, '0o644')


def test_a_change_is_seen_at_once_everywhere(root):
    """Nothing may be cached: a deletion takes links and directories elsewhere with it."""
    mgmt = root / 'handlers/vdisk_nullio/mgmt'
    for _turn in range(5):
        mgmt.write_text('add_device n0')
        assert 'n0' in os.listdir(root / 'devices') and (root / 'devices/n0/usn').exists()
        mgmt.write_text('del_device n0')
        assert not (root / 'devices/n0/usn').exists() and 'n0' not in os.listdir(root / 'handlers/vdisk_nullio')


def test_several_reads_of_one_open_file_are_one_moment(root):
    handle = os.open(root / 'version', os.O_RDONLY)
    try:
        first, rest = os.read(handle, 5), os.read(handle, 4096)
    finally:
        os.close(handle)
    assert (first + rest).startswith(b'SCST version: 3.10.0\n')


# Two, because a tree dump after each operation is thousands of system calls.
@pytest.mark.parametrize('name', ['scst-3.0.1/12_device_groups', 'scst-3.10/10_luns_default'])
def test_replay_through_the_mount(name, tmp_path):
    recording = load(RECORDINGS / (name + '.json'))
    assert not [o for o in recording['ops'] if o['op']['op'] == 'sh']
    mount_point = tmp_path / 'scst'
    mount_point.mkdir()
    env = Fake({path: dict(entry) for path, entry in HOST_FILES.items()}, **host_facts(recording))
    child = serve(Emulator(release(recording), env), mount_point)
    try:
        wrong = [(recorded['i'], texts) for recorded, texts in Run(recording, Mounted(mount_point)).run() if texts]
    finally:
        end(child, mount_point)
    assert not wrong


def test_the_command_line_mounts_and_ends_cleanly(tmp_path):
    root = tmp_path / 'made' / 'scst'
    package = pathlib.Path(__file__).resolve().parent.parent
    process = subprocess.Popen([sys.executable, '-m', 'scst_emulator', '--root', str(root), '--personality', '3.0.1'],
                               env=dict(os.environ, PYTHONPATH=str(package)))
    try:
        for _try in range(200):
            if (root / 'version').exists():
                break
            time.sleep(0.05)
        assert (root / 'version').read_text() == '3.0.1\nTRACING\n'
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert not os.path.ismount(root)
