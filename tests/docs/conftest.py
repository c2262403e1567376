# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of the documentation need: the tools of the environment they run in, and a folder to try things in."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(HERE))
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)


@pytest.fixture(scope='session')
def run(tmp_path_factory):
    """A function that runs words in a folder with this environment's tools, and returns (exit code, all that was printed)."""
    home = tmp_path_factory.mktemp('home')
    environment = dict(
        os.environ, PATH='%s:%s' % (pathlib.Path(sys.executable).parent, os.environ['PATH']), ANSIBLE_NOCOLOR='1', ANSIBLE_HOME=str(home),
        ANSIBLE_COLLECTIONS_PATH=str(TOP / 'build/collections'), ANSIBLE_LOCALHOST_WARNING='false')

    def call(words, cwd, timeout=120, **variables):
        done = subprocess.run([str(word) for word in words], cwd=cwd, env=dict(environment, PWD=str(cwd), **variables), text=True, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
        return done.returncode, done.stdout
    return call
