# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests' own modules and this environment's tools are."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path[:0] = [str(HERE), str(TOP / 'tests/emulator'), str(TOP / 'tests/integration/plays')]
subprocess.run([TOP / 'tests/tools/link-collection.sh'], check=True)
os.environ['PATH'] = '%s:%s' % (pathlib.Path(sys.executable).parent, os.environ['PATH'])
