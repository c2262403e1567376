# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source of SCST is, is known on the controller before a host is touched."""
import hashlib
import os
import tarfile

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader

from ansible_collections.cephgate.iscsi.plugins.lookup.scst_source import LookupModule

HEADER = '#define SCST_VERSION_NAME\t\t"%s"\n'


@pytest.fixture
def look(tmp_path):
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    return lambda *terms, **options: LookupModule(loader=loader).run(list(terms), **options)


@pytest.fixture
def tree(tmp_path):
    """A whole tree of release 3.10.0."""
    include = tmp_path / 'tree/scst/include'
    include.mkdir(parents=True)
    (include / 'scst_const.h').write_text(HEADER % '3.10.0')
    (tmp_path / 'tree/scst/Makefile').write_text('all:\n')
    return tmp_path / 'tree'


def archive(path, name, content, mode='w:bz2'):
    file = path.parent / 'content'
    file.write_text(content)
    with tarfile.open(path, mode) as tar:
        tar.add(file, name)
    return path


def test_a_url_is_left_for_the_host_to_download(look):
    found, = look('https://example.com/projects/scst/files/scst/scst-3.0.1.tar.bz2/download')
    assert (found['kind'], found['name'], found['contents'], found['version']) == ('url', 'scst-3.0.1.tar.bz2', '', '')


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_an_archive_says_its_release(look, tmp_path, mode):
    path = archive(tmp_path / 'a.tar', 'scst-3.0.1/include/scst_const.h', HEADER % '3.0.1', mode)
    found, = look(str(path))
    assert (found['kind'], found['version']) == ('archive', '3.0.1')
    assert found['contents'] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_archive_of_another_part_says_none(look, tmp_path):
    found, = look(str(archive(tmp_path / 'a.tar', 'iscsi-scst-3.0.1/Makefile', 'all:\n')))
    assert found['version'] == ''


def test_what_is_no_known_archive_is_left_for_the_host(look, tmp_path):
    (tmp_path / 'a.tar.zst').write_bytes(b'\x28\xb5\x2f\xfd')
    assert look(str(tmp_path / 'a.tar.zst'))[0]['version'] == ''


def test_relative_paths_count_from_the_playbook(look, tmp_path, tree):
    assert look('tree')[0]['source'] == str(tree)


def test_a_folder_says_its_release(look, tree):
    found, = look(str(tree))
    assert (found['kind'], found['version'], found['name']) == ('folder', '3.10.0', 'tree')


def test_a_folder_is_the_same_after_a_build_and_a_touch_in_it(look, tree):
    before = look(str(tree))
    (tree / 'scst/scst.ko').write_bytes(b'built')
    (tree / '.git').mkdir()
    (tree / '.git/index').write_bytes(b'changes with every command')
    os.utime(tree / 'scst/Makefile', (0, 0))
    assert look(str(tree)) == before


@pytest.mark.parametrize('change', [
    lambda tree: (tree / 'scst/Makefile').write_text('all: scst.ko\n'),
    lambda tree: (tree / 'scst/Makefile').rename(tree / 'scst/makefile'),
    lambda tree: (tree / 'scst/Makefile').chmod(0o755),
    lambda tree: (tree / 'link').symlink_to('scst'),
    lambda tree: (tree / 'scst/include/scst_const.h').unlink(),
], ids=['content', 'name', 'mode', 'link', 'removal'])
def test_a_changed_folder_differs(look, tree, change):
    before = look(str(tree))[0]['contents']
    change(tree)
    assert look(str(tree))[0]['contents'] != before


def test_a_promised_checksum_is_verified(look, tmp_path):
    path = archive(tmp_path / 'a.tar', 'scst-3.0.1/include/scst_const.h', HEADER % '3.0.1')
    right = 'sha1:' + hashlib.sha1(path.read_bytes()).hexdigest()
    assert look(str(path), checksums=[right])[0]['checksum'] == right
    with pytest.raises(AnsibleError, match='checksum mismatch: .*a.tar has sha256:[0-9a-f]{64}, promised was sha256:0{64}'):
        look(str(path), checksums=['sha256:' + 64 * '0'])


def test_a_single_checksum_needs_no_brackets(look):
    promised = 'md5:' + 32 * 'a'
    assert look('http://e.com/a', checksums=promised)[0]['checksum'] == promised


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_half_an_archive_is_refused(look, tmp_path, mode):
    path = archive(tmp_path / 'a.tar', 'scst-3.0.1/src/scst_main.c', os.urandom(9999).hex(), mode)
    path.write_bytes(path.read_bytes()[:4000])
    if mode == 'w':
        # Without a compression only the host's tar tells it from one that it alone knows.
        assert look(str(path))[0]['version'] == ''
    else:
        with pytest.raises(AnsibleError, match='a.tar is no whole archive'):
            look(str(path))


def test_the_page_around_a_download_is_refused(look, tmp_path):
    (tmp_path / 'scst-3.0.1.tar.bz2').write_text('\n<!doctype html><html>\n')
    with pytest.raises(AnsibleError, match='scst-3.0.1.tar.bz2 is a web page, not an archive'):
        look(str(tmp_path / 'scst-3.0.1.tar.bz2'))


@pytest.mark.parametrize('terms, checksums, text', [
    (['/nowhere/a.tar'], [], '/nowhere/a.tar does not exist on the controller'),
    (['http://e.com/a', 'http://e.com/b'], ['sha256:00'], '1 checksums for 2 sources'),
    (['http://e.com/a'], ['abcdef'], 'checksum abcdef is not one of md5'),
    (['http://e.com/a'], ['sha256:abcdef'], 'sha256 has 64 hex digits, "abcdef" are 6 characters'),
    (['http://e.com/a'], ['sha256:' + 64 * 'x'], 'sha256 has 64 hex digits'),
    (['http://e.com/a'], ['sha256:http://e.com/sums'], 'sha256 has 64 hex digits'),
    (['http://e.com/a'], ['crc32:00'], 'checksum crc32:00 is not one of'),
    (['.'], ['sha256:' + 64 * '0'], 'is a folder, which has no checksum'),
])
def test_what_cannot_be_right_is_refused(look, terms, checksums, text):
    with pytest.raises(AnsibleError, match=text):
        look(*terms, checksums=checksums)
