#!/bin/sh
# Copyright (c) 2026, the cephgate contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Does what runs on hosts still run on Python 2.7 and 3.6? First by reading it, then by running it.
set -eu
cd "$(dirname "$0")/../.."
# long stands behind a check of the version, which vermin does not follow.
.venv/bin/vermin --quiet --no-tips --violations --exclude long -t=2.7- -t=3.6- plugins/modules plugins/module_utils
if ! PYTHON27=$(tests/tools/python27.sh); then
    echo "py27: NOT RUN: no Python 2.7 here, and none can be had from Debian 11. Set PYTHON27 or DEBIAN_MIRROR." >&2
    exit 1
fi
export PYTHON27
echo "py27: $PYTHON27"
.venv-2.16/bin/python -m pytest -q tests/py27
