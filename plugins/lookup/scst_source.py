# -*- coding: utf-8 -*-
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r"""
name: scst_source
short_description: What a source of SCST on the controller is
version_added: "0.1.0"
author: the cephgate contributors (@cephgate)
description:
  - Tells an archive, a folder and a URL apart, and says which release of SCST a local one holds, before anything is sent
    to a host or built.
  - Refuses a source that does not exist, and an archive that has not the promised checksum.
options:
  _terms:
    description: URLs, or paths of archives or folders on the controller; relative ones count from the playbook.
    type: list
    elements: str
    required: true
  checksums:
    description: Promised checksums in the same order as C(algorithm:hex), or none at all. A folder cannot have one.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show which release an archive holds
  ansible.builtin.debug:
    msg: "{{ lookup('cephgate.iscsi.scst_source', 'files/scst-3.0.1.tar.bz2').version }}"
"""

RETURN = r"""
_list:
  description:
    - One entry per source with C(kind) (V(url), V(archive) or V(folder)), C(source) (URL or absolute path), C(name) (its
      file name), C(checksum) (as promised, may be empty), C(contents) (a SHA-256 of what a local one contains, else empty)
      and C(version) (of SCST's core in a local one, else empty).
  type: list
  elements: dict
"""

import hashlib
import lzma
import os
import re
import tarfile
import zlib

from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.lookup import LookupBase

VERSION = re.compile(r'SCST_VERSION_NAME[ \t]+"([0-9.]+)')
HEADER = 'include/scst_const.h'
ALGORITHMS = ('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512')
# How archives begin that tarfile can read: gzip, bzip2, xz.
KNOWN = (b'\x1f\x8b', b'BZh', b'\xfd7zXZ')
# What make leaves in a source folder says nothing about the source.
LEFT_BY_MAKE = ('.o', '.ko', '.cmd', '.mod', '.mod.c', '.a')


class LookupModule(LookupBase):

    def run(self, terms, variables=None, **kwargs):
        checksums = kwargs.get('checksums') or []
        # One without brackets; its letters would be counted.
        if isinstance(checksums, str):
            checksums = [checksums]
        if checksums and len(checksums) != len(terms):
            raise AnsibleLookupError('%d checksums for %d sources (%s): give one "sha256:<hex>" for each, in the same order'
                                     % (len(checksums), len(terms), ', '.join(terms)))
        return [self._describe(term, promised) for term, promised in zip(terms, checksums or [''] * len(terms))]

    def _describe(self, term, promised):
        check_form(promised)
        if '://' in term:
            name = re.sub('/download/?$', '', term).rstrip('/').rsplit('/', 1)[-1]
            return dict(kind='url', source=term, name=name, checksum=promised, contents='', version='')
        path = self._loader.path_dwim(term)
        name = os.path.basename(path.rstrip('/'))
        if os.path.isdir(path):
            if promised:
                raise AnsibleLookupError('source %s is a folder, which has no checksum: give an archive, or leave the checksums out' % path)
            return dict(kind='folder', source=path, name=name, checksum='', contents=digest_folder(path), version=version_of_folder(path))
        if not os.path.isfile(path):
            raise AnsibleLookupError('source %s does not exist on the controller: correct its path' % path)
        check(path, promised)
        return dict(kind='archive', source=path, name=name, checksum=promised,
                    contents=digest_file(path, 'sha256'), version=version_of_archive(path))


def check_form(promised):
    """Now, and not when a host has downloaded the file."""
    if not promised:
        return
    algorithm, dummy, digits = to_text(promised).partition(':')
    if algorithm not in ALGORITHMS:
        raise AnsibleLookupError('checksum %s is not one of %s, a colon and hex digits' % (promised, ', '.join(ALGORITHMS)))
    length = 2 * hashlib.new(algorithm).digest_size
    if not re.match('[0-9a-fA-F]{%d}$' % length, digits):
        raise AnsibleLookupError('checksum %s: %s has %d hex digits, "%s" are %d characters: give all of it, and nothing else'
                                 % (promised, algorithm, length, digits, len(digits)))


def digest_file(path, algorithm):
    digest = hashlib.new(algorithm)
    with open(path, 'rb') as stream:
        for block in iter(lambda: stream.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def check(path, promised):
    if not promised:
        return
    algorithm, expected = promised.split(':', 1)
    found = digest_file(path, algorithm)
    if found != expected.lower():
        raise AnsibleLookupError('checksum mismatch: %s has %s:%s, promised was %s: get the archive again, or correct the checksum'
                                 % (path, algorithm, found, promised))


def digest_folder(path):
    """SHA-256 of names, modes and contents, without times and owners: equal for equal sources."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if name not in ('.git', '.svn', '.hg'))
        # A link to a folder is among the folders, and is not followed.
        files.extend(name for name in folders if os.path.islink(os.path.join(folder, name)))
        for name in sorted(files):
            if name.endswith(LEFT_BY_MAKE):
                continue
            entry = os.path.join(folder, name)
            if os.path.islink(entry):
                content = to_bytes('-> ' + os.readlink(entry))
            else:
                content = to_bytes('%o %s' % (os.stat(entry).st_mode & 0o111, digest_file(entry, 'sha256')))
            digest.update(to_bytes(os.path.relpath(entry, path)) + b'\0' + content + b'\n')
    return digest.hexdigest()


def version_of(text):
    found = VERSION.search(to_text(text, errors='surrogate_or_replace'))
    return found.group(1) if found else ''


def version_of_folder(path):
    for header in ('scst/' + HEADER, HEADER):
        if os.path.isfile(os.path.join(path, header)):
            with open(os.path.join(path, header), 'rb') as stream:
                return version_of(stream.read())
    return ''


def version_of_archive(path):
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and (member.name == HEADER or member.name.endswith('/' + HEADER)):
                    return version_of(archive.extractfile(member).read())
    except tarfile.ReadError:
        # A compression that only the host's tar knows is left to it: what it holds shows after unpacking.
        with open(path, 'rb') as stream:
            start = stream.read(6)
        if start.startswith(KNOWN):
            raise AnsibleLookupError('source %s is no whole archive: get it again' % path)
        if start.lstrip()[:1] == b'<':
            raise AnsibleLookupError('source %s is a web page, not an archive: get the archive itself' % path)
    except (EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise AnsibleLookupError('source %s is no whole archive (%s): get it again' % (path, error))
    return ''
