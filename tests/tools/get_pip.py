# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ansible-test is given instead of the get-pip.py that it would download.

Installs the pip that comes with Python, then with it the versions that ansible-test names in the
arguments, from the package index that pip is configured for.
"""
import subprocess
import sys

# Options of get-pip, not of pip: it installs setuptools and wheel unless told not to.
packages = [word for word in sys.argv[1:] if word not in ('--no-setuptools', '--no-wheel')]
subprocess.check_call([sys.executable, '-m', 'ensurepip', '--default-pip'], stdout=subprocess.DEVNULL)
sys.exit(subprocess.call([sys.executable, '-m', 'pip', 'install', '--quiet'] + packages))
