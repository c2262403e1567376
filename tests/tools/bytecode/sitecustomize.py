# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the bytecode of what Ansible's modules import, for a test's hosts.

Ansible sends a module as a zip file of sources, and Python compiles all of it for each task: half of what a module costs, and seconds in an
emulated machine. With this on an interpreter's path, as sitecustomize or imported by a .pth file, it compiles each source once. The folder
is $CEPHGATE_BYTECODE, or one that ends with the machine.
"""
import _frozen_importlib_external
import _imp
import marshal
import os
import zipimport

FOLDER = os.environ.get('CEPHGATE_BYTECODE') or '/run/bytecode'
KEY = int.from_bytes(_frozen_importlib_external.MAGIC_NUMBER, 'little')  # another Python, other names
compile_source = zipimport._compile_source


def kept(path, source):
    """The code of a source in a zip file. A traceback names the file of the module that had it first."""
    place = '%s/%s-%s' % (FOLDER, os.path.basename(path), _imp.source_hash(KEY, source).hex())
    try:
        with open(place, 'rb') as handle:
            return marshal.loads(handle.read())
    except (OSError, EOFError, ValueError, TypeError):
        pass
    code = compile_source(path, source)
    try:
        os.makedirs(FOLDER, exist_ok=True)
        new = '%s.%d' % (place, os.getpid())
        with open(new, 'wb') as handle:
            handle.write(marshal.dumps(code))
        os.rename(new, place)
    except OSError:
        pass  # a host without room: as it would be without this
    return code


zipimport._compile_source = kept
